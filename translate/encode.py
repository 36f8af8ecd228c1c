"""Pictures to file contents, as nearly as each format can hold them."""

__all__ = ["FORMATS", "Format", "encode", "to_pillow"]

import io
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from translate.picture import Picture, on_white, to_depth, to_gray


class Format(NamedTuple):
    """What a file format can hold."""

    name: str  # Pillow's
    depths: tuple[type, ...] = (np.uint8,)  # ascending
    alpha: bool = True


_JPEG = Format("JPEG", alpha=False)
_PNM = Format("PPM", (np.uint8, np.uint16), alpha=False)
_TIFF = Format("TIFF", (np.uint8, np.uint16, np.float32))
FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), _JPEG),
    **dict.fromkeys((".ppm", ".pgm", ".pnm"), _PNM),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".png": Format("PNG", (np.uint8, np.uint16)),
    ".webp": Format("WEBP"),
    ".bmp": Format("BMP"),
    ".gif": Format("GIF"),
    ".tga": Format("TGA"),
    ".jp2": Format("JPEG2000"),
    ".avif": Format("AVIF"),
}


def encode(picture: Picture, form: Format, quality: int) -> bytes:
    """Encode a picture, as nearly as the format can hold it.

    Raises:
        Exception: of nearly any type; its first line says why.
    """
    stored = _as_stored(picture, form)
    channels = stored.shape[2] if stored.ndim == 3 else 1
    by_pillow = form.name in ("GIF", "TGA", "JPEG2000", "AVIF")
    if stored.dtype == np.uint8:  # OpenCV knows no gray with alpha, and calls a TIFF's alpha multiplied in
        by_pillow |= (channels == 2 and form.name in ("PNG", "TIFF")) or (channels == 4 and form is _TIFF)
    return _pillow_bytes(stored, form, quality) if by_pillow else _opencv_bytes(stored, form, quality)


def _as_stored(picture: Picture, form: Format) -> np.ndarray:
    """Return (H, W), (H, W, 2) with alpha, or RGB(A) (H, W, 3 or 4), of a dtype that the format knows."""
    depth = picture.pixels.dtype if picture.pixels.dtype in form.depths else form.depths[-1]
    alpha = picture.alpha if form.alpha else None
    pixels = to_depth(picture.pixels if form.alpha else on_white(picture), depth)
    light = to_gray(pixels) if picture.gray else pixels
    return light if alpha is None else np.dstack((light, to_depth(alpha, depth)))


def _pillow_bytes(stored: np.ndarray, form: Format, quality: int) -> bytes:
    image = Image.fromarray(stored)
    if form.name == "GIF" and image.mode in ("LA", "RGBA"):  # it knows clear and opaque only
        image = image.convert("RGBA")
        image.putalpha(image.getchannel("A").point(lambda v: 255 * (v > 127)))
    known: dict[str, dict[str, Any]] = {"TIFF": {"compression": "tiff_lzw"}, "AVIF": {"quality": quality}}
    out = io.BytesIO()
    image.save(out, form.name, **known.get(form.name, {}))
    return out.getvalue()


def _opencv_bytes(stored: np.ndarray, form: Format, quality: int) -> bytes:
    if stored.ndim == 3 and stored.shape[2] == 2:
        stored = np.dstack((stored[..., :1].repeat(3, axis=2), stored[..., 1]))
    if stored.ndim == 3:
        stored = cv2.cvtColor(stored, cv2.COLOR_RGBA2BGRA if stored.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    full_colour = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    options = {
        "JPEG": (cv2.IMWRITE_JPEG_QUALITY, quality, *full_colour),
        "WEBP": (cv2.IMWRITE_WEBP_QUALITY, quality),
    }.get(form.name, ())
    suffix = {"PPM": ".pgm" if stored.ndim == 2 else ".ppm"}.get(form.name, "." + form.name.lower())
    done, data = cv2.imencode(suffix, stored, options)
    if not done:
        raise OSError("the encoder refuses")
    return data.tobytes()


def to_pillow(picture: Picture) -> Image.Image:
    """Convert to an image of mode L, LA, RGB or RGBA; deep gray without alpha to I;16 or F."""
    deep = picture.gray and picture.alpha is None
    return Image.fromarray(_as_stored(picture, _TIFF if deep else FORMATS[".bmp"]))
