"""Text for the terminal, made safe: file names and metadata may hold line ends or control sequences.

Messages of a run go to stderr, results to stdout. A reader that goes away (`| head -1`) stops neither.
"""

__all__ = [
    "PatientConsole", "as_line", "console", "escape", "flush_output", "is_quiet", "printable", "result_console", "say",
    "set_output",
]  # fmt: skip

import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any, TextIO

from rich import markup
from rich.console import Console
from rich.control import Control
from rich.file_proxy import FileProxy
from rich.live_render import LiveRender
from rich.text import Text

_JOINERS = "\u200c\u200d"  # part of emoji and of some scripts
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, direction marks, lone surrogates, line ends
_MAX_LINE_CHARS = 2000
_LOG_WIDTH_CHARS = 150  # of tables in the log file
_ASCII = re.compile(r"[ -~]*")


class _Output:
    """What --quiet and --log ask for."""

    quiet = False
    log: Console | None = None


class PatientConsole(Console):
    """A console that also writes to the log file, and that goes on without a reader if its pipe is closed."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, and append the same, as plain text, to the log file."""
        if self.quiet:  # another process of the run prints
            return
        if not (self.stderr and _Output.quiet):
            super().print(*objects, **options)
        if _Output.log and not any(isinstance(one, Control | LiveRender) for one in objects):
            is_text = all(isinstance(one, str | Text) for one in objects)
            _Output.log.print(*objects, **({"soft_wrap": is_text} | options))

    def print_to_log(self, *objects: Any) -> None:
        """Append a line to the log file alone: the terminal shows a bar instead."""
        if _Output.log and not self.quiet:
            _Output.log.print(*objects, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Discard what is printed from now on."""
        _discard(sys.__stderr__ if self.stderr else sys.__stdout__)


console = PatientConsole(stderr=True, highlight=False)


def result_console(min_width: int = 0) -> PatientConsole:
    """Return a console for tables on stdout, at least `min_width` characters wide: rich would cut off cells."""
    return PatientConsole(width=max(Console().width, min_width), highlight=False)


def set_output(*, quiet: bool = False, log: str = "", title: str = "") -> None:
    """Show errors and tables only, if `quiet`; append all messages to the file `log`, below its line `title`.

    Raises:
        OSError: the file cannot be written.
    """
    if _Output.log:
        _Output.log.file.close()
    _Output.quiet, _Output.log = quiet, None
    if log:
        path = Path(log).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        _Output.log = Console(file=file, width=_LOG_WIDTH_CHARS, no_color=True, force_terminal=False, highlight=False)
        _Output.log.print(title, markup=False, soft_wrap=True)


def is_quiet() -> bool:
    """Whether only errors and tables are shown."""
    return _Output.quiet


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
    """Print a line that may hold names, on stdout or to `file`; on stdout nothing if quiet."""
    line, stream = as_line(str(text)), file or sys.stdout
    if _Output.log and not isinstance(stream, FileProxy):  # during a progress bar, which prints it on its console
        _Output.log.print(line, markup=False, soft_wrap=True)
    if file or not _Output.quiet:
        try:
            print(line, file=stream, flush=True)
        except BrokenPipeError:
            _discard(stream)


def flush_output() -> None:
    """Flush stdout and stderr; a reader that has gone away is no error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except BrokenPipeError:
            _discard(stream)


def _discard(stream: TextIO | None) -> None:
    """Point the file descriptor of `stream`, whose reader has gone, at /dev/null."""
    if stream:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _spell_out(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _HIDDEN:
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8, as Python keeps it
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
