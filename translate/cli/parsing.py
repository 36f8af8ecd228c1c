"""Parse a command's options: flags over the --config file over the defaults."""

__all__ = ["complete_words", "parse_options", "read_config"]

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any

import tyro

from translate.cli.commands.train import SECTIONS
from translate.utils.errors import OptionError, did_you_mean

RANGE_OPTIONS = ("--value-range", "--data.value_range")


def complete_words(words: Sequence[str], implied: Mapping[str, str]) -> list[str]:
    """Rewrite arguments that the parser would misread: an option without its value, and a range such as -1000,3000.

    `implied` maps options that may lack a value to the value that they then have.
    """
    completed: list[str] = []
    for word, following in zip_longest(words, words[1:], fillvalue="--"):
        if completed and completed[-1] in RANGE_OPTIONS:
            completed[-1] += f"={word}"  # a range that begins with a minus would be parsed as an option
        else:
            completed.append(word)
        if word.startswith("--") and word[2:] in implied and following.startswith("--"):
            completed.append(implied[word[2:]])
    return completed


def read_config(options_class: type, words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the --config file, if given; return its options of the command, and its recipe sections.

    Raises:
        OptionError: an unknown option, or a value of the wrong type.
    """
    path = config_path(words)
    if not path:
        return {}, {}
    from translate.utils.factory import check_type
    from translate.utils.toml_files import read_toml

    known = {f.name: f for f in fields(options_class)}
    values, sections = {}, {}
    for name, value in read_toml(Path(path)).items():
        if isinstance(value, Mapping) and name in SECTIONS:
            sections[name] = value
        elif name not in known:
            raise OptionError(f"{path}: unknown option {name}{did_you_mean(name, [*known, *SECTIONS])}")
        else:
            if isinstance(known[name].default, bool | int | float | str) and name != "size":
                check_type(f"{path}: {name}", value, type(known[name].default))
            values[name] = value
    return values, sections


def config_path(words: Sequence[str]) -> str:
    """Return the path given by --config, or ""."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--config":
            return following
        if word.startswith("--config="):
            return word.partition("=")[2]
    return ""


def parse_options(
    options_class: type, command: str, words: Sequence[str], defaults: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    """Parse `words` over `defaults`; return the options, and the unknown words.

    Raises:
        OptionError: a value is missing or of the wrong kind.
    """
    declared = {f.name: tyro.MISSING if f.default is MISSING else f.default for f in fields(options_class)}
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            return tyro.cli(
                options_class, prog=f"translate {command}", args=words,
                default=options_class(**{**declared, **defaults}), return_unknown_args=True,
            )  # fmt: skip
    except SystemExit as error:
        if error.code in (0, None):
            raise
        raise OptionError(f"{first_paragraph(message.getvalue())} (see translate {command} --help)") from None


def first_paragraph(box: str) -> str:
    """Return the first paragraph of the parser's framed error message, as one line."""
    lines = [line.strip(" │") for line in box.splitlines()[1:]]
    end = next((i for i, line in enumerate(lines) if not line or set(line) <= set("─╰╯")), len(lines))
    return " ".join(lines[:end])
