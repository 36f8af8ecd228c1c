"""Coverage, precision and diversity of several answers to one input, against its known right answers.

A palette is the mean CIE Lab colour (D65) of each part of an object. The distance of two palettes is the CIEDE2000
difference (Sharma et al. 2005, https://doi.org/10.1002/col.20070) of their parts' colours, averaged with the parts'
areas as weights: 1 is just visible, 10 clearly another shade, 50 black on white. Only scores on the same right answers,
parts and reach can be compared.
"""

__all__ = ["CoverageScore", "ciede2000", "leave_one_out", "multimodal_coverage", "palette_of", "part_areas"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.metrics.colour_transfer import to_lab

REACH_DELTA_E = 10.0  # CIEDE2000; nearer palettes count as one answer


@dataclass(frozen=True)
class CoverageScore:
    """Scores of a set of answers against a set of right answers."""

    coverage: float  # share of the right answers that have an answer within reach
    coverage_wide: float  # the same within twice the reach
    precision: float  # share of the answers within reach of a right answer
    diversity: float | None  # mean pairwise distance over that of the right answers; None for fewer than two of either


def part_areas(parts: np.ndarray) -> np.ndarray:
    """Return the areas of the parts 1 to P of an index map, (H, W) uint8 with 0 for the background: (P,) px."""
    return np.bincount(parts.ravel(), minlength=2)[1:].astype(np.float64)


def palette_of(picture: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Compute the mean CIE Lab colour of each part of (H, W, 3) uint8 RGB: (P, 3) float64, 0 for an empty part.

    The index map `parts`, (h, w) uint8 with 0 for the background, is resized to the picture.
    """
    height, width = picture.shape[:2]
    if parts.shape != (height, width):
        parts = cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST)
    inside = parts > 0
    lab, indices = to_lab(picture[inside][None])[0], parts[inside]
    sums = np.stack([np.bincount(indices, lab[:, i], minlength=2)[1:] for i in range(3)], axis=1)
    return sums / np.maximum(part_areas(parts), 1)[:, None]


def multimodal_coverage(
    answers: np.ndarray, truths: np.ndarray, areas: np.ndarray, reach: float = REACH_DELTA_E
) -> CoverageScore:
    """Score the palettes of several answers against those of the right answers.

    >>> black, white = np.zeros((1, 1, 3)), np.array([[[100.0, 0, 0]]])
    >>> multimodal_coverage(black, np.concatenate([black, white]), areas=np.ones(1)).coverage
    0.5

    Args:
        answers: (N, P, 3) CIE Lab, N of 1 or more.
        truths: (K, P, 3), K of 1 or more.
        areas: (P,) weights of the parts.
        reach: largest distance of two palettes that count as one answer, in CIEDE2000.
    """
    distances = palette_distances(answers, truths, areas)
    nearest = distances.min(axis=0)
    true_spread, spread = (mean_palette_distance(palettes, areas) for palettes in (truths, answers))
    return CoverageScore(
        coverage=float((nearest <= reach).mean()),
        coverage_wide=float((nearest <= 2 * reach).mean()),
        precision=float((distances.min(axis=1) <= reach).mean()),
        diversity=spread / true_spread if spread is not None and true_spread else None,
    )


def leave_one_out(truths: np.ndarray, areas: np.ndarray, reach: float = REACH_DELTA_E) -> CoverageScore:
    """Score each of two or more right answers, (K, P, 3), against the others: the score of another right answer."""
    distances = palette_distances(truths, truths, areas)
    np.fill_diagonal(distances, np.inf)
    near, wide = ((distances.min(axis=0) <= limit).mean() for limit in (reach, 2 * reach))
    return CoverageScore(float(near), float(wide), float(near), 1.0)


def palette_distances(one: np.ndarray, other: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Compute the distances between palettes (N, P, 3) and (K, P, 3) with part weights (P,): (N, K) in CIEDE2000."""
    return ciede2000(one[:, None], other[None]) @ (areas / areas.sum())


def mean_palette_distance(palettes: np.ndarray, areas: np.ndarray) -> float | None:
    """Compute the mean pairwise distance of palettes (N, P, 3); None for a single one."""
    if len(palettes) < 2:
        return None
    return float(palette_distances(palettes, palettes, areas)[np.triu_indices(len(palettes), 1)].mean())


def ciede2000(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute CIEDE2000 between CIE Lab colours of shapes that broadcast, (..., 3), by equations (2) to (22)."""
    # chroma and hue, with a* stretched near gray
    chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    a1, a2 = one[..., 1] * stretch, other[..., 1] * stretch
    c1, c2 = np.hypot(a1, one[..., 2]), np.hypot(a2, other[..., 2])
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for b, a in ((one[..., 2], a1), (other[..., 2], a2)))

    # hue difference and mean hue; a gray has no hue
    gray = c1 * c2 == 0
    turn = np.where(gray, 0, (h2 - h1 + 180) % 360 - 180)
    hue = np.where(gray, h1 + h2, (h1 + turn / 2) % 360)
    hue = np.where(~gray & (turn == -180), (h1 + h2) / 2, hue)

    # weighted differences of lightness, chroma and hue
    lightness, chroma = (one[..., 0] + other[..., 0]) / 2, (c1 + c2) / 2
    off = (lightness - 50) ** 2
    weight = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.2 * _cos(4 * hue - 63)
    dl = (other[..., 0] - one[..., 0]) / (1 + 0.015 * off / np.sqrt(20 + off))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * weight)

    # rotation term of blue
    bend = np.exp(-(((hue - 275) / 25) ** 2)) * 60
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(bend))
    return np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0))


def _cos(degrees: np.ndarray) -> np.ndarray:
    return np.cos(np.radians(degrees))
