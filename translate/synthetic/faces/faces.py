"""Portraits of invented people in anime style, with known factors."""

__all__ = ["FACTORS", "Portrait", "draw_portrait", "jobs", "sample_factors"]

import csv
import io
from functools import partial

import cv2
import numpy as np

from translate.synthetic.arrays import Picture, f32
from translate.synthetic.draw_all import Job
from translate.synthetic.faces.body import backdrop, clothes
from translate.synthetic.faces.canvas import INK, Canvas, Pose
from translate.synthetic.faces.colours import palette
from translate.synthetic.faces.eyes import brows, eyes, glasses
from translate.synthetic.faces.factors import COLUMNS, FACTORS, Part, Portrait, factor_row, sample_factors
from translate.synthetic.faces.fringe import fringe_locks
from translate.synthetic.faces.hair import (
    back_hair,
    crown,
    draw_locks,
    hairline,
    outlines,
    place_locks,
    shine,
    side_locks,
    spikes,
)
from translate.synthetic.faces.head import ears, mouth, neck, nose, skull

Seed = tuple[int, ...]

MIN_CANVAS_PX = 256  # portraits are drawn at least this large, and at twice their size, then averaged down
FACE_HALF_WIDTH = 0.302  # of the edge
EYES = (0.5, 0.53)  # the point between the eyes, as shares of the edge


def jobs(train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of both splits: the pictures, and a table of the factors of each split."""
    result = []
    for split, (folder, count) in enumerate((("train", train), ("test", test))):
        result += [Job(_picture, (seed, split, k), size, (f"{folder}/{k:05d}.png",)) for k in range(count)]
        if count:
            result.append(Job(partial(_table, count), (seed, split), size, (f"{folder}/factors.csv",)))
    return result


def _picture(seed: Seed, size: int) -> tuple[Picture]:
    """Draw the portrait `seed`."""
    return (draw_portrait(sample_factors(np.random.default_rng(seed)), size),)


def _table(count: int, seed: Seed, size: int) -> tuple[str]:
    """Return the factors of the first `count` portraits of the split `seed`, as CSV."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for k in range(count):
        writer.writerow(factor_row(f"{k:05d}.png", sample_factors(np.random.default_rng((*seed, k)))))
    return (table.getvalue(),)


def draw_portrait(factors: Portrait, size: int = 64) -> Picture:
    """Draw the portrait `factors`: (size, size, 3) uint8 RGB."""
    edge = size * max(2, -(-MIN_CANVAS_PX // size))
    canvas, colours, pose = Canvas(edge), palette(factors), _pose(factors, edge)
    backdrop(canvas, colours.background, factors)
    back_hair(canvas, factors, pose, colours.hair)
    neck(canvas, factors, pose, colours.skin)
    clothes(canvas, factors, pose, colours.cloth)
    ears(canvas, pose, colours.skin)
    face = skull(canvas, factors, pose, colours.skin)
    cap = pose.front(np.concatenate([crown(factors), hairline(factors)[::-1]]))
    locks = place_locks(pose.front, [*spikes(factors), *side_locks(factors), *fringe_locks(factors)])
    shapes = [cap, *outlines(locks)]
    cast = [shape + f32([0.05, 0.12]) * pose.unit for shape in shapes]
    canvas.paint(cv2.min(face, canvas.mask(*cast)), colours.skin.shade)
    nose(canvas, factors, pose, colours.skin)
    mouth(canvas, factors, pose, colours.skin)
    eyes(canvas, factors, pose, colours.iris, colours.lash, colours.skin)
    if factors.glasses == "glasses":
        glasses(canvas, pose, colours.frame, float(factors.stream(Part.GLASSES).uniform(0.1, 0.9)))
    canvas.fill(cap, colours.hair.base)
    canvas.line(pose.front(crown(factors)), INK * pose.unit, colours.hair.ink)
    draw_locks(canvas, pose.unit, locks, colours.hair)
    shine(canvas, pose, colours.hair, factors.stream(Part.SHINE), shapes)
    brows(canvas, factors, pose, colours.brow)
    return np.asarray(cv2.resize(canvas.image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _pose(factors: Portrait, edge: int) -> Pose:
    """Sample the position and size of the head."""
    rng = factors.stream(Part.POSE)
    unit = FACE_HALF_WIDTH * edge * rng.uniform(0.95, 1.05)
    middled = -0.04 * np.sin(np.radians(factors.turn_degrees))  # keeps a turned face in the middle
    place = f32(EYES) + f32(rng.uniform(-0.02, 0.02, 2)) + f32([middled, 0])
    return Pose(factors.turn_degrees, factors.tilt_degrees, unit, edge * place)
