"""What the options of several commands have in common."""

__all__ = ["PRESETS", "Direction", "Length", "PathWord", "Words"]

from typing import Annotated, Literal

from tyro.conf import arg

PRESETS = "(default: the preset's)"
Length = Annotated[float, arg(metavar="N", help_behavior_hint=PRESETS)]
Words = Annotated[str, arg(metavar="X", help_behavior_hint="")]
PathWord = Annotated[str, arg(metavar="PATH", help_behavior_hint="")]
Direction = Literal["ab", "ba"]
