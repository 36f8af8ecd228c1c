import numpy as np
import pytest
import torch

from translate.networks.features.vgg import VGG16
from translate.tasks.losses.perceptual import (
    feature_distance,
    perceptual_loss,
    roll_together,
    style_loss,
    total_variation,
)

SHAPES = ((2, 4, 6, 8), (2, 5, 3, 4))


def features(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def test_the_perceptual_loss_is_equation_3():
    out, comp, truth = features(0), features(1), features(2)
    expected = 0.0
    for a, b, c in zip(out, comp, truth, strict=True):
        values = c[0].size
        for picture in range(2):
            expected += (np.abs(a[picture] - c[picture]).sum() + np.abs(b[picture] - c[picture]).sum()) / values / 2
    found = perceptual_loss(*([torch.from_numpy(x) for x in layers] for layers in (out, comp, truth)))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_the_style_loss_is_equations_4_and_5():
    out, comp, truth = features(0), features(1), features(2)
    expected = 0.0
    for a, b, c in zip(out, comp, truth, strict=True):
        _, channels, height, width = c.shape
        K = 1 / (channels * height * width)
        for picture in range(2):
            wanted = np.einsum("chw,dhw->cd", c[picture], c[picture])
            for made in (a, b):
                S = np.einsum("chw,dhw->cd", made[picture], made[picture])
                expected += np.abs(K * (S - wanted)).sum() / channels**2 / 2
    tensors = [[torch.from_numpy(x) for x in layers] for layers in (out, comp, truth)]
    assert style_loss(*tensors).item() == pytest.approx(expected, rel=1e-5)
    shuffled = [x.flatten(2).flip(2).unflatten(2, x.shape[2:]) for x in tensors[2]]
    assert style_loss(shuffled, shuffled, tensors[2]).item() == pytest.approx(0, abs=1e-6)  # wherever things stand
    with torch.autocast("cpu", torch.bfloat16):
        assert style_loss(*tensors).item() == pytest.approx(expected, rel=1e-5)


def test_total_variation_is_equation_6():
    rng = np.random.default_rng(0)
    comp = rng.standard_normal((2, 3, 9, 11)).astype(np.float32)
    hole = np.zeros((2, 1, 9, 11), bool)
    hole[0, 0, 3:5, 4:7] = hole[1, 0, 0, 0] = hole[1, 0, 8, 10] = hole[1, 0, 8, 0] = True
    expected = 0.0
    for picture in range(2):
        R = np.zeros((9, 11), bool)
        for i, j in zip(*np.nonzero(hole[picture, 0]), strict=True):
            R[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2] = True
        total = 0.0
        for i in range(9):
            for j in range(11):
                for y, z in ((i, j + 1), (i + 1, j)):
                    if y < 9 and z < 11 and R[i, j] and R[y, z]:
                        total += np.abs(comp[picture, :, y, z] - comp[picture, :, i, j]).sum()
        expected += total / comp[picture].size / 2
    mask = torch.from_numpy(hole)
    for region in (mask, mask.float(), mask.float() * 2 - 1):
        assert total_variation(torch.from_numpy(comp), region).item() == pytest.approx(expected, rel=1e-5)


def test_the_losses_train_the_hole():
    torch.manual_seed(0)
    net, truth = VGG16(), torch.rand(1, 3, 16, 16) * 2 - 1
    hole = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    hole[..., 4:12, 4:12] = True
    out = torch.zeros_like(truth).requires_grad_(True)
    comp = torch.where(hole, out, truth)
    seen = net(out), net(comp), net(truth)
    loss = perceptual_loss(*seen) + style_loss(*seen) + total_variation(comp, hole)
    loss.backward()
    assert out.grad.isfinite().all()
    assert out.grad[..., 4:12, 4:12].any()


def test_the_distance_of_features_is_that_of_lpips_without_weights():
    """Against the formula of equation 1, in loops."""
    rng = np.random.default_rng(0)
    one, other = ([rng.normal(size=shape) for shape in ((2, 5, 3, 4), (2, 7, 2, 2))] for _ in range(2))
    expected = 0.0
    for x, y in zip(one, other, strict=True):
        count, _, height, width = x.shape
        total = 0.0
        for n in range(count):
            for i in range(height):
                for j in range(width):
                    u, v = x[n, :, i, j], y[n, :, i, j]
                    total += ((u / np.linalg.norm(u) - v / np.linalg.norm(v)) ** 2).sum()
        expected += total / (count * height * width)
    found = feature_distance([torch.from_numpy(x) for x in one], [torch.from_numpy(y) for y in other])
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert feature_distance([torch.zeros(1, 3, 2, 2)], [torch.zeros(1, 3, 2, 2)]).item() == 0  # and no NaN


def test_pictures_are_rolled_together():
    pictures = torch.arange(2 * 3 * 6 * 7.0).view(2, 3, 6, 7)
    seen = set()
    for seed in range(40):
        torch.manual_seed(seed)
        one, other = roll_together(pictures, pictures + 1)
        assert torch.equal(one + 1, other)
        (match,) = [(y, x) for y in range(6) for x in range(7) if torch.equal(pictures.roll((y, x), (2, 3)), one)]
        seen.add(match)
    assert len(seen) >= 12 and max(max(match) for match in seen) == 3
