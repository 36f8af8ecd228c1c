"""Operators of ours in ONNX, for the exporter's translation table."""

__all__ = ["translation_table"]

from collections.abc import Callable
from typing import Any

import torch

MAX_LEVELS = 14  # of the pyramid: 2^14 px are the largest side that a file takes


def translation_table() -> dict[Callable, Callable]:
    """Return the translations by operator."""
    return {
        torch.ops.image_translate.pull_push.default: pull_push,
        torch.ops.aten.pixel_shuffle.default: pixel_shuffle,
    }


def pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    """Map (B, C f^2, H, W) to (B, C, H f, W f); the exporter's own form does not keep height and width free."""
    from onnxscript import opset20 as op

    return op.DepthToSpace(x, blocksize=upscale_factor, mode="CRD")


def pull_push(picture: Any, known: Any) -> Any:
    """Fill (B, C, H, W) where `known` (B, 1, H, W) is false, as `networks.fourier_resnet.pull_push`.

    That function halves the picture until a side is 1 px; a graph has no such loop. Here, all levels are computed, and
    the result of those below the last one is not used.
    """
    from onnxscript import opset20 as op

    # down
    weight = op.Cast(known, to=1)
    levels = [(op.Mul(picture, weight), weight)]
    for _ in range(MAX_LEVELS):
        total, weight = levels[-1]
        levels.append((_halve(total), _halve(weight)))
    # up
    filled = _ratio(*levels[-1])
    for total, weight in reversed(levels[:-1]):
        sizes = op.Shape(total)
        membrane = op.Resize(
            filled, None, None, sizes, mode="linear", coordinate_transformation_mode="half_pixel", antialias=0
        )
        is_last = op.LessOrEqual(op.ReduceMin(op.Shape(total, start=2), keepdims=0), _integers(1, scalar=True))
        axes = _integers(2, 3)
        start = _ratio(op.ReduceMean(total, axes), op.ReduceMean(weight, axes))
        membrane = op.Where(is_last, start, membrane)
        filled = op.Add(membrane, op.Mul(weight, op.Sub(_ratio(total, weight), membrane)))
    return filled


def _halve(x: Any) -> Any:
    """Average blocks of 2 x 2 px; an odd last row or column is repeated, which leaves its mean."""
    from onnxscript import opset20 as op

    odd = op.Mod(op.Shape(x, start=2), _integers(2, 2))
    padded = op.Pad(x, op.Concat(_integers(0, 0, 0, 0, 0, 0), odd, axis=0), mode="edge")
    return op.AveragePool(padded, kernel_shape=[2, 2], strides=[2, 2])


def _ratio(total: Any, weight: Any) -> Any:
    from onnxscript import opset20 as op

    return op.Div(total, op.Max(weight, op.Constant(value_float=1e-6)))


def _integers(*values: int, scalar: bool = False) -> Any:
    from onnxscript import opset20 as op

    return op.Constant(value_int=values[0]) if scalar else op.Constant(value_ints=list(values))
