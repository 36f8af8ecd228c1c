"""Discriminators of one or several scales, run on several batches at once, and losses on their outputs."""

__all__ = [
    "Judged", "all_scores", "as_scales", "feature_matching", "gan_d", "gan_g", "judge", "mean_of", "shows_features",
]  # fmt: skip

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.patchgan import MultiScale
from translate.networks.projected import Projected
from translate.networks.transformers.discriminator import VitDiscriminator
from translate.tasks.losses.adversarial import GanLoss, PairedGanLoss

Judged = list[list[Tensor]]  # features of D by scale and layer; the last of each scale are the scores


def judge(D: nn.Module, pictures: Mapping[str, Tensor]) -> dict[str, Judged]:
    """Run `D` on batches (B, C, H, W) of one size, in one call unless D has a batch norm, which would mix them.

    In D's phase the pictures are detached; in G's, pictures without a gradient are judged without a graph. A
    discriminator with a window sees the same window of all pictures.
    """
    separate, view = mixes_batch(D), _at_one_window(D, next(iter(pictures.values())))
    if any(p.requires_grad for p in D.parameters()):  # the lower layers may be frozen in all phases
        return _judge({name: picture.detach() for name, picture in pictures.items()}, view, separate)
    fakes = {name: picture for name, picture in pictures.items() if picture.requires_grad}
    with torch.no_grad():
        judged = _judge({name: picture for name, picture in pictures.items() if name not in fakes}, view, separate)
    return judged | _judge(fakes, view, separate)


def _at_one_window(D: nn.Module, like: Tensor) -> Callable[[Tensor], Tensor | Judged]:
    """Return `D` for batches of the size of `like`, with one random window if D has a window.

    The window is cropped outside of D: inside, D would be compiled anew for each position, and gathering by index made
    PyTorch 2.13's compiler write beyond its memory.
    """
    if not (isinstance(D, MultiScale) and D.window):
        return D
    corner = D.draw_corner(like)
    return lambda x: D(x, D.view(x, corner))


def _judge(pictures: Mapping[str, Tensor], D: Callable[[Tensor], Tensor | Judged], separate: bool) -> dict[str, Judged]:
    if separate or len(pictures) < 2:
        return {name: as_scales(D(picture)) for name, picture in pictures.items()}
    scales, count = as_scales(D(torch.cat(list(pictures.values())))), len(pictures)
    chunks = [[_Chunks.apply(layer, count) for layer in layers] for layers in scales]
    return {name: [[layer[i] for layer in layers] for layers in chunks] for i, name in enumerate(pictures)}


class _Chunks(torch.autograd.Function):
    """`Tensor.chunk` whose gradient has the layout of its input, also where some chunks are not used."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, count: int) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.chunk(count)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, None]:
        if all(grad is None for grad in grads):
            return None, None
        whole = torch.empty_like(ctx.saved_tensors[0])
        for part, grad in zip(whole.chunk(len(grads)), grads, strict=True):
            _ = part.zero_() if grad is None else part.copy_(grad)
        return whole, None


def mixes_batch(D: nn.Module) -> bool:
    """Whether the scores of a picture depend on the rest of the batch."""
    return any(isinstance(module, nn.BatchNorm2d) for module in D.modules())


def as_scales(output: Tensor | Judged) -> Judged:
    """Convert the output of a discriminator, scores alone or features by scale, to `Judged`."""
    return [[output]] if isinstance(output, Tensor) else output


def all_scores(output: Tensor | Judged) -> Tensor:
    """Return the scores of a discriminator at all scales and places, (B, n)."""
    return torch.cat([layers[-1].flatten(1) for layers in as_scales(output)], 1)


def shows_features(D: nn.Module) -> bool:
    """Whether `D` returns the activations that feature matching compares."""
    return isinstance(D, MultiScale | Projected | VitDiscriminator)


def gan_d(gan: GanLoss | PairedGanLoss, real: Judged, fake: Judged) -> Tensor:
    """Return D's loss, the mean over its scales."""
    return mean_of(gan.d(r[-1], f[-1]) for r, f in zip(real, fake, strict=True))


def gan_g(gan: GanLoss, fake: Judged) -> Tensor:
    """Return G's loss, the mean over the scales of D."""
    return mean_of(gan.g(layers[-1]) for layers in fake)


def feature_matching(fake: Judged, real: Judged) -> Tensor:
    """Return the L1 distance of D's features, summed over layers, averaged over scales (pix2pixHD, equation 4)."""
    layers = ((f, r) for fakes, reals in zip(fake, real, strict=True) for f, r in zip(fakes[:-1], reals, strict=False))
    return torch.stack([F.l1_loss(f, r) for f, r in layers]).sum() / len(fake)


def mean_of(terms: Iterable[Tensor]) -> Tensor:
    """Return the mean of scalars."""
    values = torch.stack(list(terms))
    return values.sum() / len(values)
