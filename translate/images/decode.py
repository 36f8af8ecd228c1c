"""Decoding of picture files, by the first decoder that decodes a file correctly.

Each decoder is used only for files that it is known to decode correctly, and its result is compared with the header:
size, depth and channels. If one fails, the next is tried: our readers of TIFF and BMP, OpenCV, Pillow, libvips.
"""

__all__ = ["decode", "describe", "from_pillow"]

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from translate.images import exif, vips
from translate.images.cmyk import image_from_cmyk
from translate.images.encode import FORMATS
from translate.images.formats import bmp, heif, isobmff, npy, png, tiff
from translate.images.headers import check_header, check_size, has_padding, size_in_header
from translate.images.metadata import Metadata
from translate.images.picture import FULL_SCALE, Numbers, Picture, ValueRange, as_picture
from translate.images.pillow import lenient_pillow
from translate.images.samples import to_full_scale
from translate.utils.trust import TRUST

UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # by EXIF orientation
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}
_GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_MAX_DPI = 65536  # larger values in a header are mistakes, except in microscopy, which writes TIFF
Decoder = Callable[[], np.ndarray | None]


def decode(data: bytes, values: ValueRange | None = None) -> Picture:
    """Decode the content of a file of any kind, turned upright; errors are of nearly any type.

    `values` are black and white of floats and wide integers; None: 0 and 1, or the full scale.
    """
    # 1. formats with decoders of their own
    if not data:
        raise OSError("the file is empty")
    if npy.is_npy(data):
        return _decode_npy(data, values)
    check_header(data)
    if tiff.is_tiff(data) and (reader := _tiff_reader(data, values)):
        with reader:
            return _decode_tiff(data, reader, values)
    if isobmff.container(data) == "HEIF":
        return heif.decode(data)
    # 2. pixels
    original = data
    data, key = png.without_key(png.without_text(data))
    header = _Header(data)
    stored = _first_right(header.decoders(), header)
    if bmp.is_bmp(data):  # Pillow does not know all kinds of alpha
        header.alpha = stored.ndim == 3 and stored.shape[2] == 4
    if key:
        stored, header.alpha = _with_alpha(stored, key), True
    upright = UPRIGHT.get(header.orientation, np.asarray)
    picture = as_picture(upright(stored), header.alpha, header.gray, header.frames, values=values)
    # 3. what the file says besides
    picture.icc, picture.dpi, picture.bits = header.icc, header.dpi, header.bits
    picture.metadata = header.metadata
    if header.image is not None and header.image.mode == "P":
        with contextlib.suppress(OSError, ValueError, SyntaxError):  # another decoder knew the file
            picture.indices = np.ascontiguousarray(upright(np.asarray(header.image)))
    _describe(picture, original)
    return picture


def describe(path: Path) -> Picture:
    """Return an empty picture with what a file, but no TIFF, says of itself; its pixels are not read.

    Raises:
        Exception: the file is damaged.
    """
    picture = Picture(np.empty((0, 0, 3), np.uint8))
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        with contextlib.suppress(ValueError), lenient_pillow(), Image.open(path, formats=_pillow_formats()) as image:
            picture.dpi, picture.metadata = _as_dpi(image.info.get("dpi")), Metadata.from_pillow(image.info)
        _describe(picture, data)
    return picture


def _describe(picture: Picture, data: bytes | mmap) -> None:
    """Add to a picture what only the file's content says."""
    if data[: len(png.MAGIC)] == png.MAGIC:
        picture.metadata, picture.gamma = png.metadata(data), png.gamma(data)
        picture.colour_codes = png.colour_codes(data)
    elif isobmff.container(data[:256]) == "AVIF":
        picture.colour_codes = isobmff.colour_codes(data)
    if b"hdrgm:" in picture.metadata.xmp:
        picture.lost = ("HDR gain map",)
    picture.dpi = picture.dpi or exif.resolution(picture.metadata.exif)


def _with_alpha(stored: np.ndarray, key: tuple[int, ...]) -> np.ndarray:
    """Add alpha to gray or RGB, which is transparent where it has the colour `key`."""
    planes = stored if stored.ndim == 3 else stored[..., None]
    opaque = (planes[..., : len(key)] != np.array(key, stored.dtype)).any(axis=2)
    return np.dstack((planes, opaque * np.array(FULL_SCALE[stored.dtype], stored.dtype)))


def _tiff_reader(data: bytes, values: ValueRange | None) -> tiff.TiffReader | None:
    try:
        return tiff.TiffReader(data, values)
    except Exception:  # damaged files make tifffile raise nearly everything; Pillow will report them
        return None


def _decode_tiff(data: bytes, reader: tiff.TiffReader, values: ValueRange | None) -> Picture:
    """Decode with our own reader; for files that it cannot decode, compare other decoders' results with its header."""
    tiff_header = reader.header
    check_size(tiff_header.height, tiff_header.width * max(1, tiff_header.channels // 4))
    if tiff_header.unreadable:
        check_size(tiff_header.height, tiff_header.width, len(data), f"{tiff_header.compression} in TIFF")
        header = _Header(data, tiff_header)
        stored = _first_right(header.decoders(), header, tiff_header.unreadable)
        bands = False
    else:
        stored, bands = UPRIGHT.get(tiff_header.orientation, np.asarray)(reader.read()), True
    gray = tiff_header.channels == 1
    picture = as_picture(stored, tiff_header.alpha, gray, tiff_header.frames, bands=bands, values=values)
    picture.icc, picture.dpi = tiff_header.icc, tiff_header.dpi
    picture.tags, picture.lost, picture.metadata = tiff_header.tags, tiff_header.lost, tiff_header.metadata
    return picture


def _first_right(decoders: Iterator[tuple[str, Decoder]], header: "_Header", reason: str = "") -> np.ndarray:
    """Return the answer of the first decoder whose answer agrees with the header.

    Args:
        decoders: their names, and functions to ask them.
        header: of the file.
        reason: why the file is refused if no decoder knows it.

    Raises:
        Exception: the reason of the first decoder that refused, if none is right.
    """
    refusal: Exception | None = None
    for name, decoder in decoders:
        try:
            stored = decoder()
        except Exception as error:  # damaged files make decoders raise nearly everything
            says_why = name != "libvips" and "decoder error" not in str(error)  # else only names and numbers of its own
            refusal = refusal or (error if says_why else None)
            continue
        if stored is None:
            continue
        if why := header.disagreement(stored):
            refusal = refusal or OSError(f"{name} decodes it to {why}, which its header contradicts")
            continue
        return stored
    raise refusal or header.problem or UnidentifiedImageError(reason or "its content is in no known image format")


def from_pillow(image: Image.Image, values: ValueRange | None = None) -> Picture:
    """Convert an opened image of any mode, turned upright; `values` and errors as in `decode`."""
    icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    if image.format != "TIFF":  # Pillow rotates a TIFF as it loads, and would do it twice
        image = ImageOps.exif_transpose(image)
    picture = as_picture(_decode_pillow(image), image.has_transparency_data, image.mode in _GRAY_MODES, values=values)
    picture.icc, picture.dpi = icc, _as_dpi(dpi)
    picture.indices = np.asarray(image) if image.mode == "P" else None
    return picture


def _decode_npy(data: bytes, values: ValueRange | None) -> Picture:
    array = npy.read(data)
    check_size(*array.shape[:2])
    picture = as_picture(array, False, bands=True, values=values)
    if array.shape[2:] == (1,):
        numbers = picture.numbers or Numbers(array.dtype, 0, FULL_SCALE[array.dtype])
        picture.numbers = replace(numbers, plane=True)
    return picture


def _as_dpi(value: Any) -> tuple[float, float] | None:
    """Return the resolution in a header if it is plausible."""
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    across, down = map(float, value)
    return (across, down) if 0 < across < _MAX_DPI and 0 < down < _MAX_DPI else None


class _Header:
    """A file's header as Pillow reads it, and the decoders to ask.

    Attributes:
        problem: why Pillow cannot open the file.
        size: height and width of the stored picture, px; None: unknown.
    """

    image: Image.Image | None = None
    orientation = 1
    frames = 1
    alpha = True
    gray = False
    deep = False  # more than 8 bits per channel; Pillow would cut 16-bit colour down to 8
    bits = 0  # per channel of a deep AVIF
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    metadata = Metadata()
    problem: Exception | None = None

    def __init__(self, data: bytes, tiff_header: tiff.TiffHeader | None = None) -> None:
        """Read the header of a content, of a TIFF with what is known already."""
        self._data, self._tiff = data, tiff_header
        self.form, self.size = size_in_header(data)
        try:
            with lenient_pillow():
                self._read(data)
        except UnidentifiedImageError:
            pass
        except Exception as error:
            self.problem = error
        if tiff_header:
            self.deep, self.alpha, self.size = (
                tiff_header.dtype.itemsize > 1,
                tiff_header.alpha,
                (tiff_header.height, tiff_header.width),
            )
        elif self.form == "PNG":  # also where Pillow refuses it
            self.deep, self.gray = data[24] == 16, data[25] in (0, 4)
        elif self.form == "AVIF":  # likewise
            self.icc, bits = self.icc or isobmff.icc_profile(data), isobmff.av1_bits(data)
            self.deep, self.bits = bits > 8, bits if bits > 8 else 0

    def _read(self, data: bytes) -> None:
        image = Image.open(io.BytesIO(data), formats=_pillow_formats())
        check_size(image.height, image.width, len(data), "" if self._tiff else image.format or "")
        self.image, self.size = image, (image.height, image.width)
        if self._tiff:
            return
        self.icc, self.dpi = image.info.get("icc_profile"), _as_dpi(image.info.get("dpi"))
        self.metadata = Metadata.from_pillow(image.info)
        self.alpha = image.has_transparency_data
        self.gray = image.mode in _GRAY_MODES
        self.orientation = _orientation(image, data)
        self.deep = image.format == "PPM" and b"65535" in data[:64]
        if image.format != "MPO":  # its other frames are a camera's views of the same scene
            self.frames = getattr(image, "n_frames", 1)

    def decoders(self) -> Iterator[tuple[str, Decoder]]:
        """Yield the decoders that may be asked, the best one first."""
        data, image, form = self._data, self.image, self.form
        if form == "BMP":
            yield "BMP", lambda: bmp.decode(data)
        if form == "AVIF":
            yield from self._avif_decoders()
            return
        plain = image is not None and image.mode in ("L", "RGB", "RGBA", "LA") and "transparency" not in image.info
        plain &= image is not None and image.format in ("JPEG", "MPO", "PNG", "WEBP")
        plain &= form != "JPEG" or not has_padding(data)  # OpenCV prints a warning about it; Pillow decodes the same
        if not self._tiff and (self.deep or plain):
            yield "OpenCV", lambda: _decode_opencv(data)
        if image is not None and not (self._tiff and self._tiff.compression == "WEBP"):  # it prints that it cannot
            yield "Pillow", lambda: _decode_pillow(image)
        unopened = image is None and form in ("JPEG", "PNG") and b"tRNS" not in data
        if unopened or (self._tiff and self._tiff.opaque_rgb):
            yield "OpenCV", lambda: _decode_opencv(data)
        if self._tiff.plain if self._tiff else not tiff.is_tiff(data):
            yield "libvips", self._decode_vips

    def _avif_decoders(self) -> Iterator[tuple[str, Decoder]]:
        """Yield decoders for AVIF: Pillow knows 8 bits, and refuses some files of early encoders with alpha."""
        image, data, bits = self.image, self._data, self.bits
        if image is not None and not self.deep:
            yield "Pillow", lambda: _decode_pillow(image)
        if image is not None or not isobmff.is_turned(data):  # OpenCV does not turn pictures, nor say that it should
            yield "OpenCV", lambda: _to_16_bits(_decode_opencv(data), bits)
        yield "libvips", lambda: _to_16_bits(self._decode_vips(), bits, 16 - bits)

    def _decode_vips(self) -> np.ndarray | None:
        stored = vips.decode(self._data, TRUST.max_pixels)
        if stored is not None:  # it is upright
            self.orientation = 1
        return stored

    def disagreement(self, stored: np.ndarray) -> str:
        """Return what in a decoded array the header contradicts; "" if it agrees."""
        height, width = stored.shape[:2]
        if self.size and (height, width) not in (self.size, self.size[::-1]):
            return f"{width} x {height} px"
        if self.deep and stored.dtype == np.uint8:
            return "8 bits"
        channels = stored.shape[2] if stored.ndim == 3 else 1
        if self._tiff and channels != self._tiff.channels + self._tiff.alpha:
            return f"{channels} channels"
        return ""


@cache
def _pillow_formats() -> tuple[str, ...]:
    """Return the formats that Pillow may try: only those of `FORMATS`, since some others start programs."""
    Image.init()
    names = {form.name for form in FORMATS.values()} | {"MPO"}
    return tuple(sorted(names & Image.OPEN.keys()))


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and b"eXIf" not in data:  # Pillow would decode the whole file to look for one
        return 1
    return image.getexif().get(0x0112, 1)


def _decode_opencv(data: bytes) -> np.ndarray | None:
    """Decode to (H, W) or RGB(A) (H, W, 3 or 4); None where OpenCV cannot."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our error messages suffice
    try:
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if stored is None or stored.ndim == 2:
            return stored
        if stored.dtype == np.float64:  # cvtColor does not support it
            return stored[..., [2, 1, 0, 3][: stored.shape[2]]]
        return cv2.cvtColor(stored, cv2.COLOR_BGRA2RGBA if stored.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    except cv2.error:
        return None


def _to_16_bits(stored: np.ndarray | None, bits: int, shift: int = 0) -> np.ndarray | None:
    """Scale numbers of `bits`, which are shifted upwards, to 16 bits; with `bits` of 0 return them as they are."""
    return to_full_scale(stored >> shift, bits) if bits and stored is not None else stored


def _decode_pillow(image: Image.Image) -> np.ndarray:
    """Decode to (H, W), (H, W, 2) with alpha, or RGB(A) (H, W, 3 or 4)."""
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        return np.asarray(image)
    gray = image.mode in _GRAY_MODES
    if image.mode == "CMYK":
        image = image_from_cmyk(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif not gray:
        image = image.convert("RGB")
    return np.asarray(image.convert("LA" if image.mode == "RGBA" else "L") if gray else image)
