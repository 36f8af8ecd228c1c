"""Handwritten digits, white on black, laid out as in MNIST with a border: 20 of 32 px high, centred by mass."""

__all__ = ["draw_digit", "jobs"]

from functools import partial

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.digits.strokes import SHAPES, Strokes
from translate.synthetic.draw_all import Job

Rng = np.random.Generator

SUPERSAMPLING = 4  # factor: smooth edges need more pixels than the picture has
STROKE_PIECES = 8  # straight pieces between two points of a stroke
DIGIT_HEIGHT = 18 / 32  # between centre lines, over the picture's edge
PEN_WIDTH = 2.15 / 32  # median, over the picture's edge
SLANT = 0.2  # mean shear of a right-handed writer, horizontal over vertical
FRACTION_BITS = 4  # bits of a pixel's fraction in OpenCV's coordinates


def draw_digit(digit: int, seed: tuple[int, ...], size: int) -> tuple[Picture]:
    """Draw `digit`, (size, size) uint8, in the handwriting `seed`."""
    rng = np.random.default_rng(seed)
    strokes = _lay_out(_write(SHAPES[digit](rng), rng), rng)
    canvas = _ink(strokes, rng, SUPERSAMPLING * size)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return (_centre(small, rng),)


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of both splits, cycling through the ten digits."""
    return [
        Job(partial(draw_digit, k % 10), (seed, split, k), size, (f"{name}/{k % 10}/{k:05d}.png",))
        for split, (name, count) in enumerate((("train", train), ("test", test)))
        for k in range(count)
    ]


def _write(strokes: Strokes, rng: Rng) -> Strokes:
    """Jitter the points of a shape like an unsteady hand, and join them by curves: (n, 2) each."""
    sloppy = 0.007 * np.exp(rng.normal(0, 0.4))
    turn, phase = rng.normal(0, 3.5, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
    bend = rng.normal(0, 4 * sloppy, 2)
    curves = []
    for points in strokes:
        moved = points + bend * np.sin(points @ turn + phase)  # neighbouring points move together
        corner = np.append(False, (points[1:] == points[:-1]).all(1))
        moves = rng.normal(0, sloppy, points.shape)
        moves[corner] = moves[np.flatnonzero(corner) - 1]
        curves.append(_curve(f32(moved + moves)))
    return curves


def _curve(points: Array) -> Array:
    """Join (n, 2) by Catmull-Rom splines, with corners at repeated points."""
    ends = np.flatnonzero((points[1:] == points[:-1]).all(1)) + 1
    return np.concatenate([_spline(part) for part in np.split(points, ends) if len(part) > 1])


def _spline(points: Array) -> Array:
    """Return the points of a Catmull-Rom spline through (n, 2)."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, here, there, after = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, STROKE_PIECES, endpoint=False, dtype=np.float32)[None, :, None]
    even = 2 * here + (there - before) * t
    bent = (2 * before - 5 * here + 4 * there - after) * t**2 + (3 * (here - there) + after - before) * t**3
    return np.concatenate([((even + bent) / 2).reshape(-1, 2), points[-1:]])


def _lay_out(strokes: Strokes, rng: Rng) -> Strokes:
    """Slant, turn, widen and scale a digit to coordinates in -0.5 to 0.5."""
    slant, turn, wide = rng.normal(SLANT, 0.2), rng.normal(0, 0.07), np.exp(rng.normal(0, 0.16))
    shear = f32([[wide, 0], [-slant, 1]])
    turned = f32([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    placed = [points @ shear @ turned for points in strokes]
    everything = np.concatenate(placed)
    low, high = everything.min(0), everything.max(0)
    scale = DIGIT_HEIGHT / max(high - low) * np.exp(rng.normal(-0.06, 0.05))
    return [(points - (low + high) / 2) * scale for points in placed]


def _ink(strokes: Strokes, rng: Rng, edge: int) -> Picture:
    """Draw strokes with a soft pen whose pressure varies along each stroke: (edge, edge) gray."""
    canvas = np.zeros((edge, edge), np.uint8)
    pen = PEN_WIDTH * edge * np.clip(np.exp(rng.normal(0, 0.26)), 0.55, 1.6)
    pressed, phase, rate = rng.uniform(0, 0.25), rng.uniform(0, 2 * np.pi), rng.uniform(0.02, 0.15)
    for points in strokes:
        places = np.rint((points + 0.5) * edge * (1 << FRACTION_BITS)).astype(int).tolist()
        widths = pen * (1 + pressed * np.sin(phase + rate * np.arange(len(places))))
        for start, end, width in zip(places, places[1:], np.rint(widths).astype(int).tolist(), strict=False):
            cv2.line(canvas, start, end, 255, max(width, 1), cv2.LINE_AA, FRACTION_BITS)
    soft = edge / 32 * rng.uniform(0.2, 0.5)
    blurred = cv2.GaussianBlur(canvas, (0, 0), soft)
    return np.clip(blurred * np.float32(rng.uniform(1.1, 1.6)), 0, 255).astype(np.uint8)


def _centre(picture: Picture, rng: Rng) -> Picture:
    """Shift the centre of mass of (size, size) to about the middle, by whole pixels."""
    size = len(picture)
    mass = picture.sum() + 1e-6
    rows, columns = picture.sum(1) @ np.arange(size) / mass, picture.sum(0) @ np.arange(size) / mass
    down, right = np.rint((size - 1) / 2 - np.array([rows, columns]) + rng.normal(0, 0.4, 2)).astype(int).tolist()
    filled = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    limits = [(-int(line[0]), size - 1 - int(line[-1])) for line in filled]  # nothing is pushed over the edge
    down, right = (int(np.clip(move, *limit)) for move, limit in zip((down, right), limits, strict=True))
    return np.roll(picture, (down, right), (0, 1))
