"""Pictures inside a page: compressed, as data URIs, within a total size."""

__all__ = ["EmbeddedPicture", "PictureBudget"]

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

QUALITY = 82  # of WebP, 0 to 100


@dataclass(frozen=True)
class EmbeddedPicture:
    """A picture in a page."""

    uri: str  # data:image/webp;base64,...
    width: int  # px
    height: int
    name: str


class PictureBudget:
    """The bytes that all pictures of a page may have together.

    Attributes:
        left: bytes that are left.
        left_out: names of the pictures for which there was no room.
    """

    def __init__(self, total: int) -> None:
        self.left, self.left_out = total, list[str]()

    def embed(self, picture: np.ndarray, name: str, max_side: int) -> EmbeddedPicture | None:
        """Return (H, W, 3) uint8 RGB with sides of at most `max_side` px, or None if there is no room for it."""
        shown = shrink_to(picture, max_side)
        buffer = io.BytesIO()
        Image.fromarray(shown).save(buffer, "WEBP", quality=QUALITY)
        text = base64.b64encode(buffer.getvalue()).decode("ascii")
        if len(text) > self.left:
            self.left_out.append(name)
            return None
        self.left -= len(text)
        return EmbeddedPicture(f"data:image/webp;base64,{text}", shown.shape[1], shown.shape[0], name)


def shrink_to(picture: np.ndarray, max_side: int) -> np.ndarray:
    """Shrink (H, W, 3) uint8 until its longer side is at most `max_side` px."""
    height, width = picture.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
