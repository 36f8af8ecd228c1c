"""The kinds of image that the Python API takes and returns: paths, PIL images, arrays and tensors."""

__all__ = ["check_tensor", "read_input", "to_kind_of"]

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from translate.images.decode import from_pillow
from translate.images.encode import stored_alpha, stored_array, to_pillow
from translate.images.io import read_picture
from translate.images.picture import Picture, ValueRange, as_picture, to_numbers
from translate.utils.errors import UserError

_KEPT_MODES = ("CMYK", "YCbCr", "I")  # PIL modes that cannot be translated directly, but be converted back to


def read_input(image: Any, values: ValueRange | None = None, channels: int = 3) -> tuple[Picture, str]:
    """Read a path, a PIL image or an array; return the picture, and its name in errors.

    `values` are black and white in floats and wide integers; None: 0 and 1, or the full scale. An array of four
    channels has alpha, unless the model takes four `channels`.

    Raises:
        UserError: an unreadable file, or another kind of input.
    """
    if isinstance(image, str | Path):
        return read_picture(image, values), str(image)
    if isinstance(image, Image.Image):
        try:
            return from_pillow(image, values), "the picture"
        except (OSError, ValueError) as error:
            raise UserError(f"the PIL image of mode {image.mode} cannot be used: {error}") from None
    if isinstance(image, np.ndarray):
        return _from_array(image, values, channels), "the array"
    raise UserError(f"a {type(image).__name__} is no picture; give a path, PIL image, array or tensor")


def _from_array(array: np.ndarray, values: ValueRange | None, channels: int) -> Picture:
    planes = array[..., None] if array.ndim == 2 else array
    known = array.dtype in (np.uint8, np.uint16) or array.dtype.kind in ("iuf" if values else "f")
    if not known or planes.ndim != 3 or not planes.size:
        raise UserError(
            f"an array of shape {array.shape} and type {array.dtype} is no picture;"
            " give (H, W) or (H, W, C) of uint8, uint16 or float in [0, 1]"
        )
    try:
        return as_picture(planes, planes.shape[2] == 4 != channels, bands=True, values=values)
    except ValueError as error:
        raise UserError(f"the array: {error}") from None


def to_kind_of(image: Any, result: Picture, keep_mode: bool = True) -> Any:
    """Convert a result to a PIL image if the user's `image` is a path or a PIL image, else to an array of its type.

    Bands, for which PIL has no mode, and results from .npy files are returned as arrays.
    """
    if isinstance(image, np.ndarray):
        return _to_array_like(image, result)
    if result.channels not in (1, 3) or (isinstance(image, str | Path) and Path(image).suffix.lower() == ".npy"):
        return stored_array(result)
    pillow = to_pillow(result)
    kept = keep_mode and isinstance(image, Image.Image) and image.mode in _KEPT_MODES
    return pillow.convert(image.mode) if kept else pillow


def _to_array_like(array: np.ndarray, result: Picture) -> np.ndarray:
    """Convert to (H, W, C), alpha last; a gray result to (H, W) or (H, W, 1) if the input was that."""
    one_plane = array.ndim == 2 or array.shape[2] == 1
    stack = result.pixels[..., :1] if one_plane and result.gray else result.pixels
    if result.numbers:
        stack = to_numbers(stack, result.numbers)
    if result.alpha is not None:
        stack = np.dstack((stack, stored_alpha(result.alpha, stack.dtype)))
    shape = array.shape if array.size == stack.size else stack.shape
    return stack.reshape(shape).astype(array.dtype, copy=False)


def check_tensor(x: Tensor, channels: int) -> None:
    """Raise UserError unless a network of so many channels can take the tensor."""
    if not x.is_floating_point() or x.ndim not in (3, 4) or x.shape[-3] != channels or not x.numel():
        raise UserError(
            f"cannot translate a tensor of shape {tuple(x.shape)} and type {x.dtype};"
            f" give ({channels}, H, W) or (B, {channels}, H, W), float in [-1, 1]"
        )
