"""Progress bars and spinners on stderr, for the whole package.

In a pipe rich draws no moving bar; it prints a bar once at the end, unless it is `transient`.
"""

__all__ = ["Bar", "FolderBar", "counting_spinner", "open_progress", "progress_bar", "show_folder_bar", "track"]

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)  # fmt: skip
from rich.text import Text

from translate.utils.terminal import PatientConsole, escape, is_quiet

T = TypeVar("T")
Style = Literal["percent", "count", "frames", "pictures", "bytes", "training"]


class _PicturesPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} img/s" if task.speed else "")


def _columns(style: Style) -> tuple[str | ProgressColumn, ...]:
    """Return the columns right of the label; new ones each time, since they cache what they draw."""
    styles: dict[Style, tuple[str | ProgressColumn, ...]] = {
        "percent": (BarColumn(), TaskProgressColumn()),
        "count": (BarColumn(), MofNCompleteColumn()),
        "frames": (BarColumn(), MofNCompleteColumn(), "frames"),
        "pictures": (BarColumn(), MofNCompleteColumn(), _PicturesPerSecond()),
        "bytes": (BarColumn(), DownloadColumn(), TransferSpeedColumn()),
        "training": (
            BarColumn(bar_width=20), "{task.completed}/{task.total}", "{task.fields[facts]}", TimeElapsedColumn(),
        ),
    }  # fmt: skip
    return (*styles[style], TimeRemainingColumn())


def open_progress(style: Style, shown: bool, *, transient: bool = False, console: Console | None = None) -> Progress:
    """Return a display, a context manager, whose rows are `Bar`s; the `style` decides the columns after the label.

    A `transient` display is removed at the end. The default console is stderr.
    """
    console = console or PatientConsole(stderr=True)
    hidden = not shown or is_quiet() or (transient and not console.is_terminal)  # which would print an empty line
    return Progress(
        TextColumn("{task.description}"), *_columns(style), console=console, disable=hidden, transient=transient
    )


class Bar:
    """One row of a display: a label, which may hold file names, and a bar with a `total`, None while it is unknown.

    The `fields` are `completed` and those of the display's style.
    """

    def __init__(self, progress: Progress, label: str, total: float | None, **fields: Any) -> None:
        self._progress = progress
        self._row = progress.add_task(escape(label), total=total, **fields)

    def advance(self, count: float = 1) -> None:
        """Move the bar on by `count`."""
        self._progress.advance(self._row, count)

    def update(self, **fields: Any) -> None:
        """Set `completed`, `total`, or a field of the display's style."""
        self._progress.update(self._row, **fields)


@contextmanager
def progress_bar(
    label: str, total: float | None, shown: bool = True, *, style: Style = "count", transient: bool = False
) -> Iterator[Bar]:
    """Show a single bar; see `open_progress`."""
    with open_progress(style, shown, transient=transient) as progress:
        yield Bar(progress, label, total)


def track(items: Iterable[T], label: str, total: int, shown: bool = True) -> Iterator[T]:
    """Yield `items` under a bar."""
    with progress_bar(label, total, shown, style="percent", transient=True) as bar:
        for item in items:
            yield item
            bar.advance()


def counting_spinner(shown: bool) -> AbstractContextManager[object]:
    """Return a context that shows a spinner while pictures are counted."""
    shown = shown and not is_quiet()
    return PatientConsole(stderr=True).status("counting the pictures") if shown else nullcontext()


class FolderBar(Bar):
    """A bar for the pictures of a folder, and a second one for the tiles of a large picture."""

    def __init__(self, progress: Progress, total: int) -> None:
        super().__init__(progress, "translating", total)
        self._total = total
        self._large = progress.add_task("translating", total=100, visible=False)

    def skip(self) -> None:
        """Subtract a picture that is already translated from the total."""
        self._total -= 1
        self.update(total=self._total)

    def show_large(self, stage: str, share: float) -> None:
        """Show the current stage of a large picture, and the finished share in [0, 1]."""
        if not share:
            self._print(stage)
        self._progress.update(self._large, completed=round(100 * share), visible=share < 1)

    def print(self, line: str) -> None:
        """Print a line above the bar, if a bar is shown."""
        if not self._progress.disable:
            self._print(line)

    def _print(self, line: str) -> None:
        self._progress.console.print(escape(line), soft_wrap=True, highlight=False)


@contextmanager
def show_folder_bar(total: int, shown: bool) -> Iterator[FolderBar]:
    """Show a `FolderBar` of `total` pictures."""
    with open_progress("pictures", shown) as progress:
        yield FolderBar(progress, total)
