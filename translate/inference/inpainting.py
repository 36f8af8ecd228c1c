"""Inpainting of pictures of any size with a network that was trained at one scale.

Only the hole is taken from the network's output: known pixels keep their bits. Near the rim of the hole, the output is
corrected to the level of the known pixels outside, so that no seam shows.
"""

__all__ = ["Network", "PixelNetwork", "fill_hole", "fill_pixels", "fill_tensor", "restore_known"]

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from translate.images.picture import FULL_SCALE, Picture, to_depth, to_gray
from translate.inference.postprocess import postprocess
from translate.inference.tiling.windows import Window, plan_windows
from translate.utils.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

FADE_DEPTH = 1 / 16  # of the window's side: depth at which a third (1 / e) of the seam correction is left
LARGE_STEP = 0.25  # of full scale: a step at the rim of which half is corrected; larger steps are probably real edges
# Fractions of the fade depth: means across the rim stay local, means along the rim suppress noise.
LOCAL_SIGMA, ALONG_SIGMA = 0.1, 0.25

Network = Callable[["Tensor"], "Tensor"]  # (1, C + 1, h, w) in [-1, 1], picture and hole (+1) -> picture (1, C, h, w)
PixelNetwork = Callable[[np.ndarray], np.ndarray]  # the same for (h, w, C + 1) in [-1, 1] -> (h, w, C) in [0, 1]


def fill_hole(
    picture: Picture, hole: np.ndarray, network: Network, *, channels: int, size: int, fixed: int = 0
) -> Picture:
    """Fill the hole (H, W) bool of a picture window by window; known pixels keep their bits, filled ones are opaque.

    `channels` of the network's pictures are 1 or 3. `size` is the side of pictures in training, px, and `fixed` that of
    the only squares that the network takes, px; 0: it takes any size.
    """
    import torch

    from translate.images.tensors import to_array

    def on_pixels(planes: np.ndarray) -> np.ndarray:
        return to_array(network(torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))[None]), np.float32)

    return fill_pixels(picture, hole, on_pixels, channels=channels, size=size, fixed=fixed)


def fill_pixels(
    picture: Picture, hole: np.ndarray, network: PixelNetwork, *, channels: int, size: int, fixed: int = 0
) -> Picture:
    """Do as `fill_hole` with a network of arrays, without torch."""
    pixels, unknown = picture.pixels.copy(), hole.copy()
    for window in plan_windows(hole, size, fixed):
        _fill_window(pixels, unknown, window, picture.gray, network, channels)
    alpha = picture.alpha
    if alpha is not None:
        alpha = np.where(hole, alpha.dtype.type(FULL_SCALE[alpha.dtype]), alpha)
    return replace(picture, pixels=pixels, alpha=alpha)


def fill_tensor(x: "Tensor", holes: "Tensor", network: Network, fixed: int = 0) -> "Tensor":
    """Fill holes, bool (B, 1, H, W), of x (B, C, H, W) in [-1, 1] in one pass; known pixels keep their bits.

    Raise UserError for a tensor larger than the `fixed` side of the network's input, px; 0: any size.
    """
    import torch

    if fixed and max(x.shape[2:]) > fixed:
        raise UserError(f"this model sees {fixed} x {fixed} px at once; give a smaller tensor, or an array")
    return torch.where(holes, network(torch.cat([x, 2 * holes.to(x) - 1], 1)).to(x), x)


def restore_known(image: Any, result: Any, hole: np.ndarray) -> Any:
    """Copy known pixels from `image` to `result`, of the same kind, where the conversion has rounded them.

    It rounds arrays of float64 and PIL images of some modes.
    """
    if isinstance(image, np.ndarray):
        result[~hole] = image[~hole]
    elif isinstance(image, Image.Image) and image.mode in ("CMYK", "YCbCr", "F"):
        upright = image.getexif().get(0x0112, 1) == 1  # else the result is turned
        return Image.composite(result, image, Image.fromarray(hole)) if upright else result
    return result


def _fill_window(
    pixels: np.ndarray, unknown: np.ndarray, window: Window, gray: bool, network: PixelNetwork, channels: int
) -> None:
    """Fill a window's target in `pixels` (H, W, 3), and remove it from the hole `unknown` (H, W)."""
    view, hole = pixels[window.view], unknown[window.view]
    y = network(_window_input(view, hole, window.network_size, channels))
    known = Picture(to_depth(view, np.float32), gray=gray)
    painted = postprocess(y, known, paired=False).pixels
    corrected = _remove_seam(painted, known.pixels, hole)
    view[window.target] = to_depth(corrected[window.target], view.dtype)
    hole[window.target] = False


def _window_input(view: np.ndarray, hole: np.ndarray, size: tuple[int, int], channels: int) -> np.ndarray:
    """Convert a view (h, w, 3) of any depth and its hole (h, w) to (*size, channels + 1) float32 in [-1, 1].

    If the view is resized, no colour of the hole leaks into known pixels.
    """
    colour = to_depth(view, np.float32)
    if hole.shape != size:
        interpolation = cv2.INTER_AREA if size[0] * size[1] < hole.size else cv2.INTER_LINEAR
        share = cv2.resize((~hole).astype(np.float32), size[::-1], interpolation=interpolation)
        blanked = np.where(hole[..., None], view.dtype.type(0), view)
        colour = to_depth(cv2.resize(blanked, size[::-1], interpolation=interpolation), np.float32)
        colour = (colour / np.maximum(share, 1e-3)[..., None]).clip(0, 1)
        hole = share < 0.5
    colour = to_gray(colour)[..., None] if channels == 1 else colour
    return np.dstack((colour * np.float32(2) - np.float32(1), np.where(hole, np.float32(1), np.float32(-1))))


def _remove_seam(painted: np.ndarray, known: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Correct a network's output so that it joins the known pixels; all (h, w, 3) float32 in [0, 1].

    The step at the rim of the hole, from the local mean of the painted pixels inside to that of the known ones outside,
    is averaged along the rim and added to the inside, fading with the distance: the membrane of Perez et al., 2003,
    "Poisson Image Editing", for the rim alone, since the network is the better guess far inside. Large steps are
    probably real edges, and stay.
    """
    # 1. measure the step at the rim
    reach = max(FADE_DEPTH * min(hole.shape), 1.0)
    inside = hole.astype(np.float32)
    sigma = max(LOCAL_SIGMA * reach, 0.7)
    step = _local_mean(known, 1 - inside, sigma) - _local_mean(painted, inside, sigma)
    step /= 1 + np.square(step / LARGE_STEP)
    # 2. average it along the rim, over a longer stretch for pixels that the shorter one does not reach
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    rim = ((depth > 0) & (depth <= 1.5)).astype(np.float32)
    along = max(ALONG_SIGMA * reach, 1.5)
    near, far = (_local_mean(step, rim, sigma) for sigma in (along, 4 * along))
    correction = near + (far - near) * np.clip(depth / (3 * along), 0, 1)[..., None]
    # 3. fade it out towards the middle
    return np.clip(painted + correction * np.exp(-depth / reach)[..., None], 0, 1)


def _local_mean(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Return the Gaussian mean of (h, w, 3) over the pixels whose weight (h, w) is 1; 0 where none is within reach."""
    side = 2 * round(3 * sigma) + 1
    total = cv2.GaussianBlur(values * weight[..., None], (side, side), sigma)
    return total / np.maximum(cv2.GaussianBlur(weight, (side, side), sigma), 1e-6)[..., None]
