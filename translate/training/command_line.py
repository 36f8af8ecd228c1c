"""The command that trains a configuration, for people to repeat and for programs to run."""

__all__ = ["RECIPE_KEYS", "command_arguments", "command_of"]

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from translate.utils.errors import OptionError

RECIPE_KEYS = {  # flags of the training commands, and the recipe keys that they set
    "a": "data.a", "b": "data.b", "data": "data.root", "direction": "data.direction", "hints": "data.hints",
    "pairs": "data.pairs", "pair_share": "data.pair_share",
    "one_hot": "data.one_hot", "class_names": "data.class_names", "unlabelled": "data.unlabelled",
    "images": "data.images", "labels": "data.classes", "attributes": "data.attributes", "grow": "method.grow",
    "scale": "data.scale", "degrade": "data.degrade",
    "masks": "data.masks", "invert_masks": "data.invert_masks", "value_range": "data.value_range",
    "size": "data.size", "batch_size": "data.batch_size",
    "steps": "train.steps", "epochs": "train.epochs", "minutes": "train.minutes", "seed": "train.seed",
    "device": "train.device", "precision": "train.precision", "init": "train.init",
    "adapt": "train.adapt", "adapter": "train.adapter",
    "evaluations": "train.evaluations", "keep_best": "train.keep_best", "patience": "train.patience",
}  # fmt: skip
COMMANDS = {  # of the tasks that have one of their own
    "cut": "train-cut", "cycle": "train-cycle", "drift": "train-drift", "generate": "train-gan",
    "inpaint": "train-inpaint", "pix2pix": "train-pix2pix", "stargan": "train-stargan", "upscale": "train-upscale",
}  # fmt: skip
_FLAGS = {key: flag for flag, key in RECIPE_KEYS.items()}
_ORDER = {key: place for place, key in enumerate(_FLAGS)}


def command_of(task: str, preset: str = "fast") -> str:
    """Return the name of the command that trains `task`, which may be a variant that stands for a preset."""
    return COMMANDS.get(base_task(task, preset), "train")


def command_arguments(values: Mapping[str, Any]) -> list[str]:
    """Return the arguments of `command_of` for a run: all that its preset does not set, and its folder.

    Args:
        values: the configuration as plain tables, as in config.toml.

    Raises:
        OptionError: the task or the preset is unknown.
    """
    from translate.training.config import Config, load_config

    preset, task = values["preset"], base_task(values["task"], values["preset"])
    recipe, defaults = asdict(load_config(task, preset)), asdict(Config(task=task))  # of options newer than the run
    changed: dict[str, Any] = {}
    for section in ("data", "train", "method", "generator", "discriminator"):
        table, usual = {**defaults[section], **values.get(section, {})}, recipe[section]
        if table.get("name") != usual.get("name"):  # options of another network
            usual = {}
        changed |= {
            f"{section}.{key}": value for key, value in table.items() if _plain(value) != _plain(usual.get(key))
        }
    words = [] if task in COMMANDS else ["--task", task]
    words += [] if preset == "fast" else ["--preset", preset]
    words += [word for plugin in values.get("plugins", ()) for word in ("--plugin", plugin)]
    words += [word for key in sorted(changed, key=_rank) for word in _option(key, changed[key])]
    return words + (["--out", str(values["out"])] if values.get("out") else [])


def base_task(task: str, preset: str) -> str:
    """Return the task whose preset trains `task`: itself, unless it is a variant of another one."""
    from translate.tasks import TASKS
    from translate.training.config import preset_task

    for owner in (task, *TASKS):
        try:
            if preset_task(owner, preset) == task:
                return owner
        except OptionError:  # it has no such preset
            continue
    preset_task(task, preset)  # says what is unknown
    raise OptionError(f"no preset {preset!r} trains the task {task!r}")


def _rank(key: str) -> tuple[int, str]:
    """Sort flags in the order of `RECIPE_KEYS`, other recipe keys behind."""
    return _ORDER.get(key, len(_ORDER)), key


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _option(key: str, value: Any) -> list[str]:
    """Return the words of an option; none for a length that is not set."""
    flag = _FLAGS.get(key, "")
    name = f"--{flag.replace('_', '-')}" if flag else f"--{key}"
    if key in ("train.steps", "train.epochs", "train.minutes") and not value:
        return []
    if flag and value is True:
        return [name]
    text = "auto" if (key, value) == ("data.size", 0) else _text(value, quoted=not flag)
    return [f"{name}={text}"] if text.startswith("-") or not text else [name, text]


def _text(value: Any, *, quoted: bool) -> str:
    """Spell a value as the command line reads it; a text that would be read as another value may be `quoted`."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and not quoted and abs(value) < 1e15 else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_item(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_item(one) for one in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    return _item(value) if quoted and _is_toml(value) else value


def _item(value: Any) -> str:
    """Spell a value within a list or table."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _text(value, quoted=True)


def _is_toml(text: str) -> bool:
    """Whether a text would be read as a number, a list or another value of TOML."""
    try:
        tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return False
    return True
