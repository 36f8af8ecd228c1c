import pytest
import torch

from translate.networks import GENERATORS
from translate.networks.transformers.vit_unet import VitUNet


def make(**options):
    torch.manual_seed(0)
    return VitUNet(**{"width": 8, "most": 16, "blocks": 2, "heads": 2} | options)


@pytest.mark.parametrize(("downs", "size"), [(2, (16, 16)), (2, (24, 40)), (3, (32, 48)), (1, (20, 12))])
@pytest.mark.parametrize("z_dim", [0, 3])
def test_the_generator_keeps_the_size_and_reaches_every_parameter(downs, size, z_dim):
    net = make(in_channels=1, out_channels=3, z_dim=z_dim, downs=downs)
    assert net.multiple == 2 ** (downs + 1) and net.z_dim == z_dim and net.random is (z_dim > 0)
    inputs = [torch.rand(2, 1, *size) * 2 - 1, *([torch.randn(2, z_dim)] if z_dim else [])]
    y = net(*inputs)
    assert y.shape == (2, 3, *size) and y.dtype == torch.float32
    y.square().mean().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_it_starts_at_the_picture():
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    net = GENERATORS["vit_unet"]()
    assert 0 < (net(x) - x).abs().mean() < 0.1
    gray = GENERATORS["vit_unet"](out_channels=1)(x)
    assert (gray - x.mean(1, keepdim=True)).abs().mean() < 0.1


def test_the_style_token_and_z_have_an_effect():
    net = make(z_dim=3).requires_grad_(False)
    x, z = torch.rand(1, 3, 32, 32) * 2 - 1, torch.randn(2, 3)
    one, other = net(x.expand(2, -1, -1, -1), z)
    assert (one - other).abs().mean() > 1e-3
    plain = make().requires_grad_(False)
    before = plain(x)
    plain.token += torch.randn_like(plain.token)
    assert (plain(x) - before).abs().mean() > 1e-3


def test_the_token_sees_the_whole_picture():
    """A change in one corner reaches the opposite one, through the attention and the style, without any norm."""
    net = make().requires_grad_(False)
    for p in net.trunk.parameters():
        p += 0.2 * torch.randn_like(p)
    styles, x = [], torch.rand(1, 3, 64, 64) * 2 - 1
    net.norm_token.register_forward_hook(lambda _, given, made: styles.append(made))
    for _ in range(2):
        net(x)
        x = x.clone()
        x[..., :8, :8] = -x[..., :8, :8]
    assert (styles[0] - styles[1]).abs().max() > 1e-3


def test_its_layers_lead_to_its_output():
    net = make()
    x = torch.rand(2, 3, 32, 48) * 2 - 1
    layers = net.layers(x)
    assert [tuple(layer.shape[1:]) for layer in layers] == [(3, 32, 48), (8, 16, 24), (16, 8, 12), (16, 4, 6)]
    assert torch.equal(net.finish(layers), net(x))
