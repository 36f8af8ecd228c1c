"""Every kind of picture that the Python API takes, and the way back: a result is of the kind that was given."""

__all__ = ["as_kind_of", "picture_of"]

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from translate.decode import from_pillow
from translate.encode import to_pillow
from translate.errors import UserError
from translate.images import read_picture
from translate.picture import Picture, as_picture

_KEPT_MODES = ("CMYK", "YCbCr", "I")  # PIL modes that are not translated as they are but can be returned to


def picture_of(image: Any) -> tuple[Picture, str]:
    """Read a path, a PIL image or an array; return it, and what an error may call it.

    Raises:
        UserError: a file that cannot be read, or an input of no such kind.
    """
    if isinstance(image, str | Path):
        return read_picture(image), str(image)
    if isinstance(image, Image.Image):
        try:
            return from_pillow(image), "the picture"
        except (OSError, ValueError) as error:
            raise UserError(f"the PIL image of mode {image.mode} cannot be used: {error}") from None
    if isinstance(image, np.ndarray):
        return _from_array(image), "the array"
    raise UserError(f"a {type(image).__name__} is no picture; give a path, PIL image, array or tensor")


def _from_array(array: np.ndarray) -> Picture:
    known = array.dtype in (np.uint8, np.uint16) or array.dtype.kind == "f"
    planes = array[..., None] if array.ndim == 2 else array
    if not known or planes.ndim != 3 or planes.shape[2] not in (1, 3, 4) or not planes.size:
        raise UserError(
            f"an array of shape {array.shape} and type {array.dtype} is no picture;"
            " give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 or float in [0, 1]"
        )
    try:
        return as_picture(planes)
    except ValueError as error:
        raise UserError(f"the array: {error}") from None


def as_kind_of(image: Any, result: Picture, keep: bool = True) -> Any:
    """Return `result` as a PIL image where `image` is a path or one of these, else as an array of its type.

    Args:
        image: what was translated.
        result: its translation.
        keep: whether a PIL image keeps its mode.
    """
    if isinstance(image, np.ndarray):
        return _as_array(image, result)
    pillow = to_pillow(result)
    kept = keep and isinstance(image, Image.Image) and image.mode in _KEPT_MODES
    return pillow.convert(image.mode) if kept else pillow


def _as_array(array: np.ndarray, result: Picture) -> np.ndarray:
    """Return (H, W, 3), or (H, W, 4) with alpha; a gray result as (H, W) or (H, W, 1) where that was given."""
    one_plane = array.ndim == 2 or array.shape[2] == 1
    stack = result.pixels[..., :1] if one_plane and result.gray else result.pixels
    if result.alpha is not None:
        stack = np.dstack((stack, result.alpha))
    shape = array.shape if array.size == stack.size else stack.shape
    return stack.reshape(shape).astype(array.dtype, copy=False)
