"""The common function of the training commands: merge options into a recipe, train, print the next commands."""

__all__ = ["SECTIONS", "train_task"]

from collections.abc import Mapping, Sequence
from dataclasses import fields
from shlex import quote
from typing import Any

from translate.cli.commands.options import flag_name, given_options
from translate.utils.errors import OptionError
from translate.utils.program import command_form
from translate.utils.terminal import say

RECIPE_KEYS = {
    "a": "data.a", "b": "data.b", "data": "data.root", "direction": "data.direction", "hints": "data.hints",
    "images": "data.images", "labels": "data.classes", "grow": "method.grow",
    "masks": "data.masks", "invert_masks": "data.invert_masks", "value_range": "data.value_range",
    "size": "data.size", "batch_size": "data.batch_size",
    "steps": "train.steps", "epochs": "train.epochs", "minutes": "train.minutes", "seed": "train.seed",
    "device": "train.device", "precision": "train.precision", "init": "train.init",
}  # fmt: skip
AUTOMATIC_SIZE = 0  # what "auto" is in a recipe
LENGTHS = ("steps", "epochs", "minutes")
TRANSLATE_OPTIONS = "--model {} --input FOLDER --output FOLDER"
NEXT_COMMANDS = {  # by task; others translate
    "generate": ("sample", "--model {} --count 64"),
    "inpaint": ("translate-folder", f"{TRANSLATE_OPTIONS} --masks FOLDER"),
}
SECTIONS = ("method", "generator", "discriminator", "data", "train")


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
    from translate.checkpoints.model_file import model_file
    from translate.training.config import load_config
    from translate.training.loop import train
    from translate.training.run_folder import RunFolder
    from translate.utils import dist

    flags = recipe_layer(unknown, options.task, [f.name for f in fields(options)])
    check_lengths(flags.get("train", {}), LENGTHS)
    config = load_config(options.task, options.preset, sections, of_command, flags)
    if config.train.init:  # before pictures are rendered, fetched or read
        model_file(config.train.init)
    out = train(config, extend=options.extend)
    if not dist.is_main_process():
        return 0
    # report
    verdict = RunFolder(out).read_verdict()
    state = "ready" if verdict is None or verdict.healthy else "written"
    command, words = NEXT_COMMANDS.get(options.task, ("translate-folder", TRANSLATE_OPTIONS))
    say(f"{out}/model.safetensors is {state}; pictures in {out}/samples. Next:")
    say(f"  {command_form(command)} {words.format(quote(str(out)))}")
    say(f"  {command_form('evaluate')} --model {quote(str(out))}")
    if verdict:
        say(f"{out}: {verdict}")
    return 0


def options_layer(options: Any) -> dict[str, Any]:
    """Return the configuration layer of the options that were given, also with the values of their defaults."""
    layer: dict[str, Any] = {"out": options.out}
    for name in [f.name for f in fields(options) if f.name in RECIPE_KEYS and f.name in given_options(options)]:
        section, key = RECIPE_KEYS[name].split(".")
        value = getattr(options, name)
        layer.setdefault(section, {})[key] = AUTOMATIC_SIZE if (name, value) == ("size", "auto") else value
    return layer


def check_lengths(values: Mapping[str, Any], given: Sequence[str] | frozenset[str]) -> None:
    """Raise OptionError for a length of 0 or less: it would mean the preset's."""
    for name in LENGTHS:
        value = values.get(name, 1)
        if name in given and isinstance(value, int | float) and value <= 0:
            raise OptionError(f"{flag_name(name)} should be above 0, got {value:g}; leave it out for the preset's")
