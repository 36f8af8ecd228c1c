"""Colour transfer after Reinhard et al. 2001, a baseline: the colours of a set of pictures and nothing else.

A method that does not beat it has learned a colour filter. Paper: "Color Transfer between Images",
https://doi.org/10.1109/38.946629. Two differences: CIE Lab instead of the paper's l-alpha-beta, whose logarithms fail
on black; and the target is a set of pictures, described by the average of their statistics.
"""

__all__ = ["LabStatistics", "colour_statistics", "to_lab", "transfer_colour"]

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from kornia.color import lab_to_rgb, rgb_to_lab

from translate.utils.errors import UserError

FLAT_STD_LAB = 0.1  # a channel that varies less is constant, and stretching it would amplify rounding


@dataclass(frozen=True)
class LabStatistics:
    """Mean and standard deviation of L, a and b over pixels: two of (3,) float64, in Lab units."""

    mean: np.ndarray
    std: np.ndarray


def colour_statistics(pictures: Iterable[np.ndarray]) -> LabStatistics:
    """Average the colour statistics of pictures, each (H, W, 3) uint8 RGB of any size.

    Standard deviations are averaged too, not taken over all pixels of the set: that would include the differences
    between pictures, and give each too much contrast.

    Raises:
        UserError: no pictures.
    """
    statistics = [lab_statistics(to_lab(picture)) for picture in pictures]
    if not statistics:
        raise UserError("colour transfer needs at least one target picture")
    mean = np.mean([each.mean for each in statistics], axis=0)
    std = np.mean([each.std for each in statistics], axis=0)
    return LabStatistics(mean, std)


def transfer_colour(picture: np.ndarray, target: LabStatistics) -> np.ndarray:
    """Give a picture, (H, W, 3) uint8 RGB, the target's colours.

    Section 2 of the paper: l' = (l - <l>) * std_target / std_source + <l>_target, and so for both colour axes. A
    constant channel is only shifted.
    """
    lab = to_lab(picture)
    source = lab_statistics(lab)
    flat = source.std < FLAT_STD_LAB
    gain = np.where(flat, 1.0, target.std / np.where(flat, 1.0, source.std))
    moved = (lab - source.mean) * gain + target.mean
    rgb = lab_to_rgb(torch.from_numpy(moved).permute(2, 0, 1), clip=True)
    return (rgb * 255).round().byte().permute(1, 2, 0).numpy()


def lab_statistics(lab: np.ndarray) -> LabStatistics:
    """Compute the mean and standard deviation of each channel of (H, W, 3)."""
    return LabStatistics(lab.mean(axis=(0, 1)), lab.std(axis=(0, 1)))


def to_lab(picture: np.ndarray) -> np.ndarray:
    """Convert (H, W, 3) uint8 RGB to float64 CIE Lab (D65)."""
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    unit = torch.from_numpy(picture.astype(np.float64) / 255).permute(2, 0, 1)
    return rgb_to_lab(unit).permute(1, 2, 0).numpy()
