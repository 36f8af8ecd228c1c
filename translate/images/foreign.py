"""Formats of pictures that are not read, and what to do with such files."""

__all__ = ["foreign_suffixes", "remedy_for"]

from functools import cache

from translate.images.encode import FORMATS
from translate.images.formats import heif

_EXPORT, _RENDER, _CONVERT = "export as TIFF or JPEG", "render as PNG", "convert to PNG or TIFF"
_REMEDIES = {
    heif.EXTRA: "heic heif hif",
    _EXPORT: (
        "3fr ari arw bay cap cr2 cr3 crw dcr dcs dng drf eip erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef"
        " ptx pxn r3d raf raw rw2 rwl rwz sr2 srf srw x3f psd psb xcf kra clip procreate afphoto sai ora"
    ),
    _RENDER: "ai eps ps svg svgz pdf cdr emf wmf indd sketch",
    _CONVERT: "jxl jxr exr hdr dds ico icns cur pcx xpm xbm ras sgi dcm nii fits fit djvu heics heifs avifs",
}


@cache
def foreign_suffixes() -> dict[str, str]:
    """Return what to do with files of each suffix: raw data of cameras, layers of editors, drawings, rare formats."""
    known = {f".{suffix}": remedy for remedy, suffixes in _REMEDIES.items() for suffix in suffixes.split()}
    return {suffix: remedy for suffix, remedy in known.items() if suffix not in FORMATS}


def remedy_for(suffix: str) -> str:
    """Return what to do with a picture of this suffix, such as "export as TIFF or JPEG"; "" for other files."""
    return foreign_suffixes().get(suffix.lower(), "")
