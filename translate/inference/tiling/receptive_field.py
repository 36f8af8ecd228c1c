"""Receptive fields: the input region that an operation needs for an output region, and the output computed from it."""

__all__ = ["LEAVES", "NORMS", "ReadRegion", "has_region_rule", "region_rule"]

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from translate.images.samples import REACH
from translate.inference.tiling.regions import Region, crop
from translate.networks.attribute_resnet import Blend
from translate.networks.blocks import BatchNorm, Downsample, Halve, InstanceNorm, Upsample, without_autocast
from translate.networks.norms.frozen_norm import FrozenNorm, FrozenStyleNorm
from translate.networks.style_resnet import StyleNorm, StyleScale
from translate.networks.upscale_resnet import Enlarge, Trunk

ReadRegion = Callable[[Region], Tensor]  # reads a region of the input, (1, C, h, w)
RegionRule = Callable[[ReadRegion, Region, tuple[int, int]], Tensor]  # (input, output region, (H, W) of the input)


def window_region(
    read: ReadRegion, region: Region, size: tuple[int, int], *,
    kernel: int, stride: int, padding: int, mode: str, apply: Callable[[Tensor], Tensor],
) -> Tensor:  # fmt: skip
    """Compute a region of a sliding-window operation, with true neighbours, and `mode` padding at the map's borders."""
    need = region.map_edges(lambda low: stride * low - padding, lambda high: stride * (high - 1) - padding + kernel)
    have = need.clip(*size)
    x = read(have)
    margins = (have.left - need.left, need.right - have.right, have.top - need.top, need.bottom - have.bottom)
    if any(margins):
        with without_autocast(x):
            x = F.pad(x, margins) if mode == "zeros" else F.pad(x, margins, mode=mode)
    return apply(x)


def conv_region(layer: nn.Conv2d, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of a convolution, with reflection or zero padding."""
    return window_region(
        read, region, size, kernel=layer.kernel_size[0], stride=layer.stride[0],
        padding=layer.kernel_size[0] // 2 if layer.padding_mode == "reflect" else int(layer.padding[0]),
        mode=layer.padding_mode, apply=lambda x: F.conv2d(x, layer.weight, layer.bias, layer.stride),
    )  # fmt: skip


def conv_transpose_region(layer: nn.ConvTranspose2d, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of a transposed convolution: input i adds to outputs stride * i - padding + 0 .. kernel - 1.

    PyTorch has a fast path for the unchanged layer. Its output for an input region is that region times `stride`,
    correct wherever all contributing inputs lie inside.
    """
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    need = region.map_edges(
        lambda low: -((kernel - 1 - padding - low) // stride), lambda high: (high - 1 + padding) // stride + 1
    )
    have = need.clip(*size)
    return crop(layer(read(have)), have.scale(stride), region)


def downsample_region(layer: Downsample, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of a blur with stride 2."""
    return window_region(
        read, region, size, kernel=3, stride=2, padding=1, mode="reflect",
        apply=lambda x: F.conv2d(x, layer.kernel.to(x.dtype), stride=2, groups=len(layer.kernel)),
    )  # fmt: skip


def upsample_region(layer: Upsample, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of bilinear upsampling by 2: every output pixel lies between two input pixels."""
    have = region.map_edges(lambda low: (low - 1) // 2, lambda high: high // 2 + 1).clip(*size)
    return crop(layer(read(have)), have.scale(2), region)


def trunk_region(layer: Trunk, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of several convolutions at once, with a margin that is as wide as they reach.

    Operation by operation, both branches of each residual block would compute all blocks before it anew.
    """
    have = region.map_edges(lambda low: low - layer.reach, lambda high: high + layer.reach).clip(*size)
    return crop(layer(read(have)), have, region)


def enlarge_region(layer: Enlarge, read: ReadRegion, region: Region, size: tuple[int, int]) -> Tensor:
    """Compute a region of a bicubic enlargement, with repeated edge pixels at the picture's borders."""
    have = region.map_edges(lambda low: low // layer.scale, lambda high: -(-high // layer.scale))
    y = window_region(
        read, have, size, kernel=2 * REACH + 1, stride=1, padding=REACH, mode="replicate", apply=layer.inside
    )
    return crop(y, have.scale(layer.scale), region)


def pixel_unshuffle_region(
    factor: int, apply: Callable[[Tensor], Tensor], read: ReadRegion, region: Region, _: tuple[int, int]
) -> Tensor:
    """Compute a region of an operation that turns each block of `factor` x `factor` pixels into one pixel."""
    return apply(read(region.scale(factor)))


def pixel_shuffle_region(factor: int, read: ReadRegion, region: Region, _: tuple[int, int]) -> Tensor:
    """Compute a region of a pixel shuffle, which turns each pixel into a block of `factor` x `factor`."""
    have = region.map_edges(lambda low: low // factor, lambda high: -(-high // factor))
    return crop(F.pixel_shuffle(read(have), factor), have.scale(factor), region)


POINTWISE = {
    F.relu, F.leaky_relu, torch.tanh, torch.relu, torch.cat, torch.sigmoid, operator.add, operator.mul, operator.sub,
    operator.truediv, torch.add, torch.mul,
}  # fmt: skip
POINTWISE_METHODS = {"float", "to", "add", "mul", "relu", "tanh"}
FROZEN_NORMS = (FrozenNorm, FrozenStyleNorm)  # pointwise, since their statistics are stored
POINTWISE_MODULES = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Identity, StyleScale, Blend, *FROZEN_NORMS)
NORMS = (InstanceNorm, BatchNorm, StyleNorm)
RULES: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv2d: conv_region, nn.ConvTranspose2d: conv_transpose_region, Downsample: downsample_region,
    Upsample: upsample_region, Enlarge: enlarge_region, Trunk: trunk_region,
    Halve: partial(pixel_unshuffle_region, 2),
}  # fmt: skip
LEAVES = (*RULES, *NORMS, StyleScale, Blend, *FROZEN_NORMS)


def region_rule(module: nn.Module | None, node: fx.Node) -> RegionRule | None:
    """Return the rule that computes a region of an operation, if `has_region_rule`; None: it is pointwise."""
    for kind, rule in RULES.items():
        if isinstance(module, kind):
            return partial(rule, module)
    if isinstance(module, nn.PixelUnshuffle):
        return partial(pixel_unshuffle_region, module.downscale_factor, module)
    if node.target is F.pixel_unshuffle:
        factor = int(_get_argument(node, 1, "downscale_factor"))
        return partial(pixel_unshuffle_region, factor, partial(F.pixel_unshuffle, downscale_factor=factor))
    if node.target is F.pixel_shuffle:
        return partial(pixel_shuffle_region, int(_get_argument(node, 1, "upscale_factor")))
    return None


def has_region_rule(module: nn.Module | None, node: fx.Node) -> bool:
    """Whether regions of an operation can be computed on their own; `module` is the one that `node` calls, if any."""
    if node.op == "call_method":
        return node.target in POINTWISE_METHODS
    if node.op == "call_function":
        no_dropout = node.target is F.dropout and not float(_get_argument(node, 1, "p"))
        return no_dropout or node.target in (*POINTWISE, F.pixel_unshuffle, F.pixel_shuffle)
    return isinstance(module, (*LEAVES, *POINTWISE_MODULES, nn.PixelUnshuffle, nn.PixelShuffle))


def _get_argument(node: fx.Node, position: int, name: str) -> Any:
    """Return an argument of an operation, given by position or by name."""
    return node.args[position] if len(node.args) > position else node.kwargs.get(name)
