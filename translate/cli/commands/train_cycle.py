"""train-cycle: unpaired translation between two domains."""

__all__ = ["TrainCycle", "UnpairedInputs"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import RunOptions, Text, ValueRange


@dataclass(frozen=True, kw_only=True)
class UnpairedInputs:
    """Options of the data, which --help lists first."""

    a: Text = ""  # First domain: a folder, a quoted pattern, a text file of paths, or a name of the catalog.
    b: Text = ""  # Second domain, in one of the same forms.
    data: Text = ""  # Instead of both: a folder with trainA and trainB, or a data set of the catalog.
    # LOW,HIGH: the values of black and white in files of floats and wide integers (default: 0,1, and the full range of
    # 16 bits); the model keeps them.
    value_range: ValueRange = ""


@dataclass(frozen=True, kw_only=True)
class _PairInputs:
    """Options of true pairs beside the two domains."""

    # A few true pairs, to learn from as well: a folder of combined A|B pictures or with trainA and trainB, or a CSV
    # file with the columns a and b. A tenth, or their test part, is held out for evaluate.
    pairs: Text = ""
    pair_share: float = 0.25  # Share of the steps that see pairs.


@dataclass(frozen=True, kw_only=True)
class TrainCycle(RunOptions, _PairInputs, UnpairedInputs):
    """Learn to turn the pictures of one folder into the look of another, and back (CycleGAN).

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --lambda-identity 0, --train.lr 1e-4, --generator.width 64 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/A2B, after the domains).
        size: Training resolution, px; "auto": 256, or less for smaller pictures.
        epochs: Length in passes over the larger domain.
        batch_size: Pictures of each domain in a step.
    """

    task: ClassVar[str] = "cycle"

    # "fast": the best results within minutes or hours; "paper": the published recipe to the letter.
    # "drift": the task of train-drift, which learns looks sooner and is told a strength.
    preset: Literal["fast", "paper", "drift"] = "fast"
