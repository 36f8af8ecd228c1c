"""Text for the terminal, made safe: file names and metadata may hold line ends or control sequences."""

__all__ = ["as_line", "console", "escape", "printable", "say"]

import re
import sys
import unicodedata
from typing import TextIO

from rich import markup
from rich.console import Console

console = Console(stderr=True, highlight=False)  # messages of a run; stdout is for results
_JOINERS = "\u200c\u200d"  # part of emoji and of some scripts
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, direction marks, lone surrogates, line ends
_MAX_LINE_CHARS = 2000
_ASCII = re.compile(r"[ -~]*")


def printable(text: str) -> str:
    r"""Return `text` as one line without control sequences: hidden characters become \n, \x1b, \u202e and so on.

    A byte of a file name that is not UTF-8 becomes \xff.
    """
    return text if _ASCII.fullmatch(text) else "".join(map(_spell_out, text))


def as_line(text: str) -> str:
    """Return `printable(text)` without the middle of a very long line; the end of an error names the solution."""
    line = printable(text)
    half = _MAX_LINE_CHARS // 2
    return line if len(line) <= _MAX_LINE_CHARS else f"{line[:half]} ... {line[-half:]}"


def escape(text: str) -> str:
    """Return `printable(text)` escaped for rich's markup, also before a tag."""
    line = printable(text)
    body = line.rstrip("\\")
    tail = "\\" * 2 * (len(line) - len(body))  # in front of a tag, and only there, two backslashes are one
    return markup.escape(body) + (f"{tail}[none][/none]" if tail else "")


def say(text: object, file: TextIO | None = None) -> None:
    """Print a line that may hold names, on stdout or to `file`."""
    print(as_line(str(text)), file=file or sys.stdout)


def _spell_out(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _HIDDEN:
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8, as Python keeps it
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
