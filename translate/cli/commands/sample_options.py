"""Options of the command sample, and which of them go together."""

__all__ = ["Sample", "check"]

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from translate.cli.commands.options import (
    Flag,
    IntOrNone,
    PathText,
    PluginOptions,
    Precision,
    RootOptions,
    Text,
    Weights,
    flag_name,
    given_options,
)
from translate.utils.errors import OptionError

Seeds = Annotated[tuple[int, ...], arg(metavar="N", help_behavior_hint="")]
Points = Annotated[tuple[str, ...], arg(metavar="SEED|FILE", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Sample(RootOptions, PluginOptions):
    """Draw new pictures with a model of train_gan. A seed always gives the same picture.

    Without --grid and --output, a sheet of pictures is written into the run's folder "samples".
    """

    model: PathText  # Run folder, model.safetensors, hf://user/name[@revision] on the Hub, or .onnx for plain samples.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps.
    weights: Weights = "last"
    base: PathText = ""  # Of an adapter: the model that it corrects (default: where it was, or beside the adapter).
    count: IntOrNone = None  # How many pictures (default: 64; 8 with --nearest; 16 with --edit).
    seed: IntOrNone = None  # Seed of the first picture; the others follow it (default: 0).
    seeds: Seeds = ()  # Instead of both: the seeds of the pictures.
    label: Text = ""  # A class, or a mix such as 3:0.5,8:0.5; without it, seed N is of class N modulo their number.
    truncation: float = 1.0  # 0.7: more typical and less varied pictures; 0: the mean.
    grid: PathText = ""  # Write a sheet of all pictures to this file.
    output: PathText = ""  # Write each picture to this folder, as SEED.png.
    interpolate: Points = ()  # Interpolate between two or more seeds, or styles from --save-style.
    frames: int = 60  # Of the interpolation.
    loop: Flag = False  # Return to the first point, so that the film repeats without a jump.
    video: PathText = ""  # File for its film: .mp4, .webm, .gif or .webp.
    fps: float = 20.0  # Frames per second of the film.
    scale: int = 0  # Enlarge the film by this factor; 0: to 256 px or more.
    # Add and subtract groups of samples: "glasses_men - men + women", "[3,14,27] - [5] + 0.5*[8]".
    arithmetic: Annotated[str, arg(metavar="SUM", help_behavior_hint="")] = ""
    # File of the groups, of lines such as men = [3, 14, 27] (default: groups.toml in the run folder).
    groups: PathText = ""
    # Add --seeds to the file of groups under this name.
    save_group: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    # Show this many nearest training pictures of each sample, to see whether it is only memorised.
    nearest: IntOrNone = None
    images: Text = ""  # Training pictures for --nearest (default: those of the run).
    project: PathText = ""  # Find the model's nearest picture to this photo.
    starts: int = 8  # Number of searches in parallel.
    steps: IntOrNone = None  # Of each search (default: 200; 40 with --edit).
    directions: IntOrNone = None  # Show this many directions of greatest variance, from the picture of --seed.
    edit: PathText = ""  # Find pictures with these strokes of colour, a square layer that is transparent elsewhere.
    sketch: PathText = ""  # Find pictures with these lines; with or without --edit.
    start_seed: IntOrNone = None  # For --edit: change the picture of this seed, as little as possible.
    save_style: PathText = ""  # Save the style found by --project, --edit or --arithmetic, for --interpolate (.npz).
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    # "auto" is "fp32", the same picture everywhere; "bf16" is faster on some machines.
    precision: Precision = "auto"
    config: PathText = ""  # TOML file with any of these options; flags win over it.

    def __post_init__(self) -> None:
        for name in ("seeds", "interpolate"):
            if isinstance(value := getattr(self, name), list):  # from a TOML file, whose points may be numbers
                object.__setattr__(self, name, tuple(value if name == "seeds" else map(str, value)))


ALWAYS = {
    "model", "weights", "base", "grid", "output", "device", "precision", "config", "quiet", "log", "root", "plugin",
}  # fmt: skip
SHARED = {"seed", "seeds", "count", "label", "truncation"}
USES = {  # options that go with each use of the command, by the option that selects the use ("": plain samples)
    "": SHARED,
    "interpolate": {"label", "truncation", "frames", "loop", "video", "fps", "scale"},
    "arithmetic": {"label", "truncation", "groups", "save_style"},
    "save_group": {"seeds", "groups"},
    "nearest": SHARED | {"images"},
    "project": {"label", "seed", "starts", "steps", "save_style"},
    "directions": {"label", "seed", "truncation"},
    "edit": {"label", "seed", "count", "steps", "sketch", "start_seed", "save_style"},
}
MAXIMA = {"truncation": 10, "frames": 100_000, "scale": 64}
MINIMA = {
    "count": 1, "seed": 0, "frames": 2, "scale": 0, "nearest": 1, "starts": 1, "steps": 1, "directions": 1,
    "start_seed": 0, "truncation": 0,
}  # fmt: skip


def check(options: Sample) -> str:
    """Check that the options go together; return the use of the command, a key of `USES`.

    Raises:
        OptionError: two options do not go together, or one is out of range.
        UserError: PyAV is needed and not installed.
    """
    # find the use
    given = given_options(options)
    uses = [use for use in USES if use in given]
    if not uses and "sketch" in given:
        uses = ["edit"]
    if len(uses) > 1:
        raise OptionError(f"{flag_name(uses[0])} and {flag_name(uses[1])} are two things; give one in a call")
    use = uses[0] if uses else ""
    # refuse options of another use
    for name in sorted(given - ALWAYS - USES[use] - {use}):
        owners = " or ".join(flag_name(other) for other, names in USES.items() if name in names and other)
        problem = f"does not go with {flag_name(use)}" if use else "is of no use alone"
        raise OptionError(f"{flag_name(name)} {problem}; it belongs to {owners or 'plain samples'}")
    # check values
    check_onnx(options, use)
    check_ranges(options, given)
    check_files(options)
    return use


def check_onnx(options: Sample, use: str) -> None:
    """Raise OptionError for a use that needs more of a model than an ONNX file has."""
    from translate.inference.onnx.recipe import is_onnx

    if use and is_onnx(options.model):
        raise OptionError(f"{flag_name(use)} needs the model itself: an ONNX file makes plain samples alone")


def check_ranges(options: Sample, given: frozenset[str]) -> None:
    """Raise OptionError for a number out of range, or seeds that are given in two ways."""
    for name, minimum in MINIMA.items():
        value = getattr(options, name)
        if value is not None and not value >= minimum:  # a NaN is not
            raise OptionError(f"{flag_name(name)} {value:g} is out of range; give {minimum} or more")
        if value is not None and value > MAXIMA.get(name, value):
            raise OptionError(f"{flag_name(name)} {value:g} is out of range; give {MAXIMA[name]} or less")
    if not 0 < options.fps <= 1000:
        raise OptionError(f"--fps {options.fps:g} is out of range; give 1 to 60 frames a second")
    if options.seeds and (extra := sorted(given & {"count", "seed"})):
        raise OptionError(f"--seeds says which pictures are meant; leave out {flag_name(extra[0])}")
    if len(options.interpolate) == 1:
        raise OptionError(f"--interpolate {options.interpolate[0]}: one point leads nowhere; give two or more seeds")
    if options.save_group and not options.seeds:
        raise OptionError(f"--save-group {options.save_group} needs --seeds, such as --seeds 3 14 27")


def check_files(options: Sample) -> None:
    """Raise OptionError for a film whose suffix names no format, before any work is done."""
    if options.video:
        from translate.images.animation import check_film

        check_film(options.video)
