"""Words on their way to a terminal: a file name or metadata may hold line ends, or commands to the terminal."""

__all__ = ["as_line", "console", "escape", "printable", "say"]

import re
import sys
import unicodedata
from typing import TextIO

from rich import markup
from rich.console import Console

console = Console(stderr=True, highlight=False)  # messages of a run; stdout is for results
_JOINERS = "\u200c\u200d"  # which emoji and some scripts are spelt with
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, marks of direction, lone bytes, line ends
_LONGEST = 2000  # characters of a line
_ASCII = re.compile(r"[ -~]*")


def printable(text: str) -> str:
    r"""Return `text` as one line that a terminal can only show: what would do more is spelt as \n, \x1b or \u202e.

    A byte of a file name that is no UTF-8 is shown as \xff.
    """
    return text if _ASCII.fullmatch(text) else "".join(map(_shown, text))


def as_line(text: str) -> str:
    """Return `text` as `printable` does, without the middle where that is absurdly long: the way out is at its end."""
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST // 2]} ... {shown[-_LONGEST // 2 :]}"


def escape(text: str) -> str:
    """Return `text` escaped for rich's markup, whatever follows it."""
    shown = printable(text)
    body = shown.rstrip("\\")
    tail = "\\" * 2 * (len(shown) - len(body))  # in front of a tag, and only there, two backslashes are one
    return markup.escape(body) + (f"{tail}[none][/none]" if tail else "")


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line that may hold names, on the standard output or on `file`."""
    print(as_line(str(text)), file=file or sys.stdout)


def _shown(letter: str) -> str:
    if letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN:
        return letter
    if "\udc80" <= letter <= "\udcff":  # how Python keeps such a byte
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
