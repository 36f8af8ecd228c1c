"""Progress bars and spinners on stderr, for the whole package.

In a pipe rich draws no moving bar; it prints a bar once at the end, unless it is `transient`. In a notebook, a display
is one output below the cell, updated in place. IPython is used where it runs already, and never required.
"""

__all__ = [
    "Bar", "CellOutput", "FolderBar", "counting_spinner", "in_notebook", "moves", "open_progress", "progress_bar",
    "show_folder_bar", "track",
]  # fmt: skip

import io
import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, TypeVar

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
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


NOTEBOOK_SECONDS = 0.5  # between drawings in a notebook, which keeps a message of each until the cell has run
NOTEBOOK_WIDTH_CHARS = 180  # for the bar of a training with its losses; narrower cells scroll
NOTEBOOK_HTML = '<pre style="white-space:pre;overflow-x:auto;line-height:normal;margin:0">{code}</pre>'


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
    hidden = not shown or is_quiet() or (transient and not moves(console))  # which would print an empty line
    return (_NotebookProgress if in_notebook() else Progress)(
        TextColumn("{task.description}"), *_columns(style), console=console, disable=hidden, transient=transient
    )


def in_notebook() -> bool:
    """Whether the code runs in the kernel of a notebook (Jupyter, Colab, an editor), not in a terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class CellOutput:
    """One output below the cell of a notebook, made by the first `show` and replaced by the next ones."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, shown: Any) -> None:
        """Show an object that IPython can display."""
        from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


def moves(console: Console) -> bool:
    """Whether bars on the console move: in a terminal or a notebook, not in a pipe."""
    return console.is_terminal or in_notebook()


class _NotebookProgress(Progress):
    """A display below the cell of a notebook, without widgets; drawn by the calls that change it, not by a thread."""

    def __init__(self, *columns: str | ProgressColumn, **options: Any) -> None:
        self._output, self._drawn = CellOutput(), -math.inf
        super().__init__(*columns, auto_refresh=False, **options)

    def start(self) -> None:
        if self.tasks:
            self._draw()

    def stop(self) -> None:
        self._draw(empty=self.live.transient)

    def refresh(self) -> None:
        if time.monotonic() - self._drawn > NOTEBOOK_SECONDS:
            self._draw()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self.refresh()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        self.refresh()

    def _draw(self, empty: bool = False) -> None:
        if not self.disable:
            self._drawn = time.monotonic()
            self._output.show(_Drawing("" if empty else self.get_renderable()))


class _Drawing:
    """What rich would draw in a terminal, as text and as HTML."""

    def __init__(self, shown: RenderableType) -> None:
        canvas = Console(
            record=True, file=io.StringIO(), width=NOTEBOOK_WIDTH_CHARS, force_terminal=True, force_jupyter=False,
            color_system="truecolor",
        )  # fmt: skip
        canvas.print(shown)
        self.html = canvas.export_html(inline_styles=True, code_format=NOTEBOOK_HTML, clear=False)
        self.text = canvas.export_text().rstrip()

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


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
    shown = shown and not is_quiet() and not in_notebook()
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
