"""Norms with stored statistics, in place of norms that compute them from each picture."""

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
    """Normalise every channel by a stored mean and variance, pixel by pixel.

    Attributes:
        mean, variance: (C,) float32.
        momentum: weight in [0, 1] of the input's statistics, which are merged into the stored ones before the input is
            normalised (Chan et al., 1979); 0 leaves them as they are.
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
        """Merge the statistics of (B, C, H, W)."""
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        m, delta = self.momentum, mean - self.mean
        self.mean.add_(delta, alpha=m)
        self.variance.lerp_(variance, m).add_(delta.square(), alpha=m * (1 - m))

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
    """Return the frozen counterpart of a norm that uses each picture's statistics; return other modules unchanged."""
    if isinstance(norm, StyleNorm):
        return FrozenStyleNorm(norm)
    if isinstance(norm, BatchNorm):
        return FrozenNorm(norm.num_features, norm.eps, norm.weight, norm.bias).to(norm.weight.device)
    return FrozenNorm(norm.channels, norm.eps) if isinstance(norm, InstanceNorm) else norm


def freeze_norms(net: nn.Module, pictures: Tensor | None = None) -> nn.Module:
    """Return a copy of a network in eval mode with frozen norms, which shares its weights.

    The statistics are those of `pictures` (B, C, H, W) in [-1, 1]; without pictures, mean 0 and variance 1.
    """
    shared = {id(tensor): tensor for tensor in chain(net.parameters(), net.buffers())}
    device = next((tensor.device for tensor in shared.values()), torch.device("cpu"))
    frozen = copy.deepcopy(net, shared)
    for module in list(frozen.modules()):
        for name, child in list(module.named_children()):
            setattr(module, name, _frozen(child))
    for norm in frozen_norms(frozen):
        norm.mean, norm.variance = norm.mean.to(device), norm.variance.to(device)
    if pictures is not None:
        update_statistics(frozen, 1.0, lambda: frozen(pictures))
    return frozen


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
