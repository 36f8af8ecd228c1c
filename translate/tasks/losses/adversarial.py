"""Adversarial losses: scalars of a discriminator's scores (any shape, unbounded), and terms that accompany them."""

__all__ = [
    "GAN_LOSSES", "PAIRED_GAN_LOSSES", "GanLoss", "PairedGanLoss", "as_paired", "chance_loss", "gradient_penalty",
    "hinge_d", "hinge_g", "kl_to_normal", "lsgan_d", "lsgan_g", "mode_seeking", "relativistic_d", "relativistic_g",
    "smoothness", "vanilla_d", "vanilla_g", "wgan_d",
]  # fmt: skip

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.utils import dist
from translate.utils.plugins import Registry


def lsgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares, halved: 1/2 E[(D(real) - 1)^2] + 1/2 E[D(fake)^2] (Mao et al., 2017, equation 2)."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def lsgan_g(fake: Tensor) -> Tensor:
    """E[(D(fake) - 1)^2]: equation 2 of Mao et al., 2017, without its 1/2, as CycleGAN's section 3 has it."""
    return (fake - 1).square().mean()


def vanilla_d(real: Tensor, fake: Tensor) -> Tensor:
    """-1/2 E[log sigmoid(D(real))] - 1/2 E[log(1 - sigmoid(D(fake)))]: pix2pix halves it (section 3.3)."""
    return 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())


def vanilla_g(fake: Tensor) -> Tensor:
    """-E[log sigmoid(D(fake))], the non-saturating loss (Goodfellow et al., 2014, section 3)."""
    return F.softplus(-fake).mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))] (Miyato et al., 2018, equation 16)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_g(fake: Tensor) -> Tensor:
    """-E[D(fake)] (Miyato et al., 2018, equation 17)."""
    return -fake.mean()


def smoothness(D: Callable[[Tensor], Tensor], real: Tensor, scores: Tensor, sigma: float = 0.03) -> Tensor:
    """E[((D(x) - D(x + sigma * e)) / sigma)^2], e ~ N(0, 1): about E|grad D|^2, the R1 penalty.

    `real` is x, (B, C, H, W) in [-1, 1], and `scores` are D(x). The finite difference (approximate R1 of Lin et al.,
    2025, "Seaweed-APT") needs no second backward pass, so it can be compiled; a much smaller `sigma` would drown in the
    rounding of bf16.
    """
    return ((scores - D(real + sigma * dist.randn_like(real))) / sigma).square().mean()


def kl_to_normal(mean: Tensor, log_variance: Tensor, free: float = 0.0) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance), (B, d) both, from N(0, 1): summed over d, averaged over B.

    Kingma and Welling, 2014, appendix B. The first `free` nats of each dimension cost nothing (free bits: Kingma et
    al., 2016, appendix C.8); else the code collapses before the decoder has learned to use it.
    """
    divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean(0, keepdim=True)
    return dist.all_gather_rows(divergence).mean(0).clamp_min(free).sum()


def mode_seeking(z: Tensor, other_z: Tensor, picture: Tensor, other: Tensor, slack: float) -> Tensor:
    """|z - z'| / (|G(z) - G(z')| + slack), means of absolute values: small when outputs differ as their z do.

    The inverse of equation 4 of Mao et al., 2019, https://arxiv.org/abs/1903.05628. Their `slack` of 1e-5 lets the term
    explode while a young generator ignores z; 0.05 bounds it by 20 |z - z'|.
    """
    distance = (picture - other).abs().flatten(1).mean(1)
    return ((z - other_z).abs().mean(1) / (distance + slack)).mean()


def wgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(fake)] - E[D(real)] (Arjovsky et al., 2017); needs a gradient penalty."""
    return fake.mean() - real.mean()


def gradient_penalty(D: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """E[(|grad D(x)| - 1)^2] for x between `real` and `fake`, (B, C, H, W), at random (Gulrajani et al., 2017)."""
    share = dist.draw_local_rows(lambda n: torch.rand(n, 1, 1, 1, device=real.device), len(real))
    between = torch.lerp(fake, real, share).requires_grad_()
    [gradient] = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[log(1 + exp(D(fake) - D(real)))] over pairs (Jolicoeur-Martineau, 2019; R3GAN, equation 2)."""
    return F.softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """E[log(1 + exp(D(real) - D(fake)))] over pairs: fakes should look more real than real pictures."""
    return F.softplus(real - fake).mean()


class GanLoss(NamedTuple):
    """The losses of both players: d(real scores, fake scores) and g(fake scores)."""

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor], Tensor]


class PairedGanLoss(NamedTuple):
    """Losses d(real scores, fake scores) and g(real scores, fake scores); `relative` if g uses the real scores."""

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    relative: bool = False


def as_paired(loss: GanLoss | PairedGanLoss) -> PairedGanLoss:
    """Return a loss as one of pairs, whose g ignores the real scores."""
    return loss if isinstance(loss, PairedGanLoss) else PairedGanLoss(loss.d, lambda real, fake: loss.g(fake))


def chance_loss(loss: GanLoss | PairedGanLoss | None) -> float | None:
    """Return the least loss of a D that gives every picture the same score; None without a D, or a scale of scores."""
    if loss is None or loss.d is wgan_d:
        return None
    return min(float(loss.d(x, x)) for x in (torch.zeros(1), torch.full((1,), 0.5)))


def _check(loss: Any) -> str:
    """Return why a plugin's loss cannot be one, or ""."""
    return "" if isinstance(loss, GanLoss) else "a GAN loss is a GanLoss(d, g)"


def _check_paired(loss: Any) -> str:
    return "" if isinstance(loss, PairedGanLoss) else "a GAN loss of pairs is a PairedGanLoss(d, g, relative)"


GAN_LOSSES: Registry[GanLoss] = Registry(
    "GAN loss",
    {
        "lsgan": GanLoss(lsgan_d, lsgan_g),
        "hinge": GanLoss(hinge_d, hinge_g),
        "vanilla": GanLoss(vanilla_d, vanilla_g),
        "wgan": GanLoss(wgan_d, hinge_g),
    },
    check=_check,
)
PAIRED_GAN_LOSSES: Registry[Any] = Registry(  # those that `as_paired` makes ones of pairs as well
    "GAN loss",
    {"relativistic": PairedGanLoss(relativistic_d, relativistic_g, relative=True)},
    GAN_LOSSES,
    check=_check_paired,
)
