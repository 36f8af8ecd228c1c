"""Chunks of PNG files: what they say of the picture, which are removed before decoding, and which results get."""

__all__ = [
    "MAGIC", "chunk", "chunks", "colour_chunks", "colour_codes", "gamma", "insert", "insert_into_file", "metadata",
    "metadata_chunks", "without_key", "without_text",
]  # fmt: skip

import shutil
import struct
import zlib
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

from translate.images.metadata import Metadata

MAGIC = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # where other chunks may begin
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_DESCRIBING = (b"eXIf", *_TEXT_CHUNKS)
_XMP_HEAD = b"XML:com.adobe.xmp\0\0\0\0\0"  # keyword, not compressed, no language
_SRGB_CHUNKS = {  # gamma; white, red, green and blue: times 100000
    b"gAMA": struct.pack(">I", 45455),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
}
_SRGB_CODES = (1, 13)


def chunks(data: bytes | mmap) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the chunks that are there in full."""
    at = len(MAGIC)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) and not (name == b"IEND" and not length):  # some writers forget the last checksum
            return
        yield name, at, end
        at = end


def without_text(data: bytes) -> bytes:
    """Remove the text of a PNG, which Pillow would unpack to tell of it, and refuse the file if it is too long."""
    return _without(data, _TEXT_CHUNKS) if data.startswith(MAGIC) else data


def without_key(data: bytes) -> tuple[bytes, tuple[int, ...]]:
    """Remove the transparent colour of a PNG, which Pillow misses in 2, 4 and 16 bits.

    Returns:
        The content without it, and the colour in the numbers of the decoded picture; () if there is none.
    """
    if not data.startswith(MAGIC) or len(data) < 26 or data[25] not in (0, 2):
        return data, ()
    size = {0: 2, 2: 6}[data[25]]
    found = [start for name, start, end in chunks(data) if name == b"tRNS" and end - start >= 12 + size]
    if not found:
        return data, ()
    key = struct.unpack_from(f">{size // 2}H", data, found[0] + 8)
    bits = data[24]
    scaled = tuple((n & 2**bits - 1) * (255 // (2**bits - 1) if bits < 8 else 1) for n in key)
    return _without(data, (b"tRNS",)), scaled


def _without(data: bytes, names: tuple[bytes, ...]) -> bytes:
    """Remove chunks of a PNG."""
    found = [(start, end) for name, start, end in chunks(data) if name in names]
    keep, at = [], 0
    for start, end in found:
        keep.append(data[at:start])
        at = end
    return b"".join((*keep, data[at:])) if found else data


def metadata(data: bytes | mmap) -> Metadata:
    """Return the EXIF, the XMP and the other texts of a PNG."""
    found = [(name, data[start + 8 : end - 4]) for name, start, end in chunks(data) if name in _DESCRIBING]
    texts = [one for one in found if one[0] != b"eXIf" and not one[1].startswith(_XMP_HEAD)]
    return Metadata(
        exif=next((content for name, content in found if name == b"eXIf"), b""),
        xmp=next((content[len(_XMP_HEAD) :] for _, content in found if content.startswith(_XMP_HEAD)), b""),
        text=b"".join(chunk(name, content) for name, content in texts),  # with right checksums
    )


def gamma(data: bytes | mmap) -> bytes:
    """Return the chunks of gamma and primaries of a PNG, if its colours are not sRGB and no profile overrules them."""
    names = (b"gAMA", b"cHRM", b"sRGB", b"iCCP")
    found = {name: data[start + 8 : end - 4] for name, start, end in chunks(data) if name in names}
    if b"sRGB" in found or b"iCCP" in found or all(_SRGB_CHUNKS[name] == content for name, content in found.items()):
        return b""
    return b"".join(chunk(name, content) for name, content in found.items())


def colour_codes(data: bytes | mmap) -> tuple[int, int] | None:
    """Return colour primaries and transfer function (ITU-T H.273) of a PNG, if it states others than those of sRGB."""
    found = (start + 8 for name, start, end in chunks(data) if name == b"cICP" and end - start == 16)
    at = next(found, 0)
    return (data[at], data[at + 1]) if at and (data[at], data[at + 1]) != _SRGB_CODES else None


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def metadata_chunks(metadata: Metadata) -> bytes:
    """Return the chunks of metadata."""
    exif = chunk(b"eXIf", metadata.exif) if metadata.exif else b""
    return exif + (chunk(b"iTXt", _XMP_HEAD + metadata.xmp) if metadata.xmp else b"") + metadata.text


def colour_chunks(gamma: bytes, codes: tuple[int, int] | None) -> bytes:
    """Return the chunks that say how colours are meant: those of `gamma`, and one of `colour_codes`."""
    return (chunk(b"cICP", bytes((*codes, 0, 1))) if codes else b"") + gamma


def insert(data: bytes, added: bytes) -> bytes:
    """Insert chunks into a PNG, behind its header."""
    return data[:_HEADER_END] + added + data[_HEADER_END:]


def insert_into_file(path: Path, added: bytes) -> None:
    """Insert chunks into a PNG file of any size, which is copied beside itself."""
    copy = path.with_name(f"{path.name}.copy")
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            target.write(source.read(_HEADER_END) + added)
            shutil.copyfileobj(source, target)
        copy.replace(path)
    finally:
        copy.unlink(missing_ok=True)
