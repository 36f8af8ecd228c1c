"""Colour hints: strokes as a user would paint on a sketch, drawn from its target photo."""

__all__ = ["sample_hints"]

import math

import cv2
import numpy as np

MAX_STROKES = 20
MIN_WIDTH, MAX_WIDTH = 0.01, 0.04  # of a stroke, over the shorter side
MAX_LENGTH = 0.5  # of a stroke, over the shorter side
DOT_SHARE = 0.3  # of the strokes
STROKE_SEGMENTS = 12  # straight pieces of a stroke
TURN_STD_RAD = 0.35  # radians, standard deviation of the turn between two segments
COLOUR_TOLERANCE = 30  # per channel; a stroke ends where the photo differs more from its colour
PAPER_LEVEL = 225  # brighter cells are paper
PAPER_START_SHARE = 0.05  # few strokes start on paper
CELL_PX = 4  # colours are means over squares of this side


def sample_hints(photo: np.ndarray, rng: np.random.Generator, *, absent: float = 0.2) -> np.ndarray:
    """Draw 1 to 20 strokes and dots in the colours of `photo`, (H, W, C) uint8 with C = 1 or 3; few are likelier.

    A stroke has the photo's mean colour at its start, and ends where the photo's colour changes. With probability
    `absent` there are no strokes. Return (H, W, 4) uint8 RGBA: alpha is 255 on strokes; all else is 0.
    """
    height, width = photo.shape[:2]
    layer = np.zeros((height, width, 4), np.uint8)
    if rng.random() < absent:
        return layer
    means = _cell_means(photo)
    side, count = min(height, width), int(MAX_STROKES ** rng.random() * (1 + 1 / MAX_STROKES))
    points = _draw_paths(rng, _draw_starts(rng, means, count), side)
    widths = side * rng.uniform(MIN_WIDTH, MAX_WIDTH, count)
    colours, lengths = _follow_colours(means, points, widths)
    for path, length, colour, thickness in zip(points, lengths, colours, widths, strict=True):
        corners = np.rint(path[:length] - 0.5).astype(np.int32)  # the centre of pixel 0 is at 0.5
        corners = np.concatenate([corners[:1], corners])  # OpenCV draws no line of one corner
        cv2.polylines(layer, [corners], False, (*colour.tolist(), 255), max(1, round(thickness)))
    return layer


def _cell_means(photo: np.ndarray) -> np.ndarray:
    """Return the mean RGB colour of each square of CELL_PX: (H', W', 3) int16."""
    size = [-(-side // CELL_PX) for side in photo.shape[1::-1]]
    small = cv2.resize(np.ascontiguousarray(photo), size, interpolation=cv2.INTER_AREA)
    return np.broadcast_to(small.reshape(*small.shape[:2], -1), (*small.shape[:2], 3)).astype(np.int16)


def _draw_starts(rng: np.random.Generator, means: np.ndarray, count: int) -> np.ndarray:
    """Return the starts of `count` strokes, (count, 2) px as x, y: mostly off the paper, where possible."""
    off_paper, cell_count = np.flatnonzero(means.min(2) <= PAPER_LEVEL), means.shape[0] * means.shape[1]
    cells = rng.integers(0, cell_count, count)
    if off_paper.size:
        cells = np.where(rng.random(count) < PAPER_START_SHARE, cells, rng.choice(off_paper, count))
    return CELL_PX * (np.stack([cells % means.shape[1], cells // means.shape[1]], 1) + rng.random((count, 2)))


def _draw_paths(rng: np.random.Generator, starts: np.ndarray, side: int) -> np.ndarray:
    """Return curved paths from `starts`, (n, 2): (n, STROKE_SEGMENTS + 1, 2) px as x, y; dots have length 0."""
    count = len(starts)
    turns = rng.normal(0, TURN_STD_RAD, (count, STROKE_SEGMENTS))
    turns += rng.normal(0, TURN_STD_RAD, (count, 1))  # bends the whole stroke to an arc
    angles = rng.uniform(0, 2 * math.pi, (count, 1)) + turns.cumsum(1)
    step = rng.uniform(0.05, MAX_LENGTH, (count, 1)) * side / STROKE_SEGMENTS * (rng.random((count, 1)) > DOT_SHARE)
    moves = np.stack([np.cos(angles), np.sin(angles)], -1) * step[..., None]
    return np.concatenate([starts[:, None], starts[:, None] + moves.cumsum(1)], 1)


def _follow_colours(means: np.ndarray, points: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the colour of each path, (n, 3), and how many of its points are drawn, (n,), at least 1.

    A path ends where one of its edges leaves the colour or the picture.
    """
    # find the cells under each path's centre line and its two edges
    ahead = np.diff(points, axis=1, append=points[:, -1:])
    across = ahead[..., ::-1] * (-1, 1) / np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-6)[..., None]
    margin = across * widths[:, None, None] / 2
    cells = np.stack([points, points - margin, points + margin], 2) / CELL_PX
    x, y = np.moveaxis(cells.astype(np.int32), -1, 0)

    # end each path at the first cell that is outside or differs from the colour of the start
    height, width = means.shape[:2]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    sampled = means[y.clip(0, height - 1), x.clip(0, width - 1)]
    colours = sampled[:, 0, 0]
    similar = np.abs(sampled - colours[:, None, None]).max(-1) <= COLOUR_TOLERANCE
    continues = (inside & similar).all(2)
    continues[:, 0] = True
    return colours, np.where(continues.all(1), continues.shape[1], continues.argmin(1))
