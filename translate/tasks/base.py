"""The contract of a task, the mathematics of one method, with the trainer.

A task owns networks and defines, phase by phase, what each of them minimises. It never touches an optimizer, a device,
a precision or a file: the trainer does.
"""

__all__ = ["Batch", "Task", "run_seeded"]

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from translate.networks import DISCRIMINATORS, GENERATORS

Batch = dict[str, Tensor]  # pictures are (B, C, H, W) in [-1, 1]


class Task(nn.Module):
    """A set of networks and the losses that train them.

    A subclass sets `data`, `phases` and `exports`, builds its networks in `__init__(generator, discriminator, channels,
    **options)`, and writes `forward`, `losses`, `predict` and `preview`. All else has a default.

    Class attributes:
        data: The kind of data that feeds it: "paired", "unpaired", "images" or "masked".
        phases: The networks that each update may change, in the order of the updates.
        exports: The networks that inference needs. They are averaged (EMA) and saved in the model file.
        generators: The generators to choose from, by name.
        discriminators: The discriminators to choose from, by name.
        from_latents: Whether pictures are generated from z and not from a source. A preview then takes all pictures of
            the batch at once, since it has its own z, and their variety is monitored.
        monotone_progress: Whether the progress of a run must not fall when it is extended: networks that grow.
        compared_rows: The rows of a preview in which `training.failure_modes` looks for faults: the titles of a source,
            of its output, and of real pictures such as the output should be.
        remedies: By kind of fault (a key of `training.findings.MESSAGES`), the option that usually helps against it.
            Faults of translation without a remedy are not looked for.

    Attributes:
        notes: What the user should know before training starts, a line each.
        extra_logs: Scalars to log beside the loss terms that `losses` has just returned, detached; or None.
    """

    data: ClassVar[str]
    generators: ClassVar[Mapping[str, Callable[..., nn.Module]]] = GENERATORS
    discriminators: ClassVar[Mapping[str, Callable[..., nn.Module]]] = DISCRIMINATORS
    from_latents: ClassVar[bool] = False
    monotone_progress: ClassVar[bool] = False
    compared_rows: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    remedies: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("strong_d", "blind_d"), "--train.phase_lr '{D=0.5}'"),
        "blank": "half of --train.lr",
    }
    notes: tuple[str, ...] = ()
    extra_logs: Batch | None = None
    phases: dict[str, tuple[str, ...]]
    exports: tuple[str, ...]

    def set_progress(self, progress: float) -> None:
        """Adapt what changes during a run; called before every step with the part that is done, from 0 to below 1."""

    def forward(self, batch: Batch) -> Batch:
        """Compute, once a step, the tensors that all phases share."""
        raise NotImplementedError

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the weighted scalar terms of `phase`, given what `forward` returned.

        Their sum is minimised, and each is logged.
        """
        raise NotImplementedError

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:
        """Run inference with the exported networks alone, be they live, averaged or loaded."""
        raise NotImplementedError

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return the network that `predict` runs, and the z (1, z_dim) that it gets with `z` or `seed`, if any.

        Pictures that exceed the memory are translated by running this network tile by tile. Only tasks whose `predict`
        is one call of one network on the source can have it.
        """
        raise NotImplementedError

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of a sample grid, by title: each (B, 3, H, W), one column a picture of `batch`."""
        raise NotImplementedError

    def parameters_of(self, phase: str) -> list[nn.Parameter]:
        """Return the parameters that `phase` updates."""
        return [p for name in self.phases[phase] for p in self.get_submodule(name).parameters()]

    @contextmanager
    def train_only(self, phase: str) -> Iterator[None]:
        """Freeze, inside the block, every network that `phase` does not train."""
        frozen = [p for other in self.phases if other != phase for p in self.parameters_of(other)]
        for p in frozen:
            p.requires_grad_(False)
        try:
            yield
        finally:
            for p in frozen:
                p.requires_grad_(True)


def run_seeded(G: nn.Module, source: Tensor, z: Tensor | None, seed: int | None) -> Tensor:
    """Run `G` on `source`, and on `z` if given; the noise that G draws follows from `seed`, by default 0."""
    with torch.random.fork_rng(devices=[source.device] if source.is_cuda else []):
        torch.manual_seed(seed or 0)
        return G(source) if z is None else G(source, z.to(source))
