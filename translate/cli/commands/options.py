"""Options that several commands share."""

__all__ = [
    "Direction", "Flag", "Int", "IntOrNone", "OutputOptions", "PathText", "PluginOptions", "Precision", "RootOptions",
    "RunOptions", "Text", "TrustOptions", "ValueRange", "Weights", "flag_name", "given_options", "mark_given",
]  # fmt: skip

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Literal, TypeVar

from tyro.conf import FlagConversionOff, FlagCreatePairsOff, UseAppendAction, arg

PRESET_HINT = "(default: the preset's)"
Flag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
TrueFalse = Annotated[bool, FlagConversionOff, arg(metavar="true|false")]
Int = Annotated[int, arg(metavar="N", help_behavior_hint="")]
IntOrNone = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Length = Annotated[float, arg(metavar="N", help_behavior_hint=PRESET_HINT)]
Count = Annotated[int, arg(metavar="N", help_behavior_hint=PRESET_HINT)]
Text = Annotated[str, arg(metavar="X", help_behavior_hint="")]
PathText = Annotated[str, arg(metavar="PATH", help_behavior_hint="")]
ValueRange = Annotated[str, arg(metavar="LOW,HIGH", help_behavior_hint="")]
Direction = Literal["ab", "ba"]
Precision = Literal["auto", "bf16", "fp32"]
Weights = Literal["last", "best", "average"]
T = TypeVar("T")


def flag_name(option: str) -> str:
    """Return the flag of an option's field: --batch-size for batch_size."""
    return f"--{option.replace('_', '-')}"


def mark_given(options: T, names: Iterable[str]) -> T:
    """Note in `options` which of them were given, on the command line or in the --config file; return it."""
    object.__setattr__(options, "_given", frozenset(names))
    return options


def given_options(options: Any) -> frozenset[str]:
    """Return the names of the options that were given, also with the value of the default.

    Options that were built in Python count as given where they differ from their defaults.
    """
    differing = (f.name for f in fields(options) if f.default is MISSING or getattr(options, f.name) != f.default)
    given: frozenset[str] | None = getattr(options, "_given", None)
    return frozenset(differing) if given is None else given


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What a command prints."""

    quiet: Flag = False  # Print errors and tables only.
    log: PathText = ""  # Also append all messages to this file.


@dataclass(frozen=True, kw_only=True)
class RootOptions(OutputOptions):
    """Where data sets of the catalog are."""

    # Folder of the built-in and downloaded data sets (default: the environment variable TRANSLATE_DATA, else "data").
    root: PathText = ""


@dataclass(frozen=True, kw_only=True)
class TrustOptions(OutputOptions):
    """How far a command trusts the files that it reads."""

    # Decode pictures of up to this many pixels; small files can unpack to huge ones (default: 268435456).
    max_pixels: Int = 0
    follow_links: Flag = False  # Follow symbolic links that lead out of the given folder.


@dataclass(frozen=True, kw_only=True)
class PluginOptions(OutputOptions):
    """Code of the user that a command needs."""

    # Load this plugin, a .py file or a module, for the tasks, networks and losses that it adds; may be repeated.
    plugin: Annotated[Sequence[str], UseAppendAction, arg(metavar="X", help_behavior_hint="")] = ()


@dataclass(frozen=True, kw_only=True)
class RunOptions(TrustOptions, RootOptions, PluginOptions):
    """Options of all training commands.

    Name this class before that of a command's own options: fields come in the reverse order of the bases.
    """

    out: PathText = ""
    size: Annotated[int | Literal["auto"], arg(metavar="N|auto")] = "auto"
    steps: Count = 0  # Length of the run in updates; give one of --steps, --epochs, --minutes.
    epochs: Length = 0.0
    minutes: Length = 0.0  # Length in minutes: the step is timed, and on a busy machine the number of steps follows.
    extend: Flag = False  # Make the run in --out longer: --steps, --epochs or --minutes is then its new total.
    batch_size: Count = 0
    preset: str = "fast"
    seed: int = 0  # Seed of all random numbers.
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    # "auto" times the real step and takes the fastest that is numerically sound here.
    precision: Precision = "auto"
    # Scores over the run on held-out pictures, on half of them, for at most 5 % of the time; 0: none.
    evaluations: int = 20
    keep_best: TrueFalse = True  # Keep the weights with the best score, beside the last; --keep-best false does not.
    # End when no score has improved by a standard error over this share of the run so far, such as 0.3; 0: do not.
    patience: Annotated[float, arg(metavar="F")] = 0.0
    # Train this many times, with the seeds --seed, --seed + 1 ..., in folders OUT_seed0, OUT_seed1 ...; then compare.
    repeat: int = 1
    report: Flag = False  # At the end, also write report.html into the run folder, see tools/report.py.
    init: PathText = ""  # Start from the weights of this model file, run, or hf://user/name on the Hub.
    # Adapt --init to few pictures: 600 steps at a quarter of the rate, with the lower layers of discriminators frozen.
    adapt: Flag = False
    adapter: Flag = False  # Adapt --init by low-rank corrections alone, in a file of about 1 % of the model's size.
    config: PathText = ""  # TOML file with any of these options and any sections of a recipe; flags win over it.
