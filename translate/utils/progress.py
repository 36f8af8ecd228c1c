"""The progress bar of a folder's translation, and what is told above it meanwhile."""

__all__ = ["Bar", "show_bar", "show_counting"]

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from translate.utils.terminal import escape


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} img/s" if task.speed else "")


class Bar:
    """Shows on stderr how far a folder is, and how far a large picture."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._all = progress.add_task("", total=total)
        self._large = progress.add_task("", total=100, visible=False)

    def advance(self) -> None:
        """Go on by one picture."""
        self._progress.advance(self._all)

    def skip(self) -> None:
        """Leave one picture out of the count: it is there already."""
        self._total -= 1
        self._progress.update(self._all, total=self._total)

    def watch(self, doing: str, share: float) -> None:
        """Show what is being done to a large picture, and which share of it is done."""
        if not share:
            self._print(doing)
        self._progress.update(self._large, completed=round(100 * share), visible=share < 1)

    def tell(self, line: str) -> None:
        """Print a line above the bar; without a bar, nothing."""
        if not self._progress.disable:
            self._print(line)

    def _print(self, line: str) -> None:
        self._progress.console.print(escape(line), soft_wrap=True, highlight=False)


def show_counting(shown: bool) -> AbstractContextManager[object]:
    """Show on a terminal that pictures are being counted; it goes when that is done."""
    return Console(stderr=True).status("counting the pictures") if shown else nullcontext()


@contextmanager
def show_bar(total: int, shown: bool) -> Iterator[Bar]:
    """Show a bar of `total` pictures, or only seem to."""
    columns = ("translating", BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        yield Bar(progress, total)
