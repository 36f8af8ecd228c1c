"""train-cut: unpaired translation in one direction."""

__all__ = ["TrainCut"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import RunOptions
from translate.cli.commands.train_cycle import UnpairedInputs


@dataclass(frozen=True, kw_only=True)
class TrainCut(RunOptions, UnpairedInputs):
    """Learn to turn the pictures of one folder into the look of another, in this direction alone (CUT).

    Every place of a result should be recognised among other places of its source, by features of the generator itself;
    there is no way back. For the other direction, give the folders in the other order. With one picture in the place of
    each folder, it learns from these two alone (SinCUT), and the preset is "sincut".

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --lambda-nce 2, --train.lr 1e-4, --generator.width 64 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/A2B_cut, after the domains).
        size: Training resolution, px; "auto": 256, or less for smaller pictures.
        epochs: Length in passes over the larger domain.
        batch_size: Pictures of each domain in a step.
    """

    task: ClassVar[str] = "cut"
    lone_preset: ClassVar[str] = "sincut"

    # "fast": the best results within minutes or hours; "paper" and "fastcut": the published recipes; "sincut": for one
    # picture a side.
    preset: Literal["fast", "paper", "fastcut", "sincut"] = "fast"
