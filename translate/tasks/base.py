"""The base class of a task, which is the mathematics of one method and nothing else.

A task owns networks and defines, phase by phase, the losses that they minimise. Optimizers, devices, precision and
files belong to the training loop.
"""

__all__ = ["Batch", "Task", "run_seeded"]

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from translate.networks import DISCRIMINATORS, GENERATORS

Batch = dict[str, Tensor]  # pictures are (B, C, H, W) in [-1, 1]


class Task(nn.Module):
    """A set of networks and the losses that train them.

    A subclass sets `data`, `phases` and `exports`, builds its networks in `__init__(generator, discriminator, channels,
    **options)`, and writes `forward`, `losses`, `predict` and `preview`. All else has a default. A task without a
    discriminator sets `discriminators` to None; its arguments are `(generator, channels, **options)`, and its recipes
    have no section [discriminator].
    """

    data: ClassVar[str]  # the kind of training data: "paired", "unpaired", "images", "labelled", "masked" or "reduced"
    # of a translation, the default first: ("ab",), or also "ba". One of pairs alone may be trained from b to a instead
    directions: tuple[str, ...] = ("ab",)
    phases: dict[str, tuple[str, ...]]  # the networks that each update changes, in the order of the updates
    # how often a phase updates its networks in each step, if more than once; `turn` counts on from 0 meanwhile
    turns: Mapping[str, int] = MappingProxyType({})
    turn: int = 0
    exports: tuple[str, ...]  # the networks that inference needs: averaged (EMA), and saved in the model file
    generators: ClassVar[Mapping[str, Callable[..., nn.Module]]] = GENERATORS  # to choose from, by name
    discriminators: ClassVar[Mapping[str, Callable[..., nn.Module]] | None] = DISCRIMINATORS
    # whether pictures are generated from z alone: one preview then shows the whole batch, and its variety is monitored
    from_latents: ClassVar[bool] = False
    # the default, 0 to 1, of a strength that the user chooses for each translation; z (1,) is then the strength
    strength: float | None = None
    # whether the target is label maps, as one plane per class, of which the largest of an output is the answer
    answers_classes: ClassVar[bool] = False
    # whether the progress of an extended run must not fall: for networks that grow
    monotone_progress: ClassVar[bool] = False
    # the preview rows that `training.monitors.failure_modes` examines: the titles of source, output, and real pictures
    compared_rows: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    # the option that usually helps, by kind of fault (`training.monitors.findings`); others are not looked for
    remedies: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("strong_d", "blind_d"), "--train.phase_lr '{D=0.5}'"),
        "blank": "half of --train.lr",
    }
    # whether a task of two domains also learns from a few pairs: then `channels` has "paired", and so has every batch,
    # (B,), 1 for all samples or for none
    few_pairs: ClassVar[bool] = False
    taught: ClassVar[bool] = False  # by a trained model, which its option `teacher` names
    run_suffix: ClassVar[str] = ""  # of the default run folder, for a second task on the same kind of data
    notes: tuple[str, ...] = ()  # for the user before training starts, one line each
    _frozen: frozenset[int] = frozenset()  # ids of parameters that no phase updates
    extra_logs: Batch | None = None  # detached scalars to log beside the terms that `losses` has just returned

    def set_progress(self, progress: float) -> None:
        """Update schedules; called before every step with the completed part of the run, from 0 to below 1."""

    def forward(self, batch: Batch) -> Batch:
        """Compute, once a step, the tensors that all phases share."""
        raise NotImplementedError

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the weighted scalar terms of `phase` from the tensors of `forward`; their sum is minimised."""
        raise NotImplementedError

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:
        """Run inference with the exported networks alone, whether live, averaged or loaded."""
        raise NotImplementedError

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return the network that `predict` runs, and its z (1, z_dim), if any, chosen by `z` or `seed`.

        Pictures that exceed the memory are translated by running this network tile by tile. Only tasks whose `predict`
        is one call of one network on the source have this method.
        """
        raise NotImplementedError

    @classmethod
    def scale_of(cls, nets: nn.ModuleDict) -> int:
        """Return by how much results are wider and higher than their pictures."""
        return max(int(getattr(net, "scale", 1)) for net in nets.values()) if cls.data == "reduced" else 1

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of a sample grid by title, each (B, 3, H, W): one column per picture of `batch`."""
        raise NotImplementedError

    def parameters_of(self, phase: str) -> list[nn.Parameter]:
        """Return the parameters that `phase` updates."""
        every = (p for name in self.phases[phase] for p in self.get_submodule(name).parameters())
        return [p for p in every if id(p) not in self._frozen]

    def freeze(self, parameters: Iterable[nn.Parameter]) -> None:
        """Let no phase update `parameters`, from here on."""
        for p in parameters:
            p.requires_grad_(False)
            self._frozen |= {id(p)}

    @contextmanager
    def train_only(self, phase: str) -> Iterator[None]:
        """Freeze, inside the block, all networks of other phases."""
        frozen = [p for other in self.phases if other != phase for p in self.parameters_of(other)]
        for p in frozen:
            p.requires_grad_(False)
        try:
            yield
        finally:
            for p in frozen:
                p.requires_grad_(True)


def run_seeded(G: nn.Module, source: Tensor, z: Tensor | None, seed: int | None) -> Tensor:
    """Run `G` on `source` and, if given, `z`; `seed` (by default 0) determines the noise that G draws."""
    with torch.random.fork_rng(devices=[source.device] if source.is_cuda else []):
        torch.manual_seed(seed or 0)
        return G(source) if z is None else G(source, z.to(source))
