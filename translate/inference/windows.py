"""Windows for inpainting: the parts of a picture that a network sees, and the pixels that it fills in each."""

__all__ = ["Window", "plan_windows"]

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

# Fractions of the trained size:
MAX_ONE_PASS_SIDES = 1.5, 2.0  # shorter and longer side of a picture of which a window would see most anyway
JOIN_DISTANCE = 1 / 8  # holes of less than twice this distance lie in each other's windows, and are filled together
MAX_THICKNESS = 1 / 2  # thicker holes are shown smaller, so that known pixels are near enough to go by
MAX_BOX = 3 / 4  # of the window's side; a hole with a larger box is filled piece by piece, with known pixels around it


class Window(NamedTuple):
    """A part of a picture that a network sees at once, and the pixels that it fills there."""

    view: tuple[slice, slice]  # rows and columns of the picture
    target: np.ndarray  # (h, w) bool, of the view's size: the pixels to fill
    network_size: tuple[int, int]  # height and width at which the network sees the view, px


def plan_windows(hole: np.ndarray, size: int, fixed: int = 0) -> Iterator[Window]:
    """Divide a hole, (H, W) bool, among windows to be filled one after the other; sizes as for `fill_hole`.

    A picture that is not much larger than the trained size is one window. Otherwise distant holes get windows of their
    own, with the hole in the middle. A window around a thick hole is shown to the network at a smaller scale; a long
    hole is filled piece by piece, starting where most pixels are known.
    """
    height, width = hole.shape
    shorter, longer = MAX_ONE_PASS_SIDES
    if not fixed and min(hole.shape) <= shorter * size and max(hole.shape) <= longer * size:
        yield Window((slice(0, height), slice(0, width)), hole, hole.shape)
        return
    # join neighbouring holes
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
    # the window's side, by the thickness of the hole
    longest = max(hole.shape)
    thickness = 2 * float(cv2.distanceTransform(group.astype(np.uint8), cv2.DIST_L2, 5).max())
    factor = min(max(1.0, thickness / (MAX_THICKNESS * size)), max(1.0, longest / size))
    side = round(size * factor)
    side = min(side, longest) if exact else side
    # the pieces, best known surroundings first
    pieces = _split(group, side, whole=side >= longest)
    views = [_center_view(piece, corner, side, hole.shape) for piece in pieces]
    by_known = sorted(range(len(pieces)), key=lambda i: hole[views[i]].mean())
    # the pixels of each piece, in its window
    for i in by_known:
        (rows, columns), piece = views[i], pieces[i]
        shape = rows.stop - rows.start, columns.stop - columns.start
        target = np.zeros(shape, bool)
        top, left = corner[0] + piece[0].start - rows.start, corner[1] + piece[1].start - columns.start
        pixels = group[piece]
        target[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        scale = size / side if exact or factor > 1 else 1.0
        yield Window(views[i], target, (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))))


def _split(group: np.ndarray, side: int, whole: bool) -> list[tuple[slice, slice]]:
    """Return the boxes of the pieces: all in one, or squares of half the window's side."""
    lines = (np.flatnonzero(group.any(axis)) for axis in (1, 0))
    spans = [(int(line[0]), int(line[-1]) + 1) for line in lines]
    if whole or all(stop - start <= MAX_BOX * side for start, stop in spans):
        return [tuple(slice(*span) for span in spans)]  # type: ignore[list-item]
    step = max(1, side // 2)
    rows, columns = ([slice(at, min(at + step, stop)) for at in range(start, stop, step)] for start, stop in spans)
    return [(row, column) for row in rows for column in columns if group[row, column].any()]


def _center_view(
    piece: tuple[slice, slice], corner: tuple[int, int], side: int, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Return the window of `side` px, or of a smaller picture's side, with the piece as near its middle as can be."""
    spans = []
    for part, start, length in zip(piece, corner, shape, strict=True):
        kept = min(side, length)
        first = start + (part.start + part.stop) // 2 - kept // 2
        first = min(max(first, 0), length - kept)
        spans.append(slice(first, first + kept))
    return spans[0], spans[1]
