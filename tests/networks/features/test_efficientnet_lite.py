import copy

import pytest
import torch
import torch.nn.functional as F
from skimage import data, transform
from torch import nn

from translate.networks.features.efficientnet_lite import STAGES, EfficientNetLite, _HalvingDepthwise, pad_same
from translate.networks.features.load import lite_file, load_features, read_weights


@pytest.fixture(scope="module")
def net():
    return load_features("efficientnet_lite0").net


class Reference:
    """The network as TensorFlow defines it, layer by layer, with batch norms, on the published weights."""

    def __init__(self, weights):
        self.weights = weights

    def conv(self, x, name, norm, stride=1):
        weight = self.weights[f"{name}.weight"]
        depthwise = weight.shape[1] == 1
        kernel, height, width = weight.shape[-1], x.shape[2], x.shape[3]
        down, across = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (height, width))
        x = nn.ZeroPad2d((across // 2, across - across // 2, down // 2, down - down // 2))(x)
        x = F.conv2d(x, weight, stride=stride, groups=len(weight) if depthwise else 1)
        statistics = [self.weights[f"{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *statistics, eps=1e-3)

    def __call__(self, x):
        h = self.conv(x, "_conv_stem", "_bn0", 2).clamp(0, 6)
        number, outputs = 0, []
        for repeats, _, _, stride, expansion in STAGES:
            for place in range(repeats):
                prefix, before = f"_blocks.{number}", h
                if expansion > 1:
                    h = self.conv(h, f"{prefix}._expand_conv", f"{prefix}._bn0").clamp(0, 6)
                h = self.conv(h, f"{prefix}._depthwise_conv", f"{prefix}._bn1", 1 if place else stride).clamp(0, 6)
                h = self.conv(h, f"{prefix}._project_conv", f"{prefix}._bn2")
                h = h + before if place else h
                number += 1
            outputs.append(h)
        return outputs

    def classify(self, x):
        h = self.conv(self(x)[-1], "_conv_head", "_bn1").clamp(0, 6).mean((2, 3))
        return F.linear(h, self.weights["_fc.weight"], self.weights["_fc.bias"])


@pytest.fixture(scope="module")
def reference():
    return Reference(read_weights(lite_file()))


def photo(name, side=224):
    pixels = transform.resize(getattr(data, name)(), (side, side), anti_aliasing=True)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() * 2 - 1


@pytest.mark.parametrize("size", [(64, 64), (37, 50)])
def test_features_are_those_of_the_published_network_standardised(net, reference, size):
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    outputs = reference(x)
    expected = [outputs[number] for number in (1, 2, 4, 6)]
    found = net(x)
    assert [f.shape for f in found] == [f.shape for f in expected]
    assert [f.shape[1] for f in found] == list(net.channels) == [24, 40, 112, 320]
    for stage, ours, theirs in zip([net.stages[n] for n in (1, 2, 4, 6)], found, expected, strict=True):
        torch.testing.assert_close(ours * stage.std + stage.mean, theirs, rtol=1e-3, atol=2e-3)


def test_the_weights_and_the_range_of_pictures_are_right(reference):
    """With another range or order of channels, the network would not know what it sees."""
    assert reference.classify(photo("chelsea")).argmax().item() in (281, 282, 285)  # cats
    assert reference.classify(photo("coffee")).argmax().item() in (967, 504, 968)  # espresso, mug, cup


def test_features_of_photos_have_means_near_0_and_deviations_near_1(net):
    for name in ("chelsea", "coffee"):
        for feature in net(photo(name)):
            spread = feature.std((0, 2, 3))
            assert feature.mean().abs() < 0.15 and 0.6 < spread.mean() < 1.3


def test_nothing_of_it_is_trained_or_saved(net):
    assert not list(net.parameters()) and not net.state_dict()
    assert copy.deepcopy(net) is net


def test_bf16_is_near_fp32_and_so_is_its_gradient(net):
    x = photo("coffee", 96).requires_grad_()
    exact = net(x)
    (gradient,) = torch.autograd.grad(sum(f.square().mean() for f in exact), x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(x)
    (rough_gradient,) = torch.autograd.grad(sum(f.float().square().mean() for f in rough), x)
    assert all(f.dtype == torch.bfloat16 for f in rough)
    for one, other in zip(exact, rough, strict=True):
        assert (one - other.float()).norm() < 0.06 * one.norm()
    assert F.cosine_similarity(gradient.flatten(), rough_gradient.flatten(), dim=0) > 0.75


@pytest.mark.parametrize(("kernel", "size"), [(3, (8, 8)), (5, (9, 12)), (5, (7, 7)), (3, (2, 1))])
def test_the_fast_gradient_of_strided_depthwise_convolutions_is_exact(kernel, size):
    torch.manual_seed(0)
    x = torch.randn(2, 6, *size, dtype=torch.float64, requires_grad=True)
    weight, bias = torch.randn(6, 1, kernel, kernel, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    padded = pad_same(x, kernel, 2)
    ours, theirs = _HalvingDepthwise.apply(padded, weight, bias), F.conv2d(padded, weight, bias, stride=2, groups=6)
    torch.testing.assert_close(ours, theirs)
    cotangent = torch.randn_like(ours)
    for one, other in zip(
        *(torch.autograd.grad(y, x, cotangent, retain_graph=True) for y in (ours, theirs)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_a_missing_weight_is_named():
    with pytest.raises(KeyError, match="_bn0.weight"):
        EfficientNetLite({})
