"""train, for any task, and what all training commands do: merge options into a recipe, train, print next commands."""

__all__ = ["SECTIONS", "Train", "train_task"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from shlex import quote
from typing import Any

from translate.cli.commands.options import (
    Direction,
    Flag,
    IntOrNone,
    PathText,
    RunOptions,
    Text,
    ValueRange,
    flag_name,
    given_options,
)
from translate.training.command_line import RECIPE_KEYS
from translate.utils.errors import OptionError
from translate.utils.program import command_form
from translate.utils.terminal import say

AUTOMATIC_SIZE = 0  # what "auto" is in a recipe
LENGTHS = ("steps", "epochs", "minutes")
TRANSLATE_OPTIONS = "--model {} --input FOLDER --output FOLDER"
NEXT_COMMANDS = {  # by kind of data; others translate
    "images": ("sample", "--model {} --count 64"),
    "labelled": ("translate-folder", f"{TRANSLATE_OPTIONS} --to NAMES"),
    "masked": ("translate-folder", f"{TRANSLATE_OPTIONS} --masks FOLDER"),
}
DATA_OPTIONS = {  # by kind of data: what a task learns from, how to say it, and the options for it
    "unpaired": (
        "two domains", "--a X --b Y, or --data ROOT", {"a", "b", "data", "pairs", "pair_share", "value_range"},
    ),
    "paired": (
        "pairs", "--data X, or --a X --b Y",
        {"a", "b", "data", "direction", "hints", "value_range", "one_hot", "class_names", "unlabelled"},
    ),
    "images": ("single pictures", "--images X", {"images", "labels", "grow"}),
    "labelled": ("single pictures", "--images X --labels", {"images", "labels", "attributes"}),
    "masked": ("single pictures", "--images X, perhaps with --masks Y", {"images", "masks", "invert_masks"}),
    "reduced": ("single pictures", "--images X", {"images", "scale", "degrade"}),
}  # fmt: skip
SECTIONS = ("method", "generator", "discriminator", "data", "train")


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Options of the task and its data, which --help lists first."""

    task: Text  # cycle, pix2pix, generate, inpaint, or the name that a plugin gives its task.
    # First domain, or the first picture of each pair: a folder, a quoted pattern, a text file of paths, or a name of
    # the catalog.
    a: Text = ""
    b: Text = ""  # Second domain, or the second picture of each pair.
    data: Text = ""  # Instead of both: a folder with trainA and trainB, or a data set of the catalog.
    pairs: Text = ""  # For cycle: a few true pairs beside the domains, as a folder or a CSV file.
    pair_share: float = 0.25  # Share of the steps that see them.
    images: Text = ""  # For tasks of single pictures: these, in the same forms.
    labels: Text = ""  # Their classes: a CSV or idx file, or "auto" for those stored with them.
    attributes: Text = ""  # For stargan: columns of the table of labels, separated by commas (default: all).
    scale: IntOrNone = None  # For super-resolution: 2, 3 or 4 times as wide and high (default: 4).
    # For super-resolution: what made small pictures small, "clean" or "real" (default: clean).
    degrade: Text = ""
    masks: PathText = ""  # For inpainting: masks to train with (default: they are drawn).
    invert_masks: Flag = False  # The masks mean the opposite of what was detected.
    direction: Direction = "ab"  # Of pairs: "ba" learns the way from the second picture to the first.
    hints: Flag = False  # Of pairs: also take colour strokes as input.
    one_hot: Flag = False  # Of pairs: label maps as one channel per class instead of as colours.
    class_names: PathText = ""  # Text file of the classes in label maps (default: all values).
    unlabelled: Text = ""  # Values in label maps that are no class (default: 255 beside 0, 1, 2 ...).
    value_range: ValueRange = ""  # LOW,HIGH: the values of black and white in files of floats and wide integers.


@dataclass(frozen=True, kw_only=True)
class Train(RunOptions, _Inputs):
    """Train any task, also one of a plugin: your own .py file or package.

    Repeat a command to resume an interrupted run exactly. Every key of a recipe is an option too (--help-all with
    --task lists them).

    Attributes:
        out: Run folder (default: runs/, then the names of the data).
        size: Training resolution, px; "auto": that of the pictures, at most 256.
        epochs: Length in passes over the pictures.
        batch_size: Pictures, or pairs, in a step.
        preset: Recipe of the task: fast, paper, or the name of a plugin's.
    """


def train_task(options: Any, sections: Mapping[str, Any], unknown: Sequence[str]) -> int:
    """Train the task of a training command.

    Args:
        options: of the command; their class names the `task`.
        sections: recipe sections of the --config file.
        unknown: other arguments of the command line: recipe keys and their values.
    """
    from translate.cli.recipe_options import recipe_layer

    # the configuration, as far as it can be read without torch
    of_command = options_layer(options)
    check_lengths(of_command.get("train", {}), given_options(options))
    # train
    from translate.checkpoints.model_file import model_file, read_recipe
    from translate.checkpoints.original import is_original
    from translate.cli.commands.compare import print_comparison
    from translate.cli.repeat import configs_of_seeds
    from translate.reports.scores import ScoreOptions
    from translate.training.config import load_config, preset_task
    from translate.utils import dist

    preset = chosen_preset(options)
    task = preset_task(options.task, preset)
    check_data_options(task, given_options(options))
    flags = recipe_layer(unknown, task, [f.name for f in fields(options)])
    check_lengths(flags.get("train", {}), LENGTHS)
    config = load_config(options.task, preset, sections, of_command, flags)
    if "pair_share" in given_options(options) and not config.data.pairs:
        raise OptionError("--pair-share is the share of the steps that see --pairs; give these, or leave it out")
    # before pictures are rendered, fetched or read
    if config.train.init and not is_original(file := model_file(config.train.init)):
        read_recipe(file)
    folders = [finish_run(each, options) for each in configs_of_seeds(config, options.repeat)]
    if options.repeat > 1 and dist.is_main_process():
        print_comparison(folders, ScoreOptions(device=options.device, precision=options.precision))
    return 0


def chosen_preset(options: Any) -> str:
    """Return the preset that was given, or else that for lone pictures, if --a and --b are such and there is one."""
    from translate.images.io import IMAGE_SUFFIXES

    paths = [Path(getattr(options, name, "")).expanduser() for name in ("a", "b")]
    lone = all(path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() for path in paths)
    if lone and hasattr(options, "lone_preset") and "preset" not in given_options(options):
        return str(options.lone_preset)
    return str(options.preset)


def finish_run(config: Any, options: Any) -> Path:
    """Train, or resume, one run; print what to do next, and write its report if it is requested."""
    from translate.cli.commands.report import write_report
    from translate.reports.resources import ResourceMeter
    from translate.reports.scores import ScoreOptions
    from translate.tasks import TASKS
    from translate.training.loop import train
    from translate.training.run_folder import RunFolder
    from translate.utils import dist

    meter = ResourceMeter()
    out = train(config, extend=options.extend)
    if not dist.is_main_process():
        return out
    # what it took, before anything else uses memory
    folder = RunFolder(out)
    meter.record(out, folder.steps_done())
    # what to do next
    verdict = folder.read_verdict()
    state = "ready" if verdict is None or verdict.healthy else "written"
    command, words = NEXT_COMMANDS.get(TASKS[options.task].data, ("translate-folder", TRANSLATE_OPTIONS))
    plugins = "".join(f" --plugin {quote(plugin)}" for plugin in options.plugin)
    say(f"{out}/model.safetensors is {state}; pictures in {out}/samples. Next:")
    say(f"  {command_form(command)} {words.format(quote(str(out)))}{plugins}")
    say(f"  {command_form('evaluate')} --model {quote(str(out))}{plugins}")
    if verdict:
        say(f"{out}: {verdict}")
    if options.report:
        page = write_report(out, scores=ScoreOptions(device=options.device, precision=options.precision))
        say(f"{page} is ready: open it in a browser")
    return out


def check_data_options(task: str, given: frozenset[str]) -> None:
    """Raise OptionError if `task` is unknown, or an option of other data than its own is given."""
    from translate.tasks import TASKS
    from translate.utils.factory import resolve

    learns_from, usage, own = DATA_OPTIONS[resolve(task, TASKS, "task").data]
    others = set().union(*(options for _, _, options in DATA_OPTIONS.values())) - own
    if wrong := sorted(given & others):
        raise OptionError(
            f"{flag_name(wrong[0])} is not for the task {task!r}, which learns from {learns_from}: {usage}"
        )


def options_layer(options: Any) -> dict[str, Any]:
    """Return the configuration layer of the options that were given, also with the values of their defaults."""
    layer: dict[str, Any] = {"out": options.out}
    for name in [f.name for f in fields(options) if f.name in RECIPE_KEYS and f.name in given_options(options)]:
        section, key = RECIPE_KEYS[name].split(".")
        value = getattr(options, name)
        if (name, value) == ("size", AUTOMATIC_SIZE):
            raise OptionError("--size should be auto, or at least 32 px, got 0")
        layer.setdefault(section, {})[key] = AUTOMATIC_SIZE if (name, value) == ("size", "auto") else value
    return layer


def check_lengths(values: Mapping[str, Any], given: Sequence[str] | frozenset[str]) -> None:
    """Raise OptionError for a length of 0 or less: it would mean the preset's."""
    for name in LENGTHS:
        value = values.get(name, 1)
        if name in given and isinstance(value, int | float) and value <= 0:
            raise OptionError(f"{flag_name(name)} should be above 0, got {value:g}; leave it out for the preset's")
