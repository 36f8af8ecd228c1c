"""Scores of a filled hole, over its own pixels and along its border.

As known pixels stay unchanged, a score of the whole picture would mostly depend on the size of the hole.
Pictures are (H, W, 3) uint8 RGB, holes (H, W) bool, True where pixels were to be filled.
"""

__all__ = ["l1_inside", "pairwise_l1_inside", "psnr_inside", "seam", "ssim_inside"]

import itertools
from collections.abc import Sequence

import numpy as np

from translate.images.tensors import to_tensor
from translate.metrics.similarity import MAX_PSNR, WINDOW, ssim_map

MIN_VISIBLE_STEP = 1.0  # level of 255; avoids division by zero for flat pictures


def l1_inside(result: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    """Return the mean absolute difference inside the hole, in levels of 0 to 255."""
    return float(np.abs(errors_inside(result, truth, hole)).mean())


def psnr_inside(result: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of the mean squared error inside the hole: dB, at most `MAX_PSNR`."""
    square = float(np.square(errors_inside(result, truth, hole)).mean())
    return MAX_PSNR if square == 0 else min(MAX_PSNR, 10 * float(np.log10(255**2 / square)))


def ssim_inside(result: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float | None:
    """Average the map of structural similarity over the hole's pixels.

    The map is that of `similarity.ssim_map` for the whole picture: windows around the hole's pixels reach over its
    border. Pixels less than 5 px from the picture's edge are left out, as their windows do not fit in. Sides are 11 px
    or more.

    Returns:
        1 for equal pictures; None for a hole whose pixels all lie at the edge.
    """
    border = WINDOW // 2
    inside = hole[border:-border, border:-border]
    similarity = ssim_map(to_tensor(result), to_tensor(truth))[0].mean(dim=0).numpy()
    return float(similarity[inside].mean()) if inside.any() else None


def seam(result: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float | None:
    """Compare the step across the hole's border with the truth's own step there.

    Over all pairs of neighbours (left and right, above and below) of which one lies in the hole and one is known, the
    mean absolute difference of the two in `result`, over that in `truth`; both means are at least 1 level of 255.

    Returns:
        1: as smooth as the truth; more: a visible seam; less: smeared. None for a hole without a border.
    """
    steps = [steps_across(picture, hole) for picture in (result, truth)]
    if not steps[0].size:
        return None
    step, true_step = (max(MIN_VISIBLE_STEP, float(levels.mean())) for levels in steps)
    return step / true_step


def pairwise_l1_inside(answers: Sequence[np.ndarray], hole: np.ndarray) -> float:
    """Return the mean absolute difference inside the hole over all pairs of two or more answers, in levels."""
    assert len(answers) >= 2
    inside = [answer[hole].astype(np.int16) for answer in answers]
    return float(np.mean([np.abs(one - other).mean() for one, other in itertools.combinations(inside, 2)]))


def errors_inside(result: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Subtract the truth inside the hole: (n, 3) float64, in levels."""
    return result[hole].astype(np.float64) - truth[hole]


def steps_across(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return the absolute differences of neighbours on both sides of the hole's border: (n, 3) int16, in levels."""
    levels, steps = picture.astype(np.int16), []
    for axis in (0, 1):
        crossed = np.diff(hole, axis=axis)  # of booleans: whether they differ
        steps.append(np.abs(np.diff(levels, axis=axis))[crossed])
    return np.concatenate(steps)
