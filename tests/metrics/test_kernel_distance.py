import numpy as np
import pytest
import torch

from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import distance_of_each, kernel_distance, polynomial_kernel
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import UserError


def scenes(count: int, seed: int) -> torch.Tensor:
    """Noise with a natural spectrum and one palette: (count, 3, 32, 32) in [-1, 1]."""
    g = torch.Generator().manual_seed(seed)
    noise = [torch.randn(count, 3, 32 // s, 32 // s, generator=g).repeat_interleave(s, 2) for s in (1, 2, 4, 8)]
    x = sum(n.repeat_interleave(s, 3) * s / 8 for n, s in zip(noise, (1, 2, 4, 8), strict=True))
    palette = torch.tensor([0.1, 0.0, -0.2])[:, None, None]
    return (0.25 * x + palette).clamp(-1, 1)


def blurred(x: torch.Tensor, amount: float) -> torch.Tensor:
    return x.lerp(torch.nn.functional.avg_pool2d(x, 5, 1, 2, count_include_pad=False), amount)


def tinted(x: torch.Tensor, amount: float) -> torch.Tensor:
    return (x + amount * torch.tensor([0.6, 0.0, -0.6])[:, None, None]).clamp(-1, 1)


def checkered(x: torch.Tensor, amount: float) -> torch.Tensor:
    sign = torch.tensor([1.0, -1.0]).repeat(16)
    return (x + 0.2 * amount * sign[:, None] * sign[None]).clamp(-1, 1)


def numpy_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD with the cubic kernel, straight from its definition."""

    def kernel(p: np.ndarray, q: np.ndarray) -> float:
        return (p @ q / p.size + 1) ** 3

    n = len(x)
    inside = [kernel(z[i], z[j]) for z in (x, y) for i in range(n) for j in range(n) if i != j]
    across = [kernel(p, q) for p in x for q in y]
    return sum(inside) / (n * (n - 1)) - 2 * sum(across) / n**2


@pytest.fixture(scope="module")
def features():
    net = DctFeatures()
    return {seed: net(scenes(48, seed)) for seed in (0, 1)}


def test_matches_the_definition():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(12, 30, generator=g), torch.randn(12, 30, generator=g) * 1.3 + 0.2
    found = kernel_distance(x, y, subset_size=12, subsets=3)
    assert found.value == pytest.approx(numpy_mmd(x.double().numpy(), y.double().numpy()), rel=1e-9)
    assert found.error == pytest.approx(0, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_is_torchmetrics_with_our_feature_module():
    x, y = scenes(6, 0), tinted(scenes(6, 1), 1.0)
    kid = import_torchmetrics("image.kid")
    metric = kid.KernelInceptionDistance(feature=DctFeatures(), subsets=1, subset_size=6)
    metric.update(y, real=True)
    metric.update(x, real=False)
    net = DctFeatures()
    assert kernel_distance(net(x), net(y), subset_size=6).value == pytest.approx(metric.compute()[0].item(), rel=1e-3)


@pytest.mark.parametrize("harm", [blurred, tinted, checkered])
def test_two_halves_are_near_and_harm_moves_away_step_by_step(features, harm):
    net = DctFeatures()
    same = kernel_distance(features[0], features[1])
    assert abs(same.value) < 3 * same.error
    steps = [kernel_distance(net(harm(scenes(48, 0), amount)), features[1]).value for amount in (0.25, 0.5, 1.0)]
    assert same.value + 3 * same.error < steps[0] < steps[1] < steps[2]


def test_error_is_about_the_spread_between_samples():
    draws = [torch.randn(40, 20, generator=torch.Generator().manual_seed(seed)) for seed in range(40)]
    found = [kernel_distance(x, y + 0.3, subsets=50) for x, y in zip(draws[::2], draws[1::2], strict=True)]
    spread = np.std([each.value for each in found], ddof=1)
    assert 0.5 < np.mean([each.error for each in found]) / spread < 2


def test_depends_on_the_seed_alone(features):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = kernel_distance(features[0], features[1], seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert kernel_distance(features[0], features[1], seed=3) == first
    assert kernel_distance(features[0], features[1], seed=4) != first


@pytest.mark.parametrize("sizes", [(2, 2), (3, 48), (48, 5)])
def test_small_and_unequal_sets(features, sizes):
    found = kernel_distance(features[0][: sizes[0]], features[1][: sizes[1]])
    assert np.isfinite(found.value) and found.subset_size == 2


@pytest.mark.parametrize("sizes", [(0, 5), (1, 5), (5, 1)])
def test_one_picture_is_no_set(features, sizes):
    with pytest.raises(UserError, match="needs 2 pictures"):
        kernel_distance(features[0][: sizes[0]], features[1][: sizes[1]])


@pytest.mark.parametrize("size", [0, 1, 6])
def test_impossible_subset_size(features, size):
    with pytest.raises(UserError, match=f"subset_size = {size} must lie between 2 and .* 5 pictures"):
        kernel_distance(features[0][:5], features[1][:9], subset_size=size)


def test_the_distance_of_each_is_that_of_the_naive_sum():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 5, generator=generator), torch.randn(6, 5, generator=generator)
    kernel = lambda p, q: (float(p.double() @ q.double()) / 5 + 1) ** 3  # noqa: E731
    among = sum(kernel(y[i], y[j]) for i in range(6) for j in range(6) if i != j) / 30
    naive = [kernel(p, p) - 2 * sum(kernel(p, q) for q in y) / 6 + among for p in x]
    assert distance_of_each(x, y).tolist() == pytest.approx(naive)


def test_the_mean_distance_of_each_is_the_kernel_distance_and_the_spread_of_the_set():
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(8, 3, generator=generator), torch.randn(8, 3, generator=generator) + 1
    whole = kernel_distance(x, y, subset_size=8, subsets=1).value
    kernel = polynomial_kernel(x.double(), x.double())
    among = (kernel.sum() - kernel.trace()) / (8 * 7)
    assert float(distance_of_each(x, y).mean() - kernel.trace() / 8 + among) == pytest.approx(whole)
