"""Parse a command's options: flags over the --config file over the defaults."""

__all__ = ["OPTION_LIKENESS", "Words", "parse_options", "print_help", "split_words", "task_of"]

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from translate.cli.commands.options import (
    OutputOptions,
    PluginOptions,
    RootOptions,
    TrustOptions,
    flag_name,
    mark_given,
)
from translate.cli.commands.train import SECTIONS
from translate.cli.values import Kind, check_value, kind_of_option, parse_value
from translate.utils.errors import OptionError, UserError, close_match, did_you_mean
from translate.utils.plugins import presets, read_recipe
from translate.utils.program import command_form
from translate.utils.terminal import say
from translate.utils.toml_files import read_toml

OPTION_LIKENESS = 0.75  # from 0 to 1, of a misspelt option: the two dashes alone make 0.6 of short names


class Words(NamedTuple):
    """The arguments of a command: the texts of each of its own options, and all others."""

    own: dict[str, list[str]]  # by field name, in the order of the command line
    others: list[str]  # unknown options, with their values


def kinds_of(options_class: type) -> dict[str, Kind]:
    """Return the kind of each option by field name."""
    hints = get_type_hints(options_class, include_extras=True)
    return {f.name: kind_of_option(hints[f.name]) for f in fields(options_class)}


def split_words(options_class: type, words: Sequence[str]) -> Words:
    """Sort arguments into the command's own options and others; a value is what does not begin with two dashes.

    Raises:
        OptionError: an option lacks its value.
    """
    kinds, rest = kinds_of(options_class), list(words)
    positional = list(getattr(options_class, "positional", ()))
    implied = getattr(options_class, "implied_values", {})
    own: dict[str, list[str]] = {}
    others: list[str] = []
    while rest:
        word = rest.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        # a positional argument, and an option of others
        if not word.startswith("-") and positional:
            first = positional[0] if kinds[positional[0]].many else positional.pop(0)
            own.setdefault(first, []).append(word)
        elif not word.startswith("--") or name not in kinds:
            others += [word, *take_values(rest)]
        # an own option
        else:
            kind = kinds[name]
            values = [text] if equals else take_values(rest, None if kind.many else 0 if kind.is_flag else 1)
            if kind.is_flag and not equals and rest and rest[0] in ("true", "false"):
                values = [rest.pop(0)]
            if not values and name not in implied and not kind.is_flag:
                raise OptionError(f"{flag_name(name)} lacks a value, {kind}")
            values = values or [implied.get(name, "true")]
            own[name] = [*own.get(name, []), *values] if kind.repeated else values
    return Words(own, others)


def take_values(rest: list[str], limit: int | None = None) -> list[str]:
    """Remove from the front of `rest` what does not begin with two dashes, at most `limit` words; return these."""
    taken: list[str] = []
    while rest and not rest[0].startswith("--") and (limit is None or len(taken) < limit):
        taken.append(rest.pop(0))
    return taken


def read_config(options_class: type, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the --config file, if given; return its options of the command, and its recipe sections.

    Raises:
        OptionError: the file cannot be read, has an unknown option, or a value of the wrong type.
    """
    if not path:
        return {}, {}
    kinds = kinds_of(options_class)
    values, sections = {}, {}
    try:
        table = read_toml(Path(path).expanduser())
    except UserError as error:
        raise OptionError(f"--config {error}") from None
    for name, value in table.items():
        if isinstance(value, Mapping) and name in SECTIONS:
            sections[name] = value
        elif name not in kinds:
            raise OptionError(f"{path}: unknown option {name}{did_you_mean(name, [*kinds, *SECTIONS])}")
        else:
            values[name] = check_value(f"{path}: {name}", kinds[name], value)
    return values, sections


def parse_options(options_class: type, command: str, words: Sequence[str]) -> tuple[Any, dict[str, Any], list[str]]:
    """Parse the arguments of `command`; return its options, the recipe sections of --config, and other arguments.

    The options know which of them were given, see `given_options`.

    Raises:
        OptionError: a value is missing or of the wrong kind.
    """
    own, others = split_words(options_class, words)
    kinds = kinds_of(options_class)
    # read the values: flags over the file
    given: dict[str, Any] = {}
    for name, texts in own.items():
        parsed = [parse_value(label_of(options_class, name), kinds[name], text) for text in texts]
        given[name] = tuple(parsed) if kinds[name].many or kinds[name].repeated else parsed[-1]
    in_file, sections = read_config(options_class, given.get("config", ""))
    values = in_file | given
    # refuse what is missing
    required = [f.name for f in fields(options_class) if f.default is MISSING]
    if lacking := [label_of(options_class, name) for name in required if name not in values]:
        verb = "is" if len(lacking) == 1 else "are"
        unknown = others[0].partition("=")[0] if others else ""
        if hint := close_match(unknown, map(flag_name, kinds), OPTION_LIKENESS):  # perhaps one of them, misspelt
            raise OptionError(f"unknown option {unknown}{hint}")
        raise OptionError(f"{' and '.join(lacking)} {verb} missing; see {command_form(command)} --help")
    return mark_given(options_class(**values), values), sections, others


def label_of(options_class: Any, name: str) -> str:
    """Return what messages call an option: its flag, or the name of a positional argument."""
    return name if name in getattr(options_class, "positional", ()) else flag_name(name)


def task_of(options_class: Any, words: Sequence[str]) -> str:
    """Return the task of a training command, which may be the value of its --task; "" if there is none."""
    return getattr(options_class, "task", "") or split_words(options_class, words).own.get("task", [""])[0]


def print_help(options_class: Any, command: str, task: str = "") -> None:
    """Print the help text of a command; below that of a training command, what the presets of its task set."""
    import tyro

    # options of all commands come last
    shared = {f.name for base in (OutputOptions, PluginOptions, RootOptions, TrustOptions) for f in fields(base)}
    table = options_class.__dataclass_fields__
    options_class.__dataclass_fields__ = dict(sorted(table.items(), key=lambda item: item[0] in shared))
    # print
    declared = {f.name: tyro.MISSING if f.default is MISSING else f.default for f in fields(options_class)}
    with contextlib.suppress(SystemExit):
        tyro.cli(options_class, prog=command_form(command), args=["--help"], default=options_class(**declared))
    if task:
        for line in preset_lines(task):
            say(line)
        say(f"{command_form(command)} --help-all lists every key of the recipe, with its meaning and value.")


def preset_lines(task: str) -> Iterator[str]:
    """Yield what each preset of a task sets of the options that --help shows."""
    for preset, file in presets(task).items():
        recipe = read_recipe(file)
        values = {key: value for key, value in recipe.get("train", {}).items() if key in ("steps", "epochs", "minutes")}
        values |= {key: value for key, value in recipe.get("data", {}).items() if key in ("batch_size", "size")}
        words = " ".join(f"{flag_name(key)} {value:g}" for key, value in values.items())
        yield f"--preset {preset}: {words}"
