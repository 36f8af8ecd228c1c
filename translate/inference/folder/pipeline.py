"""The pipeline of a folder's translation, whose stages work on different pictures at the same time."""

__all__ = ["FolderPipeline"]

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import torch

from translate.data.files.ledger import Ledger
from translate.data.files.worklist import Job
from translate.images.encode import FORMATS, Loss, losses
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.inference.folder.report import Recorder, Written
from translate.inference.folder.trust import TrustFile
from translate.inference.gigapixel import Canvas, HugePicture, translate_huge
from translate.inference.postprocess import PendingResult
from translate.inference.request import Conditioning, PreparedImage, Request
from translate.inference.translator import Translator
from translate.utils.concurrency import CpuSlots, prefetch, thread_pool
from translate.utils.memory import keep_freed_memory

MAX_WAITING = 64  # pictures that wait for others of equal size; bounds the memory if all sizes differ
Work = tuple[Job, Future[PreparedImage | HugePicture]]
Reader = Callable[[Job], tuple[Picture | HugePicture, Conditioning | None]]  # such as a JobReader
Results = list[PendingResult | list[Canvas] | Exception]


@dataclass(frozen=True)
class FolderPipeline:
    """Reads, translates and writes pictures at the same time; jobs of one picture size stay in order.

        jobs -> read -> batches -> infer -> results -> write -> record
                 |                   |                   |         |
             `workers` threads   CPU slots      `workers` threads  calling thread

    Each stage is at most a few pictures ahead of the next, so memory is bounded. An error replaces the result of its
    picture on the way to `record`.
    """

    translator: Translator
    request: Request
    reader: Reader
    recorder: Recorder | None  # None: `translate` alone is used
    ledger: Ledger | None
    quality: int
    keep_metadata: bool = False
    trust: TrustFile | None = None

    def run(self, jobs: Iterable[Job], workers: int) -> None:
        """Translate the jobs, with at most `workers` + 1 pictures in the read stage, and as many in the write stage."""
        assert self.recorder
        slots = self.translator.runner.cpu_slots()
        if self.translator.device.type == "cpu":
            keep_freed_memory()  # the next picture needs as much
        rng = torch.random.fork_rng(devices=[])  # every pass restores torch's generator, but in no fixed order
        with rng, thread_pool(workers) as readers, slots.pool() as network, thread_pool(workers) as writers:
            prepared = self._read_stage(jobs, readers, workers + 1)
            batches = _batch_by_size(prepared, self.translator.runner.max_batch)
            results = self._infer_stage(batches, network, slots)
            for job, written in self._write_stage(results, writers, workers + 1, slots):
                self.recorder.settle(job, written, self.ledger)

    def translate(self, job: Job, slots: CpuSlots) -> None:
        """Translate one picture in the calling thread, to the same bytes; raise what `run` would record."""
        prepared: Future[PreparedImage | HugePicture] = Future()
        prepared.set_result(self._read(job))
        results: Future[Results] = Future()
        results.set_result(self._infer([(job, prepared)], slots))
        self._write((job, prepared), results, 0, slots)

    def _read_stage(self, jobs: Iterable[Job], pool: Executor, ahead: int) -> Iterator[Work]:
        yield from prefetch(((job, pool.submit(self._read, job)) for job in jobs), ahead)

    def _infer_stage(
        self, batches: Iterable[list[Work]], pool: Executor, slots: CpuSlots
    ) -> Iterator[tuple[Work, Future[Results], int]]:
        """Yield each job with the results of its batch, and its index in the batch."""
        running = ((batch, pool.submit(self._infer, batch, slots)) for batch in batches)
        for batch, results in prefetch(running, slots.count):
            for i, work in enumerate(batch):
                yield work, results, i

    def _write_stage(
        self, results: Iterable[tuple[Work, Future[Results], int]], pool: Executor, ahead: int, slots: CpuSlots
    ) -> Iterator[tuple[Job, Future[Written]]]:
        writing = ((work[0], pool.submit(self._write, work, batch, i, slots)) for work, batch, i in results)
        yield from prefetch(writing, ahead)

    # ---- one picture, or one batch, in a thread

    def _read(self, job: Job) -> PreparedImage | HugePicture:
        if self.ledger:
            with contextlib.suppress(OSError):  # the reader says it better
                self.ledger.reading(job)
        picture, layer = self.reader(job)
        if isinstance(picture, HugePicture):
            return picture
        return self.translator.prepare(picture, self.request, layer, str(job.path))

    def _infer(self, batch: Sequence[Work], slots: CpuSlots) -> Results:
        """Translate a batch; if that fails, translate its pictures one by one, so that as few as possible fail."""
        try:
            runner, first = self.translator.runner, batch[0][1].result()
            if isinstance(first, HugePicture):
                with slots.acquire(exclusive=True):
                    return [translate_huge(runner, first, self.request)]
            images = [prepared.result() for _, prepared in batch]
            with slots.acquire(exclusive=not runner.takes_one_slot(first)):
                return [*runner.run_batch([i for i in images if isinstance(i, PreparedImage)], self.request)]
        except Exception as error:
            if len(batch) == 1:
                return [error]
            return [result for work in batch for result in self._infer([work], slots)]

    def _write(self, work: Work, results: Future[Results], i: int, slots: CpuSlots) -> Written:
        """Write the results of picture `i` of a batch; return the frames or pages in its file, and the losses."""
        job, prepared = work
        result = results.result()[i]
        if isinstance(result, Exception):
            raise result
        pictures: Sequence[Picture | Canvas] = result.pictures() if isinstance(result, PendingResult) else result
        lost: tuple[Loss, ...] = ()
        if self.ledger:
            self.ledger.writing(job)
        for target, picture in zip(job.targets, pictures, strict=True):
            form = FORMATS[target.suffix.lower()]
            if isinstance(picture, Canvas):
                picture.save(target, self.quality, keep_metadata=self.keep_metadata)
                lost = picture.losses(form, keep_metadata=self.keep_metadata)
            else:
                write_picture(target, picture, self.quality, keep_metadata=self.keep_metadata)
                lost = losses(picture, form, keep_metadata=self.keep_metadata)
        source = prepared.result()
        if self.trust:
            self.trust.add(job, source, slots)
        if self.ledger:
            self.ledger.written(job)
        return source.frames if isinstance(source, HugePicture) else source.picture.frames, lost


def _batch_by_size(prepared: Iterable[Work], max_batch: Callable[[PreparedImage], int]) -> Iterator[list[Work]]:
    """Group pictures of equal size into batches of at most `max_batch`; flush the oldest group after 64 are waiting."""
    groups: dict[Any, list[Work]] = {}
    for work in prepared:
        image = None if work[1].exception() else work[1].result()
        limit = max_batch(image) if isinstance(image, PreparedImage) else 1
        if limit == 1 or not isinstance(image, PreparedImage):
            yield [work]
            continue
        group = groups.setdefault(image.batch_key, [])
        group.append(work)
        if len(group) == limit:
            yield groups.pop(image.batch_key)
        elif sum(map(len, groups.values())) > MAX_WAITING:
            yield groups.pop(next(iter(groups)))
    yield from groups.values()
