"""Folder in, folder out: pictures are decoded ahead of the network, encoded behind it, and a rerun goes on.

Every picture keeps its name, sub-folder, size and kind. What is there already, newer than its picture and the
model, is not made again: the same command continues a run that was cut off.
"""

__all__ = ["FolderReport", "translate_folder"]

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from translate.errors import OptionError, UserError
from translate.images import WriteError, atomic_write, read_picture, write_picture
from translate.picture import Picture
from translate.translator import Translator
from translate.worklist import Job, check_writable, is_done, make_worklist


@dataclass
class FolderReport:
    """What became of a folder.

    Attributes:
        done: pictures translated in this run. skipped: pictures whose translation was there already.
        failed: pictures that could not be read, translated or encoded, and why; OUTPUT/failed.txt lists
        them too. seconds: the whole run. ignored: files of the source folder that are no pictures. notes: a
        line for each picture of which something was left out.
    """

    done: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    seconds: float = 0.0
    ignored: int = 0
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} translated in {self.seconds:.1f} s"
        line += f", {self.skipped} there already" if self.skipped else ""
        line += f", {len(self.failed)} failed" if self.failed else ""
        return line + (f", {self.ignored} not pictures" if self.ignored else "")


def translate_folder(
    translator: Translator,
    source: str | Path,
    output: str | Path,
    *,
    direction: str = "ab",
    overwrite: bool = False,
    quality: int = 95,
    workers: int = 2,
    progress: bool = True,
) -> FolderReport:
    """Translate every picture of `source` to the same place below `output`.

    Args:
        translator: what translates.
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder, made where it is missing; inside `source` it is no part of it.
        direction: "ab" or "ba".
        overwrite: make again what is there already.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        workers: threads that decode, and as many that encode.
        progress: show a bar on the terminal.

    Raises:
        OptionError: a wrong direction or quality, or an output that would overwrite its input.
        UserError: there is nothing to translate.
        WriteError: the output's disk or folder refuses; what was written before stays.
    """
    began = time.perf_counter()
    translator.check_direction(direction)
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is out of range; choose 1 to 100")
    output = Path(output)
    jobs, ignored = make_worklist(str(source), output)
    check_writable(output)
    waiting = [job for job in jobs if overwrite or not is_done(job, translator.file)]
    report = FolderReport(skipped=len(jobs) - len(waiting), ignored=ignored)
    with _bar(len(waiting), progress) as advance:
        _Run(translator, direction, quality, report, advance).work_off(waiting, workers)
    _list_failed(output / "failed.txt", report)
    report.seconds = time.perf_counter() - began
    return report


@dataclass
class _Run:
    """Works off a list; the network runs, and the report is kept, in the calling thread."""

    translator: Translator
    direction: str
    quality: int
    report: FolderReport
    advance: Callable[[], None]

    def work_off(self, jobs: Sequence[Job], workers: int) -> None:
        """Translate `jobs`, with at most `workers` + 1 pictures before the network, and as many behind it."""
        writing: deque[tuple[Job, int, Future[None]]] = deque()
        with _pool(workers) as readers, _pool(workers) as writers:
            for job, reading in _ahead(readers, jobs, workers + 1):
                with self._attempt(job):
                    result = self.translator.picture(reading.result(), self.direction, str(job.path))
                    saving = writers.submit(write_picture, job.target, result, self.quality)
                    writing.append((job, result.frames, saving))
                if len(writing) > workers + 1:
                    self._settle(*writing.popleft())
            for written in writing:
                self._settle(*written)

    def _settle(self, job: Job, frames: int, saving: Future[None]) -> None:
        with self._attempt(job):
            saving.result()
            self.report.done += 1
            if frames > 1:
                self.report.notes.append(f"{job.path}: {_more(job.path, frames)}")
            self.advance()

    @contextmanager
    def _attempt(self, job: Job) -> Iterator[None]:
        """Record what goes wrong with one picture; only what would go wrong with all of them gets out."""
        try:
            yield
        except WriteError:
            raise
        except Exception as error:
            self.report.failed.append((job.path, _reason(error, job)))
            self.advance()


def _ahead(pool: ThreadPoolExecutor, jobs: Sequence[Job], depth: int) -> Iterator[tuple[Job, Future[Picture]]]:
    """Give the jobs in order, each with its decoding, which starts `depth` jobs earlier."""
    reading: deque[tuple[Job, Future[Picture]]] = deque()
    for job in jobs:
        reading.append((job, pool.submit(read_picture, job.path)))
        if len(reading) > depth:
            yield reading.popleft()
    while reading:
        yield reading.popleft()


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads that, on an error or Ctrl-C, finish what they hold and drop what waits."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


# ---- what is told


def _more(path: Path, frames: int) -> str:
    kind = "several pages" if path.suffix.lower() in (".tif", ".tiff") else "animated"
    return f"{kind}, only the first of {frames} {'pages' if 'page' in kind else 'frames'} was translated"


def _reason(error: Exception, job: Job) -> str:
    if isinstance(error, UserError):
        return str(error).removeprefix(f"{job.path}: ").removeprefix(f"{job.target}: ")
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _list_failed(file: Path, report: FolderReport) -> None:
    """Write the list of the failed pictures, or remove that of an earlier run."""
    if not report.failed:
        file.unlink(missing_ok=True)
        return
    with atomic_write(file) as temporary:
        temporary.write_text("".join(f"{path}: {reason}\n" for path, reason in report.failed), encoding="utf-8")


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} img/s" if task.speed else "")


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Show a progress bar on stderr and give what moves it on by one picture."""
    columns = ("translating", BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
