"""The commands of a run in words: how to train the same, and how to use and score its model."""

__all__ = ["commands_of", "train_command", "use_command"]

from collections.abc import Mapping
from shlex import quote
from typing import Any

import tomli_w

from translate.cli.commands.options import flag_name
from translate.cli.commands.train import NEXT_COMMANDS, RECIPE_KEYS, TRANSLATE_OPTIONS
from translate.reports.trained_run import TrainedRun
from translate.tasks import TASKS
from translate.training.config import LENGTHS, changed_options, load_config, preset_task
from translate.utils.errors import UserError
from translate.utils.program import command_form

COMMANDS_BY_TASK = {
    "cycle": "train-cycle", "drift": "train-drift", "pix2pix": "train-pix2pix", "generate": "train-gan",
    "inpaint": "train-inpaint",
}  # fmt: skip
TABLES = ("train.phase_lr",)  # options whose value is a table
FLAGS = {key: flag_name(option) for option, key in RECIPE_KEYS.items()}


def commands_of(run: TrainedRun) -> list[tuple[str, str]]:
    """Return the commands to train the same and to use the model, each with what it is for."""
    model, plugins = quote(str(run.folder)), plugin_words(run.config)
    return [
        ("Train the same, or resume it:", train_command(run.config)),
        ("Use the model:", use_command(run.kind, model) + plugins),
        ("Score it:", f"{command_form('evaluate')} --model {model}{plugins}"),
        ("Write this page:", f"{command_form('report')} --model {model}{plugins}"),
    ]


def use_command(kind: str, model: str) -> str:
    """Return the command that uses a model of a kind of data; `model` is quoted."""
    command, words = NEXT_COMMANDS.get(kind, ("translate-folder", TRANSLATE_OPTIONS))
    return f"{command_form(command)} {words.format(model)}"


def train_command(config: Mapping[str, Any]) -> str:
    """Return the command that trains with a configuration, the content of config.toml: what the preset does not say."""
    task, preset = str(config["task"]), str(config["preset"])
    owner = next((name for name in COMMANDS_BY_TASK if _trains(name, preset, task)), task)
    command = command_form(COMMANDS_BY_TASK.get(owner, "train"))
    words = [command] + [f"--task {quote(task)}"] * (owner not in COMMANDS_BY_TASK)
    words += [f"--preset {quote(preset)}"] * (preset != "fast")
    options = _changed(owner, preset, config)
    for name in sorted(options, key=lambda name: (name not in FLAGS, list(FLAGS).index(name) if name in FLAGS else 0)):
        words.append(f"{FLAGS.get(name, f'--{name}')} {quote(_text(options[name]))}")
    if config.get("out"):
        words.append(f"--out {quote(str(config['out']))}")
    return " ".join(words) + plugin_words(config)


def plugin_words(config: Mapping[str, Any]) -> str:
    """Return the options that name the plugins of a run."""
    return "".join(f" --plugin {quote(str(plugin))}" for plugin in config.get("plugins", ()))


def _trains(name: str, preset: str, task: str) -> bool:
    """Whether a preset of the task `name` trains `task`, perhaps a variant of it."""
    try:
        return name in TASKS and preset_task(name, preset) == task
    except UserError:  # it has no such preset
        return False


def _changed(task: str, preset: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a configuration that differ from the preset's, by dotted name."""
    changes = {name: old for name, (_, old) in changed_options(load_config(task, preset), config).items()}
    lengths = {f"train.{name}" for name in LENGTHS}
    for table in TABLES:
        if any(name.startswith(f"{table}.") for name in changes):
            section, _, key = table.partition(".")
            changes = {name: value for name, value in changes.items() if not name.startswith(f"{table}.")}
            changes[table] = config[section][key]
    dropped = {name for name, value in changes.items() if value in (None, "") or (name in lengths and not value)}
    return {name: value for name, value in changes.items() if name not in {*dropped, "task", "plugins", "preset"}}


def _text(value: Any) -> str:
    """Return a value as the command line takes it: a list or a table in one line of TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return tomli_w.dumps({"x": value}).partition("= ")[2].replace("\n", " ").replace(", ]", "]").strip()
    return str(value).lower() if isinstance(value, bool) else str(value)
