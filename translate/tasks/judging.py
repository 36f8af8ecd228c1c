"""What a discriminator that may have several scales says of several pictures, and the losses over it."""

__all__ = ["Judged", "feature_matching", "gan_d", "gan_g", "judge", "mixes", "sum_of"]

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.losses import GanLoss

Judged = list[list[Tensor]]  # by scale, by layer; the last of each are the scores


def judge(D: nn.Module, pictures: Mapping[str, Tensor]) -> dict[str, Judged]:
    """Show `D` batches (B, C, H, W) of one size, and return what it says of each.

    All in one call, unless D has a batch norm, which would mix them. Wherever D itself is being trained, the pictures
    are detached.
    """
    learning = next(D.parameters()).requires_grad
    shown = [picture.detach() if learning else picture for picture in pictures.values()]
    if mixes(D):
        return {name: as_scales(D(picture)) for name, picture in zip(pictures, shown, strict=True)}
    scales = as_scales(D(torch.cat(shown)))
    chunks = [[layer.chunk(len(shown)) for layer in layers] for layers in scales]
    return {name: [[layer[i] for layer in layers] for layers in chunks] for i, name in enumerate(pictures)}


def mixes(D: nn.Module) -> bool:
    """Whether what `D` says of a picture depends on the others of its batch."""
    return any(isinstance(module, nn.BatchNorm2d) for module in D.modules())


def as_scales(output: Tensor | Judged) -> Judged:
    """Bring a discriminator's output, be it scores alone or features by scale, to one form."""
    return [[output]] if isinstance(output, Tensor) else output


def gan_d(gan: GanLoss, real: Judged, fake: Judged) -> Tensor:
    """Return D's loss, the mean over its scales."""
    return sum_of(gan.d(r[-1], f[-1]) for r, f in zip(real, fake, strict=True)) / len(real)


def gan_g(gan: GanLoss, fake: Judged) -> Tensor:
    """Return G's loss, the mean over D's scales."""
    return sum_of(gan.g(layers[-1]) for layers in fake) / len(fake)


def feature_matching(fake: Judged, real: Judged) -> Tensor:
    """L1 between D's features of fake and real, summed over layers, averaged over scales (pix2pixHD, equation 4)."""
    layers = ((f, r) for fakes, reals in zip(fake, real, strict=True) for f, r in zip(fakes[:-1], reals, strict=False))
    return sum_of(F.l1_loss(f, r) for f, r in layers) / len(fake)


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Add scalars up."""
    return torch.stack(list(terms)).sum()
