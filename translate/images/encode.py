"""Encoding of pictures, as closely as each format allows."""

__all__ = ["FORMATS", "Format", "Loss", "encode", "losses", "refusal", "stored_alpha", "stored_array", "to_pillow"]

import io
import struct
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from translate.images import exif
from translate.images.formats import heif, isobmff, npy, png, tiff_tags
from translate.images.metadata import Metadata
from translate.images.picture import (
    FULL_SCALE,
    LabelMap,
    Picture,
    flatten_alpha,
    matching_icc,
    to_depth,
    to_gray,
    to_numbers,
)
from translate.images.samples import from_full_scale


class Format(NamedTuple):
    """A file format and what it can hold."""

    name: str  # as Pillow calls it
    depths: tuple[type, ...] = (np.uint8,)  # ascending
    alpha: bool = True
    bands: bool = False  # any number of channels, of any numeric type
    dpi: bool = False  # the resolution
    lossy: bool = False  # encoding changes all pixels slightly


_METRES_PER_INCH = 0.0254
_HEIC_BITS, _AVIF_BITS = 10, 12  # per channel, of results whose pictures have 16 bits
_WITH_COLOUR_CODES = ("PNG", "AVIF", "HEIF")
_MAX_SEGMENT_BYTES = 65519  # of a colour profile in one segment of a JPEG
_JPEG = Format("JPEG", alpha=False, dpi=True, lossy=True)
_PNM = Format("PPM", (np.uint8, np.uint16), alpha=False)
_TIFF = Format("TIFF", (np.uint8, np.uint16, np.float32), bands=True, dpi=True)
_HEIF = Format("HEIF", (np.uint8, np.uint16), dpi=True, lossy=True)
FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), _JPEG),
    **dict.fromkeys((".ppm", ".pgm", ".pnm"), _PNM),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".png": Format("PNG", (np.uint8, np.uint16), dpi=True),
    ".webp": Format("WEBP", dpi=True, lossy=True),
    ".bmp": Format("BMP", dpi=True),
    ".gif": Format("GIF", lossy=True),
    ".tga": Format("TGA"),
    **dict.fromkeys((".jp2", ".jpx", ".jpf", ".j2k"), Format("JPEG2000", lossy=True)),
    ".avif": Format("AVIF", (np.uint8, np.uint16), dpi=True, lossy=True),
    **(dict.fromkeys((".heic", ".heif", ".hif"), _HEIF) if heif.is_available() else {}),
    ".npy": Format("NPY", (np.uint8, np.uint16, np.float32), alpha=False, bands=True),
}


def refusal(picture: Picture, form: Format) -> str:
    """Return the reason why a format cannot hold a picture at all, or ""."""
    if picture.label_map is not None:
        return _refusal_of_label_map(picture.pixels.dtype, form)
    if form.bands or picture.channels in (1, 3):
        return ""
    return f"{form.name} has no room for {picture.channels} channels; use .tif (--format tif) or .npy"


def _refusal_of_label_map(dtype: np.dtype, form: Format) -> str:
    """Return the reason why a format cannot hold a map of classes exactly, or ""."""
    if form.lossy:
        return f"{form.name} may change the classes of a label map; use .png (--format png)"
    if dtype not in form.depths:
        return f"{form.name} has no room for the 16-bit values of a label map; use .png (--format png)"
    return ""


class Loss(NamedTuple):
    """Something that a picture's file says of itself, and a result does not."""

    name: str  # such as "georeference"
    remedy: str = ""  # the option with which results would say it


def losses(picture: Picture, form: Format, *, keep_metadata: bool = False) -> tuple[Loss, ...]:
    """Return what the picture's file says of itself that a result in this format does not."""
    lost = [Loss(name) for name in picture.lost]
    if picture.dpi and not form.dpi:
        lost.append(Loss("resolution", "--format tif"))
    if form is not _TIFF:
        lost += [Loss(name, "--format tif") for name in tiff_tags.names_of(picture.tags)]
    if (picture.gamma and form.name != "PNG") or (picture.colour_codes and form.name not in _WITH_COLOUR_CODES):
        lost.append(Loss("description of the colours (gamma, primaries)", "--format png"))
    held = picture.metadata.held_by(form.name).names()
    for name in picture.metadata.names():
        if name not in held:
            lost.append(Loss(name))
        elif not keep_metadata:
            lost.append(Loss(name, "--keep-metadata"))
    return tuple(lost)


def encode(picture: Picture, form: Format, quality: int, *, keep_metadata: bool = False) -> bytes:
    """Encode a picture, as closely as the format allows; errors are of nearly any type."""
    # 1. collect what the file will say besides its pixels
    if form.name == "NPY":
        return npy.encode(stored_array(picture))
    stored, icc, held = _as_stored(picture, form), matching_icc(picture), Metadata()
    if keep_metadata:
        height, width = picture.pixels.shape[:2]
        held = picture.metadata.held_by(form.name).for_result(width, height)
    if form is _TIFF:
        return tiff_tags.encode(stored, picture.alpha is not None, icc, picture.dpi, picture.tags, held)
    if picture.dpi and not held.exif and form.name in ("WEBP", "AVIF", "HEIF"):
        held = replace(held, exif=exif.of_resolution(picture.dpi))
    # 2. encode
    data = _encode_pixels(picture, form, stored, quality, icc, held)
    # 3. insert what the encoders cannot
    if form is _JPEG:
        data = _with_segments(data, icc, held)
    if form.name == "PNG":
        colour = png.colour_chunks(picture.gamma, picture.colour_codes)
        data = png.insert(data, colour + png.metadata_chunks(held))
    elif picture.colour_codes and form.name in _WITH_COLOUR_CODES:
        data = isobmff.with_colour_codes(data, picture.colour_codes)
    return _with_dpi(data, form, picture.dpi) if picture.dpi else data


def _encode_pixels(
    picture: Picture, form: Format, stored: np.ndarray, quality: int, icc: bytes | None, held: Metadata
) -> bytes:
    """Encode an array by the encoder that stores most of it."""
    if form.name == "PNG" and picture.label_map and picture.label_map.palette is not None:
        return _palette_png(picture.label_map)
    if form.name == "HEIF":
        return heif.encode(stored, picture.bits or _HEIC_BITS, quality, icc, held.exif, held.xmp)
    if _is_for_pillow(stored, form):
        return _pillow_bytes(stored, form, quality, icc, held)
    return _opencv_bytes(stored, form, quality, icc, held, picture.bits or _AVIF_BITS)


def _palette_png(label_map: LabelMap) -> bytes:
    out = io.BytesIO()
    _palette_image(label_map).save(out, "PNG", optimize=True)
    return out.getvalue()


def _palette_image(label_map: LabelMap) -> Image.Image:
    """Return a map of indices and their colours as an image of mode P."""
    assert label_map.values is not None and label_map.palette is not None
    image = Image.fromarray(label_map.values)
    image.putpalette(label_map.palette.tobytes())
    return image


def _as_stored(picture: Picture, form: Format) -> np.ndarray:
    """Return (H, W) or (H, W, C), alpha as the last channel, in a dtype that the format can hold."""
    if form.name == "NPY" and picture.label_map and picture.label_map.values is not None:
        return picture.label_map.values
    alpha = picture.alpha if form.alpha else None
    numbers = picture.numbers
    if numbers is not None and not (form.bands or numbers.dtype in form.depths):
        numbers = None
    pixels = picture.pixels if form.alpha else flatten_alpha(picture)
    if numbers is None and pixels.dtype not in form.depths:
        pixels = to_depth(pixels, form.depths[-1])
    stored = to_gray(pixels) if picture.gray else pixels
    if numbers is not None:
        stored = to_numbers(stored, numbers)
    return stored if alpha is None else np.dstack((stored, stored_alpha(alpha, stored.dtype)))


def stored_alpha(alpha: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert alpha to the full scale of `dtype`, which may be any numeric type."""
    if dtype in FULL_SCALE:
        return to_depth(alpha, dtype)
    full = np.iinfo(dtype).max if dtype.kind in "iu" else 1
    unit = to_depth(alpha, np.float32).astype(np.float64)
    return (np.rint(unit * full) if full > 1 else unit).astype(dtype)


def _is_for_pillow(stored: np.ndarray, form: Format) -> bool:
    """Whether Pillow encodes an array, because OpenCV cannot or stores less of it."""
    if form.name == "PNG":  # gray with alpha
        return stored.dtype == np.uint8 and stored.shape[2:] == (2,)
    if form.name == "AVIF":  # OpenCV would store colours at half the resolution
        return stored.dtype == np.uint8
    return form.name in ("GIF", "TGA", "JPEG2000")


def _pillow_bytes(stored: np.ndarray, form: Format, quality: int, icc: bytes | None, held: Metadata) -> bytes:
    image = Image.fromarray(stored)
    if form.name == "GIF" and image.mode in ("LA", "RGBA"):  # its pixels are transparent or opaque
        image = image.convert("RGBA")
        image.putalpha(image.getchannel("A").point(lambda v: 255 * (v > 127)))
    options: dict[str, Any] = {"icc_profile": icc} if icc and form.name in ("PNG", "AVIF") else {}
    if form.name == "AVIF":
        options |= {"quality": quality, "exif": held.exif, "xmp": held.xmp}
        options |= {} if image.mode == "L" else {"subsampling": "4:4:4"}
    if form.name == "GIF":
        options["comment"] = held.comment
    out = io.BytesIO()
    image.save(out, form.name, **options)
    return out.getvalue()


def _opencv_bytes(
    stored: np.ndarray, form: Format, quality: int, icc: bytes | None, held: Metadata, bits: int
) -> bytes:
    # 1. convert to what OpenCV expects
    if stored.ndim == 3 and stored.shape[2] == 2:
        stored = np.dstack((stored[..., :1].repeat(3, axis=2), stored[..., 1]))
    if stored.ndim == 3:
        stored = cv2.cvtColor(stored, cv2.COLOR_RGBA2BGRA if stored.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    if form.name == "AVIF":
        stored = from_full_scale(stored, bits)
    # 2. collect options and metadata
    full_colour = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    options = {
        "JPEG": (cv2.IMWRITE_JPEG_QUALITY, quality, *full_colour),
        "WEBP": (cv2.IMWRITE_WEBP_QUALITY, quality),
        "AVIF": (cv2.IMWRITE_AVIF_QUALITY, quality, cv2.IMWRITE_AVIF_DEPTH, bits),
    }.get(form.name, ())
    suffix = {"PPM": ".pgm" if stored.ndim == 2 else ".ppm"}.get(form.name, "." + form.name.lower())
    texts = {cv2.IMAGE_METADATA_ICCP: icc} if form.name in ("PNG", "WEBP", "AVIF") else {}
    if form.name in ("WEBP", "AVIF"):
        texts |= {cv2.IMAGE_METADATA_EXIF: held.exif, cv2.IMAGE_METADATA_XMP: held.xmp}
    given = {kind: np.frombuffer(text, np.uint8) for kind, text in texts.items() if text}
    # 3. encode
    if given:
        done, data = cv2.imencodeWithMetadata(suffix, stored, list(given), list(given.values()), options)
    else:
        done, data = cv2.imencode(suffix, stored, options)
    if not done:
        raise OSError("the encoder refuses")
    return data.tobytes()


def _with_segments(data: bytes, icc: bytes | None, held: Metadata) -> bytes:
    """Insert metadata and a colour profile into a JPEG; the profile in as many segments as needed (ICC.1:2022, B.4)."""
    contents = []
    if held.exif:
        contents.append((0xE1, b"Exif\0\0" + held.exif))
    if held.xmp:
        contents.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + held.xmp))
    if held.iptc:
        block = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(held.iptc)) + held.iptc + bytes(len(held.iptc) % 2)
        contents.append((0xED, b"Photoshop 3.0\0" + block))
    parts = [icc[i : i + _MAX_SEGMENT_BYTES] for i in range(0, len(icc), _MAX_SEGMENT_BYTES)] if icc else []
    head = b"ICC_PROFILE\0"
    contents += [(0xE2, head + bytes((number, len(parts))) + part) for number, part in enumerate(parts, 1)]
    if held.comment:
        contents.append((0xFE, held.comment))
    segments = (struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content for marker, content in contents)
    start = 4 + int.from_bytes(data[4:6], "big")  # the JFIF segment comes first
    return data[:start] + b"".join(segments) + data[start:]


def _with_dpi(data: bytes, form: Format, dpi: tuple[float, float]) -> bytes:
    """Insert the resolution, which OpenCV does not write, into a JPEG, PNG or BMP; return other formats unchanged."""
    if form.name == "JPEG" and data[6:11] == b"JFIF\0":
        across, down = (min(round(number), 65535) for number in dpi)
        return data[:13] + struct.pack(">BHH", 1, across, down) + data[18:]
    if form.name == "PNG":
        across, down = (min(round(number / _METRES_PER_INCH), 2**31 - 1) for number in dpi)
        return png.insert(data, png.chunk(b"pHYs", struct.pack(">IIB", across, down, 1)))
    if form.name == "BMP":
        across, down = (min(round(number / _METRES_PER_INCH), 2**31 - 1) for number in dpi)
        return data[:38] + struct.pack("<ii", across, down) + data[46:]
    return data


def stored_array(picture: Picture) -> np.ndarray:
    """Convert to (H, W) or (H, W, C) on the scale of the picture's file, transparent parts over white."""
    stored = _as_stored(picture, FORMATS[".npy"])
    plane = picture.numbers is not None and picture.numbers.plane and stored.ndim == 2
    return stored[..., None] if plane else stored


def to_pillow(picture: Picture) -> Image.Image:
    """Convert to an image of mode L, LA, RGB or RGBA; 16-bit and float gray without alpha to I;16 or F."""
    assert picture.channels in (1, 3)
    if picture.label_map and picture.label_map.palette is not None:
        return _palette_image(picture.label_map)
    deep = picture.gray and picture.alpha is None
    plain = replace(picture, numbers=None)
    image = Image.fromarray(_as_stored(plain, _TIFF if deep else FORMATS[".bmp"]))
    if icc := matching_icc(picture):
        image.info["icc_profile"] = icc
    return image
