"""Between a film's luma and colour differences and RGB, by the matrix and range that the film says."""

__all__ = ["LIMITED", "best_tags", "from_rgb", "matrix_of", "to_rgb"]

from typing import Any

import numpy as np

from translate.inference.video.clip import Colours

_BT709, _UNSAID, _BT601 = 1, 2, 5  # ITU-T H.273, table 4
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7}  # to those that FFmpeg's scaler knows: 6 is 5 by another name
_HIGH = 720  # rows from which on a film that says nothing is BT.709, as players have it
LIMITED, _FULL = 1, 2


def matrix_of(colours: Colours, height: int) -> int:
    """Return the matrix of a film, or what players take for that of one which says nothing."""
    return _MATRICES.get(colours.matrix, _BT709 if height >= _HIGH or colours.matrix == 9 else _BT601)


def to_rgb(frame: Any, size: tuple[int, int], colours: Colours) -> np.ndarray:
    """Return a decoded frame as (H, W, 3) uint8."""
    full = int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")
    matrix = matrix_of(colours, frame.height)
    rgb = frame.reformat(
        format="rgb24", src_colorspace=matrix, dst_colorspace=matrix,
        src_color_range=_FULL if full or frame.format.is_rgb else LIMITED, dst_color_range=_FULL,
        interpolation="BICUBIC",
    )  # fmt: skip
    return rgb.to_ndarray()


def from_rgb(av: Any, pixels: np.ndarray, pixel_format: str, matrix: int) -> Any:
    """Return (H, W, 3) uint8 as a frame of limited range."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(
        format=pixel_format, src_colorspace=matrix, dst_colorspace=matrix, src_color_range=_FULL,
        dst_color_range=LIMITED, interpolation="BICUBIC",
    )  # fmt: skip


def best_tags(colours: Colours, height: int) -> Colours:
    """Return what is written into a film for those colours."""
    matrix = matrix_of(colours, height)
    usual = {1: 1, 5: 6, 4: 4, 7: 7}[matrix]
    primaries = colours.primaries if colours.primaries != _UNSAID else usual
    transfer = colours.transfer if colours.transfer != _UNSAID else usual
    return Colours(usual, primaries, transfer)
