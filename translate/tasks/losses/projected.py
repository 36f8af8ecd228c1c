"""A discriminator on frozen features beside the task's own: one more term in both phases of a task."""

__all__ = ["NO_OPTIONS", "make_projected", "projected_loss"]

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from translate.networks import DISCRIMINATORS
from translate.networks.features.load import load_features
from translate.tasks.losses.adversarial import GAN_LOSSES
from translate.tasks.losses.multiscale import gan_d, gan_g, mean_of
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

NO_OPTIONS: dict[str, Any] = {}


def make_projected(weight: float, options: Mapping[str, Any], features: str, **fixed: Any) -> nn.Module | None:
    """Build the discriminator `Projected` with the user's `options`; None if its `weight` is 0 or `features` is "none".

    Raises:
        OptionError: An option is unknown, or one of those that the task sets.
    """
    if not weight or load_features(features) is None:
        return None
    fixed["features"] = features
    if taken := sorted(fixed.keys() & options.keys()):
        raise OptionError(f"leave {taken[0]} out of --projected; the task sets it, --features for example")
    return Factory({"name": "projected", **options}, DISCRIMINATORS, "projected")(**fixed)


def projected_loss(
    phase: str, P: nn.Module, real: Tensor | None, fakes: Sequence[Tensor],
    label: Tensor | None = None, fake_label: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the hinge loss of `P` in the phase "D", the generator's in "G": the mean over scales and `fakes`.

    `real`, which "G" does not need, and each of `fakes` are (B, C, H, W) in [-1, 1]; labels are weights (B, classes).
    The loss is that of Projected GANs, whatever the loss of the discriminator beside it.
    """
    hinge = GAN_LOSSES["hinge"]
    if phase == "G":
        return mean_of(gan_g(hinge, P(fake, fake_label)) for fake in fakes)
    assert real is not None
    judged = P(real.detach(), label)
    return mean_of(gan_d(hinge, judged, P(fake.detach(), fake_label)) for fake in fakes)
