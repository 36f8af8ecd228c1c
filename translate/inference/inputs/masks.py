"""Masks for inpainting: the hole of a picture, from any kind of mask or from the picture's transparency."""

__all__ = ["find_hole", "load_mask", "load_mask_batch", "resize_mask"]

import os
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from translate.data.sources.mask_files import split_mask
from translate.images.picture import FULL_SCALE, Picture, to_gray
from translate.inference.inputs.images import FileContent, is_tensor, open_input, read_input
from translate.inference.request import NamedHole
from translate.utils.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def load_mask(mask: Any) -> NamedHole:
    """Read a mask whose hole is white, that is, at least half of full scale; raise UserError for anything else.

    It is a path, bytes, file object, PIL image, array or tensor: (H, W), (1, H, W), (H, W, 1) or a picture; bool,
    integers from 0 to 1, 255 or 65535, or floats up to 1.
    """
    mask = open_input(mask)
    if isinstance(mask, str | os.PathLike | FileContent):
        picture, name = read_input(mask)
        return split_mask(picture, name)[0], name
    values = _mask_plane(read_input(mask)[0]) if isinstance(mask, Image.Image) else _to_numpy(mask)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = _mask_plane(read_input(values)[0])
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2 or not values.size:
        raise UserError(f"an array of shape {values.shape} is no mask; give (H, W), True or white in the hole")
    return _threshold(values), "the mask"


def load_mask_batch(mask: Any, x: "Tensor") -> "Tensor":
    """Return the holes of x (B, C, H, W) as bool (B, 1, H, W); `mask` is one for all, or itself (B, 1, H, W).

    Raise UserError for no mask, one of another size, an empty or a full one.
    """
    import torch

    if mask is None:
        raise UserError("the tensor: has no hole: give a mask")
    planes = _to_numpy(mask) if getattr(mask, "ndim", 0) == 4 else load_mask(mask)[0][None, None]
    holes = _threshold(planes)
    if holes.shape[0] not in (1, len(x)) or holes.shape[1:] != (1, *x.shape[2:]):
        raise UserError(f"a mask of shape {tuple(planes.shape)} does not fit a tensor of shape {tuple(x.shape)}")
    for hole in holes:
        _check_hole(hole, "the mask")
    return torch.from_numpy(np.ascontiguousarray(holes)).expand(len(x), -1, -1, -1).to(x.device)


def _mask_plane(picture: Picture) -> np.ndarray:
    """Return the alpha of a mask picture if it varies, else its brightness."""
    alpha = picture.alpha
    return alpha if alpha is not None and np.ptp(alpha) else to_gray(picture.pixels)


def _to_numpy(mask: Any) -> np.ndarray:
    if is_tensor(mask):
        mask = mask.detach().cpu()
        mask = (mask.float() if str(mask.dtype) == "torch.bfloat16" else mask).numpy()
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "buif":
        raise UserError(
            f"a {type(mask).__name__} is no mask; give a path, bytes, a file object, a PIL image, an array or a tensor"
        )
    return mask


def _threshold(values: np.ndarray) -> np.ndarray:
    """Return where values are at least half of full scale; if no integer is above 1, full scale is 1."""
    if values.dtype.kind == "b":
        return values
    floats, highest = values.dtype.kind == "f", float(values.max())
    if floats and not highest <= 1.25:
        raise UserError(f"the mask: its values go up to {highest:g}; give bool, floats up to 1, or integers")
    if floats or highest <= 1:
        return values >= 0.5
    wide = values.dtype == np.uint16 or highest > 255
    return values >= (65535 if wide else 255) / 2


def find_hole(picture: Picture, mask: NamedHole | None, name: str) -> np.ndarray:
    """Return the hole of a picture, (H, W) bool: its mask or, without a mask, the pixels that are not fully opaque.

    Raise UserError for an empty or a full hole, or a mask of another size than the picture.
    """
    if mask is None:
        alpha = picture.alpha
        hole = np.zeros(picture.pixels.shape[:2], bool) if alpha is None else alpha < FULL_SCALE[alpha.dtype]
        if not hole.any():
            raise UserError(f"{name}: has no hole: give a mask (--masks), or make the hole transparent")
        if hole.all():
            raise UserError(f"{name}: is transparent everywhere: nothing is known to go by")
        return hole
    hole, mask_name = mask
    (height, width), (h, w) = picture.pixels.shape[:2], hole.shape
    if (h, w) != (height, width):
        sizes = f"the mask is {w} x {h} px, the picture {width} x {height} px"
        raise UserError(f"{mask_name}: {sizes}; make them one size, or say --resize-masks")
    _check_hole(hole, mask_name)
    return hole


def _check_hole(hole: np.ndarray, mask_name: str) -> None:
    if not hole.any():
        raise UserError(f"{mask_name}: is empty: there is no hole to fill")
    if hole.all():
        raise UserError(f"{mask_name}: covers all of the picture: nothing is known to go by")


def resize_mask(hole: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Resize a hole (H, W) bool to a height and width, without interpolation."""
    if hole.shape == size:
        return hole
    return cv2.resize(hole.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)
