"""Coloured strokes as a user would put them on a sketch, drawn after the photo that the sketch is to become."""

__all__ = ["sample_hints"]

import math

import cv2
import numpy as np

MOST = 20  # strokes
THINNEST, WIDEST = 0.01, 0.04  # width of a stroke over the shorter side
LONGEST = 0.5  # length of a stroke over the shorter side
DOTS = 0.3  # share of strokes that are mere dots
STEPS = 12  # straight pieces of a stroke
CURVE = 0.35  # standard deviation of the turn at each, radians
SIMILAR = 30  # a stroke ends where a channel departs by more than this from its colour
WHITE, ON_WHITE = 225, 0.05  # lighter places are paper, where few strokes start
GRAIN = 4  # px: colours are means over squares of this side


def sample_hints(photo: np.ndarray, rng: np.random.Generator, *, absent: float = 0.2) -> np.ndarray:
    """Draw what a user might who wants the colours of `photo`: 1 to 20 scribbles and dots, few more often than many.

    A stroke has the photo's mean colour where it starts, and ends where the photo has another.

    Args:
        photo: (H, W, C) uint8, C of 1 or 3.
        rng: all that is random.
        absent: how often nothing is drawn.

    Returns:
        (H, W, 4) uint8 RGBA: alpha is 255 on strokes; all else is 0.
    """
    height, width = photo.shape[:2]
    layer = np.zeros((height, width, 4), np.uint8)
    if rng.random() < absent:
        return layer
    means = _means(photo)
    side, count = min(height, width), int(MOST ** rng.random() * (1 + 1 / MOST))
    points = _paths(rng, _starts(rng, means, count), side)
    widths = side * rng.uniform(THINNEST, WIDEST, count)
    colours, lengths = _follow(means, points, widths)
    for path, length, colour, thickness in zip(points, lengths, colours, widths, strict=True):
        corners = np.rint(path[:length] - 0.5).astype(np.int32)  # pixel 0 has its middle at 0.5
        corners = np.concatenate([corners[:1], corners])  # OpenCV draws no line of one corner
        cv2.polylines(layer, [corners], False, (*colour.tolist(), 255), max(1, round(thickness)))
    return layer


def _means(photo: np.ndarray) -> np.ndarray:
    """Return the mean RGB colour of each square of GRAIN px: (H', W', 3) int16."""
    size = [-(-side // GRAIN) for side in photo.shape[1::-1]]
    small = cv2.resize(np.ascontiguousarray(photo), size, interpolation=cv2.INTER_AREA)
    return np.broadcast_to(small.reshape(*small.shape[:2], -1), (*small.shape[:2], 3)).astype(np.int16)


def _starts(rng: np.random.Generator, means: np.ndarray, count: int) -> np.ndarray:
    """Return where `count` strokes start, (count, 2) px as x, y: mostly not on paper, if there is anything else."""
    drawn, everywhere = np.flatnonzero(means.min(2) <= WHITE), means.shape[0] * means.shape[1]
    cells = rng.integers(0, everywhere, count)
    if drawn.size:
        cells = np.where(rng.random(count) < ON_WHITE, cells, rng.choice(drawn, count))
    return GRAIN * (np.stack([cells % means.shape[1], cells // means.shape[1]], 1) + rng.random((count, 2)))


def _paths(rng: np.random.Generator, starts: np.ndarray, side: int) -> np.ndarray:
    """Return curved paths from `starts`, (n, 2): (n, STEPS + 1, 2) px as x, y; those of dots have no length."""
    count = len(starts)
    turns = rng.normal(0, CURVE, (count, STEPS)) + rng.normal(0, CURVE, (count, 1))  # the latter makes arcs
    angles = rng.uniform(0, 2 * math.pi, (count, 1)) + turns.cumsum(1)
    step = rng.uniform(0.05, LONGEST, (count, 1)) * side / STEPS * (rng.random((count, 1)) > DOTS)
    moves = np.stack([np.cos(angles), np.sin(angles)], -1) * step[..., None]
    return np.concatenate([starts[:, None], starts[:, None] + moves.cumsum(1)], 1)


def _follow(means: np.ndarray, points: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the colour of each path, (n, 3), and how many of its points are drawn, (n,), at least 1.

    Both edges of the stroke must stay on the colour, and inside the picture.
    """
    ahead = np.diff(points, axis=1, append=points[:, -1:])
    across = ahead[..., ::-1] * (-1, 1) / np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-6)[..., None]
    margin = across * widths[:, None, None] / 2
    places = np.stack([points, points - margin, points + margin], 2) / GRAIN
    x, y = np.moveaxis(places.astype(np.int32), -1, 0)
    height, width = means.shape[:2]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = means[y.clip(0, height - 1), x.clip(0, width - 1)]
    colours = found[:, 0, 0]
    similar = np.abs(found - colours[:, None, None]).max(-1) <= SIMILAR
    goes_on = (inside & similar).all(2)
    goes_on[:, 0] = True
    return colours, np.where(goes_on.all(1), goes_on.shape[1], goes_on.argmin(1))
