"""Conversion between a film's YUV and RGB, by the matrix and the range that the film is tagged with."""

__all__ = ["LIMITED_RANGE", "colour_matrix", "output_tags", "to_rgb", "to_yuv"]

from typing import Any

import numpy as np

from translate.inference.video.clip import ColourTags

_BT709, _UNSPECIFIED, _BT601 = 1, 2, 5  # ITU-T H.273, table 4
_FFMPEG_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7}  # those that FFmpeg's scaler knows: 6 is 5 by another name
_HD_ROWS = 720  # players take an untagged film of so many rows or more for BT.709
LIMITED_RANGE, _FULL_RANGE = 1, 2


def colour_matrix(colours: ColourTags, height: int) -> int:
    """Return the matrix of a film, or for an untagged film the one that players assume."""
    default = _BT709 if height >= _HD_ROWS or colours.matrix == 9 else _BT601
    return _FFMPEG_MATRICES.get(colours.matrix, default)


def to_rgb(frame: Any, colours: ColourTags) -> np.ndarray:
    """Return a decoded frame as (H, W, 3) uint8."""
    full = int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj") or frame.format.is_rgb
    matrix = colour_matrix(colours, frame.height)
    return _convert(frame, "rgb24", matrix, _FULL_RANGE if full else LIMITED_RANGE, _FULL_RANGE).to_ndarray()


def to_yuv(av: Any, pixels: np.ndarray, pixel_format: str, matrix: int) -> Any:
    """Return (H, W, 3) uint8 as a frame of limited range."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return _convert(frame, pixel_format, matrix, _FULL_RANGE, LIMITED_RANGE)


def _convert(frame: Any, pixel_format: str, matrix: int, source_range: int, target_range: int) -> Any:
    return frame.reformat(
        format=pixel_format, src_colorspace=matrix, dst_colorspace=matrix, src_color_range=source_range,
        dst_color_range=target_range, interpolation="BICUBIC",
    )  # fmt: skip


def output_tags(colours: ColourTags, height: int) -> ColourTags:
    """Return the tags that are written into a film."""
    standard = {1: 1, 5: 6, 4: 4, 7: 7}[colour_matrix(colours, height)]
    primaries = colours.primaries if colours.primaries != _UNSPECIFIED else standard
    transfer = colours.transfer if colours.transfer != _UNSPECIFIED else standard
    return ColourTags(standard, primaries, transfer)
