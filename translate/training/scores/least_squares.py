"""The response profiles of power-function averages, and their combination by least squares.

Karras et al., 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models" (EDM2), section 3 and appendix
C, https://arxiv.org/abs/2312.02696. After step t, an average of exponent gamma weighs the weights of step tau by
(gamma + 1) tau^gamma / t^(gamma + 1). Its length is the standard deviation of this profile over t.
"""

__all__ = ["Profile", "combine", "exponent_of"]

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np


class Profile(NamedTuple):
    """The response profile of an average."""

    step: int  # after which it was taken
    exponent: float  # gamma

    def overlap(self, other: "Profile") -> float:
        """Return the integral of the product of two profiles."""
        early, late = sorted((self, other))
        g, h = early.exponent, late.exponent
        return (g + 1) * (h + 1) / (g + h + 1) * (early.step / late.step) ** h / late.step


@cache
def exponent_of(length: float) -> float:
    """Return gamma of an average with a standard deviation of `length`, relative to the run (equation 4, solved).

    >>> round(exponent_of(0.10), 2), round(exponent_of(0.05), 2)
    (6.94, 16.97)
    """
    assert 0 < length < 12**-0.5  # at gamma = 0, all weights count the same
    roots = np.roots([1, 7, 16 - length**-2, 12 - length**-2])
    return float(roots[np.isreal(roots)].real.max())


def combine(profiles: Sequence[Profile], target: Profile) -> tuple[list[float], float]:
    """Return the factors, of sum 1, by which snapshots combine to `target`, and the error that is left.

    The error is that of the profile, relative to its norm. Without the constraint on the sum (not in the paper, whose
    many snapshots do not need it), few snapshots would shrink all weights.
    """
    count = len(profiles)
    # minimise |sum x_i p_i - p|^2 with sum x_i = 1, by a Lagrange multiplier
    system, right = np.ones((count + 1, count + 1)), np.ones(count + 1)
    system[count, count] = 0
    system[:count, :count] = [[one.overlap(other) * target.step for other in profiles] for one in profiles]
    right[:count] = [one.overlap(target) * target.step for one in profiles]
    factors = np.linalg.lstsq(system, right, rcond=1e-12)[0][:count]
    norm = target.overlap(target) * target.step
    square = norm - 2 * factors @ right[:count] + factors @ system[:count, :count] @ factors
    return factors.tolist(), math.sqrt(max(0.0, float(square / norm)))
