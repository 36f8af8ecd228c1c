import pytest
import torch
import torch.nn.functional as F

from translate.networks import DISCRIMINATORS
from translate.networks.blocks import Downsample, InstanceNorm, Upsample
from translate.networks.patchgan import MultiScale, PatchGAN


def test_patchgan_is_the_original_function():
    torch.manual_seed(0)
    net = PatchGAN(width=4)
    convs = [m for m in net.body if isinstance(m, torch.nn.Conv2d)]
    x = torch.rand(2, 3, 64, 64)
    y = F.leaky_relu(F.conv2d(x, convs[0].weight, convs[0].bias, 2, 1), 0.2)
    for conv, stride in zip(convs[1:4], (2, 2, 1), strict=True):
        y = F.leaky_relu(F.instance_norm(F.conv2d(y, conv.weight, conv.bias, stride, 1)), 0.2)
    y = F.conv2d(y, convs[4].weight, convs[4].bias, 1, 1)
    torch.testing.assert_close(net(x), y, rtol=1e-4, atol=1e-6)


def test_published_sizes():
    assert sum(p.numel() for p in PatchGAN().parameters()) == 2_764_737
    assert sum(p.numel() for p in PatchGAN(in_channels=6, norm="batch").parameters()) == 2_768_705  # of pix2pix


def test_with_batch_norm_it_is_the_discriminator_of_pix2pix():
    torch.manual_seed(0)
    net = PatchGAN(in_channels=6, width=4, norm="batch")
    convs = [m for m in net.body if isinstance(m, torch.nn.Conv2d)]
    norms = [m for m in net.body if isinstance(m, torch.nn.BatchNorm2d)]
    assert [conv.bias is None for conv in convs] == [False, True, True, True, False]
    x = torch.rand(2, 6, 64, 64)
    y = F.leaky_relu(F.conv2d(x, convs[0].weight, convs[0].bias, 2, 1), 0.2)
    for conv, norm, stride in zip(convs[1:4], norms, (2, 2, 1), strict=True):
        y = F.batch_norm(F.conv2d(y, conv.weight, None, stride, 1), None, None, norm.weight, norm.bias, training=True)
        y = F.leaky_relu(y, 0.2)
    y = F.conv2d(y, convs[4].weight, convs[4].bias, 1, 1)
    torch.testing.assert_close(net(x), y, rtol=1e-4, atol=1e-6)


def test_two_scales_see_the_picture_and_its_half():
    torch.manual_seed(0)
    net = MultiScale(width=4, layers=2).eval()
    x = torch.rand(2, 3, 64, 64)
    full, half = net(x)
    assert len(full) == len(half) == 4
    for layers, judge, view in ((full, net.judges[0], x), (half, net.judges[1], F.avg_pool2d(x, 2))):
        torch.testing.assert_close(layers[-1], judge(view))
        torch.testing.assert_close(layers[0], F.leaky_relu(judge.body[0](view), 0.2))


def test_the_window_wanders_over_the_picture_at_full_size_only():
    torch.manual_seed(0)
    net = MultiScale(width=4, layers=2, window=32).eval()
    seen = [[], []]
    for judge, views in zip(net.judges, seen, strict=True):
        features = judge.features
        judge.features = lambda x, views=views, features=features: (views.append(x), features(x))[1]
    place = torch.arange(64.0 * 64).view(1, 1, 64, 64).expand(2, 3, -1, -1)
    for _ in range(40):
        net(place)
    assert {tuple(x.shape) for x in seen[0]} == {(2, 3, 32, 32)}
    assert {tuple(x.shape) for x in seen[1]} == {(2, 3, 32, 32)}  # half of the whole
    corners = torch.stack([x[0, 0, 0, 0] for x in seen[0]])
    assert len(corners.unique()) > 20
    assert (corners % 64).max() <= 32
    assert all(torch.equal(x, seen[1][0]) for x in seen[1])
    net(place[..., :24, :24])
    assert seen[0][-1].shape == (2, 3, 24, 24)


@pytest.mark.parametrize(("name", "seen"), [("patch_70", 70), ("patch_34", 34)])
def test_receptive_field(name, seen):
    net = DISCRIMINATORS[name](width=4, norm="spectral").eval()
    x = torch.rand(1, 3, 128, 128, requires_grad=True)
    scores = net(x)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == seen


def test_spectral_norm_bounds_every_layer():
    torch.manual_seed(0)
    net = PatchGAN(width=8, norm="spectral").train()
    for _ in range(200):
        net(torch.rand(1, 3, 32, 32))
    for conv in net.body:
        if isinstance(conv, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_instance_norm_is_torchs():
    x = torch.randn(2, 6, 9, 7) * 3 + 1
    torch.testing.assert_close(InstanceNorm(6)(x), F.instance_norm(x), rtol=1e-4, atol=1e-5)


def test_instance_norm_keeps_channels_last():
    x = torch.randn(2, 8, 6, 6).to(memory_format=torch.channels_last)
    assert InstanceNorm(8)(x).is_contiguous(memory_format=torch.channels_last)


def test_resampling_keeps_a_constant_and_kills_the_highest_frequency():
    board = torch.ones(1, 2, 8, 8)
    torch.testing.assert_close(Downsample(2)(board), torch.ones(1, 2, 4, 4))
    torch.testing.assert_close(Upsample()(board), torch.ones(1, 2, 16, 16))
    board[..., ::2, 1::2] = board[..., 1::2, ::2] = -1
    assert Downsample(2)(board).abs().max() < 1e-6
