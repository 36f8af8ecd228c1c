"""What a camera or an editor wrote about a picture, besides its pixels: EXIF, XMP, IPTC, comments and texts."""

__all__ = ["Metadata"]

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from translate.images import exif

_IPTC = 0x0404  # the number of the IPTC block in a Photoshop segment
_MAX_SEGMENT_BYTES = 65400  # of what one segment of a JPEG can hold
_NAMES = {
    "exif": "camera data (EXIF)", "xmp": "XMP data", "iptc": "IPTC data", "comment": "comment", "text": "text",
}  # fmt: skip
_HELD = {  # by format
    "JPEG": ("exif", "xmp", "iptc", "comment"), "PNG": ("exif", "xmp", "text"), "WEBP": ("exif", "xmp"),
    "AVIF": ("exif", "xmp"), "HEIF": ("exif", "xmp"), "TIFF": ("exif", "xmp", "iptc"), "GIF": ("comment",),
}  # fmt: skip


@dataclass(frozen=True)
class Metadata:
    """The metadata of a file, as it is stored there."""

    exif: bytes = b""  # a TIFF structure
    xmp: bytes = b""
    iptc: bytes = b""  # records of IPTC-IIM
    comment: bytes = b""  # of a JPEG or GIF
    text: bytes = b""  # chunks of a PNG

    @classmethod
    def from_pillow(cls, info: Mapping[Any, Any]) -> "Metadata":
        """Return what Pillow or pillow-heif found in a file."""
        photoshop = info.get("photoshop")
        iptc = photoshop.get(_IPTC) if isinstance(photoshop, dict) else None
        found = {"exif": info.get("exif"), "xmp": info.get("xmp"), "iptc": iptc, "comment": info.get("comment")}
        known = {name: value for name, value in found.items() if isinstance(value, bytes)}
        return cls(**known | {"exif": known.get("exif", b"").removeprefix(exif.HEAD)})

    def names(self) -> tuple[str, ...]:
        """Return what there is, in words."""
        return tuple(_NAMES[field.name] for field in fields(self) if getattr(self, field.name))

    def held_by(self, form: str) -> "Metadata":
        """Return what a file of the format `form`, in Pillow's words, can hold."""
        kept = {name: value for name in _HELD.get(form, ()) if (value := getattr(self, name))}
        if form == "JPEG":
            kept = {name: value for name, value in kept.items() if len(value) < _MAX_SEGMENT_BYTES}
        if b"Container:Directory" in self.xmp:  # it describes pictures behind the main one, which are not in a result
            kept.pop("xmp", None)
        return Metadata(**kept)

    def for_result(self, width: int, height: int) -> "Metadata":
        """Return the metadata of an upright picture of this size, without a thumbnail of the original picture."""
        xmp = re.sub(rb"(tiff:Orientation(?:=[\"']|>))\d", rb"\g<1>1", self.xmp)
        return replace(self, exif=exif.upright(self.exif, width, height), xmp=xmp)
