"""Adversarial losses as functions of a discriminator's scores (any shape, unbounded); each returns a scalar."""

__all__ = ["GAN_LOSSES", "GanLoss", "hinge_d", "hinge_g", "lsgan_d", "lsgan_g", "smoothness"]

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


def lsgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares, halved: 1/2 E[(D(real) - 1)^2] + 1/2 E[D(fake)^2] (Mao et al., 2017, equation 2)."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def lsgan_g(fake: Tensor) -> Tensor:
    """E[(D(fake) - 1)^2]: equation 2 of Mao et al., 2017, without its 1/2, as CycleGAN's section 3 has it."""
    return (fake - 1).square().mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))] (Miyato et al., 2018, equation 16)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_g(fake: Tensor) -> Tensor:
    """-E[D(fake)] (Miyato et al., 2018, equation 17)."""
    return -fake.mean()


def smoothness(D: Callable[[Tensor], Tensor], real: Tensor, scores: Tensor, sigma: float = 0.03) -> Tensor:
    """E[((D(x) - D(x + sigma * e)) / sigma)^2], e ~ N(0, 1): about E|grad D|^2, the R1 penalty, without its gradient.

    The finite difference (approximate R1 of Lin et al., 2025, "Seaweed-APT") needs no second backward pass, so it can
    be compiled; a `sigma` much smaller drowns in the rounding of bf16.

    Args:
        D: The discriminator.
        real: (B, C, H, W) in [-1, 1].
        scores: D(real).
        sigma: Standard deviation of the disturbance.
    """
    return ((scores - D(real + sigma * torch.randn_like(real))) / sigma).square().mean()


class GanLoss(NamedTuple):
    """A flavour of the adversarial game: d(scores of real, scores of fake) and g(scores of fake)."""

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor], Tensor]


GAN_LOSSES = {"lsgan": GanLoss(lsgan_d, lsgan_g), "hinge": GanLoss(hinge_d, hinge_g)}
