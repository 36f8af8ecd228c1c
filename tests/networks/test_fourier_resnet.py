import pytest
import torch

from translate.networks.fourier_resnet import FourierConv, FourierResnet, FourierUnit, pull_push


def drawn(G, *inputs, seed=0):
    torch.manual_seed(seed)
    return G(*inputs)


def tiny(**options):
    torch.manual_seed(0)
    return FourierResnet(width=8, trunk=16, blocks=1, **options)


def masked(picture, hole):
    mask = torch.where(hole, 1.0, -1.0)
    return torch.cat([torch.where(hole, 0.0, picture), mask], 1)


def test_a_product_of_spectra_is_a_convolution_with_the_size_of_the_picture():
    """With real weights that are the same for real and imaginary parts, and no norm and ReLU, the unit is linear."""
    torch.manual_seed(0)
    unit = FourierUnit(2).eval()
    kernel = torch.randn(2, 2)
    weight = torch.zeros(4, 4)
    weight[:2, :2] = weight[2:, 2:] = kernel
    unit.conv.weight.data = weight[..., None, None]
    unit.norm = torch.nn.Identity()
    x = torch.randn(3, 2, 8, 10)
    spectrum = torch.fft.rfft2(x, norm="ortho")
    parts = torch.cat([spectrum.real, spectrum.imag], 1)
    mixed = torch.einsum("oc,bchw->bohw", weight, parts).relu()
    expected = torch.fft.irfft2(torch.complex(*mixed.chunk(2, 1)), s=(8, 10), norm="ortho")
    torch.testing.assert_close(unit(x), expected, rtol=1e-4, atol=1e-5)


def test_one_layer_of_the_trunk_sees_the_whole_picture_and_a_plain_one_does_not():
    torch.manual_seed(0)
    for share, reach in ((0.5, 32), (0.0, 3)):
        layer = FourierConv(8, share, 0).eval()
        if not share:
            torch.nn.init.zeros_(layer.spectral.last.weight)
        x = torch.randn(1, 8, 32, 32, requires_grad=True)
        layer(x, None)[0, :, 16, 16].sum().backward()
        rows = (x.grad[0].abs().sum((0, 2)) > 0).sum()
        assert rows == reach


@pytest.mark.parametrize("size", [(8, 8), (24, 40), (64, 8)])
def test_any_size_that_is_a_multiple_comes_out_as_large(size):
    G = tiny().eval()
    x = masked(torch.rand(2, 3, *size) * 2 - 1, torch.rand(2, 1, *size) > 0.5)
    assert G(x).shape == (2, 3, *size)


def test_what_lies_in_the_hole_is_not_read():
    G = tiny().eval()
    hole = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    hole[..., 8:20, 4:28] = True
    picture = torch.rand(1, 3, 32, 32)
    x = masked(picture, hole)
    y = x.clone()
    y[:, :3][hole.expand(-1, 3, -1, -1)] = 0.7
    torch.testing.assert_close(drawn(G, x), drawn(G, y))


def test_a_vector_gives_another_answer_and_the_batch_none():
    G = tiny(z_dim=4).eval()
    hole = torch.rand(3, 1, 32, 32) > 0.5
    x, z = masked(torch.rand(3, 3, 32, 32), hole), torch.randn(3, 4)
    for block in G.trunk:
        torch.nn.init.ones_(block.conv2.norm.weight)
    together = drawn(G, x, z)
    torch.testing.assert_close(together[1:2], drawn(G, x[1:2], z[1:2]), rtol=1e-4, atol=1e-5)
    assert (drawn(G, x[:1], z[:1]) - drawn(G, x[:1], z[1:2])).abs().max() > 1e-4


def test_noise_is_drawn_in_the_hole_alone_and_in_training_for_each_picture():
    G = tiny()
    inside = torch.zeros(2, 1, 16, 16)
    inside[..., 4:12, 4:12] = 1
    for training, alike in ((True, False), (False, True)):
        G.train(training)
        noise = G._noise(inside, 3)
        assert noise.shape == (2, 3, 16, 16)
        assert not noise[(inside == 0).expand(-1, 3, -1, -1)].any()
        assert noise[(inside == 1).expand(-1, 3, -1, -1)].std() > 0.7
        assert torch.equal(noise[0], noise[1]) == alike
    G.eval()
    x = masked(torch.rand(1, 3, 16, 16), inside[:1] > 0)
    assert torch.equal(drawn(G, x), drawn(G, x))
    assert not torch.equal(drawn(G, x), drawn(G, x, seed=1))


def test_it_runs_in_bf16_with_the_transform_in_fp32():
    G = tiny().train()
    x = masked(torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32) > 0.5)
    with torch.autocast("cpu", torch.bfloat16):
        y = G(x)
    y.abs().mean().backward()
    assert y.dtype == torch.float32
    assert all(p.grad is not None and p.grad.isfinite().all() for p in G.parameters())


def test_the_membrane_keeps_what_is_known_and_stays_between_its_borders():
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 37, 22)
    known = torch.rand(2, 1, 37, 22) > 0.4
    filled = pull_push(torch.where(known, picture, torch.tensor(99.0)), known)
    assert torch.equal(filled[known.expand(-1, 3, -1, -1)], picture[known.expand(-1, 3, -1, -1)])
    assert filled.min() >= picture.min()
    assert filled.max() <= picture.max()
    flat = torch.full((1, 1, 16, 16), 0.3)
    torch.testing.assert_close(pull_push(flat, known[:1, :, :16, :16]), flat)


def test_the_membrane_is_smooth_where_a_ramp_was_cut_out():
    ramp = torch.linspace(-1, 1, 64).expand(1, 1, 64, 64)
    known = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    known[..., 20:44, 20:44] = False
    filled = pull_push(ramp, known)
    assert (filled - ramp)[~known].abs().mean() < 0.15
    assert (filled[..., 1:] - filled[..., :-1]).abs().max() < 0.2


def test_a_picture_of_which_nothing_is_known_is_grey():
    assert not pull_push(torch.rand(1, 3, 16, 16), torch.zeros(1, 1, 16, 16, dtype=torch.bool)).any()
