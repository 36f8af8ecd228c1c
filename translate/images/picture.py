"""One picture in memory: its depth, gray, alpha, bands, colour space, and the numbers of its file."""

__all__ = [
    "FULL_SCALE", "LabelMap", "Numbers", "Picture", "UnknownScale", "ValueRange", "as_known_depth", "as_picture",
    "is_colourless", "matching_icc", "flatten_alpha", "parse_range", "suggest_range", "to_depth", "to_gray",
    "to_gray_rgb", "to_numbers",
]  # fmt: skip

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import DTypeLike

from translate.images.metadata import Metadata
from translate.utils.errors import OptionError

FULL_SCALE: dict[np.dtype, int] = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}
ValueRange = tuple[float, float]  # black and white in the numbers of a file
_PROFILE_SPACES = {1: b"GRAY", 3: b"RGB "}  # colour space in the header of a profile, by number of channels


@dataclass(frozen=True)
class Numbers:
    """The scale of a file's numbers, where it differs from that of the picture's pixels."""

    dtype: np.dtype  # of the file
    low: float  # black
    high: float  # white
    plane: bool = False  # a gray array has an axis for its one channel: (H, W, 1)


class LabelMap(NamedTuple):
    """A map of classes to be written exactly, as gray values, palette indices or the colours of its picture."""

    values: np.ndarray | None = None  # (H, W) uint8 or uint16; None: the colours in `Picture.pixels`
    palette: np.ndarray | None = None  # (256, 3) uint8, the colours of the values
    numbers: np.ndarray | None = None  # (H, W) uint8, the class numbers


@dataclass
class Picture:
    """One picture, and the properties of its file.

    Pixels are (H, W, 3) RGB, or (H, W, C) with any other number of channels, which are bands instead of colours; uint8,
    uint16, or float32 in [0, 1].
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None  # (H, W) of the same dtype
    gray: bool = False  # the file has one channel, which `pixels` repeats three times
    frames: int = 1  # number of pictures in the file; this is the first
    icc: bytes | None = None  # colour profile
    dpi: tuple[float, float] | None = None  # horizontal, vertical
    numbers: Numbers | None = None  # the scale of the file's numbers, where it differs from that of `pixels`
    tags: tuple[Any, ...] = ()  # of a TIFF: georeference, NODATA and description (tiff_tags.Tag)
    lost: tuple[str, ...] = ()  # what the file says of itself, and no result can keep
    bits: int = 0  # per channel, of a HEIC or AVIF with 16-bit pixels: 10 or 12
    colour_codes: tuple[int, int] | None = None  # primaries and transfer (ITU-T H.273), where they are not sRGB's
    gamma: bytes = b""  # chunks of a PNG with its gamma and primaries, where they are not sRGB's
    metadata: Metadata = Metadata()  # what a camera or an editor wrote
    indices: np.ndarray | None = None  # (H, W) uint8, into the palette of the file that was read
    label_map: LabelMap | None = None  # of a map of classes, which no lossy format may hold

    @property
    def channels(self) -> int:
        """Channels of the file without alpha: 1 if it is gray."""
        return 1 if self.gray else self.pixels.shape[2]


class UnknownScale(ValueError):
    """Numbers of a file that are on no usual scale; `ends` are the least and the largest."""

    def __init__(self, lowest: float, highest: float) -> None:
        remedy = f"say --value-range {suggest_range(lowest, highest)} if these are black and white, or rescale them"
        super().__init__(f"its values run from {lowest:g} to {highest:g}; {remedy}")
        self.ends = lowest, highest


def suggest_range(lowest: float, highest: float) -> str:
    """Return the narrowest usual LOW,HIGH with all numbers between `lowest` and `highest`."""
    usual = [(-1, 1), *((0, 2**bits - 1) for bits in (8, 10, 12, 14, 16))]
    fitting = (f"{low},{high}" for low, high in usual if low <= lowest and highest <= high)
    return next(fitting, f"{math.floor(lowest):d},{math.ceil(highest):d}")


def parse_range(text: str) -> ValueRange | None:
    """Parse "LOW,HIGH"; return None for "", and raise OptionError unless it is two ascending numbers."""
    if not text:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise OptionError(f"--value-range {text!r} should be two numbers, black and white, such as 0,4095 or -1,1")
    return low, high


def as_picture(
    stored: np.ndarray, has_alpha: bool = True, gray: bool = False, frames: int = 1, *,
    bands: bool = False, values: ValueRange | None = None,
) -> Picture:  # fmt: skip
    """Convert a decoded array to a picture.

    Args:
        stored: (H, W), or (H, W, C) with C of 1 or 3, or of 2 or 4, the last one alpha.
        has_alpha: whether the last channel may be alpha.
        gray: whether the file is gray, whatever C is.
        frames: number of pictures in the file.
        bands: keep any number of channels; with `has_alpha` the last one is alpha.
        values: black and white of pixels that are not uint8.

    Raises:
        ValueError: the values are on an unknown scale.
    """
    planes = stored.reshape(*stored.shape[:2], -1)
    channels = planes.shape[2]
    count = channels - has_alpha if bands else 3 if channels > 2 else 1
    known, numbers = as_known_depth(planes if values is None else planes[..., :count], values)
    alpha = None
    if has_alpha and (bands or channels in (2, 4)):
        last = known if values is None else as_known_depth(planes[..., -1:])[0]
        alpha = np.ascontiguousarray(to_depth(last[..., -1], known.dtype))
    pixels = known[..., :1].repeat(3, axis=2) if count == 1 else np.ascontiguousarray(known[..., :count])
    return Picture(pixels, alpha, gray or count == 1, frames, numbers=numbers)


def as_known_depth(stored: np.ndarray, values: ValueRange | None = None) -> tuple[np.ndarray, Numbers | None]:
    """Convert wide integers to uint16 and floats to float32 in [0, 1]; return also the old scale, if it changes.

    Args:
        stored: an array of any shape and type.
        values: the LOW..HIGH that become 0..1 in float32, clipped; not used for uint8.

    Raises:
        ValueError: the values are not numbers.
        UnknownScale: they are on no usual scale.
    """
    # the usual types of pictures need no conversion
    dtype = stored.dtype
    if dtype == np.uint8 or (dtype == np.uint16 and values is None):
        return stored, None
    if dtype.kind not in "iuf":
        raise ValueError(f"its values are of type {dtype}, which are no brightness; use uint8, uint16 or float32")
    lowest, highest = float(stored.min()), float(stored.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise ValueError("it holds NaN or infinite values; put numbers in their place")
    # the scale that the user gave, or one of the two usual scales
    if values is not None:
        low, high = values
        wide = np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64
        unit: np.ndarray = (stored.astype(wide) - np.array(low, wide)) / np.array(high - low, wide)
        return unit.clip(0, 1).astype(np.float32), Numbers(dtype, low, high)
    if dtype.kind == "f" and lowest >= -0.25 and highest <= 1.25:  # sharpening overshoots a little
        return np.clip(stored, 0, 1).astype(np.float32), None if dtype == np.float32 else Numbers(dtype, 0, 1)
    if dtype.kind in "iu" and lowest >= 0 and highest <= 65535:
        return stored.astype(np.uint16), Numbers(dtype, 0, 65535)
    raise UnknownScale(lowest, highest)


def to_numbers(array: np.ndarray, numbers: Numbers) -> np.ndarray:
    """Convert values of `Picture.pixels` to the numbers of a file, rounded and clipped to their type."""
    if array.dtype == numbers.dtype and (numbers.low, numbers.high) == (0, FULL_SCALE[array.dtype]):
        return array
    scaled = to_depth(array, np.float32).astype(np.float64) * (numbers.high - numbers.low) + numbers.low
    if numbers.dtype.kind == "f":
        return scaled.astype(numbers.dtype)
    limits = np.iinfo(numbers.dtype)
    return np.rint(scaled).clip(limits.min, limits.max).astype(numbers.dtype)


def matching_icc(picture: Picture) -> bytes | None:
    """Return the colour profile of a picture if it is made for that number of channels."""
    icc = picture.icc
    return icc if icc and icc[16:20] == _PROFILE_SPACES.get(picture.channels) else None


def to_depth(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Convert between uint8, uint16 and float32 in [0, 1], full scale to full scale, rounded."""
    dtype = np.dtype(dtype)
    if array.dtype == dtype:
        return array
    if array.dtype == np.uint8 and dtype == np.uint16:
        return array.astype(np.uint16) * np.uint16(257)
    unit = array.astype(np.float32) / FULL_SCALE[array.dtype]
    return unit if dtype == np.float32 else np.rint(unit * FULL_SCALE[dtype]).astype(dtype)


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Return the luma (ITU-R BT.601) of (H, W, 3) RGB as (H, W), in the same dtype; gray keeps its values."""
    if pixels.dtype == np.float32 and (pixels == pixels[..., :1]).all():  # the luma weights do not sum to 1 exactly
        return np.ascontiguousarray(pixels[..., 0])
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)


def to_gray_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return the luma of (H, W, 3) RGB in three equal channels, (H, W, 3), in the same dtype."""
    return to_gray(pixels)[..., None].repeat(3, axis=2)


def flatten_alpha(picture: Picture) -> np.ndarray:
    """Return the pixels (H, W, 3) composited over white."""
    if picture.alpha is None:
        return picture.pixels
    alpha = to_depth(picture.alpha, np.float32)[..., None]
    return to_depth(to_depth(picture.pixels, np.float32) * alpha + (1 - alpha), picture.pixels.dtype)


def is_colourless(picture: np.ndarray, *, exactly: bool = False) -> bool:
    """Whether (H, W, 3) uint8 RGB is gray; unless `exactly`, up to the faint colours that compression leaves."""
    tolerance, share = (0, 0.0) if exactly else (8, 0.002)
    return bool((np.ptp(picture.astype(np.int16), axis=2) > tolerance).mean() <= share)
