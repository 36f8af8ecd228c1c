"""Many answers to one input, beside its known right answers: are all found, is none wrong, do they differ enough?

A look is the mean CIE Lab colour (D65) of each part of an object. Two looks are as far apart as their parts'
colours, by CIEDE2000 (Sharma et al. 2005, https://doi.org/10.1002/col.20070), averaged with the parts' areas as
weights: 1 is just visible, 10 clearly another shade, 50 black on white.
"""

__all__ = [
    "CoverageScore",
    "ciede2000",
    "multimodal_coverage",
    "leave_one_out",
    "palette_distances",
    "palette_of",
    "part_areas",
]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.metrics.colour_transfer import to_lab

REACH_DELTA_E = 10.0


@dataclass(frozen=True)
class CoverageScore:
    """How a set of answers covers a set of right answers.

    Attributes:
        coverage: share of the right answers that have an answer within reach.
        coverage_wide: the same within twice the reach.
        precision: share of the answers within reach of a right answer.
        diversity: mean distance between two answers over that between two right answers: 1 is right, more is
            noise; None where there are no two of both.
    """

    coverage: float
    coverage_wide: float
    precision: float
    diversity: float | None


def part_areas(parts: np.ndarray) -> np.ndarray:
    """Return the areas of the parts 1 to P of an index map, (H, W) uint8 with 0 for what is no part: (P,) px."""
    return np.bincount(parts.ravel(), minlength=2)[1:].astype(np.float64)


def palette_of(picture: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the mean CIE Lab colour of each part of a picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        parts: (h, w) uint8, 0 for what is no part, else the part's number; brought to the picture's size.

    Returns:
        (P, 3) float64; 0 for a number that no pixel has.
    """
    height, width = picture.shape[:2]
    if parts.shape != (height, width):
        parts = cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST)
    inside = parts > 0
    lab, numbers = to_lab(picture[inside][None])[0], parts[inside]
    sums = np.stack([np.bincount(numbers, lab[:, i], minlength=2)[1:] for i in range(3)], axis=1)
    return sums / np.maximum(part_areas(parts), 1)[:, None]


def multimodal_coverage(
    answers: np.ndarray, truths: np.ndarray, areas: np.ndarray, reach: float = REACH_DELTA_E
) -> CoverageScore:
    """Score the looks of many answers against those of the right answers.

    Args:
        answers: (N, P, 3) CIE Lab, N of 1 or more.
        truths: (K, P, 3), K of 1 or more.
        areas: (P,) weights of the parts.
        reach: how far two looks may be apart and still be one and the same, in CIEDE2000.
    """
    away = palette_distances(answers, truths, areas)
    nearest = away.min(axis=0)
    true_spread, spread = (mean_palette_distance(looks, areas) for looks in (truths, answers))
    return CoverageScore(
        coverage=float((nearest <= reach).mean()),
        coverage_wide=float((nearest <= 2 * reach).mean()),
        precision=float((away.min(axis=1) <= reach).mean()),
        diversity=spread / true_spread if spread is not None and true_spread else None,
    )


def leave_one_out(truths: np.ndarray, areas: np.ndarray, reach: float = REACH_DELTA_E) -> CoverageScore:
    """Score each of two or more right answers, (K, P, 3), against the others: what a right but other look gets."""
    away = palette_distances(truths, truths, areas)
    np.fill_diagonal(away, np.inf)
    met, wide = ((away.min(axis=0) <= limit).mean() for limit in (reach, 2 * reach))
    return CoverageScore(float(met), float(wide), float(met), 1.0)


def palette_distances(one: np.ndarray, other: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Distances between two sets of looks, (N, P, 3) and (K, P, 3), with the weights (P,): (N, K) in CIEDE2000."""
    return ciede2000(one[:, None], other[None]) @ (areas / areas.sum())


def mean_palette_distance(looks: np.ndarray, areas: np.ndarray) -> float | None:
    """Mean distance between two different ones of (N, P, 3) looks; None where there is only one."""
    if len(looks) < 2:
        return None
    return float(palette_distances(looks, looks, areas)[np.triu_indices(len(looks), 1)].mean())


def ciede2000(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """CIEDE2000 between CIE Lab colours of shapes that broadcast, (..., 3): equations (2) to (22) of the paper."""
    chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    a1, a2 = one[..., 1] * stretch, other[..., 1] * stretch
    c1, c2 = np.hypot(a1, one[..., 2]), np.hypot(a2, other[..., 2])
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for b, a in ((one[..., 2], a1), (other[..., 2], a2)))
    gray = c1 * c2 == 0  # a gray has no hue
    turn = np.where(gray, 0, (h2 - h1 + 180) % 360 - 180)
    hue = np.where(gray, h1 + h2, (h1 + turn / 2) % 360)
    hue = np.where(~gray & (turn == -180), (h1 + h2) / 2, hue)
    lightness, chroma = (one[..., 0] + other[..., 0]) / 2, (c1 + c2) / 2
    off = (lightness - 50) ** 2
    weight = (
        1
        - 0.17 * cos_degrees(hue - 30)
        + 0.24 * cos_degrees(2 * hue)
        + 0.32 * cos_degrees(3 * hue + 6)
        - 0.2 * cos_degrees(4 * hue - 63)
    )
    dl = (other[..., 0] - one[..., 0]) / (1 + 0.015 * off / np.sqrt(20 + off))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)
    bend = np.exp(-(((hue - 275) / 25) ** 2)) * 60
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(bend))
    return np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0))


def cos_degrees(degrees: np.ndarray) -> np.ndarray:
    """Cosine of an angle in degrees."""
    return np.cos(np.radians(degrees))
