"""Postprocessing: from network outputs to pictures of the user's size, and to images of the user's kind."""

__all__ = ["PendingResult", "postprocess", "to_kind_of"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from translate.images.encode import stored_alpha, stored_array, to_pillow
from translate.images.formats.npy import is_npy
from translate.images.label_maps import Classes
from translate.images.picture import Picture, to_gray_rgb, to_numbers
from translate.inference.enlargement import enlarged
from translate.inference.inputs.images import FileContent
from translate.inference.inputs.pixels import resize

if TYPE_CHECKING:
    from translate.images.tensors import HostCopy

_RESTORED_MODES = ("CMYK", "YCbCr", "I")  # PIL modes that are translated as RGB or gray, and then converted back


def postprocess(output: np.ndarray, like: Picture, paired: bool, classes: Classes | None = None) -> Picture:
    """Resize a network output (h, w, C) to the size of the translated picture, `like`, and adopt its properties.

    The result of an unpaired model keeps gray, alpha and the colour profile. The result of a paired model has the
    channels and the colour space of the target domain. With `classes`, the output are class numbers, and the result
    is a label map like those of training.
    """
    if classes is not None:
        return replace(classes.picture(Classes.resize(output[..., 0], like.pixels.shape[:2])), dpi=like.dpi)
    pixels = resize(output, like.pixels.shape[:2])
    gray = pixels.shape[2] == 1
    if gray:
        pixels = pixels.repeat(3, axis=2)
    if paired:
        return replace(like, pixels=pixels, alpha=None, gray=gray, icc=None, colour_codes=None, gamma=b"")
    if like.gray:
        pixels = to_gray_rgb(pixels)
    return replace(like, pixels=pixels)


@dataclass(frozen=True)
class PendingResult:
    """The results of one picture for all variants, perhaps still being copied from the device."""

    outputs: "Sequence[HostCopy | np.ndarray | Picture]"  # batches, arrays (h, w, C), or finished pictures
    like: Picture  # the picture that was translated
    paired: bool = False
    index: int = 0  # of the picture in its batch
    classes: Classes | None = None  # of label maps, whose outputs are class numbers
    scale: int = 1  # by which the outputs are wider and higher
    consistent: bool = False  # whether means over their pixels are the bits of the picture

    def pictures(self) -> list[Picture]:
        """Wait for the outputs, and postprocess them."""
        return [self._finish(output) for output in self.outputs]

    def _finish(self, output: "HostCopy | np.ndarray | Picture") -> Picture:
        if isinstance(output, Picture):
            return output
        array = output if isinstance(output, np.ndarray) else output.array(self.index)
        if self.scale > 1:
            return enlarged(array, self.like, consistent=self.consistent)
        return postprocess(array, self.like, self.paired, self.classes)


def to_kind_of(image: Any, result: Picture, keep_mode: bool = True) -> Any:
    """Convert a result to an array of its type if the user's `image` is an array, else to a PIL image.

    Bands, for which PIL has no mode, and results from .npy files are returned as arrays.
    """
    if isinstance(image, np.ndarray):
        return _to_array_like(image, result)
    if result.channels not in (1, 3) or _is_npy_file(image):
        return stored_array(result)
    pillow = to_pillow(result)
    restores = keep_mode and isinstance(image, Image.Image) and image.mode in _RESTORED_MODES
    return pillow.convert(image.mode) if restores else pillow


def _is_npy_file(image: Any) -> bool:
    if isinstance(image, FileContent):
        return is_npy(image.data)
    return isinstance(image, str | PathLike) and Path(image).suffix.lower() == ".npy"


def _to_array_like(array: np.ndarray, result: Picture) -> np.ndarray:
    """Convert to (H, W, C), alpha last; a gray result to (H, W) or (H, W, 1) if the user's array has this shape.

    A label map has the shape and type of its values.
    """
    if result.label_map is not None:
        return result.pixels if result.label_map.values is None else result.label_map.values
    one_plane = array.ndim == 2 or array.shape[2] == 1
    stack = result.pixels[..., :1] if one_plane and result.gray else result.pixels
    if result.numbers:
        stack = to_numbers(stack, result.numbers)
    if result.alpha is not None:
        stack = np.dstack((stack, stored_alpha(result.alpha, stack.dtype)))
    if array.ndim == 2 and stack.shape[2] == 1:
        stack = stack[..., 0]
    shape = array.shape if array.size == stack.size else stack.shape
    return stack.reshape(shape).astype(array.dtype, copy=False)
