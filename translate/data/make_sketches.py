"""A folder of photos in, a folder of line drawings out: pairs for those who have photos only.

Photos are decoded ahead of the drawing, sketches encoded behind it, and what is there already, newer than its
photo, is not drawn again: the same command continues a run that was cut off.
"""

__all__ = ["SketchReport", "make_sketches"]

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from translate.data.files.worklist import Job, Worklist, check_writable, is_done
from translate.images.io import read_rgb8, write_picture
from translate.images.picture import Picture
from translate.images.sketch_extraction import check_wishes, extract_sketches
from translate.utils.device import pick_device
from translate.utils.errors import OptionError, UserError
from translate.utils.files import WriteError
from translate.utils.progress import progress_bar

BATCH = 8  # photos in memory at a time, and as many sketches; those of one size are drawn together
T = TypeVar("T")


@dataclass
class SketchReport:
    """What became of a folder.

    Attributes:
        done: sketches drawn in this run. skipped: those that were there already. failed: photos that could not
        be read or drawn, and why. seconds: the whole run. ignored: files of the source that are no pictures.
    """

    done: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    seconds: float = 0.0
    ignored: int = 0

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} sketches drawn in {self.seconds:.1f} s"
        line += f", {self.skipped} there already" if self.skipped else ""
        line += f", {len(self.failed)} failed" if self.failed else ""
        return line + (f", {self.ignored} not pictures" if self.ignored else "")


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
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder, made where it is missing; inside `source` it is no part of it.
        detail: 0: only the boldest outlines; 1: texture too.
        min_length: shorter lines are left out, px; 0: by the size of the photo.
        overwrite: draw again what is there already.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        workers: threads that decode and encode.
        progress: show a bar on the terminal.

    Raises:
        OptionError: something is out of range, or the output would overwrite its input.
        UserError: there are no photos, or two of them would have one sketch.
        WriteError: the output's disk or folder refuses; what was written before stays.
    """
    began = time.perf_counter()
    check_wishes(detail, min_length)
    where, output = pick_device(device), Path(output)
    work = Worklist(str(source), output)
    ignored = work.survey().ignored
    jobs = [Job(job.path, job.target.with_suffix(".png")) for job in work]
    check_one_each(jobs)
    check_writable(output)
    waiting = [job for job in jobs if overwrite or not is_done(job, None)]
    report = SketchReport(skipped=len(jobs) - len(waiting), ignored=ignored)

    with (
        progress_bar("drawing", len(waiting), progress, transient=True) as bar,
        ThreadPoolExecutor(workers) as pool,
    ):
        drawing = partial(draw, detail=detail, min_length=min_length, device=where)
        _Run(drawing, pool, report, bar.advance).work_off(waiting)
    report.seconds = time.perf_counter() - began
    return report


def draw(photos: Sequence[np.ndarray], *, detail: float, min_length: int, device: torch.device) -> np.ndarray:
    """Draw photos of one size, each (H, W, 3) uint8 RGB: (B, H, W) uint8."""
    pixels = torch.from_numpy(np.stack(photos)).to(device).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        sketches = extract_sketches(pixels, detail=detail, min_length=min_length)[:, 0]
    return (sketches * 255).round().byte().cpu().numpy()


def check_one_each(jobs: Sequence[Job]) -> None:
    """Refuse photos that would share a sketch, and sketches that would replace a photo.

    Raises:
        OptionError: a sketch would overwrite a photo.
        UserError: two photos differ in their suffix alone.
    """
    photos, places = {job.path.resolve() for job in jobs}, dict[Path, Path]()
    for job in jobs:
        if job.target.resolve() in photos:
            raise OptionError(f"{job.path}: its sketch would overwrite {job.target}; choose another output folder")
        if job.target in places:
            raise UserError(f"{places[job.target]} and {job.path} would share the sketch {job.target}; rename one")
        places[job.target] = job.path


@dataclass
class _Run:
    """Works off a list; the drawing is done, and the report kept, in the calling thread."""

    draw: Callable[[Sequence[np.ndarray]], np.ndarray]
    pool: ThreadPoolExecutor
    report: SketchReport
    advance: Callable[[], None]

    def work_off(self, jobs: Sequence[Job]) -> None:
        """Draw batch after batch, while the next one is decoded and the last one encoded."""
        batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
        reading, writing = self._read(batches[0] if batches else []), list[tuple[Job, Future[None]]]()
        for following in [*batches[1:], []]:
            ahead = self._read(following)
            behind = self._draw(self._settle(reading))
            self.report.done += self._finish(writing)
            reading, writing = ahead, behind
        self.report.done += self._finish(writing)

    def _read(self, jobs: Sequence[Job]) -> list[tuple[Job, Future[np.ndarray]]]:
        return [(job, self.pool.submit(read_rgb8, job.path)) for job in jobs]

    def _draw(self, photos: list[tuple[Job, np.ndarray]]) -> list[tuple[Job, Future[None]]]:
        """Draw the photos, those of one size together, and have the sketches written."""
        writing = []
        for _, group in groupby(sorted(photos, key=lambda item: item[1].shape), key=lambda item: item[1].shape):
            jobs, same = zip(*group, strict=True)
            for job, sketch in zip(jobs, self.draw(same), strict=True):
                picture = Picture(sketch[..., None].repeat(3, axis=2), gray=True)
                writing.append((job, self.pool.submit(write_picture, job.target, picture)))
        return writing

    def _settle(self, tasks: list[tuple[Job, Future[T]]]) -> list[tuple[Job, T]]:
        """Wait for the results; record what goes wrong with one picture, and raise what would go wrong with all."""
        results = []
        for job, task in tasks:
            try:
                results.append((job, task.result()))
            except WriteError:
                raise
            except UserError as error:
                self.report.failed.append((job.path, str(error).removeprefix(f"{job.path}: ")))
                self.advance()
        return results

    def _finish(self, writing: list[tuple[Job, Future[None]]]) -> int:
        """Wait until the sketches are written; return how many there are."""
        written = len(self._settle(writing))
        for _ in range(written):
            self.advance()
        return written
