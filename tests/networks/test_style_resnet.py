import pytest
import torch
import torch.nn.functional as F

from translate.networks.style_resnet import BilinearTail, StyleEncoder, StyleNorm, StyleResnet, mean_hue
from translate.utils.errors import OptionError


def make(**options):
    torch.manual_seed(0)
    return StyleResnet(width=8, most=16, downs=2, blocks=1, **options)


def test_style_norm_is_adain():
    norm = StyleNorm(3, 4)
    torch.nn.init.normal_(norm.constant)
    x, style = torch.randn(2, 3, 8, 8), torch.randn(2, 4)
    steer = norm.constant + style @ norm.from_style.weight.T
    mean, sd = x.mean((2, 3), keepdim=True), x.var((2, 3), unbiased=False, keepdim=True).add(1e-5).sqrt()
    expected = (x - mean) / sd * (1 + steer[:, :3, None, None]) + steer[:, 3:, None, None]
    torch.testing.assert_close(norm(x, style), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("upsample", ["bilinear", "shuffle"])
@pytest.mark.parametrize("size", [(16, 16), (32, 48)])
def test_the_generator_keeps_the_size_and_reaches_every_parameter(size, upsample):
    net = make(in_channels=1, out_channels=3, z_dim=4, upsample=upsample)
    y = net(torch.rand(2, 1, *size) * 2 - 1, torch.randn(2, 4))
    assert y.shape == (2, 3, *size)
    assert y.dtype == torch.float32
    assert y.abs().max() <= 1
    y.square().mean().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_z_changes_the_answer_and_its_absence_is_allowed_only_without_looks():
    net = make(z_dim=4)
    x = torch.rand(1, 3, 16, 16).expand(2, -1, -1, -1)
    one, other = net(x, torch.randn(2, 4))
    assert (one - other).abs().mean() > 1e-4
    plain = make()
    assert plain.random is False
    assert plain.z_dim == 0
    assert torch.equal(*plain(x))


@pytest.mark.parametrize("fold", [2, 4])
def test_the_pixels_of_a_block_begin_alike(fold):
    y = make(fold=fold)(torch.rand(1, 3, 32, 32))
    assert torch.equal(y, F.interpolate(y[..., ::2, ::2], scale_factor=2))


@pytest.mark.parametrize("fold", [2, 4, 8])
def test_bilinear_doublings_can_draw_no_screen_where_the_source_is_flat(fold):
    """Random weights stand for any training."""
    torch.manual_seed(0)
    tail = BilinearTail(3, 3, width=32, fold=fold, style_dim=0)
    for parameter in tail.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    y = tail(torch.randn(1, 32, 1, 1).expand(-1, -1, 16, 16), None, torch.full((1, 3, 16 * fold, 16 * fold), 0.5))
    inside = y[..., 4 * fold : -4 * fold, 4 * fold : -4 * fold]  # away from the zeros beyond the border
    assert inside.abs().max() > 0.01
    torch.testing.assert_close(inside, inside[..., :1, :1].expand_as(inside), rtol=0, atol=1e-5)


def test_unknown_upsampling_is_refused():
    with pytest.raises(OptionError, match="upsample should be one of bilinear, shuffle, got 'nearest'"):
        make(upsample="nearest")


def test_a_fold_that_cannot_be_undone_is_refused():
    with pytest.raises(OptionError, match="fold should be 2, 4 or 8, got 3"):
        make(fold=3)


@pytest.mark.parametrize("size", [(64, 64), (256, 256), (80, 120)])
def test_the_encoder_reads_colours(size):
    torch.manual_seed(0)
    encoder = StyleEncoder(z_dim=3, width=4)
    red, blue = torch.tensor([1.0, -1, -1]), torch.tensor([-1.0, -1, 1])
    pictures = torch.stack([red, blue])[..., None, None].expand(-1, -1, *size)
    mean, log_variance = encoder(pictures)
    assert mean.shape == log_variance.shape == (2, 3)
    assert (mean[0] - mean[1]).abs().max() > 0.01


def test_the_encoder_keeps_the_last_looks_newest_first():
    encoder = StyleEncoder(z_dim=1, width=4, kept=3)
    for k in (1.0, 2.0, 3.0, 4.0):
        encoder.store_codes(torch.tensor([[k]]))
    assert encoder.looks.flatten().tolist() == [4, 3, 2]
    assert "looks" in encoder.state_dict()


def test_the_mean_hue_does_not_depend_on_how_much_paper_there_is():
    red = torch.tensor([0.9, -0.3, -0.6])
    x = torch.ones(2, 3, 32, 32)
    x[0, :, 4:8, 4:8] = red[:, None, None]
    x[1, :, 2:30, 8:20] = red[:, None, None]
    x[1, :, :2] = -1  # black counts nothing, either
    torch.testing.assert_close(mean_hue(x), (red - red.mean()).expand(2, 3), rtol=0.05, atol=0)
    assert mean_hue(torch.rand(2, 1, 16, 16)).abs().max() == 0


def test_codes_tell_small_objects_of_two_hues_apart_from_the_first_step_on():
    def codes(hues):
        torch.manual_seed(0)
        net = StyleEncoder(hues=hues)
        with torch.no_grad():
            return net(x)[0]

    x = torch.ones(2, 3, 64, 64)
    x[:, :, 28:34, 28:34] = torch.tensor([[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0]])[..., None, None]
    with_hues, without = codes(True), codes(False)
    assert (with_hues[0] - with_hues[1]).norm() > 5 * (without[0] - without[1]).norm()
    assert StyleEncoder().hues is None  # so that models of earlier versions load
