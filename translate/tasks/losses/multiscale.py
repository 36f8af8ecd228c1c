"""What a discriminator that may have several scales says of several pictures, and the losses over it."""

__all__ = ["Judged", "feature_matching", "gan_d", "gan_g", "judge", "mixes", "sum_of"]

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.patchgan import MultiScale
from translate.tasks.losses.adversarial import GanLoss

Judged = list[list[Tensor]]  # by scale, by layer; the last of each are the scores


def judge(D: nn.Module, pictures: Mapping[str, Tensor]) -> dict[str, Judged]:
    """Show `D` batches (B, C, H, W) of one size, and return what it says of each.

    All in one call, unless D has a batch norm, which would mix them. Wherever D itself is being trained, the pictures
    are detached; wherever it is not, those that nobody learns from are judged without keeping anything for a backward
    pass. A discriminator that looks through a window looks through the same one at all of them.
    """
    learning = next(D.parameters()).requires_grad
    see = _through_one_window(D, next(iter(pictures.values())))
    if learning:
        return _judge({name: picture.detach() for name, picture in pictures.items()}, see, mixes(D))
    taught = {name: picture for name, picture in pictures.items() if picture.requires_grad}
    with torch.no_grad():
        others = {name: picture for name, picture in pictures.items() if name not in taught}
        judged = _judge(others, see, mixes(D))
    return judged | _judge(taught, see, mixes(D))


def _through_one_window(D: nn.Module, like: Tensor) -> Callable[[Tensor], Tensor | Judged]:
    """Return what shows `D` batches of the size of `like`, through a window at one place if it has a window.

    They are cut outside of D: where it is compiled, every other place would be compiled anew, and gathering by index
    made PyTorch 2.13's compiler write beyond its memory.
    """
    if not (isinstance(D, MultiScale) and D.window):
        return D
    corner = D.draw_corner(like)
    return lambda x: D(x, D.view(x, corner))


def _judge(pictures: Mapping[str, Tensor], D: Callable[[Tensor], Tensor | Judged], apart: bool) -> dict[str, Judged]:
    """Show `D` the pictures, each batch by itself if they are to be kept `apart`."""
    if apart or len(pictures) < 2:
        return {name: as_scales(D(picture)) for name, picture in pictures.items()}
    scales, count = as_scales(D(torch.cat(list(pictures.values())))), len(pictures)
    chunks = [[_Parts.apply(layer, count) for layer in layers] for layers in scales]
    return {name: [[layer[i] for layer in layers] for layers in chunks] for i, name in enumerate(pictures)}


class _Parts(torch.autograd.Function):
    """`Tensor.chunk` whose gradient has the layout of its input, also where some of the parts are not looked at."""

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
