"""What a TIFF says of itself besides its pixels: resolution, georeference, NODATA, descriptions; and its writing."""

__all__ = [
    "Tag", "described_tags", "encode", "insert_tags", "metadata_tags", "names_of", "read_metadata", "resolution",
    "scale_tags",
]  # fmt: skip

import io
import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile

from translate.images import exif
from translate.images.metadata import Metadata


class Tag(NamedTuple):
    """A tag of a TIFF that results keep."""

    code: int
    dtype: int  # as TIFF numbers its types
    length: int  # numbers, or bytes of a text with the zero at its end
    value: Any  # bytes of a text, a number or several


_GEOREFERENCE, _NODATA, _DESCRIPTION = "georeference", "NODATA value", "description"
_KEPT = {
    270: _DESCRIPTION, 33550: _GEOREFERENCE, 33922: _GEOREFERENCE, 34264: _GEOREFERENCE, 34735: _GEOREFERENCE,
    34736: _GEOREFERENCE, 34737: _GEOREFERENCE, 42112: _DESCRIPTION, 42113: _NODATA, 50844: _GEOREFERENCE,
}  # fmt: skip
_PACKED = {1: "B", 2: "c", 3: "H", 4: "I", 12: "d"}  # types of the kept tags, as struct calls them
_RASTER_TYPE, _PIXEL_IS_POINT = 1025, 2  # a key of georeferences, and its value if places are centres of pixels
_XMP, _IPTC = 700, 33723
_BIGTIFF = 43
# Descriptions that a program reads as the layout of its file, which the layout of a result would contradict:
_STRUCTURED = re.compile(r"<\?xml|<OME|ImageJ=|SCANIMAGE|Aperio |state\.|\{\"shape\"|<MetaData|<PerkinElmer", re.ASCII)
_INCHES = {
    "inch": 1.0, "in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "nm": 1e-6 / 25.4, "m": 1 / 0.0254, "pm": 1e-9 / 25.4,
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "\\u00B5m"), 1e-3 / 25.4),
}  # fmt: skip


def resolution(file: tifffile.TiffFile, page: Any) -> tuple[float, float] | None:
    """Return pixels per inch, horizontal and vertical, from the tags or the pixel size of ImageJ or OME."""
    text = page.description or ""
    if "PhysicalSizeX" in text:
        sizes = [_ome_inches(text, axis) for axis in "XY"]
        return (1 / sizes[0], 1 / sizes[1]) if sizes[0] and sizes[1] else None
    across, down = (page.tags[name].value if name in page.tags else (0, 0) for name in ("XResolution", "YResolution"))
    unit = page.tags["ResolutionUnit"].value if "ResolutionUnit" in page.tags else 2
    inch = {2: 1.0, 3: 1 / 2.54}.get(unit)
    if text.startswith("ImageJ="):
        inch = _INCHES.get(str((file.imagej_metadata or {}).get("unit", "")), inch)
    if inch is None or not all((*across, *down)):
        return None
    if unit in (2, 3) and inch in (1.0, 1 / 2.54):
        factor = {2: 1.0, 3: 2.54}[unit]
        return factor * across[0] / across[1], factor * down[0] / down[1]
    return across[0] / across[1] / inch, down[0] / down[1] / inch


def _ome_inches(text: str, axis: str) -> float | None:
    size = re.search(rf'PhysicalSize{axis}="([^"]+)"', text)
    unit = re.search(rf'PhysicalSize{axis}Unit="([^"]+)"', text)
    try:
        return float(size[1]) * _INCHES[unit[1] if unit else "um"] if size else None
    except (KeyError, ValueError):
        return None


def described_tags(page: Any) -> dict[str, Any]:
    """Return `tags`, what results keep, and `lost`, the names of what they cannot keep."""
    text = page.description or ""
    structured, turned = bool(_STRUCTURED.search(text[:4096])), page.tags.valueof(274, 1) != 1
    numbers_change = page.photometric not in (1, 2) or page.bitspersample not in (8, 16, 32, 64)
    tags, lost = [], []
    for code, name in _KEPT.items():
        tag = page.tags.get(code)
        if tag is None or (code == 270 and (text.startswith('{"shape"') or not text)):
            continue
        loses = {_GEOREFERENCE: turned, _NODATA: numbers_change, _DESCRIPTION: structured and code == 270}[name]
        value = tag.value.encode() if isinstance(tag.value, str) else tag.value
        if loses or tag.dtype not in _PACKED or (tag.dtype == 2) != isinstance(value, bytes):
            lost.append(name)
        else:
            tags.append(Tag(code, int(tag.dtype), len(value) + 1 if tag.dtype == 2 else tag.count, value))
    return {"tags": tuple(tags), "lost": tuple(dict.fromkeys(lost))}


def read_metadata(file: tifffile.TiffFile, page: Any) -> Metadata:
    """Return the EXIF, XMP and IPTC of a page of a TIFF; the EXIF of a BigTIFF is not read."""
    values = [page.tags.valueof(code, b"") for code in (_XMP, _IPTC)]
    xmp, iptc = (value if isinstance(value, bytes) else b"" for value in values)
    return Metadata(exif=exif.of_tiff(file.filehandle), xmp=xmp, iptc=iptc)


def metadata_tags(metadata: Metadata) -> tuple[Tag, ...]:
    """Return the tags of XMP and IPTC, and those of the texts in EXIF, such as the name of the camera."""
    found = [(_XMP, 1, metadata.xmp), (_IPTC, 7, metadata.iptc)]
    texts = [Tag(code, 2, len(text) + 1, text) for code, text in exif.texts(metadata.exif).items()]
    return (*texts, *(Tag(code, kind, len(value), value) for code, kind, value in found if value))


def names_of(tags: Iterable[Tag]) -> tuple[str, ...]:
    """Return what some tags hold, in words."""
    return tuple(dict.fromkeys(_KEPT[tag.code] for tag in tags))


def scale_tags(tags: Sequence[Tag], scale: int) -> tuple[Tag, ...]:
    """Return the tags of a picture that is `scale` times as wide and high: its pixels cover less of the ground.

    Places are corners of pixels, or their centres if the keys say so (OGC GeoTIFF 1.1, section 7.1).
    """
    keys = next((tuple(tag.value) for tag in tags if tag.code == 34735), ())
    centres = _RASTER_TYPE in keys[4::4] and keys[4 + 4 * keys[4::4].index(_RASTER_TYPE) + 3] == _PIXEL_IS_POINT
    shift = (scale - 1) / 2 if centres else 0.0  # of the first centre, in new pixels
    return tuple(tag._replace(value=_scaled(tag, scale, shift)) for tag in tags)


def _scaled(tag: Tag, scale: int, shift: float) -> Any:
    """Return the value of a tag for pixels `scale` times as small, whose places are `shift` pixels further."""
    if tag.code == 33550:  # the size of a pixel: x, y, z
        return (tag.value[0] / scale, tag.value[1] / scale, *tag.value[2:])
    if tag.code == 33922:  # tie points: i, j, k, x, y, z each
        return tuple(scale * v + shift if i % 6 < 2 else v for i, v in enumerate(tag.value))
    if tag.code == 34264:  # the matrix from i, j, k, 1 to x, y, z, 1
        rows = [tag.value[i : i + 4] for i in range(0, 16, 4)]
        return tuple(v for a, b, c, d in rows for v in (a / scale, b / scale, c, d - shift * (a + b) / scale))
    return tag.value


def encode(
    stored: np.ndarray, alpha: bool, icc: bytes | None = None, dpi: tuple[float, float] | None = None,
    tags: Sequence[Tag] = (), metadata: Metadata | None = None,
) -> bytes:  # fmt: skip
    """Encode a TIFF with lossless compression.

    Args:
        stored: (H, W) or (H, W, C), of any numeric type.
        alpha: whether the last channel is alpha, unassociated.
        icc: colour profile.
        dpi: pixels per inch, horizontal and vertical.
        tags: what the source said of itself.
        metadata: of the result.
    """
    # 1. describe the channels and the resolution
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    colour = channels - alpha == 3
    options: dict[str, Any] = {} if stored.ndim == 2 else {"planarconfig": "contig"}
    extra = channels - (3 if colour else 1)
    if extra:
        options["extrasamples"] = ["unspecified"] * (extra - alpha) + ["unassalpha"] * alpha
    if dpi:
        options |= {"resolution": dpi, "resolutionunit": "INCH"}
    # 2. describe the rest
    metadata = metadata or Metadata()
    inner = metadata.exif
    texts = [(one.code, one.dtype, one.length, one.value, True) for one in (*tags, *metadata_tags(metadata))]
    # 3. encode
    out = io.BytesIO()
    tifffile.imwrite(
        out, stored, photometric="rgb" if colour else "minisblack", metadata=None, software=False, iccprofile=icc,
        compression="zlib", compressionargs={"level": 1}, predictor=stored.dtype in (np.uint8, np.uint16),
        extratags=texts, byteorder=exif.byte_order(inner) if inner else None, **options,
    )  # fmt: skip
    return _with_exif(out.getvalue(), inner) if inner else out.getvalue()


def _with_exif(data: bytes, inner: bytes) -> bytes:
    """Append EXIF to a TIFF of its byte order, and a copy of the first directory that points to it."""
    order = exif.byte_order(inner)
    version, start = struct.unpack_from(f"{order}HI", data, 2)
    if version == _BIGTIFF:  # its directories are of another form
        return data
    # 1. read the directory
    (count,) = struct.unpack_from(f"{order}H", data, start)
    end = start + 2 + 12 * count
    entries = [data[at : at + 12] for at in range(start + 2, end, 12)]
    # 2. append the EXIF, and the directory with its tags
    padded = data + bytes(len(data) % 2)
    moved, pointers = exif.rebased(inner + bytes(len(inner) % 2), len(padded))
    entries += [struct.pack(f"{order}HHII", code, 4, 1, place) for code, place in pointers.items()]
    entries.sort(key=lambda entry: struct.unpack(f"{order}H", entry[:2])[0])
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + data[end : end + 4]
    # 3. make it the first
    return padded[:4] + struct.pack(f"{order}I", len(padded + moved)) + padded[8:] + moved + directory


def insert_tags(path: Path, tags: Sequence[Tag]) -> None:
    """Insert tags into the first page of a BigTIFF, whose directory is written anew at the end of the file."""
    with path.open("r+b") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        version, _, _, start = struct.unpack(f"{order}HHHQ", head[2:])
        assert version == _BIGTIFF
        # 1. read the directory
        file.seek(start)
        (count,) = struct.unpack(f"{order}Q", file.read(8))
        new = {tag.code for tag in tags}
        entries = [file.read(20) for _ in range(count)]
        entries = [entry for entry in entries if struct.unpack(f"{order}H", entry[:2])[0] not in new]
        following = file.read(8)
        # 2. append values that do not fit into an entry, and then the directory
        end = file.seek(0, io.SEEK_END)
        file.write(bytes(-end % 8))
        for code, dtype, number, value in tags:
            data = _packed(order, dtype, value)
            if len(data) > 8:
                place = file.tell()
                file.write(data + bytes(-len(data) % 8))
                data = struct.pack(f"{order}Q", place)
            entries.append(struct.pack(f"{order}HHQ", code, dtype, number) + data.ljust(8, b"\0"))
        entries.sort(key=lambda entry: struct.unpack(f"{order}H", entry[:2])[0])
        place = file.tell()
        file.write(struct.pack(f"{order}Q", len(entries)) + b"".join(entries) + following)
        # 3. make it the first
        file.seek(8)
        file.write(struct.pack(f"{order}Q", place))


def _packed(order: str, dtype: int, value: Any) -> bytes:
    if dtype == 2:
        return bytes(value) + b"\0"
    numbers = value if isinstance(value, tuple) else tuple(value) if isinstance(value, bytes) else (value,)
    return struct.pack(f"{order}{len(numbers)}{_PACKED[dtype]}", *numbers)
