"""How well a hole was filled: scores inside it and along its border, and what costs nothing to compare with.

What is known comes back as it was, so that a score of the whole picture would mostly say how small the hole is. Every
score here looks at the hole alone.
"""

__all__ = [
    "FILLS",
    "Fill",
    "HoleTally",
    "Holed",
    "apart_inside",
    "l1_inside",
    "mean_colour",
    "psnr_inside",
    "seam",
    "ssim_inside",
]

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np

from translate.evaluation.tally import Tally
from translate.images.tensors import to_tensor
from translate.metrics.similarity import MAX_PSNR, WINDOW, ssim_map

RADIUS = 3  # px around a pixel that OpenCV's methods look at
BLANK = 128  # what a hole shows to those who fill it
SEEN = 1.0  # level of 255: a smaller step is not seen, and counts as one of this height
Fill = Callable[..., np.ndarray]  # called as fill(picture, mask=hole), like a `Translator`


@dataclass(frozen=True, eq=False)
class Holed:
    """A picture, and the hole that is made in it.

    Attributes:
        truth: (H, W, 3) uint8 RGB.
        hole: (H, W) bool, True where pixels are to be filled; neither empty nor full.
    """

    truth: np.ndarray
    hole: np.ndarray

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture with a grey hole, so that nobody who fills it can see the truth: (H, W, 3) uint8."""
        blanked = self.truth.copy()
        blanked[self.hole] = BLANK
        return blanked


# ---- scores


def l1_inside(result: np.ndarray, case: Holed) -> float:
    """Mean absolute difference to the truth inside the hole, in levels of 0 to 255; `result` is (H, W, 3) uint8."""
    return float(np.abs(errors(result, case)).mean())


def psnr_inside(result: np.ndarray, case: Holed) -> float:
    """Peak signal-to-noise ratio of the mean squared error inside the hole: dB, at most `MAX_PSNR`."""
    square = float(np.square(errors(result, case)).mean())
    return MAX_PSNR if square == 0 else min(MAX_PSNR, 10 * float(np.log10(255**2 / square)))


def ssim_inside(result: np.ndarray, case: Holed) -> float | None:
    """Mean of the map of structural similarity over the hole's pixels.

    The map is that of `similarity.ssim`, of the whole completed picture: the windows around the hole's pixels reach
    over its border. Pixels less than 5 px from the picture's edge are left out, as their windows do not fit in.

    Args:
        result: (H, W, 3) uint8, sides of 11 px or more.
        case: what was to be filled.

    Returns:
        1 where they are equal; None for a hole whose pixels all lie at the edge.
    """
    border = WINDOW // 2
    inside = case.hole[border:-border, border:-border]
    levels = ssim_map(to_tensor(result), to_tensor(case.truth))[0].mean(dim=0).numpy()
    return float(levels[inside].mean()) if inside.any() else None


def seam(result: np.ndarray, case: Holed) -> float | None:
    """How much harder the step across the hole's border is than the picture's own step there.

    Over all pairs of neighbours (left and right, above and below) of which one lies in the hole and one is known, the
    mean absolute difference of the two in `result`, over that in the truth. Both means count as one level of 255 at
    least: what lies below is not seen, and in a flat picture it would be divided by.

    Args:
        result: (H, W, 3) uint8.
        case: what was to be filled.

    Returns:
        1: as smooth as the picture itself; more: a visible seam; less: smeared. None for a hole without a border.
    """
    steps = [step_across(picture, case.hole) for picture in (result, case.truth)]
    if not steps[0].size:
        return None
    mine, own = (max(SEEN, float(step.mean())) for step in steps)
    return mine / own


def apart_inside(answers: Sequence[np.ndarray], hole: np.ndarray) -> float:
    """How far several fillings of one hole are apart.

    Args:
        answers: two or more of (H, W, 3) uint8.
        hole: (H, W) bool.

    Returns:
        The mean absolute difference inside the hole of two of them, over all couples, in levels of 0 to 255.
    """
    assert len(answers) >= 2
    inside = [answer[hole].astype(np.int16) for answer in answers]
    return float(np.mean([np.abs(one - other).mean() for one, other in itertools.combinations(inside, 2)]))


def errors(result: np.ndarray, case: Holed) -> np.ndarray:
    """Differences to the truth inside the hole: (n, 3) float64, in levels."""
    return result[case.hole].astype(np.float64) - case.truth[case.hole]


def step_across(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Absolute differences of neighbours on both sides of the hole's border: (n, 3) of levels."""
    levels, steps = picture.astype(np.int16), []
    for axis in (0, 1):
        crossed = np.diff(hole, axis=axis)  # of booleans: whether they differ
        steps.append(np.abs(np.diff(levels, axis=axis))[crossed])
    return np.concatenate(steps)


# ---- what costs nothing


def mean_colour(picture: np.ndarray, *, mask: np.ndarray) -> np.ndarray:
    """Fill a hole with the mean colour of what is known: (H, W, 3) uint8 and (H, W) bool to (H, W, 3) uint8."""
    filled = picture.copy()
    filled[mask] = np.rint(picture[~mask].mean(axis=0)).astype(np.uint8)
    return filled


def opencv_fill(picture: np.ndarray, *, mask: np.ndarray, method: int) -> np.ndarray:
    """Fill a hole by a method of `cv2.inpaint`, with what lies within `RADIUS` px: shapes as for `mean_colour`."""
    return cv2.inpaint(picture, mask.astype(np.uint8) * 255, RADIUS, method)


# Telea 2004, "An Image Inpainting Technique Based on the Fast Marching Method"; Bertalmio et al. 2001,
# "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting"
FILLS: dict[str, Fill] = {
    "mean colour": mean_colour,
    "OpenCV, Telea": partial(opencv_fill, method=cv2.INPAINT_TELEA),
    "OpenCV, Navier-Stokes": partial(opencv_fill, method=cv2.INPAINT_NS),
}


class HoleTally(Tally):
    """The scores of one method that fills holes, while its pictures come in."""

    def __init__(self, fill: Fill) -> None:
        super().__init__(fill)
        self.fill = fill

    def complete(self, case: Holed) -> None:
        """Have one hole filled, and score what comes back; what is known must be untouched."""
        result = self.fill(case.picture, mask=case.hole)
        assert result.shape == case.truth.shape and result.dtype == np.uint8
        assert np.array_equal(result[~case.hole], case.truth[~case.hole])
        self.keep(result, None)
        self.note(
            l1=l1_inside(result, case),
            psnr=psnr_inside(result, case),
            ssim=ssim_inside(result, case),
            seam=seam(result, case),
        )
