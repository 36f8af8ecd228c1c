"""The commands of a run in words: how to train the same, and how to use and score its model."""

__all__ = ["commands_of", "train_command", "use_command"]

from collections.abc import Mapping
from shlex import join, quote
from typing import Any

from translate.cli.commands.train import NEXT_COMMANDS, TRANSLATE_OPTIONS
from translate.reports.trained_run import TrainedRun
from translate.training.command_line import command_arguments, command_of
from translate.utils.program import command_form


def commands_of(run: TrainedRun) -> list[tuple[str, str]]:
    """Return the commands to train the same and to use the model, each with what it is for."""
    model, plugins = quote(str(run.folder)), plugin_words(run.config)
    told = {"task": run.recipe.task, "preset": run.recipe.preset}  # in case that config.toml was written by hand
    return [
        ("Train the same, or resume it:", train_command(told | run.config)),
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
    return f"{command_form(command_of(config['task'], config['preset']))} {join(command_arguments(config))}"


def plugin_words(config: Mapping[str, Any]) -> str:
    """Return the options that name the plugins of a run."""
    return "".join(f" --plugin {quote(str(plugin))}" for plugin in config.get("plugins", ()))
