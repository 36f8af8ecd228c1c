"""HEIC pictures, by pillow-heif, the extra `heic`."""

__all__ = ["EXTRA", "decode", "encode", "is_available", "stored_size"]

import io
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from translate.images import exif
from translate.images.formats import isobmff
from translate.images.headers import check_size
from translate.images.metadata import Metadata
from translate.images.picture import Picture, as_picture
from translate.images.samples import to_full_scale, unassociated

EXTRA = "pip install 'image-translate[heic]'"
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # by number of channels
_GAIN_MAP = "gainmap"  # in the name of an auxiliary picture that adds brightness for HDR screens


@cache
def is_available() -> bool:
    """Whether pillow-heif is installed; it is imported only for HEIC files."""
    return find_spec("pillow_heif") is not None


def decode(data: bytes) -> Picture:
    """Decode the main picture of a HEIC file, upright: the container alone says how it is turned, not the EXIF.

    Raises:
        OSError: pillow-heif is missing, or the picture is larger than `TRUST` allows.
        Exception: the file is damaged.
    """
    file = _open(data)
    image = file[file.primary_index]
    stored = np.asarray(image)
    alpha, bits, info = image.has_alpha, int(image.info["bit_depth"]), image.info
    if stored.dtype != np.uint8:
        stored = to_full_scale(stored, bits)
    if image.premultiplied_alpha:
        stored = unassociated(stored)
    gray = "chroma" not in info  # gray with alpha is decoded to four channels
    picture = as_picture(stored, alpha, gray, len(file))
    picture.bits = bits if bits > 8 else 0
    picture.icc, picture.colour_codes = info.get("icc_profile"), isobmff.colour_codes(data)
    picture.metadata = Metadata.from_pillow(info)
    picture.dpi = exif.resolution(picture.metadata.exif)
    depth_map = ("depth map",) if info["depth_images"] else ()
    picture.lost = depth_map + (("HDR gain map",) if any(_GAIN_MAP in name for name in info["aux"]) else ())
    return picture


def stored_size(data: bytes) -> tuple[int, int]:
    """Return (height, width) of the main picture, upright, without decoding it; errors as `decode`."""
    width, height = _open(data).size
    return height, width


def encode(stored: np.ndarray, bits: int, quality: int, icc: bytes | None, exif: bytes, xmp: bytes) -> bytes:
    """Encode (H, W) or (H, W, C), uint8 or uint16, alpha last, with full colour; 16-bit pixels are stored in `bits`."""
    import pillow_heif

    mode = _MODES[1 if stored.ndim == 2 else stored.shape[2]]
    options: dict[str, Any] = {"icc_profile": icc, "exif": exif, "xmp": xmp}
    if stored.dtype == np.uint16:
        mode, options["bit_depth"] = f"{mode};16", bits
    out, size = io.BytesIO(), stored.shape[1::-1]
    given = {name: value for name, value in options.items() if value}
    pillow_heif.encode(mode, size, np.ascontiguousarray(stored).tobytes(), out, quality=quality, chroma=444, **given)
    return out.getvalue()


def _open(data: bytes) -> Any:
    """Open a HEIC file, whose pixels are decoded later, as numbers of its own depth."""
    if not is_available():
        raise OSError(f"HEIC needs one more package: {EXTRA}")
    import pillow_heif

    file = pillow_heif.HeifFile(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False)
    width, height = file.size
    check_size(height, width, len(data), "HEIF")
    return file
