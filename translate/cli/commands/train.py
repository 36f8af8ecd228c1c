"""The common function of the training commands: merge options into a recipe, train, print the next commands."""

__all__ = ["SECTIONS", "train_task"]

from collections.abc import Mapping, Sequence
from dataclasses import fields
from shlex import quote
from typing import Any

from translate.utils.terminal import say

RECIPE_KEYS = {
    "a": "data.a", "b": "data.b", "data": "data.root", "direction": "data.direction", "hints": "data.hints",
    "images": "data.images", "labels": "data.classes", "grow": "method.grow",
    "masks": "data.masks", "invert_masks": "data.invert_masks", "value_range": "data.value_range",
    "size": "data.size", "batch_size": "data.batch_size",
    "steps": "train.steps", "epochs": "train.epochs", "minutes": "train.minutes", "seed": "train.seed",
    "device": "train.device", "precision": "train.precision", "init": "train.init",
}  # fmt: skip
TRANSLATE_COMMAND = "translate_folder.py --model {} --input FOLDER --output FOLDER"
NEXT_COMMANDS = {"generate": "sample.py --model {} --count 64", "inpaint": f"{TRANSLATE_COMMAND} --masks FOLDER"}
SECTIONS = ("method", "generator", "discriminator", "data", "train")


def train_task(options: Any, sections: Mapping[str, Any], unknown: Sequence[str]) -> int:
    """Train the task of a training command.

    Args:
        options: of the command; their class names the `task`.
        sections: recipe sections of the --config file.
        unknown: other arguments of the command line: recipe keys and their values.
    """
    from translate.cli.recipe_options import recipe_layer
    from translate.training.config import load_config
    from translate.training.loop import train
    from translate.utils import dist

    flags = recipe_layer(unknown, options.task, [f.name for f in fields(options)])
    config = load_config(options.task, options.preset, sections, options_layer(options), flags)
    out = train(config)
    if not dist.is_main_process():
        return 0
    say(f"{out}/model.safetensors is ready; pictures in {out}/samples. Next:")
    say(f"  python tools/{NEXT_COMMANDS.get(options.task, TRANSLATE_COMMAND).format(quote(str(out)))}")
    say(f"  python tools/evaluate.py --model {quote(str(out))}")
    return 0


def options_layer(options: Any) -> dict[str, Any]:
    """Return the configuration layer of the options that differ from their defaults."""
    layer: dict[str, Any] = {"out": options.out}
    for f in fields(options):
        value = getattr(options, f.name)
        if f.name in RECIPE_KEYS and value != f.default:
            section, key = RECIPE_KEYS[f.name].split(".")
            layer.setdefault(section, {})[key] = value
    return layer
