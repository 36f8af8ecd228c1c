"""Conversion between the YUV of a film and RGB, by the matrix and the range in the film's tags."""

__all__ = ["LIMITED_RANGE", "colour_matrix", "output_tags", "to_rgb", "to_yuv"]

from typing import Any

import numpy as np

from translate.inference.video.clip import ColourTags

_BT709, _UNSPECIFIED, _BT601 = 1, 2, 5  # ITU-T H.273, table 4
_FFMPEG_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7}  # that FFmpeg's scaler has; 6 and 5 are the same matrix
MIN_HD_HEIGHT_PX = 720  # players assume BT.709 for untagged films from this height on
LIMITED_RANGE, _FULL_RANGE = 1, 2


def colour_matrix(colours: ColourTags, height: int) -> int:
    """Return the matrix of a film; for an untagged film, the matrix that players assume."""
    default = _BT709 if height >= MIN_HD_HEIGHT_PX or colours.matrix == 9 else _BT601
    return _FFMPEG_MATRICES.get(colours.matrix, default)


def to_rgb(frame: Any, colours: ColourTags) -> np.ndarray:
    """Convert a decoded frame to (H, W, 3) uint8."""
    full = int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj") or frame.format.is_rgb
    matrix = colour_matrix(colours, frame.height)
    return _convert(frame, "rgb24", matrix, _FULL_RANGE if full else LIMITED_RANGE, _FULL_RANGE).to_ndarray()


def to_yuv(av: Any, pixels: np.ndarray, pixel_format: str, matrix: int) -> Any:
    """Convert (H, W, 3) uint8 to a frame of limited range."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return _convert(frame, pixel_format, matrix, _FULL_RANGE, LIMITED_RANGE)


def _convert(frame: Any, pixel_format: str, matrix: int, source_range: int, target_range: int) -> Any:
    return frame.reformat(
        format=pixel_format, src_colorspace=matrix, dst_colorspace=matrix, src_color_range=source_range,
        dst_color_range=target_range, interpolation="BICUBIC",
    )  # fmt: skip


def output_tags(colours: ColourTags, height: int) -> ColourTags:
    """Return the tags to write into a film."""
    standard = {1: 1, 5: 6, 4: 4, 7: 7}[colour_matrix(colours, height)]
    primaries = colours.primaries if colours.primaries != _UNSPECIFIED else standard
    transfer = colours.transfer if colours.transfer != _UNSPECIFIED else standard
    return ColourTags(standard, primaries, transfer)
