"""train-gan: unconditional and class-conditional generation."""

__all__ = ["TrainGan"]

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from tyro.conf import arg

from translate.cli.commands.options import RunOptions, Text


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the data, which --help lists first."""

    # The pictures: a folder, a quoted pattern, a text file of paths, a CSV file with the columns file and label, an idx
    # file, or a data set of the catalog (digits, faces).
    images: Text = ""
    # Learn their classes too: from their folders, the CSV file, or the idx file beside them; or from a CSV or idx file
    # of labels.
    labels: Annotated[str, arg(metavar="[FILE]", help_behavior_hint="")] = ""
    # Begin with small pictures and grow the networks during this part of the run: half of it, or PART.
    grow: Annotated[float, arg(metavar="[PART]", help_behavior_hint="")] = 0.0


@dataclass(frozen=True, kw_only=True)
class TrainGan(RunOptions, _Inputs):
    """Learn to make new pictures like those of a set, of any of its classes if there are labels.

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --z-dim 100, --gan lsgan, --train.lr 1e-4 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/, then the name of the set).
        size: Training resolution, px: 32, 64, 128 or 256; "auto": that of the pictures.
        epochs: Length in passes over the pictures.
        batch_size: Pictures in a step.
    """

    task: ClassVar[str] = "generate"
    implied_values: ClassVar[dict[str, str]] = {"labels": "auto", "grow": "0.5"}  # of options given without a value

    # "fast": the best results within minutes or hours; "paper": DCGAN to the letter; "large": wide networks and large
    # batches, for a GPU and many classes (BigGAN); "drift": no discriminator, samples drift towards the pictures.
    preset: Literal["fast", "paper", "large", "drift"] = "fast"
