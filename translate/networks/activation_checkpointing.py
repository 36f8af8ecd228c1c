"""Activation checkpointing: the backward pass recomputes activations instead of keeping them.

Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost", https://arxiv.org/abs/1604.06174. A network lists in
`segments` the methods and submodules to recompute one by one; only the inputs of each call are kept. A network without
that list is one segment.
"""

__all__ = ["checkpoint_activations"]

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import wraps
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.utils.checkpoint import checkpoint


def checkpoint_activations(net: nn.Module) -> None:
    """Keep only the inputs of the segments of `net`, and of its later copies, where gradients are computed.

    Losses, gradients and batch norm averages keep their bits; a step takes one more forward pass. Segments with batch
    or spectral norm are not compiled. Submodules may have segments of their own; in a list of modules, each is one.
    """
    for name in getattr(net, "segments", ("forward",)):
        part = getattr(net, name)
        if not isinstance(part, nn.Module):
            run = recompute(getattr(type(net), name))
            setattr(net, name, MethodType(torch.compiler.disable(run) if _has_state(net) else run, net))
            continue
        for module in part if isinstance(part, nn.ModuleList | nn.Sequential) else [part]:
            checkpoint_activations(module)


def recompute(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a module's method so that the backward pass recomputes it, from the same state and random numbers."""

    @wraps(method)
    def run(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return method(module, *args, **kwargs)
        if torch.compiler.is_compiling():  # the graph is fixed, and so is the state that it reads
            return checkpoint(method, module, *args, use_reentrant=False, **kwargs)
        contexts = nullcontext(), _SavedState(module)
        return checkpoint(method, module, *args, use_reentrant=False, context_fn=lambda: contexts, **kwargs)

    return run


def _has_state(module: nn.Module) -> bool:
    """Whether a forward pass changes the state of `module`, which the compiler would not restore."""
    return any(isinstance(m, nn.BatchNorm2d) or is_parametrized(m) for m in module.modules())


class _SavedState:
    """A context that gives a module the buffers, and the set of trainable parameters, that it had at construction.

    Without it, batch norms would count every batch twice, spectral norms would start from vectors that the first pass
    has moved, and networks that were frozen in the first pass would be trainable in the second.
    """

    def __init__(self, module: nn.Module) -> None:
        self.owners = [(m, name) for m in module.modules() for name, _ in m.named_buffers(recurse=False)]
        self.parameters = list(module.parameters())
        self.saved = [buffer.clone() for buffer in self._buffers()], self._trainable()

    def __enter__(self) -> None:
        self.present = self._buffers(), self._trainable()
        buffers, trainable = self.saved
        self._set((buffer.clone() for buffer in buffers), trainable)  # the second pass may change buffers, too

    def __exit__(self, *_: object) -> None:
        self._set(*self.present)

    def _buffers(self) -> list[Tensor]:
        return [getattr(module, name) for module, name in self.owners]

    def _trainable(self) -> list[bool]:
        return [p.requires_grad for p in self.parameters]

    def _set(self, buffers: Iterable[Tensor], trainable: Iterable[bool]) -> None:
        for (module, name), buffer in zip(self.owners, buffers, strict=True):
            setattr(module, name, buffer)
        for p, requires_grad in zip(self.parameters, trainable, strict=True):
            p.requires_grad_(requires_grad)
