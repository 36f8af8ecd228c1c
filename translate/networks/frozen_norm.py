"""Norms by a mean and a variance that they hold, in the place of those by the picture's own."""

__all__ = ["FrozenNorm", "FrozenStyleNorm", "freeze_norms", "frozen_norms", "update_statistics"]

import copy
from collections.abc import Callable, Iterator
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import BatchNorm, InstanceNorm
from translate.networks.style_resnet import StyleNorm


class FrozenNorm(nn.Module):
    """Normalises every channel by a mean and a variance that it holds, pixel by pixel.

    Attributes:
        mean, variance: (C,) float32.
        momentum: weight, from 0 to 1, with which the next picture enters them before it is normalised; 0: they stay.
            Means and variances of weighted sets of pixels are merged as Chan et al. (1979) do.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, eps: float, weight: Tensor | None = None, bias: Tensor | None = None) -> None:
        super().__init__()
        self.eps, self.momentum = eps, 0.0
        self.weight, self.bias = weight, bias
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        if self.momentum:
            self.update(x)
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=self.eps)

    def update(self, x: Tensor) -> None:
        """Let the pixels of (B, C, H, W) enter the statistics."""
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        m, apart = self.momentum, mean - self.mean
        self.mean.add_(apart, alpha=m)
        self.variance.lerp_(variance, m).add_(apart.square(), alpha=m * (1 - m))

    def extra_repr(self) -> str:
        return f"{len(self.mean)}, eps={self.eps}"


class FrozenStyleNorm(nn.Module):
    """A `StyleNorm` with a `FrozenNorm` inside."""

    def __init__(self, style_norm: StyleNorm) -> None:
        super().__init__()
        self.inner = style_norm
        style_norm.norm = _frozen(style_norm.norm)  # type: ignore[assignment]

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return self.inner(x, style)


def _frozen(norm: nn.Module) -> nn.Module:
    """Return what takes the place of a norm that looks at the whole picture; other modules stay."""
    if isinstance(norm, StyleNorm):
        return FrozenStyleNorm(norm)
    if isinstance(norm, BatchNorm):
        return FrozenNorm(norm.num_features, norm.eps, norm.weight, norm.bias).to(norm.weight.device)
    return FrozenNorm(norm.channels, norm.eps) if isinstance(norm, InstanceNorm) else norm


def freeze_norms(net: nn.Module, like: Tensor | None = None) -> nn.Module:
    """Return a copy of a network that shares its weights and has a `FrozenNorm` for each norm by the picture's own.

    Args:
        net: in eval mode.
        like: (B, C, H, W) in [-1, 1], whose statistics the norms take on; None: those of a standard normal.
    """
    shared = {id(tensor): tensor for tensor in chain(net.parameters(), net.buffers())}
    where = next((tensor.device for tensor in shared.values()), torch.device("cpu"))
    changed = copy.deepcopy(net, shared)
    for module in list(changed.modules()):
        for name, child in list(module.named_children()):
            setattr(module, name, _frozen(child))
    for norm in frozen_norms(changed):
        norm.mean, norm.variance = norm.mean.to(where), norm.variance.to(where)
    if like is not None:
        update_statistics(changed, 1.0, lambda: changed(like))
    return changed


def frozen_norms(net: nn.Module) -> Iterator[FrozenNorm]:
    """Iterate over the frozen norms of a network."""
    return (module for module in net.modules() if isinstance(module, FrozenNorm))


@torch.inference_mode()
def update_statistics(net: nn.Module, momentum: float, run: Callable[[], object]) -> None:
    """Update the norms' statistics from one forward pass, with weight `momentum`."""
    for norm in frozen_norms(net):
        norm.momentum = momentum
    run()
    for norm in frozen_norms(net):
        norm.momentum = 0.0
