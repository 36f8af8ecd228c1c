"""What a file's header says before anything is decoded: the size of its picture, and whether the file is whole."""

__all__ = [
    "HEADER_BYTES",
    "check_file",
    "check_header",
    "check_size",
    "has_padding",
    "is_whole",
    "size_in_header",
]

import struct
from collections.abc import Iterator
from pathlib import Path

from translate.images.formats import isobmff, png
from translate.utils.files import check_regular
from translate.utils.trust import TRUST

_SMALL_PIXELS = 2**22  # what may be allocated for any file, however few bytes it has
# Pixels that one byte can hold at most, of what packs a blank picture best; a file with fewer bytes is a bomb or torn.
_MAX_PIXELS_PER_BYTE = {
    "PNG": 8300,
    "GIF": 4096,
    "JPEG": 1024,
    "MPO": 1024,
    "JPEG in TIFF": 1024,
    "BMP": 2**14,
    "TGA": 128,
    "PPM": 8,
    "HEIF": 2**14,
}
_OTHER_PIXELS_PER_BYTE = 2**20
HEADER_BYTES = 2**12  # the size of a GIF is in the first few
_JPEG_SIZES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}  # start of frame


def check_size(height: int, width: int, length: int = 0, form: str = "") -> None:
    """Check the size of a picture against `TRUST`, and against the length of its file in bytes, unless that is 0.

    Raises:
        OSError: it is larger than either allows.
    """
    if (pixels := width * height) > TRUST.max_pixels:
        remedy = f"if you trust it, say --max-pixels {pixels}"
        raise OSError(f"{width} x {height} px is over the limit of {TRUST.max_pixels:,} px; {remedy}")
    most = _MAX_PIXELS_PER_BYTE.get(form, _OTHER_PIXELS_PER_BYTE)
    if length and pixels > max(_SMALL_PIXELS, most * length):
        raise OSError(f"its header claims {width} x {height} px, which cannot be in {length:,} bytes")


def check_header(data: bytes) -> None:
    """Check the size in the header of a content, where opening or decoding it would already take the memory.

    Raises:
        OSError: the picture is too large, or the file is truncated.
    """
    form, size = size_in_header(data)
    if size:
        check_size(*size, len(data), form)
    if not is_whole(form, data):
        raise OSError("the file is truncated")


def check_file(path: Path) -> None:
    """Check the size in the header of a file, before Pillow opens it; raise OSError as `check_header`."""
    check_regular(path)
    with path.open("rb") as file:
        form, size = size_in_header(file.read(HEADER_BYTES))
    if size:
        check_size(*size, path.stat().st_size, form)


def size_in_header(data: bytes) -> tuple[str, tuple[int, int] | None]:
    """Return the format, "" for those that are safe to open, and (height, width) of the stored picture if known."""
    if data.startswith(png.MAGIC) and data[12:16] == b"IHDR" and len(data) > 24:
        width, height = struct.unpack_from(">II", data, 16)
        return "PNG", (height, width)
    if data.startswith((b"GIF87a", b"GIF89a")) and len(data) > 10:
        return "GIF", _gif_size(data)
    if data[:2] == b"BM" and len(data) > 26:
        small = struct.unpack_from("<I", data, 14)[0] == 12
        width, height = struct.unpack_from("<HH" if small else "<ii", data, 18)
        return "BMP", (abs(height), abs(width))
    if data.startswith(b"\xff\xd8"):
        return "JPEG", _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and len(data) > 30:
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return "WEBP", (height, width)
    if form := isobmff.container(data):
        return form, isobmff.largest_size(data)
    return "", None


def _gif_size(data: bytes) -> tuple[int, int]:
    """Return the size of the screen; a first frame that is larger than it enlarges it."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while data[at : at + 1] == b"!":  # extensions: blocks up to an empty one
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    if data[at : at + 1] == b"," and len(data) >= at + 9:
        left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
        width, height = max(width, left + wide), max(height, top + high)
    return height, width


def is_whole(form: str, data: bytes) -> bool:
    """Whether a PNG or JPEG has its end; some decoders paint the missing part of a JPEG gray."""
    if form == "PNG":
        return any(name == b"IEND" for name, _, _ in png.chunks(data))
    return form != "JPEG" or _is_whole_jpeg(data)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker and the place of each segment up to the first scan; as libjpeg, skip what is no marker."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0, 0xFF) or 0xD0 <= marker <= 0xD8:  # padding, or markers without a length
            at += 1
            continue
        yield marker, at
        if marker in (0xDA, 0xD9):
            return
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for marker, at in _jpeg_segments(data):
        if marker in _JPEG_SIZES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return height, width
    return None


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether an end marker follows the first scan of the main picture; a thumbnail has its own end marker."""
    return any(marker == 0xDA and data.find(b"\xff\xd9", at) >= 0 for marker, at in _jpeg_segments(data))


def has_padding(data: bytes) -> bool:
    """Whether bytes of no segment lie between those of a JPEG, as some cameras and editors leave them."""
    end = 2
    for _, at in _jpeg_segments(data):
        if at != end:
            return True
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False
