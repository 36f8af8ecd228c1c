"""Windows for inpainting: the views of a picture that a network receives, and the pixels that it fills in each."""

__all__ = ["Window", "plan_windows"]

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

# Fractions of the trained size:
MAX_ONE_PASS_SIDES = 1.5, 2.0  # shorter and longer side of a picture that one pass fills, as a window would hold most
JOIN_DISTANCE = 1 / 8  # holes of less than twice this distance lie in each other's windows, and are filled together
MAX_THICKNESS = 1 / 2  # views of thicker holes are shrunk, so that the network has known pixels in its reach
MAX_BOX = 3 / 4  # of the window's side; a hole with a larger box is filled piece by piece, with known pixels around it


class Window(NamedTuple):
    """A view of a picture that a network receives in one pass, and the pixels that it fills."""

    view: tuple[slice, slice]  # rows and columns of the picture
    target: np.ndarray  # (h, w) bool, of the view's size: the pixels to fill
    network_size: tuple[int, int]  # height and width of the network input, px


def plan_windows(hole: np.ndarray, size: int, fixed: int = 0) -> Iterator[Window]:
    """Divide a hole, (H, W) bool, among windows to be filled one after the other; sizes as for `fill_hole`.

    A picture that is not much larger than the trained size is one window. Otherwise, distant holes get separate
    windows, with the hole in the middle. The view of a thick hole is shrunk for the network; a long hole is filled
    piece by piece, starting where most pixels are known.
    """
    # 1. fill a small picture in one pass
    height, width = hole.shape
    shorter, longer = MAX_ONE_PASS_SIDES
    if not fixed and min(hole.shape) <= shorter * size and max(hole.shape) <= longer * size:
        yield Window((slice(0, height), slice(0, width)), hole, hole.shape)
        return
    # 2. join neighbouring holes
    reach = max(1, round(JOIN_DISTANCE * size))
    dilated = cv2.dilate(hole.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dilated)
    del dilated
    for label in range(1, count):
        left, top, box_width, box_height = stats[label, :4]
        box = slice(top, top + box_height), slice(left, left + box_width)
        group = hole[box] & (labels[box] == label)
        yield from _plan_group(hole, group, (int(top), int(left)), fixed or size, bool(fixed))


def _plan_group(
    hole: np.ndarray, group: np.ndarray, corner: tuple[int, int], size: int, exact: bool
) -> Iterator[Window]:
    """Divide one group of holes, (h, w) bool with a rim, whose first row and column in the picture are `corner`."""
    # 1. choose the side of the windows by the thickness of the hole
    longest = max(hole.shape)
    thickness = 2 * float(cv2.distanceTransform(group.astype(np.uint8), cv2.DIST_L2, 5).max())
    factor = min(max(1.0, thickness / (MAX_THICKNESS * size)), max(1.0, longest / size))
    side = round(size * factor)
    side = min(side, longest) if exact else side
    scale = size / side if exact or factor > 1 else 1.0
    # 2. split the hole, and order the pieces by the known share of their views
    views = [(_center_view(p, corner, side, hole.shape), p) for p in _split(group, side, whole=side >= longest)]
    views.sort(key=lambda pair: hole[pair[0]].mean())
    # 3. mark the pixels of each piece in its view
    for (rows, columns), piece in views:
        shape = rows.stop - rows.start, columns.stop - columns.start
        target = np.zeros(shape, bool)
        top, left = corner[0] + piece[0].start - rows.start, corner[1] + piece[1].start - columns.start
        pixels = group[piece]
        target[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        yield Window((rows, columns), target, (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))))


def _split(group: np.ndarray, side: int, whole: bool) -> list[tuple[slice, slice]]:
    """Return the boxes of the pieces: one for the whole group, or squares of half the window's side."""
    occupied = (np.flatnonzero(group.any(axis)) for axis in (1, 0))
    spans = [(int(indices[0]), int(indices[-1]) + 1) for indices in occupied]
    if whole or all(stop - start <= MAX_BOX * side for start, stop in spans):
        return [tuple(slice(*span) for span in spans)]  # type: ignore[list-item]
    step = max(1, side // 2)
    rows, columns = ([slice(at, min(at + step, stop)) for at in range(start, stop, step)] for start, stop in spans)
    return [(row, column) for row in rows for column in columns if group[row, column].any()]


def _center_view(
    piece: tuple[slice, slice], corner: tuple[int, int], side: int, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Return a view of `side` px, or less in a smaller picture, with the piece as near to the middle as possible."""
    spans = []
    for part, start, length in zip(piece, corner, shape, strict=True):
        extent = min(side, length)
        first = start + (part.start + part.stop) // 2 - extent // 2
        first = min(max(first, 0), length - extent)
        spans.append(slice(first, first + extent))
    return spans[0], spans[1]
