"""EXIF: a small TIFF without pixels, in which directories of tags point to each other and to their values."""

__all__ = ["HEAD", "byte_order", "directories", "of_resolution", "of_tiff", "rebased", "resolution", "texts", "upright"]

import struct
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from PIL import Image, TiffImagePlugin

from translate.images.pillow import lenient_pillow

HEAD = b"Exif\0\0"  # before EXIF in some formats
CAMERA, PLACE = 0x8769, 0x8825  # tags of the directories of exposure and of GPS
_INTEROPERABILITY = 0xA005
_ORIENTATION, _THUMBNAIL_START, _THUMBNAIL_LENGTH = 0x0112, 0x0201, 0x0202
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)  # in pixels, of the picture
_SOFTWARE = 0x0131
_TEXTS = (0x010F, 0x0110, _SOFTWARE, 0x0132, 0x013B, 0x8298)  # maker, model, software, date, artist, copyright
_ASCII, _RATIONAL = 2, 5  # types
_WHOLE = {3: ("H", 2**16 - 1), 4: ("I", 2**32 - 1)}  # types of whole numbers: as struct calls them, and the largest
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # of one number of each type


class _Entry(NamedTuple):
    """A tag of a directory, and the place of its value, or of the offset of its value."""

    tag: int
    kind: int
    length: int  # how many numbers or characters
    place: int


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Return pixels per inch, horizontal and vertical; None where EXIF does not state them."""
    order, found = byte_order(exif), dict[int, float]()
    try:
        for entry in _entries(exif, order, directories(exif)[0]):
            if entry.tag == _RESOLUTION_UNIT:
                (found[entry.tag],) = struct.unpack_from(f"{order}H", exif, entry.place)
            elif entry.tag in (_X_RESOLUTION, _Y_RESOLUTION) and entry.kind == _RATIONAL:
                (offset,) = struct.unpack_from(f"{order}I", exif, entry.place)
                above, below = struct.unpack_from(f"{order}II", exif, offset)
                found[entry.tag] = above / below
    except (struct.error, ValueError, ZeroDivisionError):
        return None
    factor = {2: 1.0, 3: 2.54}.get(int(found.get(_RESOLUTION_UNIT, 2)), 0)
    across, down = (found.get(tag, 0) * factor for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    return (across, down) if across > 0 and down > 0 else None


def of_resolution(dpi: tuple[float, float]) -> bytes:
    """Return EXIF that states nothing but the resolution, for formats that have no other place for it."""
    tags = Image.Exif()
    tags[_X_RESOLUTION], tags[_Y_RESOLUTION] = (TiffImagePlugin.IFDRational(round(100 * one), 100) for one in dpi)
    tags[_RESOLUTION_UNIT] = 2  # inches
    return tags.tobytes().removeprefix(HEAD)


def of_tiff(file: Any) -> bytes:
    """Return the EXIF of an opened TIFF; b"" if it has none, or is a BigTIFF."""
    try:
        file.seek(0)
        tags, result = Image.Exif(), Image.Exif()
        with lenient_pillow():
            tags.load_from_fp(file)
            found = {tag: tags[tag] for tag in _TEXTS if tag in tags}
            found |= {tag: inner for tag in (CAMERA, PLACE) if (inner := tags.get_ifd(tag))}
        if not found.keys() - {_SOFTWARE}:
            return b""
        for tag, value in found.items():
            result[tag] = value
        return result.tobytes().removeprefix(HEAD)
    except Exception:  # damaged EXIF makes Pillow raise nearly everything
        return b""


def texts(exif: bytes) -> dict[int, bytes]:
    """Return maker, model, software, date, artist and copyright, by tag; {} for damaged EXIF."""
    order, found = byte_order(exif), dict[int, bytes]()
    try:
        for entry in _entries(exif, order, directories(exif)[0]):
            if entry.tag in _TEXTS and entry.kind == _ASCII:
                inline = entry.length <= 4
                start = entry.place if inline else struct.unpack_from(f"{order}I", exif, entry.place)[0]
                found[entry.tag] = exif[start : start + entry.length].rstrip(b"\0")
    except (struct.error, ValueError):
        return {}
    return found


def upright(exif: bytes, width: int, height: int) -> bytes:
    """Correct the orientation and the size, and remove the thumbnail; return b"" for damaged EXIF.

    All other bytes stay in place, since notes of makers contain offsets.
    """
    data, order = bytearray(exif), byte_order(exif)
    numbers = {_ORIENTATION: 1, **dict.fromkeys(_WIDTHS, width), **dict.fromkeys(_HEIGHTS, height)}
    try:
        first, *others = directories(exif)
        for place in (first, *others):
            for entry in _entries(data, order, place):
                if entry.tag in numbers and entry.kind in _WHOLE:
                    form, largest = _WHOLE[entry.kind]
                    struct.pack_into(order + form, data, entry.place, min(numbers[entry.tag], largest))
        _remove_thumbnail(data, order, first)
    except (struct.error, ValueError):
        return b""
    return bytes(data)


def byte_order(exif: bytes) -> Literal["<", ">"]:
    """Return the byte order as struct calls it; "<" for what is no EXIF."""
    return ">" if exif[:2] == b"MM" else "<"


def directories(exif: bytes) -> list[int]:
    """Return the places of the first directory, and of those of exposure, GPS and interoperability that it leads to.

    Raises:
        ValueError: it is no EXIF.
        struct.error: it is damaged.
    """
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        raise ValueError("no EXIF")
    order = byte_order(exif)
    places = [*struct.unpack_from(f"{order}I", exif, 4)]
    for place in places:
        for entry in _entries(exif, order, place):
            if entry.tag in (CAMERA, PLACE, _INTEROPERABILITY) and len(places) < 4:
                places += struct.unpack_from(f"{order}I", exif, entry.place)
    return places


def rebased(exif: bytes, base: int) -> tuple[bytes, dict[int, int]]:
    """Add `base` to all offsets, for EXIF that lies there in a file.

    Returns:
        The changed EXIF, and the places in the file of the directories of exposure and of GPS, by tag.

    Raises:
        ValueError, struct.error: as `directories`.
    """
    data, order, found = bytearray(exif), byte_order(exif), dict[int, int]()
    for place in directories(exif):
        for entry in _entries(exif, order, place):
            if entry.tag in (CAMERA, PLACE, _INTEROPERABILITY) or _BYTES.get(entry.kind, 1) * entry.length > 4:
                offset = struct.unpack_from(f"{order}I", exif, entry.place)[0] + base
                struct.pack_into(f"{order}I", data, entry.place, offset)
                found[entry.tag] = offset
    return bytes(data), {tag: found[tag] for tag in (CAMERA, PLACE) if tag in found}


def _entries(data: bytes | bytearray, order: str, place: int) -> Iterator[_Entry]:
    (count,) = struct.unpack_from(f"{order}H", data, place)
    for at in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
        yield _Entry(tag, kind, length, at + 8)


def _remove_thumbnail(data: bytearray, order: str, first: int) -> None:
    """Erase the thumbnail, and the link to its directory, which follows the first one."""
    (count,) = struct.unpack_from(f"{order}H", data, first)
    link = first + 2 + 12 * count
    (second,) = struct.unpack_from(f"{order}I", data, link)
    if not second:
        return
    found = {
        entry.tag: struct.unpack_from(f"{order}I", data, entry.place)[0] for entry in _entries(data, order, second)
    }
    struct.pack_into(f"{order}I", data, link, 0)
    start, length = found.get(_THUMBNAIL_START, 0), found.get(_THUMBNAIL_LENGTH, 0)
    if start and start + length >= len(data):
        del data[start:]
    elif start:
        data[start : start + length] = bytes(length)
