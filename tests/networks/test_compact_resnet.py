import pytest
import torch

from translate.networks.compact_resnet import CompactResnet
from translate.utils.errors import OptionError


def make(**options):
    torch.manual_seed(0)
    return CompactResnet(width=8, trunk=16, blocks=1, **options)


@pytest.mark.parametrize("norm", ["instance", "none"])
@pytest.mark.parametrize("fold", [2, 4])
def test_it_keeps_the_size_and_reaches_every_parameter(fold, norm):
    net = make(in_channels=1, out_channels=3, z_dim=4, fold=fold, norm=norm)
    size = 4 * net.multiple, 6 * net.multiple
    y = net(torch.rand(2, 1, *size) * 2 - 1, torch.randn(2, 4))
    assert y.shape == (2, 3, *size) and y.dtype == torch.float32 and net.multiple == 2 * fold
    y.square().mean().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_it_starts_near_its_input(norm):
    x = torch.nn.functional.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, size=32, mode="bilinear")
    assert (make(norm=norm)(x) - x).abs().mean() < 0.2 * x.abs().mean()


def test_z_matters_and_is_optional():
    x = torch.rand(1, 3, 16, 16).expand(2, -1, -1, -1)
    assert make(z_dim=4).random and not make().random
    one, other = make(z_dim=4)(x, torch.tensor([[2.0] * 4, [-2.0] * 4]))
    assert (one - other).abs().mean() > 1e-5
    assert torch.equal(*make()(x))


def test_without_norms_a_place_depends_on_its_neighbourhood_alone():
    x = torch.rand(1, 3, 32, 96)
    changed = x.clone()
    changed[..., 80:] = 0
    for norm, same in (("none", True), ("instance", False)):
        net = make(norm=norm)
        assert torch.equal(net(x)[..., :16], net(changed)[..., :16]) is same


@pytest.mark.parametrize("options", [{"fold": 3}, {"norm": "batch"}])
def test_other_options_are_refused(options):
    with pytest.raises(OptionError, match=rf"generator\.{next(iter(options))}"):
        make(**options)
