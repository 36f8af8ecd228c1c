"""Edge F1: how well the lines of two drawings agree, by precision and recall within a few pixels.

After the boundary benchmark of Martin et al. 2004 (https://doi.org/10.1109/TPAMI.2004.1273918), with a distance
transform instead of its one-to-one matching: a line counts as found if the other drawing has one nearby. Values are
therefore higher than those of the benchmark, and cannot be compared with them.
"""

__all__ = ["EdgeScore", "edge_f1"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.utils.errors import UserError


@dataclass(frozen=True)
class EdgeScore:
    """Agreement of a drawing with a reference, each value from 0 to 1.

    Attributes:
        f1: harmonic mean of precision and recall.
        precision: share of the drawing's lines that lie near a line of the reference.
        recall: share of the reference's lines that lie near a line of the drawing.
    """

    f1: float
    precision: float
    recall: float


def edge_f1(drawing: np.ndarray, reference: np.ndarray, tolerance: float = 2) -> EdgeScore:
    """Compare the centre lines of two drawings, so that a thick pen scores like a thin one.

    >>> page = np.full((9, 9), 255, np.uint8)
    >>> page[4] = 0
    >>> edge_f1(page, np.roll(page, 1, axis=0))
    EdgeScore(f1=1.0, precision=1.0, recall=1.0)

    Args:
        drawing: (H, W) uint8, dark lines on white.
        reference: the drawing to match, of the same shape.
        tolerance: px that a line may be off.

    Returns:
        All 1 where both drawings are empty, all 0 where only one is.

    Raises:
        UserError: the drawings differ in size.
    """
    if drawing.shape != reference.shape or drawing.ndim != 2:
        raise UserError(f"edge F1 compares two gray drawings of one size, not {drawing.shape} and {reference.shape}")
    lines, targets = centre_lines(drawing), centre_lines(reference)
    if not lines.any() or not targets.any():
        equal = float(lines.any() == targets.any())
        return EdgeScore(equal, equal, equal)
    precision, recall = share_within(lines, targets, tolerance), share_within(targets, lines, tolerance)
    total = precision + recall
    return EdgeScore(2 * precision * recall / total if total else 0.0, precision, recall)


def centre_lines(drawing: np.ndarray) -> np.ndarray:
    """Find the ridges of the distance transform of a drawing's lines, darker than 160: (H, W) bool."""
    lines = cv2.copyMakeBorder((drawing < 160).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(lines, cv2.DIST_L2, 5)
    ridges = (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    return ridges[1:-1, 1:-1]


def share_within(lines: np.ndarray, others: np.ndarray, tolerance: float) -> float:
    """Return the share of the pixels of `lines` that have one of `others` within `tolerance` px."""
    distance = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((distance[lines] <= tolerance).mean())
