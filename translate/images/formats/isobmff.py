"""What the container of a HEIC or AVIF file says before it is decoded (ISO/IEC 14496-12 and 23008-12)."""

__all__ = ["av1_bits", "colour_codes", "container", "icc_profile", "is_turned", "largest_size", "with_colour_codes"]

import struct
from mmap import mmap

_AV1_BRANDS = (b"avif", b"avis")
_HEVC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_SRGB_CODES = ((1, 13), (1, 1), (1, 6), (2, 2), (1, 2), (2, 13))  # primaries and transfer that readers show alike


def container(data: bytes) -> str:
    """Return "AVIF", "HEIF" for HEIC and its relatives, or "" for other contents."""
    if data[4:8] != b"ftyp":
        return ""
    length = int.from_bytes(data[:4], "big")
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(length, 256, len(data)), 4))}
    if brands.intersection(_AV1_BRANDS):
        return "AVIF"
    return "HEIF" if brands.intersection(_HEVC_BRANDS) else ""


def largest_size(data: bytes) -> tuple[int, int] | None:
    """Return (height, width) of the largest stored picture, a grid of tiles as a whole; None if none is stated."""
    sizes = [struct.unpack_from(">II", data, at + 8) for at in _find(data, b"ispe", 16)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return (height, width) if sizes else None


def av1_bits(data: bytes) -> int:
    """Return the bits per channel of an AVIF: 8, 10 or 12, the largest of its pictures."""
    flags = [data[at + 6] for at in _find(data, b"av1C", 8)]
    return max((12 if one & 0x20 else 10 if one & 0x40 else 8 for one in flags), default=8)


def is_turned(data: bytes) -> bool:
    """Whether a picture of the file has to be rotated or mirrored."""
    return any(_find(data, kind, 5) for kind in (b"irot", b"imir"))


def colour_codes(data: bytes | mmap) -> tuple[int, int] | None:
    """Return the colour primaries and the transfer function (ITU-T H.273) if they differ from those of sRGB."""
    codes = [struct.unpack_from(">HH", data, at + 8) for at in _find(data, b"colrnclx", 12)]
    return next((one for one in codes if one not in _SRGB_CODES), None)


def icc_profile(data: bytes) -> bytes | None:
    """Return the colour profile."""
    for name in (b"colrprof", b"colrrICC"):
        for at in _find(data, name, 8):
            return data[at + 8 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
    return None


def with_colour_codes(data: bytes, codes: tuple[int, int]) -> bytes:
    """Put other colour primaries and another transfer function into an encoded file."""
    changed = bytearray(data)
    for at in _find(data, b"colrnclx", 12):
        struct.pack_into(">HH", changed, at + 8, *codes)
    return bytes(changed)


def _find(data: bytes | mmap, name: bytes, length: int) -> list[int]:
    """Return the places of a name of a box in the metadata, where `length` bytes follow from the name on."""
    # 1. find the box of all metadata
    start = 0
    while (kind := data[start + 4 : start + 8]) != b"meta":
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or not kind:
            return []
        start += size
    end = min(len(data), start + int.from_bytes(data[start : start + 4], "big"))
    # 2. look for the name in it: what it describes matters, not which picture it belongs to
    places, at = [], start
    while (at := data.find(name, at + 1, end)) >= 0:
        if at + length <= end:
            places.append(at)
    return places
