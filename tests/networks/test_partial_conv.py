import numpy as np
import pytest
import torch

from translate.networks.partial_conv import PartialConv, PartialUNet


def by_windows(x, mask, weight, bias, stride):
    """Equations 1 and 2, window by window; x and mask are (C, H, W)."""
    outs, _, kernel, _ = weight.shape
    border = kernel // 2
    height, width = (-(-side // stride) for side in x.shape[1:])
    made, reached = np.zeros((outs, height, width)), np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            X, M = np.zeros(weight.shape[1:]), np.zeros(weight.shape[1:])  # what lies outside is a hole
            for di in range(kernel):
                for dj in range(kernel):
                    y, z = i * stride + di - border, j * stride + dj - border
                    if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
                        X[:, di, dj], M[:, di, dj] = x[:, y, z], mask[:, y, z]
            if M.sum() > 0:
                made[:, i, j] = (weight * (X * M)).sum((1, 2, 3)) * M.size / M.sum() + bias
                reached[i, j] = 1
    return made, reached


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("parts", [(3,), (4, 2), (1, 1, 1)])
def test_a_layer_is_that_of_the_equations(parts, kernel, stride):
    torch.manual_seed(kernel)
    layer = PartialConv(parts, 4, kernel, stride=stride)
    torch.nn.init.normal_(layer.conv.bias)
    xs = [torch.randn(2, c, 10, 12) for c in parts]
    known = [(torch.rand(2, 1, 10, 12) < 0.15).float() for _ in parts]
    for m in known:
        m[0, :, 3:, :9] = 0  # some windows see nothing at all
    y, reached = layer(xs, known)
    weight, bias = layer.conv.weight.detach().numpy(), layer.conv.bias.detach().numpy()
    for picture in range(2):
        x = np.concatenate([x[picture].numpy() for x in xs])
        mask = np.concatenate([m[picture].expand(c, -1, -1).numpy() for m, c in zip(known, parts, strict=True)])
        made, new_mask = by_windows(x, mask, weight, bias, stride)
        np.testing.assert_allclose(y[picture].detach().numpy(), made, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(reached[picture, 0].numpy(), new_mask)
    assert 0 < reached.mean() < 1


def test_where_all_is_known_it_is_a_plain_convolution_but_for_the_border():
    torch.manual_seed(0)
    layer = PartialConv([3], 5, 7)
    torch.nn.init.normal_(layer.conv.bias)
    x = torch.randn(1, 3, 16, 16)
    y, reached = layer([x], [torch.ones(1, 1, 16, 16)])
    assert (reached == 1).all()
    plain = layer.conv(x)
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(y[inner], plain[inner])
    assert not torch.allclose(y[..., 0, :], plain[..., 0, :])


def test_where_nothing_is_known_there_is_nothing():
    layer = PartialConv([3], 5, 3)
    torch.nn.init.ones_(layer.conv.bias)
    y, reached = layer([torch.randn(1, 3, 8, 8)], [torch.zeros(1, 1, 8, 8)])
    assert (y == 0).all()
    assert (reached == 0).all()


def holed(size, low, high, count=2, channels=3):
    """Pictures with a square hole, and the plane of the mask."""
    x = torch.rand(count, channels + 1, size, size) * 2 - 1
    x[:, -1] = -1
    x[:, -1, low:high, low:high] = 1
    return x


def test_the_hole_closes_layer_by_layer():
    torch.manual_seed(0)
    net = PartialUNet(size=64, width=2)
    shares = []
    for layer in (*net.down, *net.up):
        layer.register_forward_hook(lambda _, __, output: shares.append((output[1] == 0).float().mean().item()))
    net(holed(64, 8, 56))
    down = shares[: len(net.down)]
    assert down[0] > 0.3
    assert all(after < before for before, after in zip(down, down[1:], strict=False) if before)
    assert down[-1] == 0
    assert shares[len(net.down) :] == [0.0] * len(net.up)


def test_what_lies_in_the_hole_does_not_matter_and_what_is_known_does():
    torch.manual_seed(0)
    net = PartialUNet(size=32, width=4).eval()
    x = holed(32, 8, 24)
    other = x.clone()
    other[:, :3, 8:24, 8:24] = 0.5
    assert torch.equal(net(x), net(other))
    other[:, :3, :8] = 0.5
    assert not torch.allclose(net(x), net(other))


def test_the_network_has_the_layers_of_the_published_table():
    with torch.device("meta"):
        net = PartialUNet(size=512)
    down = [(layer.conv.in_channels, layer.conv.out_channels, layer.conv.kernel_size[0]) for layer in net.down]
    assert down == [(3, 64, 7), (64, 128, 5), (128, 256, 5), (256, 512, 3)] + [(512, 512, 3)] * 4
    up = [(*layer.parts, layer.conv.out_channels) for layer in net.up]
    assert up == [(512, 512, 512)] * 4 + [(512, 256, 256), (256, 128, 128), (128, 64, 64), (64, 3, 3)]
    assert all(layer.conv.kernel_size == (3, 3) for layer in net.up)
    assert [n.num_features for n in net.norm_down] == [128, 256, 512, 512, 512, 512, 512]
    assert [n.num_features for n in net.norm_up] == [512] * 4 + [256, 128, 64]


def test_levels_follow_from_the_size():
    multiples = {size: PartialUNet(size=size, width=1).multiple for size in (32, 64, 128, 200, 256, 512, 1024)}
    assert multiples == {32: 16, 64: 32, 128: 64, 200: 64, 256: 128, 512: 256, 1024: 256}


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_reach_all_weights(channels):
    torch.manual_seed(0)
    net = PartialUNet(in_channels=channels + 1, out_channels=channels, size=32, width=2)
    y = net(holed(64, 20, 40, channels=channels))
    assert y.shape == (2, channels, 64, 64)
    y.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert all(p.grad.any() for name, p in net.named_parameters() if name.endswith("conv.weight"))
    assert (net.z_dim, net.random) == (0, False)


def test_a_picture_that_is_all_hole_is_grey():
    net = PartialUNet(size=32, width=2).eval()
    x = torch.rand(1, 4, 32, 32)
    x[:, -1] = 1
    assert (net(x) == 0).all()


def test_bf16_is_near_and_counts_windows_exactly():
    torch.manual_seed(0)
    net = PartialUNet(size=32, width=8)
    x = holed(32, 8, 24)
    exact = net(x)
    seen = []
    for layer in (*net.down, *net.up):
        layer.register_forward_hook(lambda _, __, output: seen.append((output[0].dtype, output[1].dtype)))
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x)
    assert set(seen) == {(torch.bfloat16, torch.float32)}
    assert rough.dtype == torch.float32
    assert (rough - exact).abs().mean() < 0.05 * exact.std()
    rough.mean().backward()

    layer = PartialConv([3, 5], 4, 7)
    known = [(torch.rand(1, 1, 16, 16) < 0.5).float() for _ in range(2)]
    with torch.autocast("cpu", torch.bfloat16):
        found = layer.scale_and_mask(known)
    assert found[0].dtype == torch.float32
    for one, other in zip(found, layer.scale_and_mask(known), strict=True):
        assert torch.equal(one, other)


def test_the_encoders_norms_can_be_frozen_and_the_decoders_go_on():
    torch.manual_seed(0)
    trained = PartialUNet(size=32, width=4)
    x = holed(32, 8, 24, count=4)
    for _ in range(3):
        trained(x)
    net = PartialUNet(size=32, width=4, freeze_encoder_norm=True)
    net.load_state_dict(trained.state_dict())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.train().requires_grad_(True)
    seen = []
    hook = net.norm_down[0].register_forward_hook(lambda _, given, made: seen.append((given[0], made)))
    net(x).square().mean().backward()
    hook.remove()
    torch.testing.assert_close(seen[0][1], trained.eval().norm_down[0](seen[0][0]))
    for name, value in net.state_dict().items():
        if name.startswith("norm_down"):
            assert torch.equal(value, before[name])
    assert not torch.equal(net.norm_up[0].running_mean, before["norm_up.0.running_mean"])
    assert all(p.grad is None for p in net.norm_down.parameters())
    assert all(p.grad is not None for p in net.norm_up.parameters())
