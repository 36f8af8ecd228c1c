"""The kinds of random holes. A mask is (H, W) bool, True in the hole, whose area is about the requested share."""

__all__ = ["KINDS"]

import functools
import math
from collections.abc import Callable

import cv2
import numpy as np

Draw = Callable[[int, int, np.random.Generator, float], np.ndarray]

REFERENCE_SIDE_PX = 256  # shorter side of a picture in which scratches and salt have the px sizes below
THICK_STROKE_SHARE = 0.4  # smaller holes have thinner strokes, so that several fit in
STROKE_WIDTHS = (0.1, 0.4)  # over the shorter side
SCRATCH_WIDTHS_PX = (1.0, 3.0)
MAX_GRAIN_PX = 1.5  # standard deviation of the blur that makes the largest grains of salt
MAX_LINES = 1000  # strokes or scratches of one mask
MAX_PIECES = 12  # boxes or blobs of one mask
TOLERANCE = 0.06  # of the requested area; less is not worth another box or blob
MAX_BOX_ASPECT = 3.0
BLOB_CORNERS = 72


# ---- lines


def _strokes(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Draw thick curved strokes with round ends and joints; small holes have thinner and shorter ones."""
    side = min(height, width)
    scale = side * min(1.0, math.sqrt(share / THICK_STROKE_SHARE))
    widths = (STROKE_WIDTHS[0] * scale, STROKE_WIDTHS[1] * scale)
    return _draw_lines(height, width, rng, share, widths=widths, lengths=(0.3 * side, 1.2 * side), turn=0.45)


def _scratches(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Draw thin, long, nearly straight lines."""
    side = min(height, width)
    widths = (SCRATCH_WIDTHS_PX[0] * side / REFERENCE_SIDE_PX, SCRATCH_WIDTHS_PX[1] * side / REFERENCE_SIDE_PX)
    return _draw_lines(height, width, rng, share, widths=widths, lengths=(0.4 * side, 1.6 * side), turn=0.12)


def _draw_lines(
    height: int,
    width: int,
    rng: np.random.Generator,
    share: float,
    *,
    widths: tuple[float, float],
    lengths: tuple[float, float],
    turn: float,
) -> np.ndarray:
    """Draw lines until the share is reached, and shorten the last one; widths and lengths are in px."""
    canvas, goal = np.zeros((height, width), np.uint8), share * height * width
    for _ in range(MAX_LINES):
        path = _draw_path(rng, (width, height), rng.uniform(*lengths), turn)
        thickness = max(1, round(rng.uniform(*widths)))
        drawn = _add_line(canvas, path, thickness, 1.0)
        if cv2.countNonZero(drawn) >= goal:
            drawn = _add_line(canvas, path, thickness, _find_length(goal, canvas, path, thickness))
            missing, over = goal - cv2.countNonZero(canvas), cv2.countNonZero(drawn) - goal
            return (canvas if missing < over and canvas.any() else drawn).astype(bool)
        canvas = drawn
    return canvas.astype(bool)


def _draw_path(rng: np.random.Generator, size: tuple[int, int], length: float, turn: float) -> np.ndarray:
    """Draw a random curve of 12 segments that starts in the picture: (13, 2) px as x, y.

    `turn` is the standard deviation in radians of the turn at a corner; half as much bends the whole curve.
    """
    steps = 12
    angles = rng.uniform(0, 2 * math.pi) + (rng.normal(0, turn, steps) + rng.normal(0, turn / 2)).cumsum()
    moves = length / steps * np.stack([np.cos(angles), np.sin(angles)], 1)
    return rng.uniform(0, size) + np.concatenate([np.zeros((1, 2)), moves.cumsum(0)])


def _add_line(canvas: np.ndarray, path: np.ndarray, thickness: int, part: float) -> np.ndarray:
    """Return a copy of `canvas` with the first `part`, 0 to 1, of a line; 0 draws a dot."""
    whole = int(position := part * (len(path) - 1))
    end = path[whole] + (position - whole) * (path[min(whole + 1, len(path) - 1)] - path[whole])
    corners = np.floor(np.concatenate([path[: whole + 1], end[None]])).astype(np.int32)
    return cv2.polylines(canvas.copy(), [corners], False, 1, thickness)


def _find_length(goal: float, canvas: np.ndarray, path: np.ndarray, thickness: int) -> float:
    """Find the part of a line, 0 to 1, that brings the area to `goal` px, by bisection."""
    short, long = 0.0, 1.0
    for _ in range(8):
        middle = (short + long) / 2
        enough = cv2.countNonZero(_add_line(canvas, path, thickness, middle)) >= goal
        short, long = (short, middle) if enough else (middle, long)
    return short


# ---- pieces


def _draw_pieces(
    height: int,
    width: int,
    rng: np.random.Generator,
    share: float,
    add: Callable[[np.ndarray, np.random.Generator, float], None],
) -> np.ndarray:
    """Add pieces, which may overlap, of all or a part of the missing area, until the share is nearly reached."""
    canvas, goal = np.zeros((height, width), np.uint8), share * height * width
    for _ in range(MAX_PIECES):
        missing = goal - cv2.countNonZero(canvas)
        if missing < TOLERANCE * goal:
            break
        add(canvas, rng, max(1.0, missing * (1.0 if rng.random() < 0.5 else rng.uniform(0.3, 0.8))))
    return canvas.astype(bool)


def _add_box(canvas: np.ndarray, rng: np.random.Generator, area: float) -> None:
    """Draw a box of `area` px inside the picture, its aspect ratio up to MAX_BOX_ASPECT."""
    height, width = canvas.shape
    tall = math.sqrt(area * MAX_BOX_ASPECT ** rng.uniform(-1, 1))
    wide = min(width, max(1, round(area / min(height, tall))))
    tall = min(height, max(1, round(area / wide)))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    canvas[top : top + tall, left : left + wide] = 1


def _add_blob(canvas: np.ndarray, rng: np.random.Generator, area: float) -> None:
    """Draw a smooth shape of `area` px, its outline a short Fourier series, its center in the picture."""
    angles, orders = np.linspace(0, 2 * math.pi, BLOB_CORNERS, endpoint=False), np.arange(2, 8)
    waves = np.cos(orders * angles[:, None] + rng.uniform(0, 2 * math.pi, orders.size))
    radius = np.exp(waves @ rng.normal(0, 0.6 / orders**1.3))
    x, y = radius * np.cos(angles), radius * np.sin(angles)
    extent = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    outline = np.stack([x, y], 1) * math.sqrt(area / extent) + rng.uniform(0, canvas.shape[::-1])
    cv2.fillPoly(canvas, [np.floor(outline).astype(np.int32)], 1)


# ---- halves, salt, centre


def _halves(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Mask one side of a line: vertical or horizontal half of the time, else in any direction."""
    angle = rng.integers(4) * math.pi / 2 if rng.random() < 0.5 else rng.uniform(0, 2 * math.pi)
    across = np.arange(width, dtype=np.float32) * np.float32(math.cos(angle))
    down = np.arange(height, dtype=np.float32) * np.float32(math.sin(angle))
    return _mask_lowest(down[:, None] + across, share)


def _salt(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Scatter pixels or, half of the time, larger grains: the lowest values of blurred noise."""
    noise = rng.random((height, width), np.float32)
    blur = MAX_GRAIN_PX * min(height, width) / REFERENCE_SIDE_PX * rng.uniform(-1, 1)
    return _mask_lowest(cv2.GaussianBlur(noise, (0, 0), blur) if blur > 0.3 else noise, share)


def _centre(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Mask the central box of half of each side, whatever the share (Pathak et al., 2016, section 3.2)."""
    mask, tall, wide = np.zeros((height, width), bool), max(1, height // 2), max(1, width // 2)
    top, left = (height - tall) // 2, (width - wide) // 2
    mask[top : top + tall, left : left + wide] = True
    return mask


def _mask_lowest(values: np.ndarray, share: float) -> np.ndarray:
    """Mask the share of the pixels with the lowest values, (H, W) float32."""
    count = min(max(1, round(share * values.size)), values.size - 1)
    return values < np.partition(values, count, axis=None)[count]


KINDS: dict[str, Draw] = {
    "strokes": _strokes,
    "boxes": functools.partial(_draw_pieces, add=_add_box),
    "blobs": functools.partial(_draw_pieces, add=_add_blob),
    "halves": _halves,
    "scratches": _scratches,
    "salt": _salt,
    "centre": _centre,
}
