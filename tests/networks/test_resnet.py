import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from translate.networks import GENERATORS
from translate.networks.resnet import RESNETS, Resnet


def original_resnet(weights, x, blocks):
    """The classic repository's resnet generator with instance norm, as plain function calls on its parameter names."""

    def block(x, k, pad, stride=1, padding=0):
        x = F.pad(x, (pad,) * 4, mode="reflect") if pad else x
        return F.conv2d(x, weights[f"model.{k}.weight"], weights[f"model.{k}.bias"], stride, padding)

    x = F.relu(F.instance_norm(block(x, 1, 3)))
    x = F.relu(F.instance_norm(block(x, 4, 0, 2, 1)))
    x = F.relu(F.instance_norm(block(x, 7, 0, 2, 1)))
    for i in range(10, 10 + blocks):
        h = F.relu(F.instance_norm(block(x, f"{i}.conv_block.1", 1)))
        x = x + F.instance_norm(block(h, f"{i}.conv_block.5", 1))
    for i in (10 + blocks, 13 + blocks):
        w, b = weights[f"model.{i}.weight"], weights[f"model.{i}.bias"]
        x = F.relu(F.instance_norm(F.conv_transpose2d(x, w, b, 2, 1, 1)))
    return torch.tanh(block(x, 17 + blocks, 3))


def original_names(net, blocks):
    layers = {"stem": "1", "down1": "4", "down2": "7", "head": str(17 + blocks)}
    layers |= {"up1": str(10 + blocks), "up2": str(13 + blocks)}
    names = {}
    for name in net.state_dict():
        first, _, rest = name.partition(".")
        if first == "trunk":
            i, conv, kind = rest.split(".")
            names[f"model.{10 + int(i)}.conv_block.{1 if conv == 'conv1' else 5}.{kind}"] = name
        else:
            names[f"model.{layers[first]}.{rest}"] = name
    return names


@pytest.mark.parametrize("blocks", [6, 9])
def test_resnet_is_the_original_function(blocks):
    torch.manual_seed(0)
    net = Resnet(width=4, blocks=blocks)
    for p in net.parameters():
        torch.nn.init.normal_(p, 0, 0.3)
    state = net.state_dict()
    weights = {theirs: state[ours] for theirs, ours in original_names(net, blocks).items()}
    x = torch.rand(2, 3, 32, 44) * 2 - 1
    torch.testing.assert_close(net(x), original_resnet(weights, x, blocks), rtol=1e-3, atol=1e-4)


def test_resnet_9blocks_has_the_published_size_and_cost():
    with torch.device("meta"):
        net = GENERATORS["resnet_9blocks"]()
        x = torch.empty(1, 3, 256, 256)
    assert sum(p.numel() for p in net.parameters()) == 11_378_179
    with FlopCounterMode(display=False) as counter:
        net(x)
    assert counter.get_total_flops() / 1e9 == pytest.approx(99.1, abs=0.1)


def test_the_published_generator_depends_on_the_size():
    with torch.device("meta"):
        counts = {size: len(GENERATORS["resnet"](size=size).trunk) for size in (64, 128, 129, 256)}
    assert counts == {64: 6, 128: 6, 129: 9, 256: 9}


@pytest.mark.parametrize("name", RESNETS)
@pytest.mark.parametrize("size", [(16, 16), (32, 20)])
def test_generators_keep_size_and_reach_every_parameter(name, size):
    net = GENERATORS[name](width=8)
    x = torch.rand(2, 3, *size) * 2 - 1
    y = net(x)
    assert y.shape == x.shape
    assert y.isfinite().all()
    y.square().mean().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []
    assert all(s % net.multiple == 0 for s in size)


@pytest.mark.parametrize("name", RESNETS)
def test_initial_weights_are_small_and_normal(name):
    torch.manual_seed(0)
    weights = torch.cat([p.flatten() for n, p in GENERATORS[name](width=16).named_parameters() if "weight" in n])
    assert weights.std().item() == pytest.approx(0.02, rel=0.05)


def test_skip_resnet_starts_near_its_input_and_prints_no_grid():
    torch.manual_seed(0)
    net = GENERATORS["skip_resnet"]()
    x = F.interpolate(torch.rand(1, 3, 8, 8) * 1.6 - 0.8, size=64, mode="bicubic")
    y = net(x)
    assert (y - x).abs().mean() < 0.2
    change = (y - x)[..., 8:-8, 8:-8]
    phases = torch.stack([change[..., i::4, j::4].mean() for i in range(4) for j in range(4)])
    assert phases.std() < 0.1 * change.std()
