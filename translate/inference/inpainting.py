"""Holes of pictures: which pixels they are, and how a network that knows one scale fills those of any picture.

A network makes a picture of all that it sees. Only the hole is taken from that: known pixels stay what they are, bit
for bit. Near the border, the network's picture is brought to the level of the known pixels beside it, so that no seam
shows.
"""

__all__ = [
    "NamedHole",
    "Network",
    "Window",
    "fill",
    "fill_tensor",
    "hole_in",
    "hole_of",
    "holes_of_batch",
    "keep_known",
    "resized_hole",
    "windows",
]

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from translate.data.sources.mask_files import read_mask
from translate.images.picture import FULL_SCALE, Picture, to_depth, to_gray
from translate.images.tensors import to_tensor
from translate.inference.inputs import picture_of
from translate.inference.preprocess import bring_back
from translate.utils.errors import UserError

ONE_PASS = 1.5, 2.0  # times the trained size that the shorter and the longer side of a picture may have for one pass
NEAR = 1 / 8  # of the trained size; holes of less than twice this distance are filled together
THICK = 1 / 2  # of the trained size; a network is shown no thicker hole
FITS = 3 / 4  # of the window's side; a hole with a larger box is filled piece by piece
FADE = 1 / 16  # of the window's side: the depth at which a third of the rim's correction is left
LARGE = 0.25  # of full scale: a step at which half of the correction is left, and of larger ones less
LOCAL, ALONG = 0.1, 0.25  # of that depth: standard deviations of the means across the rim and along it

NamedHole = tuple[np.ndarray, str]  # bool (H, W), True = to be filled, and what an error may call it
Network = Callable[[Tensor], Tensor]  # (1, C + 1, h, w) in [-1, 1], picture and hole (+1) -> picture (1, C, h, w)


# ---- which pixels


def hole_of(mask: Any) -> NamedHole:
    """Read a mask: white, or whatever is at least half of full scale, is the hole.

    Args:
        mask: a path, a PIL image, an array or a tensor: (H, W), (1, H, W), (H, W, 1) or a picture; bool, integers
            from 0 to 1, 255 or 65535, or floats up to 1.

    Raises:
        UserError: a file that cannot be read, or something that is no mask.
    """
    if isinstance(mask, str | Path):
        return read_mask(mask)[0], str(mask)
    values = _telling(picture_of(mask)[0]) if isinstance(mask, Image.Image) else _values(mask)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = _telling(picture_of(values)[0])
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2 or not values.size:
        raise UserError(f"an array of shape {values.shape} is no mask; give (H, W), True or white in the hole")
    return _bright(values), "the mask"


def _telling(picture: Picture) -> np.ndarray:
    """Return the plane of a picture that says where the hole is: alpha where it varies, else the brightness."""
    alpha = picture.alpha
    return alpha if alpha is not None and np.ptp(alpha) else to_gray(picture.pixels)


def _values(mask: Any) -> np.ndarray:
    """Return an array or a tensor of numbers as an array."""
    if isinstance(mask, Tensor):
        mask = mask.detach().cpu()
        mask = (mask.float() if mask.dtype == torch.bfloat16 else mask).numpy()
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "buif":
        raise UserError(f"a {type(mask).__name__} is no mask; give a path, PIL image, array or tensor")
    return mask


def _bright(values: np.ndarray) -> np.ndarray:
    """Whether values are at least half of full scale; integers that end at 1 are mere flags."""
    if values.dtype.kind == "b":
        return values
    floats, highest = values.dtype.kind == "f", float(values.max())
    if floats and not highest <= 1.25:
        raise UserError(f"the mask: its values go up to {highest:g}; give bool, floats up to 1, or integers")
    if floats or highest <= 1:
        return values >= 0.5
    wide = values.dtype == np.uint16 or highest > 255
    return values >= (65535 if wide else 255) / 2


def hole_in(picture: Picture, given: NamedHole | None, name: str) -> np.ndarray:
    """Return the hole of a picture, (H, W) bool: what is `given`, or all that is not fully opaque.

    Raises:
        UserError: it has none, nothing else, or another size than the picture.
    """
    if given is None:
        alpha = picture.alpha
        hole = np.zeros(picture.pixels.shape[:2], bool) if alpha is None else alpha < FULL_SCALE[alpha.dtype]
        if not hole.any():
            raise UserError(f"{name}: has no hole: give a mask (--masks), or make the hole transparent")
        if hole.all():
            raise UserError(f"{name}: is transparent everywhere: nothing is known to go by")
        return hole
    hole, called = given
    (height, width), (h, w) = picture.pixels.shape[:2], hole.shape
    if hole.shape != (height, width):
        sizes = f"the mask is {w} x {h} px, the picture {width} x {height} px"
        raise UserError(f"{called}: {sizes}; make them one size, or say --resize-masks")
    check_hole(hole, called)
    return hole


def check_hole(hole: np.ndarray, called: str) -> None:
    """Raise UserError, which calls the mask so, where a hole has no pixel, or nothing lies round it."""
    if not hole.any():
        raise UserError(f"{called}: is empty: there is no hole to fill")
    if hole.all():
        raise UserError(f"{called}: covers all of the picture: nothing is known to go by")


def resized_hole(hole: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Bring a hole (H, W) bool to a height and width; no value is in between."""
    if hole.shape == size:
        return hole
    return cv2.resize(hole.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)


def holes_of_batch(mask: Any, x: Tensor) -> Tensor:
    """Return the holes of (B, C, H, W) as a bool tensor (B, 1, H, W) on its device.

    Args:
        mask: as `hole_of`, for all pictures; or (B, 1, H, W), an array or a tensor.
        x: the pictures.

    Raises:
        UserError: no mask, one of another size, an empty or a full one.
    """
    if mask is None:
        raise UserError("the tensor: has no hole: give a mask")
    planes = _values(mask) if getattr(mask, "ndim", 0) == 4 else None
    if planes is None:
        planes = hole_of(mask)[0][None, None]
    holes = _bright(planes)
    if holes.shape[0] not in (1, len(x)) or holes.shape[1:] != (1, *x.shape[2:]):
        raise UserError(f"a mask of shape {tuple(planes.shape)} does not fit a tensor of shape {tuple(x.shape)}")
    for hole in holes:
        check_hole(hole, "the mask")
    return torch.from_numpy(np.ascontiguousarray(holes)).expand(len(x), -1, -1, -1).to(x.device)


def keep_known(image: Any, result: Any, hole: np.ndarray) -> Any:
    """Put the known pixels of `image` into `result`, of the same kind, where they were rounded on the way.

    Arrays of float64, and PIL images of some modes, are not filled as they are.
    """
    if isinstance(image, np.ndarray):
        result[~hole] = image[~hole]
    elif isinstance(image, Image.Image) and image.mode in ("CMYK", "YCbCr", "F"):
        upright = image.getexif().get(0x0112, 1) == 1  # else the result is turned
        return Image.composite(result, image, Image.fromarray(hole)) if upright else result
    return result


# ---- windows


class Window(NamedTuple):
    """A part of a picture that a network sees at once, and what it fills there.

    Attributes:
        view: rows and columns of the picture.
        own: (h, w) bool, of the view's size: the pixels to take.
        seen: height and width at which the network sees the view, px.
    """

    view: tuple[slice, slice]
    own: np.ndarray
    seen: tuple[int, int]


def windows(hole: np.ndarray, size: int, fixed: int = 0) -> Iterator[Window]:
    """Divide a hole among windows, to be filled one after the other.

    A picture that is not much larger than the trained size is one window. Else holes far from each other get windows of
    their own, with the hole in the middle; one that is too thick is seen at a smaller scale, one that is merely long
    is filled piece by piece, beginning where most is known.

    Args:
        hole: (H, W) bool.
        size: what the network was trained at, px.
        fixed: where it takes squares of this side alone, px.
    """
    height, width = hole.shape
    if not fixed and min(hole.shape) <= ONE_PASS[0] * size and max(hole.shape) <= ONE_PASS[1] * size:
        yield Window((slice(0, height), slice(0, width)), hole, hole.shape)
        return
    reach = max(1, round(NEAR * size))
    wide = cv2.dilate(hole.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wide)
    del wide
    for label in range(1, count):
        left, top, across, down = stats[label, :4]
        place = slice(top, top + down), slice(left, left + across)
        own = hole[place] & (labels[place] == label)
        yield from _around(hole, own, (int(top), int(left)), fixed or size, bool(fixed))


def _around(hole: np.ndarray, own: np.ndarray, corner: tuple[int, int], size: int, exact: bool) -> Iterator[Window]:
    """Divide one part of the hole, `own`, whose rows and columns count from `corner`, and which has a rim."""
    longest = max(hole.shape)
    thickness = 2 * float(cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 5).max())
    factor = min(max(1.0, thickness / (THICK * size)), max(1.0, longest / size))
    side = round(size * factor)
    side = min(side, longest) if exact else side
    cores = _cores(own, side, whole=side >= longest)
    views = [_view(core, corner, side, hole.shape) for core in cores]
    by_known = sorted(range(len(cores)), key=lambda i: hole[views[i]].mean())
    for i in by_known:
        rows, columns = views[i]
        shape = rows.stop - rows.start, columns.stop - columns.start
        taken = np.zeros(shape, bool)
        core = cores[i]
        top, left = corner[0] + core[0].start - rows.start, corner[1] + core[1].start - columns.start
        piece = own[core]
        taken[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
        scale = size / side if exact or factor > 1 else 1.0
        yield Window(views[i], taken, (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))))


def _cores(own: np.ndarray, side: int, whole: bool) -> list[tuple[slice, slice]]:
    """Return where in `own` each window takes pixels: all in one, or squares of half the window's side."""
    rows, columns = (np.flatnonzero(own.any(axis)) for axis in (1, 0))
    spans = [(int(found[0]), int(found[-1]) + 1) for found in (rows, columns)]
    if whole or all(stop - start <= FITS * side for start, stop in spans):
        return [tuple(slice(*span) for span in spans)]  # type: ignore[list-item]
    step = max(1, side // 2)
    grid = [[slice(at, min(at + step, stop)) for at in range(start, stop, step)] for start, stop in spans]
    return [(across, down) for across in grid[0] for down in grid[1] if own[across, down].any()]


def _view(core: tuple[slice, slice], corner: tuple[int, int], side: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the window of `side` px, less where the picture is smaller, that has a core in its middle."""
    spans = []
    for part, start, length in zip(core, corner, shape, strict=True):
        kept = min(side, length)
        first = start + (part.start + part.stop) // 2 - kept // 2
        first = min(max(first, 0), length - kept)
        spans.append(slice(first, first + kept))
    return spans[0], spans[1]


# ---- filling


def fill(picture: Picture, hole: np.ndarray, network: Network, *, channels: int, size: int, fixed: int = 0) -> Picture:
    """Fill the hole of a picture; all else stays bit for bit, and what is filled is opaque.

    Args:
        picture: of any kind.
        hole: (H, W) bool, neither empty nor full.
        network: what fills; it may see other sizes than the trained one unless `fixed`.
        channels: of the pictures that it takes and makes, 1 or 3.
        size: what it was trained at, px.
        fixed: px; where it takes squares of this side alone.
    """
    pixels, left = picture.pixels.copy(), hole.copy()
    for window in windows(hole, size, fixed):
        _fill_window(pixels, left, window, picture.gray, network, channels)
    alpha = picture.alpha
    if alpha is not None:
        alpha = np.where(hole, alpha.dtype.type(FULL_SCALE[alpha.dtype]), alpha)
    return replace(picture, pixels=pixels, alpha=alpha)


def fill_tensor(x: Tensor, mask: Any, networks: Iterable[Network], fixed: int = 0) -> Iterator[Tensor]:
    """Fill the holes of (B, C, H, W) in [-1, 1] by each network in turn, in one pass; known pixels keep their bits.

    Raises:
        UserError: as `holes_of_batch`, or the tensor is larger than the `fixed` size of the network.
    """
    holes = holes_of_batch(mask, x)
    if fixed and max(x.shape[2:]) > fixed:
        raise UserError(f"this model sees {fixed} x {fixed} px at once; give a smaller tensor, or an array")
    source = torch.cat([x, 2 * holes.to(x) - 1], 1)
    for network in networks:
        yield torch.where(holes, network(source).to(x), x)


def _fill_window(
    pixels: np.ndarray, left: np.ndarray, window: Window, gray: bool, network: Network, channels: int
) -> None:
    """Fill what a window takes, in `pixels` (H, W, 3), and cross it out in `left`, the hole that is left."""
    view, unknown = pixels[window.view], left[window.view]
    y = network(_shown(view, unknown, window.seen, channels))
    known = Picture(to_depth(view, np.float32), gray=gray)
    made = bring_back(y, known, paired=False).pixels
    corrected = _without_seam(made, known.pixels, unknown)
    view[window.own] = to_depth(corrected[window.own], view.dtype)
    unknown[window.own] = False


def _shown(view: np.ndarray, unknown: np.ndarray, size: tuple[int, int], channels: int) -> Tensor:
    """Return what a network sees of (h, w, 3) of any depth and its hole (h, w): (1, channels + 1, *size) in [-1, 1].

    Where the size changes, no colour of the hole gets into what is known.
    """
    colour, hole = to_depth(view, np.float32), unknown
    if unknown.shape != size:
        how = cv2.INTER_AREA if size[0] * size[1] < unknown.size else cv2.INTER_LINEAR
        share = cv2.resize((~unknown).astype(np.float32), size[::-1], interpolation=how)
        blanked = np.where(unknown[..., None], view.dtype.type(0), view)
        colour = to_depth(cv2.resize(blanked, size[::-1], interpolation=how), np.float32)
        colour = (colour / np.maximum(share, 1e-3)[..., None]).clip(0, 1)
        hole = share < 0.5
    colour = to_gray(colour)[..., None] if channels == 1 else colour
    plane = torch.from_numpy(np.where(hole, np.float32(1), np.float32(-1)))
    return torch.cat([to_tensor(colour), plane[None, None]], 1)


def _without_seam(made: np.ndarray, known: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Correct what a network made so that it joins on to the known pixels.

    The step that shows at the rim of the hole, from the local mean of what is known outside to that of what was made
    inside, is spread along the rim and added to the inside, less and less with the distance (as the membrane of
    Perez et al., 2003, "Poisson Image Editing", cut short: far from the rim the network knows better). Large steps are
    meant, and stay.

    Args:
        made: (h, w, 3) float32, the network's picture.
        known: (h, w, 3) float32, the picture; whatever in the hole.
        unknown: (h, w) bool, the hole.

    Returns:
        (h, w, 3) float32 in [0, 1], right inside the hole alone.
    """
    reach = max(FADE * min(unknown.shape), 1.0)
    inside = unknown.astype(np.float32)
    local = max(LOCAL * reach, 0.7)
    step = _mean_of(known, 1 - inside, local) - _mean_of(made, inside, local)
    step /= 1 + np.square(step / LARGE)
    depth = cv2.distanceTransform(unknown.astype(np.uint8), cv2.DIST_L2, 5)
    rim = ((depth > 0) & (depth <= 1.5)).astype(np.float32)
    along = max(ALONG * reach, 1.5)
    near, far = (_mean_of(step, rim, sigma) for sigma in (along, 4 * along))
    correction = near + (far - near) * np.clip(depth / (3 * along), 0, 1)[..., None]  # where `near` does not reach
    return np.clip(made + correction * np.exp(-depth / reach)[..., None], 0, 1)


def _mean_of(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Return the local mean of (h, w, 3) where `weight` (h, w) is 1, by a Gaussian; 0 where none is within reach."""
    side = 2 * round(3 * sigma) + 1
    total = cv2.GaussianBlur(values * weight[..., None], (side, side), sigma)
    return total / np.maximum(cv2.GaussianBlur(weight, (side, side), sigma), 1e-6)[..., None]
