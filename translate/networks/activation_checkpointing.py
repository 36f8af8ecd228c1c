"""Memory for time: activations that are dropped, and computed a second time when the backward pass needs them.

Chen et al., 2016, "Training Deep Nets with Sublinear Memory Cost", https://arxiv.org/abs/1604.06174. As `segments`, a
network names its methods and parts that are computed again one by one, each call by itself; of what happens in them,
only the inputs are kept. A network that names none is one segment.
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
    """Let `net`, and its later copies, keep the inputs of its segments alone wherever gradients are asked for.

    Losses, gradients and the averages of batch norms stay as they are, bit by bit; a step takes another forward pass.
    Of a network that is compiled, segments with batch or spectral norm are not.

    Args:
        net: Its class may have `segments`: names of methods, and of submodules, which may have segments of their own.
            Every member of a list of modules is a segment.
    """
    for name in getattr(net, "segments", ("forward",)):
        part = getattr(net, name)
        if not isinstance(part, nn.Module):
            run = computed_again(getattr(type(net), name))
            setattr(net, name, MethodType(torch.compiler.disable(run) if _has_state(net) else run, net))
            continue
        for module in part if isinstance(part, nn.ModuleList | nn.Sequential) else [part]:
            checkpoint_activations(module)


def computed_again(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return `method` of a module such that a backward pass computes it again, from the same state and randomness."""

    @wraps(method)
    def run(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return method(module, *args, **kwargs)
        if torch.compiler.is_compiling():  # the graph is fixed, and what it reads from the module does not change
            return checkpoint(method, module, *args, use_reentrant=False, **kwargs)
        contexts = nullcontext(), _Past(module)
        return checkpoint(method, module, *args, use_reentrant=False, context_fn=lambda: contexts, **kwargs)

    return run


def _has_state(module: nn.Module) -> bool:
    """Whether a forward pass changes something in `module`, which the compiler does not put back."""
    return any(isinstance(m, nn.BatchNorm2d) or is_parametrized(m) for m in module.modules())


class _Past:
    """A block in which a module is what it was when this was made: the same buffers, and the same parameters learn.

    Without it, batch norms would count every batch twice, spectral norms go on from vectors that the first pass has
    moved, and networks that were frozen for the first pass would no longer be.
    """

    def __init__(self, module: nn.Module) -> None:
        self.owners = [(m, name) for m in module.modules() for name, _ in m.named_buffers(recurse=False)]
        self.parameters = list(module.parameters())
        self.past = [buffer.clone() for buffer in self._buffers()], self._learning()

    def __enter__(self) -> None:
        self.present = self._buffers(), self._learning()
        buffers, learning = self.past
        self._set((buffer.clone() for buffer in buffers), learning)  # the second pass may change them, too

    def __exit__(self, *_: object) -> None:
        self._set(*self.present)

    def _buffers(self) -> list[Tensor]:
        return [getattr(module, name) for module, name in self.owners]

    def _learning(self) -> list[bool]:
        return [p.requires_grad for p in self.parameters]

    def _set(self, buffers: Iterable[Tensor], learning: Iterable[bool]) -> None:
        for (module, name), buffer in zip(self.owners, buffers, strict=True):
            setattr(module, name, buffer)
        for p, learns in zip(self.parameters, learning, strict=True):
            p.requires_grad_(learns)
