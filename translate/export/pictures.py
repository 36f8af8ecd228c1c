"""Real pictures to compare and to calibrate an exported file with: those of the run, or of a folder."""

__all__ = ["find_pictures", "hole_mask", "strokes", "to_size"]

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from translate.checkpoints.recipe import Recipe
from translate.data.files.find import find_images
from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.run_data import run_domains, run_images, run_pairs
from translate.images.io import read_rgb8
from translate.images.picture import to_gray
from translate.inference.inputs.pixels import resize
from translate.tasks import TASKS
from translate.utils.errors import OptionError, UserError
from translate.utils.sequences import spread

STROKES = 12  # of a layer of hints
Read = Callable[[], np.ndarray]


def find_pictures(model: Path, recipe: Recipe, direction: str, pictures: str, count: int) -> list[np.ndarray]:
    """Return up to `count` source pictures, (H, W, 3) uint8: of --pictures, or else held-out ones of the run.

    Raises:
        OptionError: the model lies in no run folder, and no pictures are given.
        UserError: none of them can be read.
    """
    readers = _of_files(pictures, count) if pictures else _of_run(model, recipe, direction, count)
    found = []
    for read in readers:
        with contextlib.suppress(UserError):
            found.append(read())
    if not found:
        raise UserError(f"{pictures or model}: no picture can be read; name others: --pictures FOLDER")
    return found


def _of_files(spec: str, count: int) -> list[Read]:
    return [partial(read_rgb8, path) for path in spread(find_images(spec), count)]


def _of_run(model: Path, recipe: Recipe, direction: str, count: int) -> list[Read]:
    kind = TASKS[recipe.task].data
    try:
        if kind == "paired":
            pairs = run_pairs(model, direction=recipe.directions[0])
            return [partial(_source_of, pair) for pair in spread(pairs.test or pairs.train, count)]
        if kind == "unpaired":
            domain = run_domains(model)["ab".index(direction[0])]
            return [partial(read_rgb8, path) for path in spread(domain.test or domain.train, count)]
        images = run_images(model)
        return [image.read for image in spread(images.test or images.train, count)]
    except OptionError:
        raise OptionError(f"{model} lies in no run folder; say what to compare on: --pictures FOLDER") from None
    except UserError as error:
        raise UserError(f"the pictures of the run are gone ({error}); name others: --pictures FOLDER") from None


def _source_of(pair: Pair) -> np.ndarray:
    return read_pair(pair)[0]


def to_size(picture: np.ndarray, channels: int, height: int, width: int) -> np.ndarray:
    """Crop (H, W, 3) to the aspect ratio of a size, in the middle, and resize it: (height, width, channels)."""
    rows, columns = picture.shape[:2]
    scale = min(rows / height, columns / width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (rows - h) // 2, (columns - w) // 2
    cut = resize(np.ascontiguousarray(picture[top : top + h, left : left + w]), (height, width))
    gray = to_gray(cut)[..., None]
    return gray if channels == 1 else cut if channels == 3 else np.repeat(gray, channels, axis=2)


def hole_mask(height: int, width: int) -> np.ndarray:
    """Draw a hole off the middle and a scratch: (height, width, 1) float32, 1 in the hole and -1 elsewhere."""
    mask = np.full((height, width), -1, np.float32)
    mask[height // 4 : height // 2, width // 3 : 3 * width // 4] = 1
    cv2.line(mask, (0, height - 2), (width // 2, height // 2), 1, max(1, height // 32))
    return mask[..., None]


def strokes(picture: np.ndarray) -> np.ndarray:
    """Draw strokes in colours of (H, W, C) uint8 on a clear layer: (H, W, 4) float32 in [-1, 1]."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng(0)
    layer = np.full((height, width, 4), -1, np.float32)
    for _ in range(STROKES):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        colour = (*(float(v) for v in rng.uniform(-1, 1, 3)), 1.0)
        cv2.line(layer, (x, y), (x + width // 8, y + height // 12), colour, max(2, height // 40))
    return layer
