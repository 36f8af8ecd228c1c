"""Sketch every photo of a folder: training pairs for users who have only photos.

Photos are decoded ahead of the drawing, sketches encoded behind it. A sketch that was drawn from the same photo with
the same options is not drawn again, so the same command continues an interrupted run.
"""

__all__ = ["SketchReport", "make_sketches"]

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np

from translate.data.files.ledger import Ledger
from translate.data.files.output_note import Run
from translate.data.files.worklist import Job, Worklist, check_writable
from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.images.sketch_extraction import check_sketch_options, draw_sketches
from translate.utils.concurrency import prefetch
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.files import PathError, WriteError
from translate.utils.locks import hold
from translate.utils.progress import Bar, progress_bar

BATCH_SIZE = 8  # photos decoded at a time; the photos of a batch that have one size are drawn together
T = TypeVar("T")


@dataclass
class SketchReport:
    """Counts of one run over a folder."""

    done: int = 0  # sketches drawn in this run
    skipped: int = 0  # sketches that existed already
    failed: list[tuple[Path, str]] = field(default_factory=list)  # photos that could not be read, and why
    seconds: float = 0.0
    ignored: int = 0  # files of the source that are not read as pictures
    notes: list[str] = field(default_factory=list)  # lines on what was left out, and on sketches that were kept

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} sketches drawn in {self.seconds:.1f} s"
        line += f", {self.skipped} there already" if self.skipped else ""
        return line + (f", {len(self.failed)} failed" if self.failed else "")


def make_sketches(
    source: str | Path,
    output: str | Path,
    *,
    detail: float = 0.5,
    min_length: int = 0,
    overwrite: bool = False,
    device: str = "auto",
    workers: int = 2,
    progress: bool = True,
) -> SketchReport:
    """Draw a sketch of every photo of `source`: the same name and sub-folder below `output`, an 8-bit gray PNG.

    Args:
        source: A folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: A folder, created if it is missing; inside `source`, it is not searched for photos.
        detail: From 0, only the boldest outlines, to 1, texture too.
        min_length: Length in px below which lines are left out; 0: chosen by the size of the photo.
        overwrite: Redraw sketches that exist already.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        workers: Threads that decode and encode.
        progress: Show a bar.

    Raises:
        OptionError: an option is out of range, or the output would overwrite its input, or sketches drawn otherwise.
        InUseError: another process writes to the output folder.
        UserError: there are no photos, or two of them would share a sketch.
        WriteError: a sketch cannot be written; earlier ones stay.
    """
    began = time.perf_counter()
    check_sketch_options(detail, min_length)
    torch_device, output = pick_device(device), Path(output)

    # list the photos
    work = Worklist(str(source), output)
    if work.single:
        raise OptionError(f"{output}: sketches go to a folder, under the names of their photos; choose one")
    survey = work.survey()
    jobs = [Job(job.path, job.target.with_suffix(".png")) for job in work]
    check_targets(jobs)
    check_writable(output)

    # draw those that are not done, while no other process writes to the output
    report = SketchReport(ignored=survey.ignored, notes=survey.notes)
    draw = partial(draw_sketches, detail=detail, min_length=min_length, device=torch_device)
    run = Run("sketches", "", {"detail": detail, "min-length": min_length})
    with (
        hold(output / ".sketches.lock", f"{output}: is being written to"),
        closing(Ledger(output, work.root, "", run, overwrite=overwrite)) as ledger,
    ):
        waiting = _find_waiting(jobs, ledger, report)
        with (
            progress_bar("drawing", len(waiting), progress, transient=True) as bar,
            ThreadPoolExecutor(workers) as pool,
        ):
            _Pipeline(draw, pool, report, bar, ledger).run(waiting)
        ledger.finish()
    report.notes += ledger.notes()
    report.seconds = time.perf_counter() - began
    return report


def _find_waiting(jobs: Sequence[Job], ledger: Ledger, report: SketchReport) -> list[Job]:
    """Return the jobs that are not done; raise OptionError if one would overwrite a sketch that was drawn otherwise."""
    ledger.check(jobs)
    waiting = []
    for job in jobs:
        judgement = ledger.judge(job)
        if judgement.done:
            ledger.skip(judgement)
            report.skipped += 1
        elif judgement.conflict:
            report.failed.append((job.path, f"{judgement.conflict}; move it away, or say --overwrite"))
        else:
            waiting.append(job)
    if waiting:
        ledger.start()
    return waiting


def check_targets(jobs: Sequence[Job]) -> None:
    """Raise OptionError if a sketch would overwrite a photo, and UserError if two photos would share a sketch."""
    photos, owners = {job.path.resolve() for job in jobs}, dict[Path, Path]()
    for job in jobs:
        if job.target.resolve() in photos:
            raise OptionError(f"{job.path}: its sketch would overwrite {job.target}; choose another output folder")
        if job.target in owners:
            raise UserError(f"{owners[job.target]} and {job.path} would share the sketch {job.target}; rename one")
        owners[job.target] = job.path


@dataclass
class _Pipeline:
    """Decodes, draws and encodes batches at the same time; draws in the calling thread."""

    draw: Callable[[Sequence[np.ndarray]], np.ndarray]
    pool: ThreadPoolExecutor
    report: SketchReport
    bar: Bar
    ledger: Ledger

    def run(self, jobs: Sequence[Job]) -> None:
        batches = (jobs[start : start + BATCH_SIZE] for start in range(0, len(jobs), BATCH_SIZE))
        photos = prefetch(([(job, self.pool.submit(self._read, job)) for job in batch] for batch in batches), 1)
        sketches = prefetch((self._draw(self._collect(batch)) for batch in photos), 1)
        for batch in sketches:
            written = len(self._collect(batch))
            self.report.done += written
            self.bar.advance(written)

    def _read(self, job: Job) -> np.ndarray:
        with suppress(OSError):  # the reader says it better
            self.ledger.reading(job)
        return read_rgb8(job.path)

    def _write(self, job: Job, picture: Picture) -> None:
        self.ledger.writing(job)
        write_picture(job.target, picture)
        self.ledger.written(job)

    def _draw(self, photos: list[tuple[Job, np.ndarray]]) -> list[tuple[Job, Future[None]]]:
        """Draw the photos, one size at a time, and start to write the sketches."""
        writing = []
        for _, group in groupby(sorted(photos, key=lambda item: item[1].shape), key=lambda item: item[1].shape):
            jobs, same = zip(*group, strict=True)
            for job, sketch in zip(jobs, self.draw(same), strict=True):
                picture = Picture(sketch[..., None].repeat(3, axis=2), gray=True)
                writing.append((job, self.pool.submit(self._write, job, picture)))
        return writing

    def _collect(self, tasks: list[tuple[Job, Future[T]]]) -> list[tuple[Job, T]]:
        """Return the results; record single photos that cannot be read, and raise WriteError, which concerns all."""
        results = []
        for job, task in tasks:
            try:
                results.append((job, task.result()))
            except UserError as error:
                if isinstance(error, WriteError) and not isinstance(error, PathError):
                    raise
                self.ledger.forget(job)
                self.report.failed.append((job.path, str(error).removeprefix(f"{job.path}: ")))
                self.bar.advance()
        return results
