"""The commands of a run in words: how to train the same, and how to use and score its model."""

__all__ = ["card_commands", "commands_of", "train_command", "use_command"]

from collections.abc import Callable, Mapping
from shlex import join, quote
from typing import Any

from translate.cli.commands.train import NEXT_COMMANDS, TRANSLATE_OPTIONS
from translate.reports.model_card import ModelCard, without_home
from translate.reports.trained_run import TrainedRun
from translate.training.command_line import command_arguments, command_of
from translate.utils.program import command_form

INSTALLED = "translate {}".format  # how the installed package calls a command


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


def card_commands(card: ModelCard) -> list[tuple[str, str]]:
    """Return the commands for the card of a model on the Hub: to "use" the model, and to "train" the same.

    They are those of the installed package, and name no folder of this machine that others do not have.
    """
    config = without_home(card.run.config) if card.run else {}
    told = {"task": card.recipe.task, "preset": card.recipe.preset}
    plugins = plugin_words(config or {"plugins": card.recipe.plugins})
    use = use_command(card.kind, f"hf://{card.options.repo}", INSTALLED) + plugins
    return [("use", use), *[("train", train_command(told | config, INSTALLED))] * bool(config)]


def use_command(kind: str, model: str, form: Callable[[str], str] = command_form) -> str:
    """Return the command that uses a model of a kind of data; `model` is quoted, `form` spells the command."""
    command, words = NEXT_COMMANDS.get(kind, ("translate-folder", TRANSLATE_OPTIONS))
    return f"{form(command)} {words.format(model)}"


def train_command(config: Mapping[str, Any], form: Callable[[str], str] = command_form) -> str:
    """Return the command that trains with a configuration, the content of config.toml: what the preset does not say."""
    return f"{form(command_of(config['task'], config['preset']))} {join(command_arguments(config))}"


def plugin_words(config: Mapping[str, Any]) -> str:
    """Return the options that name the plugins of a run."""
    return "".join(f" --plugin {quote(str(plugin))}" for plugin in config.get("plugins", ()))
