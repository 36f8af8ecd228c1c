"""Decoding of picture files, by OpenCV or Pillow, whichever decodes a file correctly.

Pillow reads the header. OpenCV decodes, since it is faster and supports 16-bit colour. Pillow decodes what OpenCV gets
wrong: CMYK, palettes, GIF, transparency keys, 8-bit TIFF (whose colours it multiplies by alpha). TIFF with bands, and
.npy, have modules of their own.
"""

__all__ = ["decode", "from_pillow"]

import io
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from translate.images import npy, tiff
from translate.images.encode import FORMATS
from translate.images.picture import FULL_SCALE, Numbers, Picture, ValueRange, as_picture
from translate.utils.trust import TRUST

_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # by EXIF orientation
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}
_GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_MAX_DPI = 65536  # larger values in a header are mistakes
_header_lock = threading.Lock()


def decode(data: bytes, values: ValueRange | None = None) -> Picture:
    """Decode the content of a file of any kind, turned upright; errors are of nearly any type.

    `values` are black and white of floats and wide integers; None: 0 and 1, or the full scale.
    """
    if not data:
        raise OSError("the file is empty")
    if npy.is_npy(data):
        return _decode_npy(data, values)
    tiff_header = tiff.read_header(data) if tiff.is_tiff(data) else None
    if tiff_header and tiff_header.bands:
        return _decode_bands(data, tiff_header, values)
    header = _Header(data)
    stored = _decode_opencv(data) if header.suits_opencv else None
    if stored is None and header.image is None and tiff_header:
        return _decode_bands(data, tiff_header, values)  # types that neither library supports, such as half floats
    if stored is None:
        stored = _decode_pillow(header.image)
    upright = _UPRIGHT.get(header.orientation, np.asarray)
    picture = as_picture(upright(stored), header.alpha, header.gray, header.frames, values=values)
    picture.icc, picture.dpi = (tiff_header.icc, _as_dpi(tiff_header.dpi)) if tiff_header else (header.icc, header.dpi)
    return picture


def from_pillow(image: Image.Image, values: ValueRange | None = None) -> Picture:
    """Convert an opened image of any mode, turned upright; `values` and errors as in `decode`."""
    icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    if image.format != "TIFF":  # Pillow rotates a TIFF as it loads, and would do it twice
        image = ImageOps.exif_transpose(image)
    picture = as_picture(_decode_pillow(image), image.has_transparency_data, image.mode in _GRAY_MODES, values=values)
    picture.icc, picture.dpi = icc, _as_dpi(dpi)
    return picture


def _decode_npy(data: bytes, values: ValueRange | None) -> Picture:
    array = npy.read(data)
    _check_size(*array.shape[:2])
    picture = as_picture(array, False, bands=True, values=values)
    if array.shape[2:] == (1,):
        numbers = picture.numbers or Numbers(array.dtype, 0, FULL_SCALE[array.dtype])
        picture.numbers = replace(numbers, plane=True)
    return picture


def _decode_bands(data: bytes, header: tiff.TiffHeader, values: ValueRange | None) -> Picture:
    _check_size(header.height, header.width * max(1, header.channels // 4))
    stored = _UPRIGHT.get(header.orientation, np.asarray)(tiff.read(data))
    picture = as_picture(stored, header.alpha, frames=header.frames, bands=True, values=values)
    picture.icc, picture.dpi = header.icc, _as_dpi(header.dpi)
    return picture


def _check_size(height: int, width: int) -> None:
    if (pixels := width * height) > TRUST.max_pixels:
        remedy = f"if you trust it, say --max-pixels {pixels}"
        raise OSError(f"{width} x {height} px is over the limit of {TRUST.max_pixels:,} px; {remedy}")


def _as_dpi(value: Any) -> tuple[float, float] | None:
    """Return the resolution in a header if it is plausible."""
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    across, down = map(float, value)
    return (across, down) if 0 < across < _MAX_DPI and 0 < down < _MAX_DPI else None


class _Header:
    """A file's header as Pillow reads it, and whether OpenCV decodes the file correctly."""

    image: Image.Image | None = None
    orientation = 1
    frames = 1
    alpha = True
    gray = False
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    suits_opencv = True  # also for files that Pillow cannot identify, such as float colour TIFF

    def __init__(self, data: bytes) -> None:
        # Pillow's limit and the warning filters belong to the process: changed only while a header is read.
        with _header_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                self._read(data)
            except UnidentifiedImageError:
                pass
            finally:
                Image.MAX_IMAGE_PIXELS = limit

    def _read(self, data: bytes) -> None:
        self.image = image = Image.open(io.BytesIO(data), formats=_pillow_formats())
        _check_size(image.height, image.width)
        if not _is_whole(image.format, data):
            raise OSError("the file is truncated")
        self.icc, self.dpi = image.info.get("icc_profile"), _as_dpi(image.info.get("dpi"))
        self.alpha = image.has_transparency_data
        self.gray = _is_gray(image, data)
        self.orientation = _orientation(image, data)
        if image.format != "MPO":  # its other frames are a camera's views of the same scene
            self.frames = getattr(image, "n_frames", 1)
        plain = image.mode in ("L", "RGB", "RGBA", "LA") and "transparency" not in image.info
        self.suits_opencv = _is_deep(image, data) or (plain and image.format in ("JPEG", "MPO", "PNG", "BMP", "WEBP"))


@cache
def _pillow_formats() -> tuple[str, ...]:
    """Return the formats that Pillow may try: only those of `FORMATS`, since some others start programs."""
    Image.init()
    names = {form.name for form in FORMATS.values()} | {"MPO"}
    return tuple(sorted(names & Image.OPEN.keys()))


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether the file has more than 8 bits per channel; Pillow would cut 16-bit colour down to 8."""
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (1,))) > 8  # type: ignore[attr-defined]
    return image.format == "PPM" and b"65535" in data[:64]


def _is_gray(image: Image.Image, data: bytes) -> bool:
    if image.format == "PNG":
        return data[25] in (0, 4)  # colour types gray, and gray with alpha
    return image.mode in _GRAY_MODES


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "TIFF":  # both decoders rotate TIFF themselves
        return 1
    if image.format == "PNG" and b"eXIf" not in data:  # Pillow would decode the whole file to look for one
        return 1
    return image.getexif().get(0x0112, 1)


def _is_whole(form: str | None, data: bytes) -> bool:
    """Whether a PNG or JPEG has its end; some decoders paint the missing part of a JPEG gray."""
    if form == "PNG":
        return data.rfind(b"IEND") > 0
    return form not in ("JPEG", "MPO") or _is_whole_jpeg(data)


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether an end marker follows the first scan of the main picture; a thumbnail has its own end marker."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xDA:
            return data.find(b"\xff\xd9", at) >= 0
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


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


def _decode_pillow(image: Image.Image | None) -> np.ndarray:
    """Decode to (H, W), (H, W, 2) with alpha, or RGB(A) (H, W, 3 or 4)."""
    if image is None:
        raise UnidentifiedImageError("its content is in no known image format")
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        return np.asarray(image)
    gray = image.mode in _GRAY_MODES
    if image.mode == "CMYK":
        image = _from_cmyk(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif not gray:
        image = image.convert("RGB")
    return np.asarray(image.convert("LA" if image.mode == "RGBA" else "L") if gray else image)


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Convert CMYK to sRGB by the image's own profile; without one, by Pillow's formula."""
    try:
        inks = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        converted = ImageCms.profileToProfile(image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):
        converted = None
    return converted or image.convert("RGB")
