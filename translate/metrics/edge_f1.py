"""How well the lines of two drawings agree: precision and recall within a few pixels, and their F1.

After the boundary benchmark of Martin et al. 2004 (https://doi.org/10.1109/TPAMI.2004.1273918), with a distance
transform in the place of its one-to-one matching: a line counts as found where the other drawing has one near by.
"""

__all__ = ["EdgeScore", "edge_f1"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.utils.errors import UserError

DARK_LEVEL = 160  # of 255: what is darker is line


@dataclass(frozen=True)
class EdgeScore:
    """How well one drawing agrees with another, each from 0 to 1.

    Attributes:
        f1: harmonic mean of the two.
        precision: share of its lines that lie near a line of the other.
        recall: share of the other's lines that lie near one of its own.
    """

    f1: float
    precision: float
    recall: float


def edge_f1(one: np.ndarray, other: np.ndarray, tolerance: float = 2) -> EdgeScore:
    """Compare the middles of the lines of two drawings, so that a thick pen is no worse than a thin one.

    Args:
        one: (H, W) uint8, dark lines on white.
        other: the drawing that should be met, of the same shape.
        tolerance: px that a line may be off.

    Returns:
        All 1 where both drawings are empty, all 0 where only one is.

    Raises:
        UserError: the drawings differ in size.
    """
    if one.shape != other.shape or one.ndim != 2:
        raise UserError(f"edge F1 compares two gray drawings of one size, not {one.shape} and {other.shape}")
    mine, its = centre_lines(one), centre_lines(other)
    if not mine.any() or not its.any():
        equal = float(mine.any() == its.any())
        return EdgeScore(equal, equal, equal)
    precision, recall = share_within(mine, its, tolerance), share_within(its, mine, tolerance)
    total = precision + recall
    return EdgeScore(2 * precision * recall / total if total else 0.0, precision, recall)


def centre_lines(drawing: np.ndarray) -> np.ndarray:
    """Return where a drawing's lines have their middles, (H, W) bool: what is farthest from the paper near by."""
    lines = cv2.copyMakeBorder((drawing < DARK_LEVEL).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(lines, cv2.DIST_L2, 5)
    deepest = (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    return deepest[1:-1, 1:-1]


def share_within(lines: np.ndarray, others: np.ndarray, tolerance: float) -> float:
    """Return the share of the pixels of `lines` that have one of `others` within `tolerance` px."""
    away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((away[lines] <= tolerance).mean())
