"""The one import of libvips, by pyvips, the extra `huge`; and whole pictures of formats that only it reads."""

__all__ = ["decode", "pyvips", "reason"]

import logging
from typing import Any

import numpy as np

from translate.images.cmyk import cmyk_to_rgb

try:
    import pyvips
except (ImportError, OSError):  # not installed, or without its library
    pyvips = None

logging.getLogger("pyvips").setLevel(logging.CRITICAL)  # we report what it cannot read
# What libvips is asked to decode; some of its other loaders start programs or read documents.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF", b"\0\0\0\x0cjP")


def reason(error: Any) -> str:
    """Return the last line of an error of libvips, which is the cause."""
    return (str(error.detail or error.message).strip().splitlines() or ["damaged"])[-1]


def decode(data: bytes, max_pixels: int) -> np.ndarray | None:
    """Decode to (H, W, C), upright; None where libvips is missing or should not be asked.

    Raises:
        OSError: libvips cannot decode it, or it is larger than `max_pixels`.
    """
    if pyvips is None or not (data.startswith(_MAGIC) or data[4:8] == b"ftyp"):
        return None
    try:
        image = pyvips.Image.new_from_buffer(data, "", fail_on="error").autorot()
        if image.width * image.height > max_pixels:
            raise OSError(f"{image.width} x {image.height} px is over the limit of {max_pixels:,} px")
        icc = image.get("icc-profile-data") if image.get_typeof("icc-profile-data") else None
        if image.interpretation in ("lab", "labs", "xyz"):
            image = image.colourspace("srgb")
        stored = image.numpy().reshape(image.height, image.width, -1)
    except pyvips.Error as error:
        raise OSError(reason(error)) from None
    return cmyk_to_rgb(stored[..., :4], icc) if image.interpretation == "cmyk" else stored
