"""Folder in, folder out: pictures are decoded ahead of the network, encoded behind it, and a rerun goes on.

Every picture keeps its name, sub-folder, size and kind. What is there already, newer than its picture and the
model, is not made again: the same command continues a run that was cut off. Another seed, look, direction or scale
makes all of it again, as do other masks; they are noted in the output folder.
"""

__all__ = ["FolderReport", "Masks", "translate_folder"]

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from translate.answers import Wish, blend
from translate.data.files import listed
from translate.data.mask_files import MaskFiles, open_masks, read_mask
from translate.errors import OptionError, UserError
from translate.holes import resized_hole
from translate.images import WriteError, atomic_write, read_picture, write_picture
from translate.inference import Watch
from translate.lanes import Lanes, threads
from translate.memory import keep_freed_memory
from translate.picture import Picture
from translate.translator import Layer, Ready, Translator
from translate.worklist import Job, check_writable, is_done, make_worklist, note_options, unused_layers

_WAITING = 64  # pictures that wait for others of their size
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".gif", ".jp2")


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Masks of the holes of a folder's pictures.

    Attributes:
        spec: a folder or a pattern of masks with the names of the pictures, also as NAME_mask or mask_NAME; or one for
            all. Which colour is the hole is told by all of them together.
        invert: whether it is the other colour.
        resize: whether a mask may have another size than its picture.
    """

    spec: str | Path
    invert: bool = False
    resize: bool = False


@dataclass
class FolderReport:
    """What became of a folder.

    Attributes:
        done: pictures translated in this run. skipped: pictures whose translation was there already.
        failed: pictures that could not be read, translated or encoded, and why; OUTPUT/failed.txt lists
        them too. seconds: the whole run. ignored: files of the source folder that are no pictures. notes: a
        line for each picture of which something was left out, and for what else is worth a look. answers: to
        each picture.
    """

    done: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    seconds: float = 0.0
    ignored: int = 0
    notes: list[str] = field(default_factory=list)
    answers: int = 1

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} translated" + (f" to {self.answers} answers each" if self.answers > 1 else "")
        line += f" in {self.seconds:.1f} s"
        line += f", {self.skipped} there already" if self.skipped else ""
        line += f", {len(self.failed)} failed" if self.failed else ""
        return line + (f", {self.ignored} not pictures" if self.ignored else "")


def translate_folder(
    translator: Translator,
    source: str | Path,
    output: str | Path,
    *,
    direction: str | None = None,
    count: int | None = None,
    seed: int | None = None,
    looks: Sequence[str | Path] = (),
    hints: str | Path | None = None,
    masks: Masks | None = None,
    scale: str = "fit",
    overwrite: bool = False,
    quality: int = 95,
    workers: int | None = None,
    progress: bool = True,
) -> FolderReport:
    """Translate every picture of `source` to the same place below `output`.

    Args:
        translator: what translates, by the statistics that it was loaded with or `Translator.steadied` gave it.
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder, made where it is missing; inside `source` it is no part of it.
        direction: "ab" or "ba"; None: the model's usual one.
        count: answers to each picture; more than one are called NAME_1, NAME_2 and so on.
        seed: of the answers; without `count` and `seed`, each picture gets the one answer without chance.
        looks: pictures of the target domain: the look of one for all; or two, and `count` steps from one to the other.
        hints: a folder of layers of strokes, with the names of the pictures that they belong to; or one for all.
        masks: for a model that fills holes; pictures without one have their hole where they are transparent.
        scale: "fit" or "native", as `Translator.__call__`.
        overwrite: make again what is there already.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        workers: threads that decode, and as many that encode; None: two, or for a GPU one for each core.
        progress: show a bar on the terminal.

    Raises:
        OptionError: an option that is wrong or that this model does not have; an output that would hit its input.
        UserError: there is nothing to translate, or no hints or masks that fit; a look cannot be read.
        WriteError: the output's disk or folder refuses; what was written before stays.
    """
    began = time.perf_counter()
    _check_quality(quality)
    wish = _wish(translator, direction, count, seed, looks, scale)
    translator.check_layer(hints=hints is not None, mask=masks is not None)
    output, answers = Path(output), len(wish.answers)
    spec = masks.spec if masks else None
    jobs, ignored = make_worklist(str(source), output, answers=answers, hints=hints, masks=spec)
    read = _Reader.of(masks, fills=translator.masked)
    check_writable(output)
    note, changed = note_options(output, _options(translator, wish, count, seed, looks, hints, masks))
    used = (note, translator.file, *map(Path, looks))
    waiting = [job for job in jobs if overwrite or changed or not is_done(job, *used)]
    report = FolderReport(skipped=len(jobs) - len(waiting), ignored=ignored, answers=answers)
    report.notes += _warnings(jobs, output, again=changed and not overwrite, hints=hints) + read.notes(jobs)
    workers = workers or (2 if translator.device.type == "cpu" else os.cpu_count() or 2)
    with _bar(len(waiting), progress) as (advance, translator.watch):
        _Run(translator, wish, quality, report, advance, read).work_off(waiting, workers)
    _list_failed(output / "failed.txt", report)
    report.seconds = time.perf_counter() - began
    return report


def _check_quality(quality: int) -> None:
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is out of range; choose 1 to 100")


def _wish(
    translator: Translator, direction: str | None, count: int | None, seed: int | None,
    looks: Sequence[str | Path], scale: str,
) -> Wish:  # fmt: skip
    """Return what is asked of the translator: its own answers, the look of one picture, or a way between two looks."""
    wish = translator.wish(direction, count=count, seed=seed, scale=scale)
    if not looks:
        return wish
    if seed is not None:
        raise OptionError("a look says which answer is meant; leave out --look or --seed")
    if len(looks) > 2 or (len(looks) == 1) != (count is None):
        raise OptionError("give one --look, without --count, or two with --count N: the steps from one to the other")
    first, last = translator.look(looks[0]), translator.look(looks[-1])
    z = first if count is None else blend(first, last, count)
    return translator.wish(direction, z=z, scale=scale)


def _options(
    translator: Translator, wish: Wish, count: int | None, seed: int | None,
    looks: Sequence[str | Path], hints: str | Path | None, masks: Masks | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what sets the translations apart from those of a plain run, which has none of it."""
    said: dict[str, Any] = {}
    if wish.direction != translator.check_direction(None):
        said["direction"] = wish.direction
    if wish.scale != "fit":
        said["scale"] = wish.scale
    if translator.statistics.kind != "exact":
        said["stats"] = translator.statistics.said
    if looks:
        said |= {"looks": [str(Path(path).resolve()) for path in looks], "count": count}
    elif count is not None or seed is not None:
        said["seed"] = seed or 0  # the count is seen from the names
    if hints:
        said["hints"] = str(Path(hints).resolve())
    if masks:
        said |= {"masks": str(Path(masks.spec).resolve()), "invert": masks.invert, "resize": masks.resize}
    return said


@dataclass(frozen=True)
class _Reader:
    """Reads a picture, and its strokes or its hole."""

    fills: bool
    masks: MaskFiles | None = None
    resize: bool = False

    @classmethod
    def of(cls, masks: Masks | None, *, fills: bool) -> "_Reader":
        """Find the masks, and which of their colours is the hole."""
        return cls(fills, open_masks(str(masks.spec), invert=masks.invert), masks.resize) if masks else cls(fills)

    def __call__(self, job: Job) -> tuple[Picture, Layer | None]:
        picture = read_picture(job.path)
        if job.layer is None:
            return picture, None
        if self.masks is None:
            return picture, (read_picture(job.layer), str(job.layer))
        hole, _ = read_mask(job.layer, white_is_hole=self.masks.white_is_hole)
        if self.resize:
            hole = resized_hole(hole, picture.pixels.shape[:2])
        return picture, (hole, str(job.layer))

    def notes(self, jobs: Sequence[Job]) -> list[str]:
        """Return what the user should know of the masks and of what happens to known pixels, a line each."""
        lines = list(self.masks.notes) if self.masks else []
        if self.masks and (unused := unused_layers(jobs, self.masks.files)):
            lines.append(f"masks: {len(unused)} belong to no picture: {listed(unused)}")
        lossy = [job.path.name for job in jobs if job.target.suffix.lower() in _LOSSY]
        if self.fills and lossy:
            why = "compressed anew, so known pixels change slightly; those of PNG and TIFF files stay bit for bit"
            lines.append(f"{listed(lossy)}: {why}")
        return lines


Work = tuple[Job, Future[Ready]]
Answers = list[Callable[[], list[Picture]] | Exception]
T = TypeVar("T")


@dataclass
class _Run:
    """Works off a list: pictures are read, translated and written by threads, and the report is kept by the caller's.

    An error travels with its picture, in the place of what should have become of it, to the end of the line.
    """

    translator: Translator
    wish: Wish
    quality: int
    report: FolderReport
    advance: Callable[[], None]
    read: _Reader

    def work_off(self, jobs: Sequence[Job], workers: int) -> None:
        """Translate `jobs`, with at most `workers` + 1 pictures before the network and its batches, as many behind."""
        lanes = self.translator.lanes()
        if self.translator.device.type == "cpu":
            keep_freed_memory()  # the next picture takes as much again
        kept = torch.random.fork_rng(devices=[])  # every pass puts torch's generator back, but not all in one order
        with kept, threads(workers) as readers, lanes.pool() as network, threads(workers) as writers:
            reading = _ahead(((job, readers.submit(self._ready, job)) for job in jobs), workers + 1)
            batches = _batches(reading, self.translator.batch_of)
            making = _ahead(((batch, network.submit(self._make, batch, lanes)) for batch in batches), lanes.count)
            each = ((made, i, work) for batch, made in making for i, work in enumerate(batch))
            writing = ((job, writers.submit(self._write, job, one, made, i)) for made, i, (job, one) in each)
            for job, frames in _ahead(writing, workers + 1):
                self._settle(job, frames)

    def _ready(self, job: Job) -> Ready:
        picture, layer = self.read(job)
        return self.translator.ready(picture, self.wish, layer, str(job.path))

    def _make(self, batch: Sequence[Work], lanes: Lanes) -> Answers:
        """Translate a batch; where that fails, one picture after the other, so that only those fail that must."""
        try:
            ready = [one.result() for _, one in batch]
            with lanes.taken(whole=not self.translator.is_small(ready[0])):
                return [*self.translator.translated(ready, self.wish)]
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [answer for work in batch for answer in self._make([work], lanes)]

    def _write(self, job: Job, one: Future[Ready], made: Future[Answers], i: int) -> int:
        """Write the answers to picture `i` of a batch, and return how many pictures its file holds."""
        answer = made.result()[i]
        if isinstance(answer, Exception):
            raise answer
        for target, result in zip(job.targets, answer(), strict=True):
            write_picture(target, result, self.quality)
        return one.result().picture.frames

    def _settle(self, job: Job, frames: Future[int]) -> None:
        """Report on a picture; only what would go wrong with all of them gets out."""
        try:
            if frames.result() > 1:
                self.report.notes.append(f"{job.path}: {_more(job.path, frames.result())}")
            self.report.done += 1
        except WriteError:
            raise
        except Exception as error:
            self.report.failed.append((job.path, _reason(error, job)))
        self.advance()


def _ahead(begun: Iterable[T], depth: int) -> Iterator[T]:
    """Give things in order, each when the `depth` next ones have been begun."""
    waiting: deque[T] = deque()
    for one in begun:
        waiting.append(one)
        if len(waiting) > depth:
            yield waiting.popleft()
    yield from waiting


def _batches(reading: Iterable[Work], most: Callable[[Ready], int]) -> Iterator[list[Work]]:
    """Put pictures of a size together, `most` at a time; what finds no company goes on when others have waited long."""
    gathered: dict[Any, list[Work]] = {}
    for work in reading:
        error = work[1].exception()
        room = 1 if error else most(work[1].result())
        if room == 1:
            yield [work]
            continue
        kind = work[1].result().kind
        gathered.setdefault(kind, []).append(work)
        if len(gathered[kind]) == room:
            yield gathered.pop(kind)
        elif sum(map(len, gathered.values())) > _WAITING:
            yield gathered.pop(next(iter(gathered)))
    yield from gathered.values()


# ---- what is told


def _warnings(jobs: Sequence[Job], output: Path, *, again: bool, hints: str | Path | None) -> list[str]:
    lines = []
    if again and any(target.exists() for job in jobs for target in job.targets):
        lines.append(f"{output}: what is there was made with other options, and is made again")
    names = {job.target for job in jobs}
    twice = ((job, target) for job in jobs for target in job.targets if target in names - {job.target})
    if first := next(twice, None):
        job, target = first
        lines.append(f"{target}: is an answer to {job.path.name}, not to {target.name}; rename one to tell them apart")
    without = sum(job.layer is None for job in jobs)
    if hints and without:
        lines.append(f"{hints}: has no layer for {without} of {len(jobs)} pictures, which get no hints")
    return lines


def _more(path: Path, frames: int) -> str:
    kind = "several pages" if path.suffix.lower() in (".tif", ".tiff") else "animated"
    return f"{kind}, only the first of {frames} {'pages' if 'page' in kind else 'frames'} was translated"


def _reason(error: Exception, job: Job) -> str:
    if isinstance(error, UserError):
        text = str(error).removeprefix(f"{job.path}: ")
        return next((text.removeprefix(f"{t}: ") for t in job.targets if text.startswith(f"{t}: ")), text)
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
def _bar(total: int, shown: bool) -> Iterator[tuple[Callable[[], None], Watch]]:
    """Show a progress bar on stderr; give what moves it on by one picture, and what tells how far a large one is."""
    columns = ("translating", BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("", total=total)
        large = progress.add_task("", total=100, visible=False)

        def watch(doing: str, share: float) -> None:
            if not share:
                progress.console.print(escape(doing), soft_wrap=True, highlight=False)
            progress.update(large, completed=round(100 * share), visible=share < 1)

        yield lambda: progress.advance(task), watch
