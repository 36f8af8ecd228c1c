"""train-pix2pix: paired translation."""

__all__ = ["TrainPix2pix"]

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import tyro
from tyro.conf import arg

from translate.commands.options import PRESETS, Direction, Length, PathWord, Words


@dataclass(frozen=True, kw_only=True)
class TrainPix2pix:
    """Learn to turn one picture of a pair into the other: sketch to photo, map to aerial photo (pix2pix).

    Repeat a command to go on with an interrupted run, exactly. Every key of a recipe is an option too, for example
    --z-dim 0 (one answer to a picture instead of many), --train.lr 1e-4: see configs/pix2pix_fast.toml.

    Attributes:
        data: A data set of the catalog (sketch2shoe, sketch2handbag, ...), a folder of combined A|B pictures or with
            trainA and trainB, or a CSV file with the columns a and b.
        a: In place of it: the first picture of each pair, as a folder, a quoted pattern or a text file of paths.
        b: The second picture of each pair, matched by name.
        direction: "ab": from the first picture to the second; "ba": back.
        hints: Also take strokes of colour as input: the model learns to follow a few given colours.
        out: Run folder (default: runs/, then the name of the data).
        size: Resolution to train at, px; "auto": 256, or less where the pictures are smaller.
        steps: Length of the run in updates; give one of --steps, --epochs, --minutes.
        epochs: Length in passes over the pairs.
        minutes: Length in minutes: the step is timed first, then the number of steps is fixed.
        batch_size: Pairs in a step.
        preset: "fast": what looks best within minutes or hours; "paper": the published recipe to the letter.
        seed: Of everything random.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" times the real step and takes the faster of those that are sound here.
        init: Start from the weights of this model file or run.
        config: TOML file with any of these options and any sections of a recipe; flags win over it.
    """

    task: ClassVar[str] = "pix2pix"

    data: Words = ""
    a: Words = ""
    b: Words = ""
    direction: Direction = "ab"
    hints: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    out: PathWord = ""
    size: Annotated[int | Literal["auto"], arg(metavar="N|auto")] = "auto"
    steps: Annotated[int, arg(metavar="N", help_behavior_hint=PRESETS)] = 0
    epochs: Length = 0.0
    minutes: Length = 0.0
    batch_size: Annotated[int, arg(metavar="N", help_behavior_hint=PRESETS)] = 0
    preset: Literal["fast", "paper"] = "fast"
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    init: PathWord = ""
    config: PathWord = ""
