import pytest
import torch
import torch.nn.functional as F

from translate.networks import DISCRIMINATORS
from translate.networks.blocks import Downsample, InstanceNorm, Upsample
from translate.networks.patch import PatchGAN


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


def test_published_size():
    assert sum(p.numel() for p in PatchGAN().parameters()) == 2_764_737


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
