"""Contents that one of two domains has and the other lacks, found by the layout of whole pictures.

A layout is the brightness of a picture in a few cells: a style changes colours and contrast, but those of all pictures
alike. Contents that a part of the pictures has, such as snow on the ground, make the layouts of their domain vary in a
direction in which those of the other domain vary less. That direction is sought on one half of the pictures, and
measured on the other. Small things do not show.
"""

__all__ = ["MIN_EXCESS", "MIN_PICTURES", "excess_variation", "layouts_of"]

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # colours are left out: a style turns them
CELLS = 8  # across a layout: coarse enough that grain and brush strokes do not count
COMPONENTS = 4  # few, so that 60 pictures determine their variances
SPLITS = 8  # into halves, whose mean is returned
RIDGE = 0.05  # of the mean variance, so that directions without variance do not divide by 0
MIN_PICTURES = 60  # of each domain: fewer do not determine their variances
MIN_EXCESS = (
    0.45  # photos and paintings of alike landscapes have 0 to 0.25, with snow on some of the paintings 0.5 to 0.7
)


def layouts_of(thumbnails: np.ndarray) -> np.ndarray:
    """Average thumbnails (n, 32, 32, 3) uint8 to the brightness of their cells, (n, 64) in [0, 1]."""
    step = thumbnails.shape[1] // CELLS
    cells = thumbnails.reshape(len(thumbnails), CELLS, step, CELLS, step, 3).mean(axis=(2, 4), dtype=np.float32)
    return (cells @ LUMA).reshape(len(thumbnails), -1) / 255


def excess_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Return how much more the layouts b (m, d) vary than a (n, d) in some direction than in most, as a logarithm.

    0 is no excess; MIN_EXCESS, 1.6 times the variance, is clear. The result is a function of the layouts alone.
    """
    random = np.random.default_rng(0)
    return float(np.mean([_held_out_excess(a, b, random) for _ in range(SPLITS)]))


def _held_out_excess(a: np.ndarray, b: np.ndarray, random: np.random.Generator) -> float:
    (a_seen, a_new), (b_seen, b_new) = (np.array_split(rows[random.permutation(len(rows))], 2) for rows in (a, b))
    # the common principal components
    centred = np.concatenate([rows - rows.mean(axis=0) for rows in (a_seen, b_seen)])
    basis = np.linalg.svd(centred, full_matrices=False)[2][:COMPONENTS].T
    # the directions by the ratio of variances: generalised eigenvectors of both covariances
    cov_a, cov_b = (np.cov((rows @ basis).T) for rows in (a_seen, b_seen))
    cov_a += RIDGE * np.trace(cov_a) / len(cov_a) * np.eye(len(cov_a)) + 1e-12 * np.eye(len(cov_a))
    whiten = np.linalg.inv(np.linalg.cholesky(cov_a))
    directions = basis @ whiten.T @ np.linalg.eigh(whiten @ cov_b @ whiten.T)[1]
    ratios = np.log(((b_new @ directions).var(axis=0) + 1e-12) / ((a_new @ directions).var(axis=0) + 1e-12))
    return float(ratios[-1] - np.median(ratios))
