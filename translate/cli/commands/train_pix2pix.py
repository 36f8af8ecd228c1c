"""train-pix2pix: paired translation."""

__all__ = ["TrainPix2pix"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import Direction, Flag, PathText, RunOptions, Text, ValueRange


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the data, which --help lists first."""

    # A data set of the catalog (sketch2shoe, sketch2handbag, ...), a folder of combined A|B pictures or with trainA and
    # trainB, or a CSV file with the columns a and b.
    data: Text = ""
    # Instead of --data: the first picture of each pair, as a folder, a quoted pattern or a text file of paths.
    a: Text = ""
    b: Text = ""  # The second picture of each pair, matched by name.
    direction: Direction = "ab"  # "ab": from the first picture to the second; "ba": back.
    hints: Flag = False  # Also take colour strokes as input: the model learns to follow a few given colours.
    # Label maps as one channel per class instead of as colours; --preset labels says so itself.
    one_hot: Flag = False
    # Text file of the classes in label maps, "7 road" or "#804080 road" a line, or names alone (default: all values).
    class_names: PathText = ""
    # Values in label maps that are no class: none, or a list such as 0,255 or #000000 (default: 255, if it is beside
    # 0, 1, 2 ...).
    unlabelled: Text = ""
    # LOW,HIGH: the values of black and white in files of floats and wide integers (default: 0,1, and the full range of
    # 16 bits); the model keeps them.
    value_range: ValueRange = ""


@dataclass(frozen=True, kw_only=True)
class TrainPix2pix(RunOptions, _Inputs):
    """Learn to turn one picture of a pair into the other: sketch to photo, map to aerial photo (pix2pix).

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --z-dim 0 (one result for a picture instead of many), --train.lr 1e-4 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/, then the name of the data).
        size: Training resolution, px; "auto": 256, or less for smaller pictures.
        epochs: Length in passes over the pairs.
        batch_size: Pairs in a step.
    """

    task: ClassVar[str] = "pix2pix"

    # "fast": the best results within minutes or hours; "paper": the published recipe to the letter; "labels": from
    # photos to label maps, with a channel per class and cross-entropy.
    preset: Literal["fast", "labels", "paper"] = "fast"
