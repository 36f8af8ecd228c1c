"""Between a user's pictures and what a model was trained on: channels, scale, sketches and hints."""

__all__ = [
    "prepare_style_image",
    "as_sketch",
    "bring_back",
    "brought_back",
    "check_channels",
    "to_network_input",
    "prepare_hints",
    "network_size",
    "prepare_source",
    "is_paired",
    "looks_like_photo",
]

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from translate.checkpoints.recipe import Recipe
from translate.images.line_drawings import paper_tone
from translate.images.picture import Picture, on_white, to_depth, to_gray
from translate.images.sketch_extraction import ink, is_line_drawing, tidy_sketch
from translate.images.tensors import to_array, to_tensor
from translate.tasks import TASKS
from translate.utils.errors import UserError

_JUDGED = 256  # px of the shorter side that photos are told from drawings at
_TINY = 64  # px; smaller, a pen and a thing are of one size
_THICK = 17 / _JUDGED  # of the shorter side; an area wider than that is no line
_FILLED = 0.02  # of the picture may be such areas
_SHADED = 34  # levels of 255; areas with a wider range of tones were not filled with a pen
_LARGE, _COLOURED = 0.1, 40  # of the picture, and levels between the channels; nobody draws lines that wide


def is_paired(recipe: Recipe) -> bool:
    """Whether a model learned from pairs: its results have the channels of its target, and no alpha."""
    return TASKS[recipe.task].data == "paired"


def check_channels(picture: Picture, channels: int, name: str) -> None:
    """Refuse a picture whose channels are not those that a model was trained on; gray and RGB can stand for each other.

    Raises:
        UserError: names both numbers.
    """
    has = picture.channels
    if has != channels and not (has in (1, 3) and channels in (1, 3)):
        clear = " and transparency" if picture.alpha is not None else ""
        raise UserError(
            f"{name}: has {has} channel{'s' * (has > 1)}{clear}, but this model takes {channels}; give it pictures of"
            f" {channels}, or train one on pictures like this"
        )


def network_size(recipe: Recipe, height: int, width: int, scale: str = "fit") -> tuple[int, int]:
    """Return the height and width, px, at which a model sees a picture of height x width px.

    A model that only ever saw whole pictures knows things at that scale alone: the shorter side is brought to the
    trained size, unless `scale` is "native".
    """
    shorter = min(height, width)
    if not recipe.whole or scale == "native" or shorter == recipe.size:
        return height, width
    return round(height * recipe.size / shorter), round(width * recipe.size / shorter)


def prepare_source(recipe: Recipe, picture: Picture, channels: int, size: tuple[int, int], name: str) -> Tensor:
    """Return a picture to translate as a model knows it.

    Args:
        recipe: of the model.
        picture: of any kind; white shines through where it is transparent, unless the model keeps alpha.
        channels: that it takes.
        size: height and width to bring it to, px.
        name: what errors call it.

    Returns:
        (1, channels, height, width), uint8 of a picture of 8 bits, else float32 in [-1, 1].

    Raises:
        UserError: the picture has other channels, or a sketch model is given an empty sheet or a photo.
    """
    check_channels(picture, channels, name)
    pixels = on_white(picture) if is_paired(recipe) else picture.pixels
    if recipe.facts.get("sketch"):
        pixels = as_sketch(pixels, min(size), name)
    return to_network_input(pixels, channels, size, labels="a" in recipe.facts.get("labels", ""))


def to_network_input(pixels: np.ndarray, channels: int, size: tuple[int, int], labels: bool = False) -> Tensor:
    """Bring (H, W, 3) RGB, or as many bands as there are `channels`, to (1, channels, *size).

    Label maps are not interpolated. Those of 8 bits stay uint8, which `tensors.to_device` takes; others become
    float32 in [-1, 1].
    """
    pixels = _resized(pixels, size, nearest=labels)
    stack = to_gray(pixels)[..., None] if channels == 1 else pixels
    if stack.dtype != np.uint8:
        return to_tensor(stack)
    return torch.from_numpy(stack if stack.flags.writeable else stack.copy()).permute(2, 0, 1)[None]


def prepare_style_image(recipe: Recipe, photo: Picture, channels: int, name: str) -> Tensor:
    """Return a picture of the target domain as a model knows it: (1, channels, h, w).

    Raises:
        UserError: it has other channels.
    """
    check_channels(photo, channels, name)
    return to_network_input(on_white(photo), channels, network_size(recipe, *photo.pixels.shape[:2]))


def as_sketch(pixels: np.ndarray, side: int, name: str) -> np.ndarray:
    """Return (H, W, 3) RGB of any depth as a drawing in dark lines on white, with a shorter side of `side` px.

    What is that already stays as it is, bit by bit.

    Raises:
        UserError: it is an empty sheet, or a photo.
    """
    rgb = to_depth(pixels, np.uint8)
    if looks_like_photo(rgb):
        raise UserError(
            f"{name}: looks like a colour photo, but this model was trained on line drawings;"
            " make one with tools/make_sketches.py"
        )
    if min(rgb.shape[:2]) == side and _is_clean(rgb):
        return pixels
    lines = tidy_sketch(rgb, side)
    if not ink(lines):
        raise UserError(f"{name}: is empty: there are no lines to go by")
    return lines[..., None].repeat(3, axis=2)


def _is_clean(rgb: np.ndarray) -> bool:
    """Whether (H, W, 3) uint8 has dark lines on white, and no colour."""
    darkest = rgb.min(axis=2)
    coloured = (rgb.max(axis=2) - darkest > 40).mean()
    return bool(np.median(darkest) >= 250 and darkest.min() < 160 and coloured < 0.005)


def looks_like_photo(rgb: np.ndarray) -> bool:
    """Whether (H, W, 3) uint8 RGB clearly is no drawing: it has areas, wider than any pen, of many tones.

    The tone of paper and light is divided out first, so that a drawing may lie in the shade.
    """
    if min(rgb.shape[:2]) < _TINY or is_line_drawing(rgb):
        return False
    shrink = max(1.0, min(rgb.shape[:2]) / _JUDGED)
    size = max(1, round(rgb.shape[1] / shrink)), max(1, round(rgb.shape[0] / shrink))
    small = cv2.GaussianBlur(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), (0, 0), 1)
    white = np.percentile(small.reshape(-1, 3), 90, axis=0).clip(40)
    neutral = np.clip(255 * (small / white), 0, 255).astype(np.uint8)
    balanced = 255 * np.clip(neutral / paper_tone(neutral.max(axis=2))[..., None], 0, 1)
    marked = (balanced.min(axis=2) < 0.8 * 255).astype(np.uint8)
    wide = round(_THICK * min(size)) | 1
    areas = cv2.morphologyEx(marked, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    areas &= cv2.erode(marked, np.ones((wide // 2 | 1,) * 2, np.uint8))  # edges are of many tones in any picture
    if areas.mean() < _FILLED:
        return False
    inside = balanced[areas > 0]
    shading = np.ptp(np.percentile(inside, (20, 80), axis=0), axis=0).max()
    colour = np.ptp(np.median(inside, axis=0))
    return bool(shading > _SHADED or (areas.mean() > _LARGE and colour > _COLOURED))


def prepare_hints(layer: Picture, drawn: tuple[int, int], size: tuple[int, int], name: str) -> Tensor:
    """Return a layer of strokes as a model takes it.

    Args:
        layer: RGBA: colour where a stroke is, transparent elsewhere.
        drawn: height and width of the picture that it belongs to, px.
        size: height and width to bring it to, px.
        name: what errors call the layer.

    Returns:
        (1, 4, height, width) float32 in [-1, 1], RGBA; alpha -1 = no stroke.

    Raises:
        UserError: it has another size than the picture, or no transparency.
    """
    (height, width), (h, w) = drawn, layer.pixels.shape[:2]
    if (height, width) != (h, w):
        raise UserError(f"{name}: the hints are {w} x {h} px, the picture is {width} x {height} px; make them one size")
    if layer.alpha is None:
        raise UserError(f"{name}: the hints have no transparency; leave the layer clear where there is no stroke")
    alpha = to_depth(layer.alpha, np.float32)[..., None]
    stack = np.dstack((to_depth(layer.pixels, np.float32) * alpha, alpha))  # clear pixels have no colour to mix in
    if stack.shape[:2] != size:
        shrinks = size[0] * size[1] < height * width
        stack = cv2.resize(stack, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    colour, alpha = stack[..., :3], stack[..., 3:]
    return to_tensor(np.dstack((colour / np.maximum(alpha, 1e-6), alpha)))


def bring_back(y: Tensor, like: Picture, paired: bool) -> Picture:
    """Return what a network made of a picture as a picture of its size and depth.

    Args:
        y: (1, C, h, w) in [-1, 1].
        like: the picture.
        paired: whether the result has its own channels, and no alpha; else gray stays gray and alpha is kept.
    """
    return brought_back(to_array(y, like.pixels.dtype), like, paired)


def brought_back(made: np.ndarray, like: Picture, paired: bool) -> Picture:
    """Do as `bring_back` with what is here already: (h, w, C) of the picture's depth.

    The colour profile goes along where a picture is changed, and not where another one takes its place: a model of
    pairs answers in the colours of its targets, whatever scanner the sketch came from.
    """
    pixels = _resized(made, like.pixels.shape[:2])
    gray = pixels.shape[2] == 1
    if gray:
        pixels = pixels.repeat(3, axis=2)
    if paired:
        return replace(like, pixels=pixels, alpha=None, gray=gray, icc=None)
    if like.gray:
        pixels = to_gray(pixels)[..., None].repeat(3, axis=2)
    return replace(like, pixels=pixels)


def _resized(pixels: np.ndarray, size: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Bring (H, W, C) to a height and width, by areas where it shrinks, else by Lanczos; its dtype stays."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    shrinks = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    way = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    fours = (np.ascontiguousarray(pixels[..., i : i + 4]) for i in range(0, pixels.shape[2], 4))  # its limit
    result = np.dstack([cv2.resize(four, size[::-1], interpolation=way) for four in fours])
    return result.clip(0, 1) if pixels.dtype == np.float32 else result
