"""train-stargan: labels that a picture gets or loses, such as facial attributes."""

__all__ = ["TrainStargan"]

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from tyro.conf import arg

from translate.cli.commands.options import RunOptions, Text


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the data, which --help lists first."""

    # The pictures: a folder, a quoted pattern, a text file of paths, or a data set of the catalog (attributes).
    images: Text = ""
    # Their labels. Without FILE, a table beside them (attributes.csv) or the folders of the classes. FILE: a CSV or TSV
    # file with a line for each picture, its file and a column of 0 and 1 (or -1 and 1) for each attribute; CelebA's
    # list_attr_celeba.txt; or a CSV file with the columns file and label, for classes.
    labels: Annotated[str, arg(metavar="[FILE]", help_behavior_hint="")] = ""
    # Columns of the table to learn, separated by commas, such as glasses,blond (default: all).
    attributes: Annotated[str, arg(metavar="NAMES", help_behavior_hint="")] = ""


@dataclass(frozen=True, kw_only=True)
class TrainStargan(RunOptions, _Inputs):
    """Learn to give pictures labels, such as facial attributes, and to take them away, all with one model.

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --generator.width 64, --lambda-cycle 5, --train.lr 2e-4 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/, then the name of the set, such as attributes_stargan).
        size: Training resolution, px; "auto": that of the pictures, at most 256.
        epochs: Length in passes over the pictures.
        batch_size: Pictures in a step.
    """

    task: ClassVar[str] = "stargan"
    implied_values: ClassVar[dict[str, str]] = {"labels": "auto"}  # of options given without a value

    # "fast": wishes relative to the picture, and a mask that keeps the rest; "paper": StarGAN at 128 px, for a GPU.
    preset: Literal["fast", "paper"] = "fast"
