"""Adversarial losses as functions of a discriminator's scores (any shape, unbounded); each returns a scalar."""

__all__ = ["lsgan_d", "lsgan_g"]


from torch import Tensor


def lsgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares, halved: 1/2 E[(D(real) - 1)^2] + 1/2 E[D(fake)^2] (Mao et al., 2017, equation 2)."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def lsgan_g(fake: Tensor) -> Tensor:
    """E[(D(fake) - 1)^2]: equation 2 of Mao et al., 2017, without its 1/2, as CycleGAN's section 3 has it."""
    return (fake - 1).square().mean()
