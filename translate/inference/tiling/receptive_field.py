"""How each operation of a network computes a region: which region of its input it needs, and what it makes of it."""

__all__ = ["LEAVES", "NORMS", "POINTWISE", "POINTWISE_METHODS", "POINTWISE_MODULES", "Rule", "argument", "rule_of"]

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from translate.inference.tiling.regions import Region, cut
from translate.networks.blocks import BatchNorm, Downsample, Halve, InstanceNorm, Upsample, uncast
from translate.networks.frozen_norm import FrozenNorm, FrozenStyleNorm
from translate.networks.style_resnet import StyleNorm

Source = Callable[[Region], Tensor]  # gives a region of an input
Rule = Callable[[Source, Region, tuple[int, int]], Tensor]  # (input, region of the output, size of the input)


def windowed(
    source: Source, region: Region, size: tuple[int, int], *,
    kernel: int, stride: int, padding: int, mode: str, apply: Callable[[Tensor], Tensor],
) -> Tensor:  # fmt: skip
    """Compute what slides a window: true neighbours inside the map, and `mode` of padding beyond its borders."""
    need = region.mapped(lambda low: stride * low - padding, lambda high: stride * (high - 1) - padding + kernel)
    have = need.clipped(*size)
    x = source(have)
    around = (have.left - need.left, need.right - have.right, have.top - need.top, need.bottom - have.bottom)
    if any(around):
        with uncast(x):
            x = F.pad(x, around, mode=mode) if mode == "reflect" else F.pad(x, around)
    return apply(x)


def convolved(layer: nn.Conv2d, source: Source, region: Region, size: tuple[int, int]) -> Tensor:
    """A convolution, mirrored or with zeros at the border."""
    return windowed(
        source, region, size, kernel=layer.kernel_size[0], stride=layer.stride[0],
        padding=layer.kernel_size[0] // 2 if layer.padding_mode == "reflect" else int(layer.padding[0]),
        mode=layer.padding_mode, apply=lambda x: F.conv2d(x, layer.weight, layer.bias, layer.stride),
    )  # fmt: skip


def transposed(layer: nn.ConvTranspose2d, source: Source, region: Region, size: tuple[int, int]) -> Tensor:
    """A transposed convolution: output o gets from input i where o = stride * i - padding + 0 .. kernel - 1.

    It is called as it is, which PyTorch has a fast way for: what it makes of a region of the input is `stride` times
    that region, and right where all that contributes is inside.
    """
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    need = region.mapped(
        lambda low: -((kernel - 1 - padding - low) // stride), lambda high: (high - 1 + padding) // stride + 1
    )
    have = need.clipped(*size)
    return cut(layer(source(have)), have.mapped(lambda low: stride * low, lambda high: stride * high), region)


def blurred(layer: Downsample, source: Source, region: Region, size: tuple[int, int]) -> Tensor:
    """Blur and keep every second pixel."""
    return windowed(
        source, region, size, kernel=3, stride=2, padding=1, mode="reflect",
        apply=lambda x: F.conv2d(x, layer.kernel.to(x.dtype), stride=2, groups=len(layer.kernel)),
    )  # fmt: skip


def doubled(layer: Upsample, source: Source, region: Region, size: tuple[int, int]) -> Tensor:
    """Bilinear doubling: every output pixel lies between two of the input."""
    have = region.mapped(lambda low: (low - 1) // 2, lambda high: high // 2 + 1).clipped(*size)
    return cut(layer(source(have)), have.mapped(lambda low: 2 * low, lambda high: 2 * high), region)


def folded(
    factor: int, apply: Callable[[Tensor], Tensor], source: Source, region: Region, _: tuple[int, int]
) -> Tensor:
    """What makes one pixel of each block of `factor` x `factor`."""
    return apply(source(region.mapped(lambda low: factor * low, lambda high: factor * high)))


def unfolded(factor: int, source: Source, region: Region, _: tuple[int, int]) -> Tensor:
    """What makes a block of `factor` x `factor` of each pixel."""
    have = region.mapped(lambda low: low // factor, lambda high: -(-high // factor))
    y = F.pixel_shuffle(source(have), factor)
    return cut(y, have.mapped(lambda low: factor * low, lambda high: factor * high), region)


POINTWISE = {
    F.relu, F.leaky_relu, torch.tanh, torch.relu, torch.cat, torch.sigmoid, operator.add, operator.mul, operator.sub,
    operator.truediv, torch.add, torch.mul,
}  # fmt: skip
POINTWISE_METHODS = {"float", "to", "add", "mul", "relu", "tanh"}
_STEADY = (FrozenNorm, FrozenStyleNorm)  # they hold their statistics
POINTWISE_MODULES = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Identity, *_STEADY)
NORMS = (InstanceNorm, BatchNorm, StyleNorm)
LEAVES = (nn.Conv2d, nn.ConvTranspose2d, Downsample, Upsample, Halve, *NORMS, *_STEADY)


def rule_of(module: nn.Module | None, node: fx.Node) -> Rule | None:
    """Return how an operation computes a region where that is not its input's; None: it is pointwise."""
    if isinstance(module, nn.Conv2d):
        return partial(convolved, module)
    if isinstance(module, nn.ConvTranspose2d):
        return partial(transposed, module)
    if isinstance(module, Downsample):
        return partial(blurred, module)
    if isinstance(module, Upsample):
        return partial(doubled, module)
    if isinstance(module, Halve):
        return partial(folded, 2, module)
    if isinstance(module, nn.PixelUnshuffle):
        return partial(folded, module.downscale_factor, module)
    if node.target is F.pixel_unshuffle:
        factor = int(argument(node, 1, "downscale_factor"))
        return partial(folded, factor, partial(F.pixel_unshuffle, downscale_factor=factor))
    if node.target is F.pixel_shuffle:
        return partial(unfolded, int(argument(node, 1, "upscale_factor")))
    return None


def argument(node: fx.Node, place: int, name: str) -> Any:
    """Return what an operation was given in a place, or by a name."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name)
