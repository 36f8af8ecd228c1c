"""TIFF with any number of bands of any type, which OpenCV and Pillow cannot read; and all writing of TIFF."""

__all__ = ["TiffHeader", "encode", "is_tiff", "read_header", "read"]

import io
import logging
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ALPHA = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
_LIGHT = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.RGB)
logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # our error messages suffice


@dataclass(frozen=True, kw_only=True)
class TiffHeader:
    """The header of a TIFF."""

    height: int  # px
    width: int  # px
    channels: int  # without alpha
    dtype: np.dtype
    alpha: bool  # whether the last channel is alpha
    bands: bool  # only `read` can decode it: channels are not gray or RGB, or gray with alpha in more than 8 bits
    frames: int  # number of pictures in the file
    orientation: int  # as in EXIF
    icc: bytes | None
    dpi: tuple[float, float] | None  # horizontal, vertical
    compression: str  # as tifffile names it, such as "LZW"


def is_tiff(data: bytes) -> bool:
    """Whether a file's content begins with the magic bytes of TIFF."""
    return data[:4] in _MAGIC


def read_header(data: bytes | Path) -> TiffHeader | None:
    """Read the header of a file, or of its content; None where it is not a complete TIFF."""
    try:
        with tifffile.TiffFile(data if isinstance(data, Path) else io.BytesIO(data)) as file:
            return _header(file.series[0])
    except Exception:  # damaged files make it raise nearly everything; decoding will report them
        return None


def read(data: bytes) -> np.ndarray:
    """Decode the first picture of a file's content, (H, W) or (H, W, C), unscaled; errors are of nearly any type."""
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return _decode_first(file.series[0])
    except zlib.error:
        raise ValueError("the file is truncated or damaged") from None
    except ValueError as error:
        if "failed to read" in str(error):
            raise ValueError("the file is truncated") from None
        if "imagecodecs" not in str(error):
            raise
        remedy = "save it without compression or with deflate, or pip install imagecodecs"
        packing = re.search(r"\.(\w+)", str(error))
        raise ValueError(f"bands in {packing and packing[1]} need a package that is not here; {remedy}") from None


def _header(series: tifffile.TiffPageSeries) -> TiffHeader:
    page = series.keyframe
    sizes = dict(zip(series.axes, series.shape, strict=True))
    extra = tuple(page.extrasamples)
    alpha = bool(extra) and extra[-1] in _ALPHA
    planes = sizes.get("C", 1)  # one page per channel, as ImageJ and OME write them
    channels = planes * page.samplesperpixel - alpha
    stacked = planes > 1 or channels not in (1, 3) or len(extra) > alpha
    stacked |= alpha and channels == 1 and page.dtype != np.uint8
    return TiffHeader(
        height=page.imagelength, width=page.imagewidth, channels=channels, dtype=np.dtype(page.dtype), alpha=alpha,
        bands=stacked and page.photometric in _LIGHT,
        frames=int(np.prod([size for axis, size in sizes.items() if axis not in "CSYX"], dtype=np.int64)),
        orientation=_tag(page, "Orientation", 1), icc=page.iccprofile, dpi=_dpi(page),
        compression=tifffile.COMPRESSION(page.compression).name,
    )  # fmt: skip


def _decode_first(series: tifffile.TiffPageSeries) -> np.ndarray:
    """Decode the pages of the first picture."""
    outer = [(axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if axis not in "SYX"]
    ranges = [range(size if axis == "C" else 1) for axis, size in outer]
    indices = np.ix_(*ranges) if outer else ()
    numbers = np.ravel_multi_index(indices, [size for _, size in outer]).ravel() if outer else [0]
    pages = [series.pages[int(number)] for number in numbers]
    planes = [_channels_last(page.asarray(), series.keyframe) for page in pages if page is not None]
    array = planes[0] if len(planes) == 1 else np.dstack(planes)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _channels_last(array: np.ndarray, page: tifffile.TiffPage) -> np.ndarray:
    separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and page.samplesperpixel > 1
    return np.moveaxis(array, 0, -1) if separate else array


def _tag(page: tifffile.TiffPage, name: str, default: Any) -> Any:
    return page.tags[name].value if name in page.tags else default


def _dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    unit = {2: 1.0, 3: 2.54}.get(_tag(page, "ResolutionUnit", 2))
    across, down = (_tag(page, name, (0, 0)) for name in ("XResolution", "YResolution"))
    if unit is None or not all((*across, *down)):
        return None
    return unit * across[0] / across[1], unit * down[0] / down[1]


def encode(stored: np.ndarray, alpha: bool, icc: bytes | None = None, dpi: tuple[float, float] | None = None) -> bytes:
    """Encode a TIFF with lossless compression.

    Args:
        stored: (H, W) or (H, W, C), of any numeric type.
        alpha: whether the last channel is alpha, unassociated.
        icc: colour profile.
        dpi: pixels per inch, horizontal and vertical.
    """
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    colour = channels - alpha == 3
    options: dict[str, Any] = {} if stored.ndim == 2 else {"planarconfig": "contig"}
    extra = channels - (3 if colour else 1)
    if extra:
        options["extrasamples"] = ["unspecified"] * (extra - alpha) + ["unassalpha"] * alpha
    if dpi:
        options |= {"resolution": dpi, "resolutionunit": "INCH"}
    out = io.BytesIO()
    tifffile.imwrite(
        out, stored, photometric="rgb" if colour else "minisblack", metadata=None, software=False, iccprofile=icc,
        compression="zlib", compressionargs={"level": 1}, predictor=stored.dtype in (np.uint8, np.uint16), **options,
    )  # fmt: skip
    return out.getvalue()
