import pytest
import torch
import torch.nn.functional as F

from translate.networks import GENERATORS
from translate.networks.unet import UNet
from translate.utils.errors import OptionError


def original_unet(weights, x, levels, training):
    """The classic repository's U-Net with batch norm and without dropout, on its parameter names, call by call."""

    def norm(x, name):
        gamma, beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.batch_norm(x, None, None, gamma, beta, training=True)

    def block(x, depth):
        name = "model" + ".model.1" * (depth > 0) + ".model.3" * max(0, depth - 1)
        if depth == 0:
            h = F.conv2d(x, weights["model.model.0.weight"], None, 2, 1)
            h = F.relu(block(h, 1))
            return torch.tanh(
                F.conv_transpose2d(h, weights["model.model.3.weight"], weights["model.model.3.bias"], 2, 1)
            )
        h = F.conv2d(F.leaky_relu(x, 0.2), weights[f"{name}.model.1.weight"], None, 2, 1)
        if depth == levels - 1:
            h = F.conv_transpose2d(F.relu(h), weights[f"{name}.model.3.weight"], None, 2, 1)
            return torch.cat([x, norm(h, f"{name}.model.4")], 1)
        h = block(norm(h, f"{name}.model.2"), depth + 1)
        h = F.conv_transpose2d(F.relu(h), weights[f"{name}.model.5.weight"], None, 2, 1)
        return torch.cat([x, norm(h, f"{name}.model.6")], 1)

    return block(x, 0)


def original_names(levels):
    """Our parameter for each of the original's."""
    names = {"model.model.0.weight": "down.0.weight"}
    last = levels - 1
    for depth in range(1, levels):
        prefix = "model.model.1" + ".model.3" * (depth - 1)
        names[f"{prefix}.model.1.weight"] = f"down.{depth}.weight"
        up, norm = ("3", "4") if depth == last else ("5", "6")
        names[f"{prefix}.model.{up}.weight"] = f"up.{last - depth}.weight"
        for kind in ("weight", "bias"):
            names[f"{prefix}.model.{norm}.{kind}"] = f"norm_up.{last - depth}.{kind}"
            if depth < last:
                names[f"{prefix}.model.2.{kind}"] = f"norm_down.{depth - 1}.{kind}"
    return names | {f"model.model.3.{kind}": f"up.{last}.{kind}" for kind in ("weight", "bias")}


@pytest.mark.parametrize("levels", [5, 7])
@pytest.mark.parametrize("training", [True, False])
def test_unet_is_the_original_function(levels, training):
    torch.manual_seed(0)
    net = UNet(width=4, levels=levels, dropout=0.0, in_channels=1).train(training)
    for p in net.parameters():
        torch.nn.init.normal_(p, 0, 0.3)
    names, state = original_names(levels), net.state_dict()
    assert set(names.values()) == {n for n, _ in net.named_parameters()}
    weights = {theirs: state[ours] for theirs, ours in names.items()}
    x = torch.rand(1, 1, 2**levels, 2**levels) * 2 - 1  # one picture: a batch's statistics are the picture's
    torch.testing.assert_close(net(x), original_unet(weights, x, levels, training), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "millions"), [("unet_256", 54.414), ("unet_128", 41.829)])
def test_published_unets_have_the_published_size(name, millions):
    with torch.device("meta"):
        net = GENERATORS[name]()
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.001)


def test_dropout_stands_where_the_original_has_it_and_is_the_only_noise():
    net = UNet(width=2, levels=8).eval()
    x = torch.rand(1, 3, 256, 256)
    calls = []
    real = F.dropout

    def spy(x, p, training):
        calls.append((tuple(x.shape[2:]), p, training))
        return real(x, p, training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "dropout", spy)
        torch.manual_seed(0)
        one = net(x)
    assert calls == [((4, 4), 0.5, True), ((8, 8), 0.5, True), ((16, 16), 0.5, True)]
    other = net(x)
    torch.manual_seed(0)
    assert torch.equal(one, net(x))
    assert not torch.equal(one, other)


def test_after_training_a_picture_is_normalised_by_itself():
    net = UNet(width=2, levels=5, dropout=0.0).eval()
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(net(x)[:1], net(x[:1]))


def test_the_published_unet_ends_in_one_pixel():
    with torch.device("meta"):
        assert {s: GENERATORS["unet"](size=s, width=2).multiple for s in (64, 128, 200, 256)} == {
            64: 64,
            128: 128,
            200: 128,
            256: 256,
        }


@pytest.mark.parametrize("noise", ["concat", "add"])
def test_noise_may_come_with_the_picture(noise):
    net = UNet(width=2, levels=5, noise=noise).eval()
    assert net.random
    x = torch.randn(1, 3, 32, 32)
    torch.manual_seed(0)
    first, second = net(x), net(x)
    torch.manual_seed(0)
    assert torch.equal(net(x), first)
    assert not torch.allclose(first, second)
    assert not UNet(width=2, levels=5).random


def test_unknown_noise_is_refused():
    with pytest.raises(OptionError, match="unknown generator.noise 'conct'; did you mean 'concat'"):
        UNet(noise="conct")
