"""From jobs to files: pictures are read, translated and written at the same time, a few of each, in order."""

__all__ = ["FolderPipeline"]

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch

from translate.data.files.counted import Counted
from translate.data.files.worklist import Job
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.inference.folder.report import FIRST, Failure, Failures, FolderReport
from translate.inference.gigapixel import Canvas, HugePicture
from translate.inference.request import Request
from translate.inference.translator import Conditioning, PreparedImage, Translator
from translate.utils.concurrency import CpuSlots, prefetch, threads
from translate.utils.errors import UserError
from translate.utils.files import WriteError
from translate.utils.memory import keep_freed_memory
from translate.utils.progress import FolderBar

_WAITING = 64  # pictures that wait for others of their size
Work = tuple[Job, Future[PreparedImage | HugePicture]]
Answers = list[Callable[[], Sequence[Picture | Canvas]] | Exception]
T = TypeVar("T")


@dataclass
class FolderPipeline:
    """Works off a list: pictures are read, translated and written by threads, and the report is kept by the caller's.

    An error travels with its picture, in the place of what should have become of it, to the end of the line.
    """

    translator: Translator
    wish: Request
    quality: int
    report: FolderReport
    bar: FolderBar
    read: Callable[[Job], tuple[Picture | HugePicture, Conditioning | None]]
    failures: Failures
    pages: Counted = field(default_factory=Counted)
    frames: Counted = field(default_factory=Counted)

    def work_off(self, jobs: Iterable[Job], workers: int) -> None:
        """Translate `jobs`, with at most `workers` + 1 pictures before the network and its batches, as many behind."""
        lanes = self.translator.lanes()
        if self.translator.device.type == "cpu":
            keep_freed_memory()  # the next picture takes as much again
        kept = torch.random.fork_rng(devices=[])  # every pass puts torch's generator back, but not all in one order
        with kept, threads(workers) as readers, lanes.pool() as network, threads(workers) as writers:
            reading = prefetch(((job, readers.submit(self._ready, job)) for job in jobs), workers + 1)
            batches = _batches(reading, self.translator.batch_of)
            making = prefetch(((batch, network.submit(self._make, batch, lanes)) for batch in batches), lanes.count)
            each = ((made, i, work) for batch, made in making for i, work in enumerate(batch))
            writing = ((job, writers.submit(self._write, job, one, made, i)) for made, i, (job, one) in each)
            for job, frames in prefetch(writing, workers + 1):
                self._settle(job, frames)

    def skip(self) -> None:
        """Report that a picture need not be translated: it is there already."""
        self.report.skipped += 1
        self.bar.skip()

    def _ready(self, job: Job) -> PreparedImage | HugePicture:
        picture, layer = self.read(job)
        if isinstance(picture, HugePicture):
            return picture
        return self.translator.ready(picture, self.wish, layer, str(job.path))

    def _make(self, batch: Sequence[Work], lanes: CpuSlots) -> Answers:
        """Translate a batch; where that fails, one picture after the other, so that only those fail that must."""
        try:
            ready = [one.result() for _, one in batch]
            first = ready[0]
            if isinstance(first, HugePicture):
                with lanes.taken(whole=True):
                    canvases = self.translator.huge(first, self.wish)
                return [lambda: canvases]
            with lanes.taken(whole=not self.translator.is_small(first)):
                return [
                    *self.translator.translated([one for one in ready if isinstance(one, PreparedImage)], self.wish)
                ]
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [answer for work in batch for answer in self._make([work], lanes)]

    def _write(self, job: Job, one: Future[PreparedImage | HugePicture], made: Future[Answers], i: int) -> int:
        """Write the answers to picture `i` of a batch, and return how many pictures its file holds."""
        answer = made.result()[i]
        if isinstance(answer, Exception):
            raise answer
        for target, result in zip(job.targets, answer(), strict=True):
            if isinstance(result, Canvas):
                result.save(target, self.quality)
            else:
                write_picture(target, result, self.quality)
        source = one.result()
        return source.frames if isinstance(source, HugePicture) else source.picture.frames

    def _settle(self, job: Job, frames: Future[int]) -> None:
        """Report on a picture; only what would go wrong with all of them gets out."""
        try:
            if frames.result() > 1:
                paged = job.path.suffix.lower() in (".tif", ".tiff")
                (self.pages if paged else self.frames).add((job.path, frames.result()))
            self.report.done += 1
        except WriteError:
            raise
        except Exception as error:
            self._fail(job, error)
        self.bar.advance()

    def _fail(self, job: Job, error: Exception) -> None:
        failure = Failure(job.path, _reason(error, job))
        self.report.failed += 1
        self.report.log = self.failures.file
        if len(self.report.failures) < FIRST:
            self.report.failures.append(failure)
        self.failures.add(failure, error, job.target, job.layer)
        self.bar.print(f"failed: {failure.path}: {failure.reason}")

    def notes(self) -> list[str]:
        """Tell of what files only the first picture was translated."""
        kinds = ((self.pages, "several pages", "page"), (self.frames, "animated", "frame"))
        return [_more(found, kind, part) for found, kind, part in kinds if found.count]


def _batches(reading: Iterable[Work], most: Callable[[PreparedImage], int]) -> Iterator[list[Work]]:
    """Put pictures of a size together, `most` at a time; what finds no company goes on when others have waited long."""
    gathered: dict[Any, list[Work]] = {}
    for work in reading:
        one = None if work[1].exception() else work[1].result()
        room = most(one) if isinstance(one, PreparedImage) else 1
        if room == 1 or not isinstance(one, PreparedImage):
            yield [work]
            continue
        kind = one.kind
        gathered.setdefault(kind, []).append(work)
        if len(gathered[kind]) == room:
            yield gathered.pop(kind)
        elif sum(map(len, gathered.values())) > _WAITING:
            yield gathered.pop(next(iter(gathered)))
    yield from gathered.values()


def _more(found: Counted, kind: str, part: str) -> str:
    path, count = found.first[0]
    if found.count == 1:
        return f"{path}: {kind}, only the first of {count} {part}s was translated"
    names = replace(found, first=[path.name for path, _ in found.first])
    return f"{found.count} files: {kind}, only the first {part} of each was translated: {names}"


def _reason(error: Exception, job: Job) -> str:
    if isinstance(error, UserError):
        text = str(error).removeprefix(f"{job.path}: ")
        return next((text.removeprefix(f"{t}: ") for t in job.targets if text.startswith(f"{t}: ")), text)
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
