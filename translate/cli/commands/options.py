"""Options that several commands share."""

__all__ = ["Direction", "Flag", "Number", "PathText", "RunOptions", "TrustOptions", "ValueRange", "Text"]

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, arg

PRESETS = "(default: the preset's)"
Flag = Annotated[bool, FlagCreatePairsOff]
Number = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Length = Annotated[float, arg(metavar="N", help_behavior_hint=PRESETS)]
Count = Annotated[int, arg(metavar="N", help_behavior_hint=PRESETS)]
Text = Annotated[str, arg(metavar="X", help_behavior_hint="")]
PathText = Annotated[str, arg(metavar="PATH", help_behavior_hint="")]
ValueRange = Annotated[str, arg(metavar="LOW,HIGH", help_behavior_hint="")]
Direction = Literal["ab", "ba"]


@dataclass(frozen=True, kw_only=True)
class TrustOptions:
    """How far a command trusts the files that it reads."""

    # Decode pictures of up to so many pixels; small files can unpack to huge ones (default: 268435456).
    max_pixels: Annotated[int, arg(metavar="N", help_behavior_hint="")] = 0
    follow_links: Flag = False  # Follow symbolic links that lead out of the folder that was named.


@dataclass(frozen=True, kw_only=True)
class RunOptions(TrustOptions):
    """Options of all training commands.

    Name this class before that of a command's own options: fields come in the reverse order of the bases.
    """

    out: PathText = ""
    size: Annotated[int | Literal["auto"], arg(metavar="N|auto")] = "auto"
    steps: Count = 0  # Length of the run in updates; give one of --steps, --epochs, --minutes.
    epochs: Length = 0.0
    minutes: Length = 0.0  # Length in minutes: the step is timed first, then the number of steps is fixed.
    batch_size: Count = 0
    preset: str = "fast"
    seed: int = 0  # Of everything random.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    # "auto" times the real step and takes the faster of those that are sound here.
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    init: PathText = ""  # Start from the weights of this model file or run.
    config: PathText = ""  # TOML file with any of these options and any sections of a recipe; flags win over it.
