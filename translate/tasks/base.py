"""What every method looks like to the trainer.

A task owns networks and says, phase by phase, what each of them should minimise. It never touches an optimizer, a
device, a precision or a file: those are the trainer's.
"""

__all__ = ["Batch", "Task", "answer"]

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from translate.networks import DISCRIMINATORS, GENERATORS

Batch = dict[str, Tensor]  # pictures are (B, C, H, W) in [-1, 1]


class Task(nn.Module):
    """A set of networks and the losses that train them.

    Class attributes:
        data: The kind of data that feeds it: "paired", "unpaired", "images", "labelled" or "masked".
        phases: The order of the updates, and the networks that each of them may change.
        exports: The networks that are kept for inference, and averaged (EMA).
        generators: The generators to choose from, by name.
        discriminators: The discriminators, likewise.
        whole_probe: Whether a preview takes all pictures of the probe at once.
        watched: The rows of a preview by which its health is judged: source, what was made of it, and real ones.
        cures: The option that usually cures a fault, by its name in `symptoms` and `divergence`; others are not
            looked for.

    Attributes:
        notes: What the user should know before training starts, a line each.
        observed: What is logged beside the losses of the phase that was computed last, detached; or None.
    """

    data: ClassVar[str]
    generators: ClassVar[Mapping[str, Callable[..., nn.Module]]] = GENERATORS
    discriminators: ClassVar[Mapping[str, Callable[..., nn.Module]]] = DISCRIMINATORS
    whole_probe: ClassVar[bool] = False
    watched: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    cures: ClassVar[dict[str, str]] = {"won": "--train.phase_lr '{D=0.5}'", "blind": "--train.phase_lr '{D=0.5}'"}
    notes: tuple[str, ...] = ()
    observed: Batch | None = None
    phases: dict[str, tuple[str, ...]]
    exports: tuple[str, ...]

    def at(self, progress: float) -> None:
        """Be told, before every step, which part of the run is over, from 0 to below 1."""

    def forward(self, batch: Batch) -> Batch:
        """Compute, once a step, the tensors that all phases share."""
        raise NotImplementedError

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the weighted scalar terms of `phase`; their sum is minimised and each is logged."""
        raise NotImplementedError

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:
        """Run inference with the exported networks alone, be they live, averaged or loaded."""
        raise NotImplementedError

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return the one network that `predict` runs on the source alone, and its z (1, z_dim), if it is no more."""
        raise NotImplementedError

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of a sample grid, by title: each (B, 3, H, W), one column a picture of `batch`."""
        raise NotImplementedError

    def parameters_of(self, phase: str) -> list[nn.Parameter]:
        """Return the parameters that `phase` updates."""
        return [p for name in self.phases[phase] for p in self.get_submodule(name).parameters()]

    @contextmanager
    def only(self, phase: str) -> Iterator[None]:
        """Freeze, inside the block, every network that `phase` does not train."""
        frozen = [p for other in self.phases if other != phase for p in self.parameters_of(other)]
        for p in frozen:
            p.requires_grad_(False)
        try:
            yield
        finally:
            for p in frozen:
                p.requires_grad_(True)


def answer(G: nn.Module, source: Tensor, z: Tensor | None, seed: int | None) -> Tensor:
    """Run `G` on `source`, with the vector `z` where there is one; what else it draws is that of `seed`, or of 0."""
    with torch.random.fork_rng(devices=[source.device] if source.is_cuda else []):
        torch.manual_seed(seed or 0)
        return G(source) if z is None else G(source, z.to(source))
