"""Errors that a user can fix, one line each."""

__all__ = ["OptionError", "UserError", "did_you_mean", "short_reason", "short_repr"]

import difflib
from collections.abc import Iterable
from typing import Any

from translate.utils.terminal import as_line


class UserError(ValueError):
    """An error that the user can fix: one line for the terminal that names the culprit and the solution."""

    def __init__(self, message: object = "") -> None:
        super().__init__(as_line(str(message)))


class OptionError(UserError):
    """A wrong option: unknown, ill-typed or contradicting another (exit status 2)."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...?' with the name in `known` nearest to `word`, or else the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; choose from {', '.join(names)}"


def short_reason(error: BaseException) -> str:
    """Return the first line of an error's message, without the path, or its type if the message is empty."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return " ".join(text.splitlines()[0].split())[:300]  # decoders may quote the file


def short_repr(value: Any) -> str:
    """Return the `repr` of a value, cut to a length that fits an error message."""
    try:
        text = repr(value)
    except ValueError:  # Python does not print numbers of thousands of digits
        return "an endless number"
    return text if len(text) <= 200 else f"{text[:200]} ..."
