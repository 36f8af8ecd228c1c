"""train-upscale: super-resolution."""

__all__ = ["TrainUpscale"]

from dataclasses import dataclass
from typing import ClassVar, Literal

from translate.cli.commands.options import Int, RunOptions, Text


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the data, which --help lists first."""

    # Sharp pictures: a folder, a quoted pattern, a text file of paths, or a data set or domain of the catalog (photos).
    images: Text = ""
    scale: Int = 4  # 2, 3 or 4: how many times as wide and high pictures become.
    # What made small pictures small. "clean": exact means of blocks of pixels; "real": blur, noise and JPEG as well,
    # in random order and strength.
    degrade: Literal["clean", "real"] = "clean"


@dataclass(frozen=True, kw_only=True)
class TrainUpscale(RunOptions, _Inputs):
    """Learn to enlarge pictures like those of a set two, three or four times (super-resolution).

    Sharp pictures are reduced on the fly, and the model learns the way back. Repeat a command to resume an interrupted
    run exactly. Every key of a recipe is an option too, for example --generator.blocks 16, --lambda-gan 0.5,
    --train.lr 5e-4 (--help-all lists them).

    Attributes:
        out: Run folder (default: runs/, then the name of the set and the scale, such as photos_x4).
        size: Side of the training crops, px; pictures keep their own size. "auto": 128, or less for smaller pictures.
        epochs: Length in passes over the pictures.
        batch_size: Crops in a step.
    """

    task: ClassVar[str] = "upscale"

    # "fast": also with a discriminator, for texture; "l1": nearest to the truth in the mean, and softer.
    preset: Literal["fast", "l1"] = "fast"
