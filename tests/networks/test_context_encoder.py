import pytest
import torch

from translate.networks.context_encoder import ChannelwiseLinear, ContextEncoder
from translate.utils.errors import OptionError
from translate.utils.factory import Factory


def test_each_channel_has_a_matrix_of_its_own():
    torch.manual_seed(0)
    layer = ChannelwiseLinear(3, 4)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 3, 4, 4)
    expected = torch.zeros_like(x)
    for picture in range(2):
        for channel in range(3):
            line = layer.weight[channel] @ x[picture, channel].reshape(16) + layer.bias[channel]
            expected[picture, channel] = line.reshape(4, 4)
    torch.testing.assert_close(layer(x), expected)
    assert layer.weight.numel() == 3 * 4**4  # m n^4, as section 3.1 counts


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_whole_picture_is_drawn(size, channels):
    torch.manual_seed(0)
    net = ContextEncoder(in_channels=channels + 1, out_channels=channels, size=size, width=2)
    y = net(torch.rand(2, channels + 1, size, size) * 2 - 1)
    assert y.shape == (2, channels, size, size)
    assert y.dtype == torch.float32
    assert y.abs().max() <= 1
    assert (net.multiple, net.fixed, net.z_dim, net.random) == (size, size, 0, False)


def test_the_network_has_the_layers_of_the_figure_and_of_section_3_1():
    with torch.device("meta"):
        net = ContextEncoder()
    downs = [net.first, *net.down]
    assert [c.out_channels for c in downs] == [64, 64, 128, 256, 512]
    assert [c.out_channels for c in (*net.up, net.last)] == [256, 128, 64, 64, 3]
    convolutions = [3 * 64, 64 * 64, 64 * 128, 128 * 256, 256 * 512]  # down, and the same up; 4 x 4 kernels
    biases = 64 + 3
    norms = 2 * (64 + 128 + 256 + 512 + 512 + 256 + 128 + 64 + 64)
    between = 512 * 4**4 + 512 * 16 + 512 * 512
    assert sum(p.numel() for p in net.parameters()) == 2 * 16 * sum(convolutions) + biases + norms + between


def test_every_pixel_reaches_every_other_and_the_mask_none():
    torch.manual_seed(0)
    net = ContextEncoder(size=64, width=4).eval()
    x = torch.randn(1, 4, 64, 64, requires_grad=True)
    net(x)[0, :, -1, -1].sum().backward()
    assert x.grad[0, 0, 0, 0] != 0
    assert (x.grad[:, -1] == 0).all()


def test_weights_begin_as_those_of_dcgan():
    torch.manual_seed(0)
    net = ContextEncoder(size=32, width=32)
    for weight in (net.down[-1].weight, net.up[0].weight, net.mix.weight, net.spread.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert net.norm_up[0].weight.mean().item() == pytest.approx(1.0, abs=0.02)


def test_training_fills_batch_norms_averages_and_an_answer_needs_no_batch():
    torch.manual_seed(0)
    net = ContextEncoder(size=32, width=4)
    x = torch.rand(4, 4, 32, 32) * 2 - 1
    before = net.norm_mix.running_var.clone()
    net(x).square().mean().backward()
    assert not torch.equal(net.norm_mix.running_var, before)
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in net.parameters())
    net.eval()
    torch.testing.assert_close(net(x)[:1], net(x[:1]), rtol=1e-4, atol=1e-5)


def test_bf16_is_near():
    torch.manual_seed(0)
    net = ContextEncoder(size=32, width=8)
    x = torch.rand(4, 4, 32, 32) * 2 - 1
    exact = net(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x)
    assert rough.dtype == torch.float32
    assert (rough - exact).abs().mean() < 0.02 < exact.std()


@pytest.mark.parametrize("size", [16, 48, 100, 129])
def test_another_size_is_refused(size):
    with pytest.raises(OptionError, match=f"not {size}; say --size 128"):
        ContextEncoder(size=size)


def test_the_run_tells_the_size_and_the_model_file_keeps_it():
    net = Factory({"name": "it", "width": 2}, {"it": ContextEncoder}, "generator", size=64)(in_channels=4)
    assert net.fixed == 64
    again = Factory(net.spec, {"it": ContextEncoder}, "generator")()
    again.load_state_dict(net.state_dict())
    with pytest.raises(AssertionError, match="made for 64 px"):
        again(torch.zeros(1, 4, 128, 128))
