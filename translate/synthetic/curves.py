"""Curves of products: Catmull-Rom outlines, offsets of them, and the masks that they fill.

Curves are (N, 2) float32 arrays of (right, up) points in a product's own units, or of (column, row) px of a canvas.
"""

__all__ = [
    "Box", "Points", "section", "bounding_box", "curve", "dashes", "ellipse", "fill", "offset", "ribbon", "resample",
]  # fmt: skip

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from translate.synthetic.arrays import Array, Picture, f32

Points = Array | Sequence[Any]  # (N, 2), or one point (2,)
Box = tuple[slice, slice]  # rows and columns of a canvas
FRACTION_BITS = 4  # OpenCV's fixed-point bits: curves are drawn to 1/16 px


def curve(points: Points, closed: bool = True, density: int = 12) -> Array:
    """Return a smooth curve through `points` (N, 2): centripetal Catmull-Rom, without loops or overshoot.

    A point given twice in a row is a corner. C. Yuksel et al., "Parameterization and applications of
    Catmull-Rom curves" (2011).

    Args:
        points: the control points.
        closed: join the last point to the first.
        density: points of the result per control point.
    """
    p = f32(points)
    corners = [i for i in range(len(p) - 1) if np.array_equal(p[i], p[i + 1])]
    if not corners:
        return _smooth(p, density, closed)
    if closed:  # start and end at a corner
        first = corners[0] + 1
        p = np.concatenate([np.roll(p, -first, axis=0), p[first][None]])
        p = p[:-1] if np.array_equal(p[-1], p[-2]) else p
        corners = [i for i in range(len(p) - 1) if np.array_equal(p[i], p[i + 1])]
    runs = np.split(p, [i + 1 for i in corners])
    return np.concatenate([_smooth(run, density, False) for run in runs if len(run) > 1])


def _smooth(p: Array, density: int, closed: bool) -> Array:
    """Return a Catmull-Rom curve without corners."""
    before, after = (p[-1:], p[:2]) if closed else (2 * p[:1] - p[1:2], 2 * p[-1:] - p[-2:-1])
    p = np.concatenate([before, p, after])
    steps = np.sqrt(np.maximum(np.linalg.norm(np.diff(p, axis=0), axis=1), 1e-6))
    last, now, next_ = (steps[k : len(steps) - 2 + k, None] for k in range(3))
    a, b, c, d = (p[k : len(p) - 3 + k] for k in range(4))
    leaving = (c - b) - (c - a) * (now / (last + now)) + (b - a) * (now / last)
    arriving = (c - b) - (d - b) * (now / (now + next_)) + (d - c) * (now / next_)
    t = np.linspace(0, 1, density, endpoint=False, dtype=np.float32)[:, None, None]
    body = b + t * (leaving + t * (3 * (c - b) - 2 * leaving - arriving + t * (leaving + arriving - 2 * (c - b))))
    path = body.transpose(1, 0, 2).reshape(-1, 2)
    return path if closed else np.concatenate([path, c[-1:]])


def _lengths_along(path: Array) -> Array:
    """Return the length of `path` up to each of its points."""
    return np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])


def resample(path: Array, step: float) -> Array:
    """Resample `path` to points `step` apart."""
    lengths = _lengths_along(path)
    at = np.linspace(0, lengths[-1], max(2, round(float(lengths[-1]) / step) + 1))
    return f32(np.stack([np.interp(at, lengths, path[:, k]) for k in (0, 1)], 1))


def section(path: Array, start: float, stop: float) -> Array:
    """Return the piece of `path` between two shares of its length; backwards if stop < start."""
    lengths = _lengths_along(path)
    at = np.linspace(start, stop, max(2, round(abs(stop - start) * len(path)) + 1)) * lengths[-1]
    return f32(np.stack([np.interp(at, lengths, path[:, k]) for k in (0, 1)], 1))


def _normals(path: Array, closed: bool) -> Array:
    """Return unit vectors to the left of the direction of travel, where up is positive."""
    p = np.concatenate([path[-1:], path, path[:1]]) if closed else np.pad(path, ((1, 1), (0, 0)), mode="edge")
    along = p[2:] - p[:-2]
    normals = np.stack([-along[:, 1], along[:, 0]], 1)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def offset(path: Array, distance: float, closed: bool = True) -> Array:
    """Move `path` sideways by `distance`: to the left of an open path, to the inside of a closed one."""
    if closed:
        x, y = path[:, 0], path[:, 1]
        turn = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
        distance *= 1 if turn > 0 else -1
    return path + distance * _normals(path, closed)


def ribbon(path: Array, width: ArrayLike) -> Array:
    """Return the outline of a band along the open `path`, `width` (a number, or one per point) across."""
    half = 0.5 * np.broadcast_to(f32(width), (len(path),))[:, None] * _normals(path, False)
    return np.concatenate([path + half, (path - half)[::-1]])


def ellipse(centre: Points, radius: ArrayLike, turn: float = 0.0) -> Array:
    """Return the outline of an ellipse of the two radii (or one), turned by `turn` radians."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    x, y = np.broadcast_to(f32(radius), (2,))[:, None] * np.stack([np.cos(angle), np.sin(angle)])
    cos, sin = np.cos(turn), np.sin(turn)
    return f32(np.stack([cos * x - sin * y, sin * x + cos * y], 1)) + f32(centre)


def dashes(path: Array, on: float, off: float) -> list[Array]:
    """Cut `path` into straight dashes about `on` long and `off` apart, a whole number of them."""
    lengths = _lengths_along(path)
    count = max(1, round(float(lengths[-1]) / (on + off)))
    starts = np.arange(count) * lengths[-1] / count
    ends = starts + on / (on + off) * lengths[-1] / count
    corners = [np.interp(at, lengths, path[:, k]) for at in (starts, ends) for k in (0, 1)]
    return list(f32(np.stack(corners, 1)).reshape(count, 2, 2))


def to_fixed_point(path: Array) -> Picture:
    """Return `path` in the fixed-point numbers of OpenCV's drawing functions."""
    return np.round(path * (1 << FRACTION_BITS)).astype(np.int32)


def bounding_box(paths: Sequence[Array], pad: float, edge: int) -> Box | None:
    """Return the rows and columns of a canvas `edge` px wide that `paths` (px) with `pad` px around them cover."""
    low = np.min([path.min(0) for path in paths], axis=0) - pad
    high = np.max([path.max(0) for path in paths], axis=0) + pad + 1
    left, top = (max(0, int(v)) for v in low)
    right, bottom = (min(edge, int(np.ceil(v))) for v in high)
    return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None


def fill(paths: Sequence[Array], box: Box) -> Array:
    """Return the coverage (h, w) in [0, 1] of the closed `paths` (px), seen through `box`."""
    mask = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
    corner = f32([box[1].start, box[0].start])
    for path in paths:
        cv2.fillPoly(mask, [to_fixed_point(path - corner)], 255, cv2.LINE_AA, FRACTION_BITS)
    return mask.astype(np.float32) / 255
