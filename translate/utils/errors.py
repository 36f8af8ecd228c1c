"""Errors that a user can fix, one line each."""

__all__ = [
    "OptionError", "UserError", "close_match", "did_you_mean", "list_choices", "short_reason", "short_repr", "shorten",
]  # fmt: skip

import difflib
import re
from collections.abc import Iterable
from typing import Any

from translate.utils.terminal import as_line

_MAX_LIST_CHARS = 120  # of known names in an error
_ENDLESS_WORD = re.compile(r"(\S{40})\S{180,}(\S{40})")  # the name of a file has at most 255 bytes


class UserError(ValueError):
    """An error that the user can fix: one line for the terminal that names the culprit and the solution."""

    def __init__(self, message: object = "") -> None:
        super().__init__(as_line(_ENDLESS_WORD.sub(r"\1...\2", str(message))))

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class OptionError(UserError):
    """A wrong option: unknown, ill-typed or contradicting another (exit status 2)."""


def close_match(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return '; did you mean ...?' for the nearest of `known` with at least this `likeness`, 0 to 1, or ''."""
    close = difflib.get_close_matches(word, sorted(known), 1, likeness)
    return f"; did you mean {close[0]!r}?" if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...?' with the name in `known` nearest to `word`, or else the list of known names."""
    return close_match(word, known := list(known)) or f"; choose from {list_choices(known)}"


def list_choices(known: Iterable[str]) -> str:
    """List the names in order, cut to a length that fits the line of an error."""
    names, shown = sorted(known), list[str]()
    for name in names:
        if len(", ".join([*shown, name])) > _MAX_LIST_CHARS:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def short_reason(error: BaseException) -> str:
    """Return the first line of an error's message, without the path, or its type if the message is empty.

    A first line that ends with a colon is continued by the next one.
    """
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    lines = text.splitlines()
    text = " ".join(lines[: 1 + lines[0].rstrip().endswith(":")])
    return " ".join(text.split())[:300]  # decoders may quote the file


def shorten(text: str, limit: int = 60) -> str:
    """Return the beginning of a text that someone else chose, so that an error stays a line of a terminal."""
    return text if len(text) <= limit else f"{text[:limit]}..."


def short_repr(value: Any) -> str:
    """Return the `repr` of a value, cut to a length that fits an error message."""
    try:
        text = repr(value)
    except ValueError:  # Python does not print numbers of thousands of digits
        return "an endless number"
    return text if len(text) <= 200 else f"{text[:200]} ..."
