import pytest
import torch
import torch.nn.functional as F

from translate.networks import LATENT_DISCRIMINATORS, LATENT_GENERATORS
from translate.networks.blocks import Halve
from translate.networks.dcgan import DCGAN, DCGANDiscriminator
from translate.networks.stylegan import ResidualDiscriminator, StyledConv, StyleSynthesis, minibatch_stddev
from translate.utils.errors import OptionError


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", LATENT_GENERATORS)
def test_generators_draw_pictures_of_their_size(name, classes):
    torch.manual_seed(0)
    G = LATENT_GENERATORS[name](size=64, out_channels=1, classes=classes, width=4).eval()
    z, label = torch.randn(2, G.z_dim), torch.eye(3)[:2] if classes else None
    w = G.style(z, label)
    assert w.shape == (2, G.w_dim)
    picture = G(z, label)
    assert picture.shape == (2, 1, G.size, G.size)
    assert picture.dtype == torch.float32
    assert picture.abs().max() <= 1
    assert torch.equal(picture, G.draw(w))
    torch.testing.assert_close(picture[1:], G.draw(w[1:]), rtol=1e-4, atol=1e-5)  # whatever else is in the batch
    if classes:
        assert not torch.allclose(picture, G(z, label.roll(1, 1)))


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("name", ["residual", "dcgan"])
def test_discriminators_score_each_picture(name, size):
    D = LATENT_DISCRIMINATORS[name](size=size, in_channels=3, classes=2, width=4)
    assert D(torch.randn(4, 3, size, size), torch.eye(2).repeat(2, 1)).shape == (4, 1)


def test_dcgan_is_that_of_figure_1():
    G, D = DCGAN(), DCGANDiscriminator()
    convolutions = [100 * 1024 * 16 // 2, *(wide * wide // 2 * 16 for wide in (512, 256, 128))]  # 4x4 kernels
    assert count(G) == sum(convolutions) + 64 * 3 * 16 + 3 + 2 * (512 + 256 + 128 + 64)
    assert count(D) == sum(convolutions[1:]) + 64 * 3 * 16 + 64 + 512 * 16 + 1 + 2 * (512 + 256 + 128)
    assert G.first.weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_a_style_scales_and_shifts_what_batch_norm_leaves():
    torch.manual_seed(0)
    layer = StyledConv(5, 7, w_dim=4)
    x, w = torch.randn(6, 5, 8, 8), torch.randn(6, 4)
    features = F.conv2d(x, layer.conv.weight, padding=1)
    normal = (features - features.mean((0, 2, 3), keepdim=True)) / features.std((0, 2, 3), correction=0, keepdim=True)
    scale, shift = layer.affine(w)[..., None, None].chunk(2, 1)
    expected = F.leaky_relu((1 + scale) * normal + shift, 0.2)
    torch.testing.assert_close(layer(x, w), expected, rtol=1e-3, atol=1e-3)


def test_new_generators_have_no_checkerboard_and_keep_their_signal():
    torch.manual_seed(0)
    G = StyleSynthesis(size=64, width=16, most=32, fold=2)
    x = G(torch.randn(8, 64))
    assert 0.01 < x.std() < 0.5
    blocks = F.pixel_unshuffle(x, 2).unflatten(1, (3, 4))
    assert blocks.std(2).mean() < 0.2 * x.std()


def test_half_a_level_is_half_of_what_it_adds():
    torch.manual_seed(0)
    G = StyleSynthesis(size=32, width=4, most=8, grow=True)
    w = G.style(torch.randn(2, 64))

    def drawn(depth):
        G.depth.fill_(depth)
        return torch.atanh(G.draw(w))

    torch.testing.assert_close(drawn(1.5), (drawn(1.0) + drawn(2.0)) / 2, rtol=1e-3, atol=1e-4)


def test_a_discriminator_of_few_levels_does_not_see_what_is_finer():
    torch.manual_seed(0)
    D = ResidualDiscriminator(size=32, width=4, most=8, grow=True)
    D.depth.fill_(2.0)
    x = torch.randn(4, 3, 32, 32)
    finer = x - F.interpolate(F.avg_pool2d(x, 2), scale_factor=2)
    torch.testing.assert_close(D(x), D(x - finer), rtol=1e-4, atol=1e-5)
    D.depth.fill_(3.0)
    assert not torch.allclose(D(x), D(x - finer), atol=1e-3)


def test_variety_is_the_mean_spread_of_each_group():
    torch.manual_seed(0)
    x = torch.randn(8, 2, 3, 3)
    x[4:] = x[4]
    found = minibatch_stddev(x, 4)
    assert found.shape == (8, 1, 3, 3)
    assert found[0, 0, 0, 0].item() == pytest.approx(x[:4].std(0, correction=0).mean().item(), rel=1e-4)
    assert found[4:].max() < 1e-3
    assert minibatch_stddev(x[:7], 4).unique().numel() == 1  # seven are one group


def test_the_projection_of_a_label_adds_to_the_score():
    torch.manual_seed(0)
    D = ResidualDiscriminator(size=32, width=4, most=8, classes=3)
    x = torch.randn(4, 3, 32, 32)
    plain = D(x)
    first, second = torch.eye(3)[:1].expand(4, -1), torch.eye(3)[1:2].expand(4, -1)
    mixed = D(x, (first + second) / 2)
    torch.testing.assert_close(mixed - plain, ((D(x, first) - plain) + (D(x, second) - plain)) / 2)


@pytest.mark.parametrize("network", [StyleSynthesis, ResidualDiscriminator, DCGAN, DCGANDiscriminator])
def test_a_size_that_is_no_power_of_two_is_refused(network):
    with pytest.raises(OptionError, match="not 48; say --size 64"):
        network(size=48)


def test_dcgan_64_is_of_64_px():
    with pytest.raises(OptionError, match="dcgan_64 makes pictures of 64 px, not 32; say --size 64, or --netG dcgan"):
        LATENT_GENERATORS["dcgan_64"](size=32)


def test_halving_is_the_mean_of_two_by_two():
    x = torch.randn(2, 3, 8, 6)
    torch.testing.assert_close(Halve()(x), F.avg_pool2d(x, 2))
