"""train-inpaint: inpainting."""

__all__ = ["TrainInpaint"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import Flag, PathText, RunOptions, Text


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the data, which --help lists first."""

    # Pictures without holes: a folder, a quoted pattern, a text file of paths, or a data set or domain of the
    # catalog (photos).
    images: Text = ""
    # Masks to train with, a folder or a quoted pattern (default: strokes, boxes, blobs ... are drawn).
    masks: PathText = ""
    invert_masks: Flag = False  # The masks mean the opposite of what was detected.


@dataclass(frozen=True, kw_only=True)
class TrainInpaint(RunOptions, _Inputs):
    """Learn to fill holes in pictures like those of a set (inpainting).

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too, for example
    --z-dim 8 (several fillings of a hole), --mask-high 0.4, --train.lr 1e-4 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/, then the name of the set and _inpaint).
        size: Training resolution, px; "auto": 256, or less for smaller pictures.
        epochs: Length in passes over the pictures.
        batch_size: Pictures in a step.
    """

    task: ClassVar[str] = "inpaint"

    # "fast": the best results within minutes or hours; "paper": context encoder, 128 px and a hole in the
    # middle; "partial": partial convolutions.
    preset: Literal["fast", "paper", "partial"] = "fast"
