"""Preprocessing: from a picture to a network's input; `postprocess` is the inverse."""

__all__ = [
    "check_channels",
    "network_size",
    "prepare",
    "prepare_hints",
    "prepare_source",
    "prepare_style_image",
    "resize",
]

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture, flatten_alpha, to_depth
from translate.images.tensors import to_tensor
from translate.inference.inputs.pixels import (
    check_channels,
    hint_planes,
    network_size,
    resize,
    source_planes,
    to_planes,
)
from translate.inference.request import PreparedImage
from translate.tasks import TASKS


def prepare(
    recipe: Recipe, channels: tuple[int, int], picture: Picture, scale: str, hints: tuple[Picture, str] | None,
    name: str,
) -> PreparedImage:  # fmt: skip
    """Convert a picture, and its colour hints and their name, to inputs of a model with source and target `channels`.

    Raises:
        UserError: a picture or hints that do not fit the model or each other.
    """
    # 1. convert the picture to the model's channels and scale
    source, target = channels
    height, width = picture.pixels.shape[:2]
    size = network_size(recipe, height, width, scale)
    network_input = prepare_source(recipe, picture, source, size, name)
    if recipe.classes_of("a"):  # the depth of class numbers is none of a photo
        picture = replace(picture, pixels=to_depth(picture.pixels, np.uint8), alpha=None, numbers=None)
    if source != target:  # the result is gray if its domain is, whether or not the picture is
        picture = replace(picture, gray=target == 1)
    # 2. resize the hints to the same scale
    hint = prepare_hints(hints[0], (height, width), size, hints[1]) if hints else None
    name = name if size == (height, width) else f"{name}: {width} x {height} px, at the model's scale"
    return PreparedImage(picture=picture, name=name, network_input=network_input, hint=hint)


def prepare_source(recipe: Recipe, picture: Picture, channels: int, size: tuple[int, int], name: str) -> Tensor:
    """Convert a source picture to (1, channels, *size), uint8 for 8-bit pictures, else float32 in [-1, 1].

    Transparent pictures are composited on white, unless the model keeps alpha. Raise UserError for other channels, and
    for a blank page or a photo if the model takes line drawings.
    """
    paired = TASKS[recipe.task].data == "paired"
    return _to_network_input(source_planes(recipe, picture, channels, size, name, flat=paired))


def _to_network_input(stack: np.ndarray) -> Tensor:
    """Convert (H, W, C) to (1, C, H, W); 8-bit pictures stay uint8, for `to_device` to convert."""
    if stack.dtype != np.uint8:
        return to_tensor(stack)
    return torch.from_numpy(stack if stack.flags.writeable else stack.copy()).permute(2, 0, 1)[None]


def prepare_style_image(recipe: Recipe, photo: Picture, channels: int, name: str) -> Tensor:
    """Convert a picture of the target domain to the style encoder's input (1, channels, h, w)."""
    check_channels(photo, channels, name)
    planes = to_planes(flatten_alpha(photo), channels, network_size(recipe, *photo.pixels.shape[:2]))
    return _to_network_input(planes)


def prepare_hints(layer: Picture, picture_size: tuple[int, int], size: tuple[int, int], name: str) -> Tensor:
    """Convert a layer of colour hints, transparent between the strokes, to a network input.

    It is (1, 4, *size) float32 in [-1, 1], RGBA; alpha is -1 where there is no stroke. Raises as `hint_planes`.
    """
    return to_tensor(hint_planes(layer, picture_size, size, name))
