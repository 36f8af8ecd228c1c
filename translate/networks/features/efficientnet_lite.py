"""EfficientNet-Lite0: features of things and textures at 1/4 to 1/32 of a picture's size, trained on ImageNet.

Tan and Le, 2019, https://arxiv.org/abs/1905.11946, table 1; Lite: no squeeze-and-excitation, ReLU6 in place of swish.
The feature network of Projected GANs (Sauer et al., 2021, https://arxiv.org/abs/2111.01007, section 3.3).
"""

__all__ = ["EfficientNetLite"]

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import without_autocast

BATCH_NORM_EPS = 1e-3  # of the trained network


class Stage(NamedTuple):
    """A row of table 1: inverted residual blocks, of which the first has the stride."""

    blocks: int
    channels: int
    kernel: int
    stride: int
    expansion: int


STAGES = (
    Stage(1, 16, 3, 1, 1), Stage(2, 24, 3, 2, 6), Stage(2, 40, 5, 2, 6), Stage(3, 80, 3, 2, 6),
    Stage(3, 112, 5, 1, 6), Stage(4, 192, 5, 2, 6), Stage(1, 320, 3, 1, 6),
)  # fmt: skip
TAPPED_STAGES = (1, 2, 4, 6)  # whose outputs are the features: the last ones at 1/4, 1/8, 1/16 and 1/32


class EfficientNetLite(nn.Module):
    """Maps pictures (B, 1 or 3, H, W) in [-1, 1] to four features (B, C, H/s, W/s), C = 24, 40, 112, 320, s = 4 to 32.

    The features are standardised: over natural pictures, each channel has a mean of about 0 and a standard deviation of
    about 1. Sides that are no multiple of s are rounded up. All weights are buffers that no state dict holds.
    """

    title = "EfficientNet-Lite0"
    channels = tuple(STAGES[number].channels for number in TAPPED_STAGES)

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Fold the batch norms of the published `weights` ("_conv_stem.weight" ...) into the convolutions.

        Raises:
            KeyError: A weight is missing.
        """
        super().__init__()
        self.stem = _FoldedConv(weights, "_conv_stem", "_bn0", stride=2)
        self.stages: list[_Stage] = []
        number = 0
        for stage in STAGES:
            blocks = []
            for place in range(stage.blocks):
                stride = 1 if place else stage.stride
                blocks.append(_Block(weights, f"_blocks.{number}", stage, stride, residual=place > 0))
                number += 1
            self.stages.append(_Stage(blocks))
        self.layers = nn.ModuleList(self.stages)
        self.eval()

    def __deepcopy__(self, memo: Any) -> "EfficientNetLite":
        return self  # nothing in it ever changes

    def forward(self, x: Tensor) -> list[Tensor]:
        autocast = not x.is_meta and torch.is_autocast_enabled(x.device.type)
        dtype = torch.get_autocast_dtype(x.device.type) if autocast else torch.float32
        features = []
        with without_autocast(x):
            h = x.to(dtype).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
            h = F.relu6(self.stem(h))
            for number, stage in enumerate(self.stages):
                h = stage(h)
                if number in TAPPED_STAGES:
                    features.append(stage.standardise(h))
        return features


class _FoldedConv(nn.Module):
    """A convolution with the following batch norm folded in, and TensorFlow's "same" padding."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weights: Mapping[str, Tensor], conv: str, norm: str, stride: int = 1) -> None:
        super().__init__()
        gain = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + BATCH_NORM_EPS).sqrt()
        weight = weights[f"{conv}.weight"] * gain[:, None, None, None]
        bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
        self.register_buffer("weight", weight.contiguous(memory_format=torch.channels_last), persistent=False)
        self.register_buffer("bias", bias, persistent=False)
        self.stride, self.kernel = stride, weight.shape[-1]
        self.groups = len(weight) if weight.shape[1] == 1 and self.kernel > 1 else 1
        self._casts: dict[tuple[torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self._cast_to(x)
        if self.stride == 1:
            return F.conv2d(x, weight, bias, padding=self.kernel // 2, groups=self.groups)
        x = pad_same(x, self.kernel, self.stride)
        if self.groups > 1 and x.device.type == "cpu" and x.requires_grad and not torch.compiler.is_compiling():
            return _HalvingDepthwise.apply(x, weight, bias)
        return F.conv2d(x, weight, bias, stride=self.stride, groups=self.groups)

    def _cast_to(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return weight and bias in the type of `x`; casts are kept, since the weights never change."""
        if x.dtype == self.weight.dtype:
            return self.weight, self.bias
        key = (x.dtype, x.device)
        if key not in self._casts:
            self._casts[key] = (self.weight.to(x.dtype), self.bias.to(x.dtype))
        return self._casts[key]


class _Block(nn.Module):
    """An inverted residual block: expand the channels, convolve each by itself, project back (Sandler et al., 2018)."""

    def __init__(
        self, weights: Mapping[str, Tensor], prefix: str, stage: Stage, stride: int, *, residual: bool
    ) -> None:
        super().__init__()
        self.residual = residual
        expands = stage.expansion > 1
        self.expand = _FoldedConv(weights, f"{prefix}._expand_conv", f"{prefix}._bn0") if expands else None
        self.depthwise = _FoldedConv(weights, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride)
        self.project = _FoldedConv(weights, f"{prefix}._project_conv", f"{prefix}._bn2")
        self.norm_mean, self.norm_std = weights[f"{prefix}._bn2.bias"], weights[f"{prefix}._bn2.weight"].abs()

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else F.relu6(self.expand(x))
        h = self.project(F.relu6(self.depthwise(h)))
        return h + x if self.residual else h


class _Stage(nn.Module):
    """The blocks of one stage, and the statistics of their output.

    Over ImageNet, a projection followed by batch norm has the mean beta and the standard deviation |gamma|. The output
    of a stage is the sum of the projections of its blocks, which is taken as a sum of independent numbers.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: list[_Block]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        mean = torch.stack([block.norm_mean for block in blocks]).sum(0)
        std = torch.stack([block.norm_std for block in blocks]).square().sum(0).sqrt()
        self.register_buffer("mean", mean[:, None, None], persistent=False)
        self.register_buffer("std", std[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)

    def standardise(self, x: Tensor) -> Tensor:
        """Return the output of this stage with means near 0 and standard deviations near 1."""
        return (x - self.mean.to(x.dtype)) / self.std.to(x.dtype)


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad with zeros as TensorFlow's "same" does: a side of n becomes ceil(n / stride), with more below and right."""
    pads: list[int] = []
    for side in (x.shape[3], x.shape[2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class _HalvingDepthwise(torch.autograd.Function):
    """A depthwise convolution of stride 2 with fixed weights, for the CPU.

    PyTorch 2.13's backward pass of it in bf16 takes half of the time of the whole network's. The gradient with respect
    to the input is a plain convolution of the spread gradient with the flipped kernel.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.weight, ctx.shape = weight, x.shape
        return F.conv2d(x, weight, bias, stride=2, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        count, channels, height, width = ctx.shape
        kernel = ctx.weight.shape[-1]
        spread = grad.new_zeros(count, channels, height - kernel + 1, width - kernel + 1)
        spread = spread.to(memory_format=torch.channels_last)
        spread[:, :, ::2, ::2] = grad
        back = F.conv2d(spread, ctx.weight.flip(2, 3), padding=kernel - 1, groups=channels)
        return back, None, None
