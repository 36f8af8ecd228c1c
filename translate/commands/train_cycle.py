"""train-cycle: unpaired translation between two domains."""

__all__ = ["TrainCycle"]

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from tyro.conf import arg

from translate.commands.options import PRESETS, Length, PathWord, Words


@dataclass(frozen=True, kw_only=True)
class TrainCycle:
    """Learn to turn the pictures of one folder into the look of another, and back (CycleGAN).

    Repeat a command to go on with an interrupted run, exactly. Every key of a recipe is an option too, for example
    --lambda-identity 0, --train.lr 1e-4, --generator.width 64: see configs/cycle_fast.toml.

    Attributes:
        a: First domain: a folder, a quoted pattern, a text file of paths, or a name of the catalog.
        b: Second domain, likewise.
        data: In place of both: a folder with trainA and trainB, or a data set of the catalog.
        out: Run folder (default: runs/A2B, after the domains).
        size: Resolution to train at, px; "auto": 256, or less where the pictures are smaller.
        steps: Length of the run in updates; give one of --steps, --epochs, --minutes.
        epochs: Length in passes over the larger domain.
        minutes: Length in minutes: the step is timed first, then the number of steps is fixed.
        batch_size: Pictures of each domain in a step.
        preset: "fast": what looks best within minutes or hours; "paper": the published recipe to the letter.
        seed: Of everything random.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" times the real step and takes the faster of those that are sound here.
        init: Start from the weights of this model file or run.
        config: TOML file with any of these options and any sections of a recipe; flags win over it.
    """

    task: ClassVar[str] = "cycle"

    a: Words = ""
    b: Words = ""
    data: Words = ""
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
