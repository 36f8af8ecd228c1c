"""Reading and writing of picture files of any kind: (H, W, 3) RGB arrays, or (H, W, C) with bands."""

__all__ = ["IMAGE_SUFFIXES", "decode_picture", "read_picture", "read_rgb8", "save_png", "upright_size", "write_picture"]

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from translate.images.decode import decode
from translate.images.encode import FORMATS, encode, refusal
from translate.images.foreign import remedy_for
from translate.images.formats import heif
from translate.images.headers import HEADER_BYTES, size_in_header
from translate.images.picture import Picture, ValueRange, flatten_alpha, to_depth
from translate.utils.errors import UserError, short_reason
from translate.utils.files import atomic_write, check_regular, is_url, read_bytes

IMAGE_SUFFIXES: frozenset[str] = frozenset(FORMATS)


def read_picture(path: str | Path, values: ValueRange | None = None) -> Picture:
    """Read a picture of any kind, turned upright.

    Args:
        path: of the file.
        values: black and white of floats and wide integers; None: 0 and 1, or the full scale.

    Raises:
        UserError: the file is missing, no picture, damaged, truncated, or larger than `TRUST` allows.
    """
    if remedy := remedy_for(Path(path).suffix):  # raw data of cameras holds a small preview that would be taken for it
        raise UserError(f"{path}: {Path(path).suffix} files are not read; {remedy}")
    try:
        data = read_bytes(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {_unreadable(str(path), error)}") from error
    return decode_picture(data, str(path), values)


def _unreadable(path: str, error: Exception) -> str:
    """Return why the file at `path` cannot be read, and the way out."""
    if isinstance(error, IsADirectoryError):
        return "is a folder; give a file, or translate all of its pictures with translate_folder"
    if path.startswith("data:"):
        return "is a data URL; decode it with base64.b64decode, and give the bytes"
    if is_url(path):
        return "is a URL; download it first, and give the file, or its content as bytes"
    return f"cannot be read as an image ({short_reason(error)})"


def decode_picture(data: bytes, name: str, values: ValueRange | None = None) -> Picture:
    """Decode the content of a file as `read_picture` does; errors call it `name`."""
    try:
        return decode(data, values)
    except Exception as error:  # damaged files make decoders raise nearly everything
        raise UserError(f"{name}: cannot be read as an image ({short_reason(error)})") from error


def read_rgb8(path: str | Path, values: ValueRange | None = None) -> np.ndarray:
    """Read a gray or RGB picture as (H, W, 3) uint8 RGB, transparent parts over white; otherwise as `read_picture`."""
    picture = read_picture(path, values)
    if picture.channels not in (1, 3):
        raise UserError(f"{path}: has {picture.channels} channels; here only gray and RGB pictures can be used")
    return to_depth(flatten_alpha(picture), np.uint8)


def write_picture(path: str | Path, picture: Picture, quality: int = 95, *, keep_metadata: bool = False) -> None:
    """Write a picture in the format that the suffix names, atomically.

    Gray, depth and alpha are kept where the format can hold them; otherwise pixels get fewer bits, and transparent
    parts become white.

    Args:
        path: missing folders are created.
        picture: with `gray`, the luma of its pixels is written.
        quality: of JPEG, WebP, AVIF and HEIC, 1 to 100.
        keep_metadata: write what a camera or an editor wrote, as far as the format holds it: EXIF, XMP, IPTC, texts.

    Raises:
        WriteError: the disk or the folder refuses.
        UserError: the suffix names no known format, or the format cannot hold a picture of this size.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        known = ", ".join(sorted(FORMATS))
        raise UserError(f"{path}: {path.suffix or 'no suffix'!r} names no known image format; use one of {known}")
    if why := refusal(picture, form):
        raise UserError(f"{path}: {why}")
    try:
        data = encode(picture, form, quality, keep_metadata=keep_metadata)
    except Exception as error:  # OpenCV and Pillow have no common base of errors
        raise UserError(f"{path}: cannot be written as {form.name} ({short_reason(error)}); use .png") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def save_png(path: str | Path, array: np.ndarray) -> None:
    """Write (H, W, 3) RGB, uint8 or uint16, as PNG; atomicity and errors as `write_picture`."""
    assert Path(path).suffix.lower() == ".png", path
    write_picture(path, Picture(array))


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in px of the upright picture, from its file's header; None where that is unreadable."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
        form, size = size_in_header(start)
        if form == "GIF" and size:  # Pillow allocates the screen as it opens one
            return size[1], size[0]
        if form == "HEIF":
            return heif.stored_size(path.read_bytes())[::-1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                rotated = "exif" in image.info and image.getexif().get(0x0112, 1) >= 5
                return (image.height, image.width) if rotated else (image.width, image.height)
    except Exception:  # damaged files make Pillow raise nearly everything; decoding will report them
        return None
