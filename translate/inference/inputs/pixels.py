"""Pictures as networks want them, still arrays: channels, scale, line drawings, colour hints, without torch."""

__all__ = [
    "ALWAYS_FITS_PX", "MIN_SIDE_PX", "check_channels", "hint_planes", "network_size", "resize", "source_planes",
    "to_planes",
]  # fmt: skip

import cv2
import numpy as np

from translate.checkpoints.recipe import Recipe
from translate.images.line_drawings import ink_share, is_line_drawing, paper_tone, tidy_sketch
from translate.images.picture import Picture, flatten_alpha, to_depth, to_gray
from translate.utils.errors import UserError
from translate.utils.program import command_form

ALWAYS_FITS_PX = 2**20  # pixels that fit in the memory of any machine, so that no time is spent on measuring
MIN_SIDE_PX = 16  # smaller pictures are padded: networks would shrink them until norms have nothing to average over
# Photos have wide areas of many tones or much colour, line drawings have not:
PHOTO_TEST_SIDE_PX = 256  # shorter side to which pictures are shrunk, so that strokes have a known width
MIN_PHOTO_SIDE_PX = 64  # in smaller pictures, strokes are as wide as objects, so all of them pass as drawings
MAX_STROKE_SHARE = 17 / PHOTO_TEST_SIDE_PX  # of the shorter side; wider areas are no strokes
MAX_FILLED_SHARE = 0.02  # of the picture; drawings, too, have a few filled areas
MAX_PEN_TONE_RANGE = 34  # levels of 255; areas with a wider range of tones were not filled with a pen
COLOUR_AREA_SHARE, COLOUR_SPREAD = 0.1, 40  # of the picture, and levels between channels: more than a pen leaves


def check_channels(picture: Picture, channels: int, name: str) -> None:
    """Raise UserError unless a picture has the model's channels; gray and RGB can replace each other."""
    has = picture.channels
    if has != channels and not (has in (1, 3) and channels in (1, 3)):
        clear = " and transparency" if picture.alpha is not None else ""
        raise UserError(
            f"{name}: has {has} channel{'s' * (has > 1)}{clear}, but this model takes {channels}; give it pictures of"
            f" {channels}, or train one on pictures like this"
        )


def network_size(recipe: Recipe, height: int, width: int, scale: str = "fit") -> tuple[int, int]:
    """Return the height and width of the network input for a picture of height x width px.

    A model trained on whole pictures has seen objects at one scale only, so the shorter side is resized to the trained
    size, unless `scale` is "native".
    """
    shorter = min(height, width)
    if not recipe.whole or scale == "native" or shorter == recipe.size:
        return height, width
    return round(height * recipe.size / shorter), round(width * recipe.size / shorter)


def source_planes(
    recipe: Recipe, picture: Picture, channels: int, size: tuple[int, int], name: str, *, flat: bool
) -> np.ndarray:
    """Convert a source picture to (*size, channels) of its own depth; `flat`: composite transparent ones on white.

    Raise UserError for other channels, and for a blank page or a photo if the model takes line drawings.
    """
    if classes := recipe.classes_of("a"):
        numbers = resize(classes.encode(picture, name)[..., None], size, nearest=True).reshape(*size, 1)
        return (numbers == np.arange(len(classes), dtype=np.uint8)) * np.uint8(255)
    check_channels(picture, channels, name)
    pixels = flatten_alpha(picture) if flat else picture.pixels
    if recipe.facts.get("sketch"):
        pixels = _to_sketch(pixels, min(size), name)
    return to_planes(pixels, channels, size, labels="a" in recipe.facts.get("labels", ""))


def to_planes(pixels: np.ndarray, channels: int, size: tuple[int, int], labels: bool = False) -> np.ndarray:
    """Convert (H, W, 3) RGB, or (H, W, channels) bands, to (*size, channels), without interpolation of `labels`."""
    pixels = resize(pixels, size, nearest=labels)
    return to_gray(pixels)[..., None] if channels == 1 else pixels


def _to_sketch(pixels: np.ndarray, side: int, name: str) -> np.ndarray:
    """Convert (H, W, 3) RGB of any depth to dark lines on white, with a shorter side of `side` px.

    A clean drawing of that size keeps its bits; a blank page or a photo raises UserError.
    """
    rgb = to_depth(pixels, np.uint8)
    if _is_photo(rgb):
        raise UserError(
            f"{name}: looks like a colour photo, but this model was trained on line drawings;"
            f" make one with {command_form('make-sketches')}"
        )
    if min(rgb.shape[:2]) == side and _is_clean(rgb):
        return pixels
    lines = tidy_sketch(rgb, side)
    if not ink_share(lines):
        raise UserError(f"{name}: is empty: there are no lines to go by")
    return lines[..., None].repeat(3, axis=2)


def _is_clean(rgb: np.ndarray) -> bool:
    """Whether (H, W, 3) uint8 has dark lines on white, and no colour."""
    darkest = rgb.min(axis=2)
    coloured = (rgb.max(axis=2) - darkest > 40).mean()
    return bool(np.median(darkest) >= 250 and darkest.min() < 160 and coloured < 0.005)


def _is_photo(rgb: np.ndarray) -> bool:
    """Whether (H, W, 3) uint8 RGB has areas of many tones, or much colour, that are wider than any stroke."""
    if min(rgb.shape[:2]) < MIN_PHOTO_SIDE_PX or is_line_drawing(rgb):
        return False
    # 1. divide out the tone of paper and light: a drawing may have been photographed in the shade
    shrink = max(1.0, min(rgb.shape[:2]) / PHOTO_TEST_SIDE_PX)
    size = max(1, round(rgb.shape[1] / shrink)), max(1, round(rgb.shape[0] / shrink))
    small = cv2.GaussianBlur(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), (0, 0), 1)
    white = np.percentile(small.reshape(-1, 3), 90, axis=0).clip(40)
    neutral = np.clip(255 * (small / white), 0, 255).astype(np.uint8)
    balanced = 255 * np.clip(neutral / paper_tone(neutral.max(axis=2))[..., None], 0, 1)
    # 2. find areas that are wider than a stroke
    marked = (balanced.min(axis=2) < 0.8 * 255).astype(np.uint8)
    wide = round(MAX_STROKE_SHARE * min(size)) | 1
    areas = cv2.morphologyEx(marked, cv2.MORPH_OPEN, np.ones((wide, wide), np.uint8))
    areas &= cv2.erode(marked, np.ones((wide // 2 | 1,) * 2, np.uint8))  # edges have many tones in any picture
    if areas.mean() < MAX_FILLED_SHARE:
        return False
    # 3. compare their tones and colours with those of a pen
    inside = balanced[areas > 0]
    shading = np.ptp(np.percentile(inside, (20, 80), axis=0), axis=0).max()
    colour = np.ptp(np.median(inside, axis=0))
    return bool(shading > MAX_PEN_TONE_RANGE or (areas.mean() > COLOUR_AREA_SHARE and colour > COLOUR_SPREAD))


def hint_planes(
    layer: Picture, picture_size: tuple[int, int], size: tuple[int, int], name: str
) -> np.ndarray:  # fmt: skip
    """Convert a layer of colour hints, transparent between the strokes, to (*size, 4) float32 in [0, 1], RGBA.

    Raises:
        UserError: another size than the picture's, or no transparency.
    """
    (height, width), (h, w) = picture_size, layer.pixels.shape[:2]
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
    return np.dstack((colour / np.maximum(alpha, 1e-6), alpha))


def resize(pixels: np.ndarray, size: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Resize (H, W, C) of any depth to a height and width, with area interpolation to shrink and Lanczos to enlarge."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    shrinks = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    interpolation = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    parts = (np.ascontiguousarray(pixels[..., i : i + 4]) for i in range(0, pixels.shape[2], 4))  # OpenCV's limit
    result = np.dstack([cv2.resize(part, size[::-1], interpolation=interpolation) for part in parts])
    return result.clip(0, 1) if pixels.dtype == np.float32 else result
