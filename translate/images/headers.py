"""The size of a picture from its file's header."""

__all__ = ["upright_size"]

import warnings
from pathlib import Path

from PIL import Image


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in px of the upright picture, from its file's header; None where that is unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                rotated = "exif" in image.info and image.getexif().get(0x0112, 1) >= 5
                return (image.height, image.width) if rotated else (image.width, image.height)
    except Exception:  # damaged files make Pillow raise nearly everything; decoding will report them
        return None
