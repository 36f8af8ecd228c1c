"""What a picture file's header tells."""

__all__ = ["upright_size"]

import warnings
from pathlib import Path

from PIL import Image


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in px from a file's header, turned as the picture will be; None where it tells none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                turned = "exif" in image.info and image.getexif().get(0x0112, 1) >= 5
                return (image.height, image.width) if turned else (image.width, image.height)
    except Exception:  # damaged files make Pillow raise nearly everything; whoever decodes them reports them
        return None
