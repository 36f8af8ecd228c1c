"""train-drift: unpaired translation between two domains, without a discriminator."""

__all__ = ["TrainDrift"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import RunOptions
from translate.cli.commands.train_cycle import UnpairedInputs


@dataclass(frozen=True, kw_only=True)
class TrainDrift(RunOptions, UnpairedInputs):
    """Learn to give the pictures of one folder the look of another, and back, at a strength that is chosen later.

    Patches of the translations drift to those of the other folder, without a discriminator; frozen features of each
    picture hold its content. For looks: where shapes have to change, train-cycle is the command.

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --content-least 0.01, --train.lr 5e-4, --generator.width 48 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/A2B_drift, after the domains).
        size: Training resolution, px; "auto": 256, or less for smaller pictures.
        epochs: Length in passes over the larger domain.
        batch_size: Pictures of each domain in a step.
    """

    task: ClassVar[str] = "drift"

    preset: Literal["fast"] = "fast"  # "fast": the best results within minutes.
