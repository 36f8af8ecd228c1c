"""The one reader of TIFF: any number of channels, in pixels, planes or pages, of any type, photometric and alpha.

What it reads is in two tables: `COMPRESSIONS` and `BIT_DEPTHS` of tiff_segments, and `_PHOTOMETRICS` here. All else,
such as JPEG, CCITT and YCbCr, is left to other decoders, whose answers `decode` holds against the header.
"""

__all__ = ["TiffHeader", "TiffReader", "is_tiff", "read_header"]

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import tifffile

from translate.images.cmyk import cmyk_to_rgb
from translate.images.formats.tiff_segments import BIT_DEPTHS, COMPRESSIONS, SegmentReader
from translate.images.formats.tiff_tags import Tag, described_tags, read_metadata, resolution
from translate.images.metadata import Metadata
from translate.images.picture import ValueRange
from translate.images.samples import full_scale, to_full_scale, unassociated

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_PHOTOMETRICS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4}  # samples that are colours
_COLOURS = {**_PHOTOMETRICS, _PALETTE: 3, _CMYK: 3, _YCBCR: 3, _LAB: 3}  # after decoding
_ASSOCIATED, _UNASSOCIATED = 1, 2  # ExtraSamples
_SEARCHED_PAGES = 16  # for a mask, which follows its picture or the picture's smaller copies
_JPEG = 7
_BY_OPENCV = (1, 5, 6, 7, 8, 32773, 32946)  # it decodes some others to black, without an error
_BY_LIBVIPS = (2, 3, 4, _JPEG, 50001)  # compressions besides those of the table: CCITT, JPEG, WebP
_MASK_PAGE = 4  # NewSubfileType of a transparency mask of the first picture
logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # our error messages suffice


@dataclass(frozen=True, kw_only=True)
class TiffHeader:
    """The header of a TIFF, and which decoders are right about it."""

    height: int  # px
    width: int  # px
    channels: int  # after decoding, without alpha
    dtype: np.dtype  # after decoding
    alpha: bool  # whether the last channel is alpha after decoding, from a mask page too
    bands: bool  # whether its channels are no colours
    frames: int  # number of pictures in the file
    orientation: int  # as in EXIF
    icc: bytes | None
    dpi: tuple[float, float] | None  # horizontal, vertical
    compression: str  # as tifffile names it, such as "LZW"
    unreadable: str  # why `TiffReader` cannot decode it; "" if it can
    plain: bool  # whether libvips decodes the same: contiguous, alpha not associated, no palette, inks or mask
    opaque_rgb: bool  # whether libtiff's own conversion to RGB in 8 bits is right
    pyramid: str  # "pages" or "subifds", where the file keeps smaller copies; "" if it has none
    tile: tuple[int, int] | None  # width and height of its tiles, px
    tags: tuple[Tag, ...]  # georeference, NODATA and descriptions
    lost: tuple[str, ...]  # what the file says of itself, and no result keeps
    metadata: Metadata  # what a camera or an editor wrote


def is_tiff(data: bytes) -> bool:
    """Whether a file's content begins with the magic bytes of TIFF."""
    return data[:4] in _MAGIC


def read_header(data: bytes | Path) -> TiffHeader | None:
    """Read the header of a file, or of its content; None where it is not a complete TIFF."""
    try:
        with TiffReader(data) as reader:
            return reader.header
    except Exception:  # damaged files make tifffile raise nearly everything; decoding will report them
        return None


class TiffReader:
    """The first picture of a TIFF, decoded row by row: black is zero, palettes are colours, alpha is unassociated."""

    def __init__(self, data: bytes | Path, values: ValueRange | None = None) -> None:
        """Read the header; `values` are black and white of numbers that are not uint8, None their full scale."""
        self._file = tifffile.TiffFile(data if isinstance(data, Path) else io.BytesIO(data))
        self._values = values
        try:
            self._pages, self._frames = _pages_of_first_picture(self._file)
            self._key = self._pages[0].keyframe
            self._mask = _mask_page(self._file, self._key)
            self.header = self._read_header()
            readable = not self.header.unreadable
            self._readers = [SegmentReader(page) for page in self._pages] if readable else []
            self._mask_reader = SegmentReader(self._mask) if readable and self._mask else None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "TiffReader":
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    @property
    def batch_rows(self) -> int:
        """Rows that are read best at once.

        Raises:
            ValueError: the file is of a kind that cannot be read here.
        """
        if self.header.unreadable:
            raise ValueError(self.header.unreadable)
        return self._readers[0].batch_rows

    @property
    def batch_bytes(self) -> int:
        """Memory that `batch_rows` take, raw and decoded."""
        channels = self.header.channels + self.header.alpha
        return 2 * self.batch_rows * self.header.width * channels * self.header.dtype.itemsize

    def read(self) -> np.ndarray:
        """Decode the picture to (H, W, C), alpha last, not yet upright; raises ValueError as `rows`."""
        height, step = self.header.height, self.batch_rows
        first = self.rows(0, min(step, height))
        if step >= height:
            return first
        out = np.empty((height, *first.shape[1:]), first.dtype)
        out[:step] = first
        for start in range(step, height, step):
            out[start : start + step] = self.rows(start, min(start + step, height))
        return out

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Decode rows `start` to `stop` to (rows, W, C), alpha last.

        Raises:
            ValueError: the file is damaged, or of a kind that cannot be read here.
        """
        if self.header.unreadable:
            raise ValueError(self.header.unreadable)
        planes = [reader.rows(start, stop) for reader in self._readers]
        raw = planes[0] if len(planes) == 1 else np.dstack(planes)
        light = self._to_light(raw)
        if self._mask_reader is None:
            return light
        mask = self._mask_reader.rows(start, stop)[..., :1] > 0
        if self._mask.keyframe.photometric == _WHITE_IS_ZERO:
            mask = ~mask
        return np.concatenate((light, mask * full_scale(light.dtype)), axis=2).astype(light.dtype, copy=False)

    def _to_light(self, raw: np.ndarray) -> np.ndarray:
        """Convert raw samples to full scale, black zero, colours of palettes and inks, and unassociated alpha."""
        photometric, bits = self._key.photometric, self._key.bitspersample
        extra = tuple(self._key.extrasamples)
        colours = _PHOTOMETRICS[photometric]
        if photometric == _PALETTE:
            return self._from_palette(raw, bits, bool(extra) and extra[-1] in (_ASSOCIATED, _UNASSOCIATED))
        if raw.dtype.kind == "u" and bits < min(16, 8 * raw.dtype.itemsize):
            raw = to_full_scale(raw, bits)
        if photometric == _WHITE_IS_ZERO:
            raw[..., 0] = self._inverted(raw[..., 0])
        if extra and extra[-1] == _ASSOCIATED:
            raw = unassociated(raw)
        if photometric != _CMYK:
            return raw
        rgb = cmyk_to_rgb(raw[..., :colours], self._key.iccprofile)
        return np.dstack((rgb, raw[..., -1])) if self.header.alpha and not self._mask else rgb

    def _inverted(self, stored: np.ndarray) -> np.ndarray:
        if self._values is not None and stored.dtype != np.uint8:
            return (sum(self._values) - stored.astype(np.float64)).astype(stored.dtype)
        return (full_scale(stored.dtype) - stored).astype(stored.dtype)

    def _from_palette(self, raw: np.ndarray, bits: int, alpha: bool) -> np.ndarray:
        """Look colours up; a map without any number above 255 is of 8 bits, as libtiff takes it."""
        colour_map = np.asarray(self._key.colormap)
        colours = (colour_map if colour_map.max() < 256 else colour_map >> 8).astype(np.uint8).T
        rgb = colours[raw[..., 0]]
        return np.dstack((rgb, to_full_scale(raw[..., -1:], bits))) if alpha else rgb

    def _read_header(self) -> TiffHeader:
        page, photometric = self._key, int(self._key.photometric)
        # 1. channels
        extra = tuple(page.extrasamples)
        declared = bool(extra) and extra[-1] in (_ASSOCIATED, _UNASSOCIATED)
        samples = len(self._pages) * page.samplesperpixel - declared
        bands = samples not in (1, 3) or len(extra) > declared
        if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
            bands, samples = False, _COLOURS.get(photometric, 3)
        # 2. who can decode them
        unreadable = _why_unreadable(page, len(self._pages))
        dtype = _dtype_after(page)
        masked = self._mask is not None and not _why_unreadable(self._mask, 1)
        masked &= not unreadable and not declared and dtype in (np.uint8, np.uint16, np.float32, np.float64)
        self._mask = self._mask if masked else None
        return TiffHeader(
            height=page.imagelength, width=page.imagewidth, channels=samples, dtype=dtype, alpha=declared or masked,
            bands=bands, frames=self._frames, orientation=_tag(page, "Orientation", 1), icc=page.iccprofile,
            dpi=resolution(self._file, page), compression=_compression_name(page), unreadable=unreadable,
            plain=_is_plain(page, len(self._pages), unreadable) and not masked,
            opaque_rgb=_is_opaque_rgb(page),
            pyramid=_pyramid(self._file, page), tile=(page.tilewidth, page.tilelength) if page.is_tiled else None,
            **described_tags(page), metadata=read_metadata(self._file, page),
        )  # fmt: skip


def _pages_of_first_picture(file: tifffile.TiffFile) -> tuple[list[Any], int]:
    """Return the pages of the first picture, one of each channel if it is in pages, and how many pictures there are."""
    try:
        series = file.series[0]
        sizes = dict(zip(series.axes, series.shape, strict=True))
    except Exception:  # its description is damaged, such as the XML of OME
        return [file.pages[0]], 1
    outer = [(axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if axis not in "SYX"]
    indices = np.ix_(*(range(size if axis == "C" else 1) for axis, size in outer)) if outer else ()
    numbers = np.ravel_multi_index(indices, [size for _, size in outer]).ravel() if outer else [0]
    pages = [page for number in numbers if (page := series.pages[int(number)]) is not None]
    frames = int(np.prod([size for axis, size in sizes.items() if axis not in "CSYX"], dtype=np.int64))
    return pages, frames


def _mask_page(file: tifffile.TiffFile, first: Any) -> Any:
    """Return the transparency mask of the first picture, as GDAL writes it; None if there is none."""
    for i in range(1, min(_SEARCHED_PAGES, len(file.pages))):
        page = file.pages[i].aspage()
        same = (page.imagelength, page.imagewidth) == (first.imagelength, first.imagewidth)
        if same and page.subfiletype == _MASK_PAGE and page.samplesperpixel == 1:
            return page
    return None


def _pyramid(file: tifffile.TiffFile, first: Any) -> str:
    if first.subifds:
        return "subifds"
    following = (file.pages[i].aspage() for i in range(1, min(3, len(file.pages))))  # a mask may come between
    return "pages" if any(page.subfiletype & 1 for page in following) else ""


def _why_unreadable(page: Any, pages: int) -> str:
    """Return why `TiffReader` cannot decode a page; "" if it can."""
    bits, form = page.bitspersample, {4: 1}.get(int(page.sampleformat or 1), int(page.sampleformat or 1))
    colours, integer = _PHOTOMETRICS.get(int(page.photometric)), form == 1
    if int(page.compression) not in COMPRESSIONS:
        return f"TIFF in {_compression_name(page)} is not supported; save it without compression or with deflate"
    if isinstance(bits, tuple) or _mixed(page, "SampleFormat") or _mixed(page, "BitsPerSample"):
        return "its channels differ in type"
    if bits not in BIT_DEPTHS.get(form, ()):
        return f"TIFF of {bits}-bit numbers of sample format {form} is not supported"
    predictor = int(page.predictor)
    if predictor == 2 and bits not in (8, 16, 32, 64) or predictor == 3 and (form != 3) or predictor not in (1, 2, 3):
        return f"TIFF with predictor {predictor} of {bits}-bit numbers is not supported"
    if colours is None and int(page.photometric) != _MASK_PAGE:
        return f"TIFF with photometric {getattr(page.photometric, 'name', page.photometric)} is not supported"
    if page.imagedepth != 1 or page.is_subsampled or page.samplesperpixel < (colours or 1):
        return "TIFF of this layout is not supported"
    inked = page.photometric == _CMYK and (bits not in (8, 16, 32) or _tag(page, "InkSet", 1) != 1)
    indexed = page.photometric == _PALETTE and (not integer or bits > 16 or page.colormap is None)
    odd_inks = page.photometric == _CMYK and page.samplesperpixel - len(page.extrasamples) != 4
    if inked or indexed or odd_inks or (pages > 1 and page.photometric in (_PALETTE, _CMYK)):
        return "TIFF with such a palette or such inks is not supported"
    signed_white = page.photometric == _WHITE_IS_ZERO and form == 2  # black has no known number
    return "TIFF of signed numbers with white as zero is not supported" if signed_white else ""


def _mixed(page: Any, name: str) -> bool:
    value = _tag(page, name, 1)
    return isinstance(value, tuple) and len(set(value)) > 1


def _dtype_after(page: Any) -> np.dtype:
    """Return the type of decoded numbers."""
    if page.photometric == _PALETTE:
        return np.dtype(np.uint8)
    bits = page.bitspersample if isinstance(page.bitspersample, int) else max(page.bitspersample)
    kind = {2: "i", 3: "f"}.get(int(page.sampleformat or 1), "u")
    return np.dtype(f"{kind}{next((size for size in (1, 2, 4) if 8 * size >= bits), 8)}".replace("f1", "f2"))


def _is_plain(page: Any, pages: int, unreadable: str) -> bool:
    contiguous = pages == 1 and (page.planarconfig == 1 or page.samplesperpixel == 1)
    if not contiguous or _ASSOCIATED in page.extrasamples or 0 in page.databytecounts:
        return False
    if unreadable:  # such as JPEG, which libvips decodes as Pillow does
        known = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB) + (_YCBCR,) * (page.compression == _JPEG)
        return page.compression in _BY_LIBVIPS and page.bitspersample in (1, 8) and page.photometric in known
    white = page.photometric == _WHITE_IS_ZERO and page.bitspersample == 8 and page.samplesperpixel == 1
    usual = (page.photometric in (_BLACK_IS_ZERO, _RGB) or white) and page.compression not in (34925, 50000)
    return usual and page.fillorder != 2 and page.bitspersample in (8, 16, 32, 64) and page.dtype != np.float16


def _is_opaque_rgb(page: Any) -> bool:
    """Whether libtiff, by OpenCV, converts a page to RGB as it should."""
    plain = page.bitspersample == 8 and not page.extrasamples and int(page.photometric) in (0, 1, 2, 3, 6)
    return plain and int(page.compression) in _BY_OPENCV


def _compression_name(page: Any) -> str:
    try:
        return tifffile.COMPRESSION(page.compression).name
    except ValueError:
        return f"compression {page.compression}"


def _tag(page: Any, name: str, default: Any) -> Any:
    return page.tags[name].value if name in page.tags else default
