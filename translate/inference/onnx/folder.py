"""The translation of folders with an ONNX file, without torch.

The promises are those of `inference.folder`: every picture keeps its name, sub-folder, size, depth and alpha; an equal
run resumes; nothing that another run or the user has made is overwritten unasked.
"""

__all__ = ["translate_folder"]

import contextlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from translate.data.files.ledger import Ledger
from translate.data.files.output_note import Run
from translate.data.files.worklist import Job, Shard, Worklist, as_suffix, check_writable
from translate.images.encode import FORMATS, Loss, losses
from translate.images.io import write_picture
from translate.inference.folder.jobs import JobReader, PendingJobs
from translate.inference.folder.report import FolderReport, Recorder, Written
from translate.inference.onnx.translator import OnnxTranslator
from translate.inference.options import FolderOptions, build_request, check_lossless
from translate.inference.postprocess import PendingResult
from translate.inference.request import PreparedImage, Request
from translate.utils.concurrency import prefetch, thread_pool
from translate.utils.errors import OptionError
from translate.utils.locks import hold
from translate.utils.progress import counting_spinner, show_folder_bar

THREADS = 2  # that decode, and as many that encode; the cores are for the network
Read = tuple[Job, Future[PreparedImage]]


def translate_folder(
    translator: OnnxTranslator, source: str | Path, output: str | Path, options: FolderOptions | None = None
) -> FolderReport:
    """Translate every picture of `source` to the same place below `output`; as `inference.folder.run.translate_folder`.

    Raises:
        OptionError: as there; and `trust`, which needs the networks themselves.
        UserError: as there.
    """
    start, options = time.perf_counter(), options or FolderOptions()
    # 1. check the options and the pictures
    if options.trust:
        raise OptionError("--trust needs the calibration of a model file, which an ONNX file has not; leave it out")
    request = build_request(translator, options, options.count)
    translator.check_conditioning(hints=bool(options.hints), mask=bool(options.masks))
    worklist = Worklist(
        str(source), Path(output), answers=len(request.variants), suffix=as_suffix(options.format),
        shard=Shard.parse(options.shard or "1/1"), hints=options.hints, masks=options.masks,
    )  # fmt: skip
    with counting_spinner(options.progress):
        survey = worklist.survey()
    check_lossless(options, survey.lossy)
    reader = JobReader(translator, options, worklist.layers)
    check_writable(worklist.folder)
    # 2. translate, while no other process writes to the output
    report = FolderReport(ignored=survey.ignored, answers=worklist.answers)
    with _hold_output(worklist), show_folder_bar(survey.pictures, options.progress) as bar:
        run = _describe(translator, request, options, survey.lossy.count > 0, reader)
        ledger = None if worklist.single else _open_ledger(worklist, run, translator, options)
        try:
            if ledger:
                ledger.check(worklist)
            recorder = Recorder(report, bar, worklist.failures)
            pending = PendingJobs(worklist, ledger)
            _Pipeline(translator, request, reader, recorder, ledger, options).run(pending)
            if ledger:
                ledger.finish()
        finally:
            if ledger:
                ledger.close()
    # 3. report
    kept = ledger.notes() if ledger else []
    report.notes = [*kept, *pending.notes(), *survey.notes, *reader.notes(survey, worklist), *recorder.notes()]
    report.seconds = time.perf_counter() - start
    return report


def _hold_output(worklist: Worklist) -> contextlib.AbstractContextManager[None]:
    """Return the lock of an output folder, one a shard; none for a single file."""
    if worklist.failures is None:
        return contextlib.nullcontext()
    return hold(
        worklist.failures.with_name(f".{worklist.failures.stem}.lock"), f"{worklist.output}: is being written to"
    )


def _describe(
    translator: OnnxTranslator, request: Request, options: FolderOptions, lossy: bool, reader: JobReader
) -> Run:
    """Return what the results depend on besides the pictures, for the note in the output folder."""
    seeded = options.count is not None or options.seed is not None
    noted = {
        "values": list(translator.values) if translator.values else None,
        "scale": None if request.scale == "fit" else request.scale,
        "strength": None if options.strength == translator.strength else options.strength,
        "consistent": options.consistent,
        "hints": bool(options.hints),
        "masks": "with black holes" if reader.white_is_hole is False else bool(options.masks),
        "keep-metadata": options.keep_metadata,
        "quality": options.quality if lossy and options.quality != FolderOptions().quality else None,
        "seed": (options.seed or 0) if seeded else None,
    }
    plain: dict[str, Any] = {key: value for key, value in noted.items() if value is not None and value is not False}
    return Run(translator.identity, str(translator.file), plain, (translator.onnx.precision, False))


def _open_ledger(worklist: Worklist, run: Run, translator: OnnxTranslator, options: FolderOptions) -> Ledger:
    return Ledger(
        worklist.output, worklist.root, worklist.part, run, overwrite=options.overwrite,
        newer_than=[translator.file] if translator.file else [], choose=lambda: run.mode,
    )  # fmt: skip


@dataclass(frozen=True)
class _Pipeline:
    """Reads ahead and writes behind on threads, while the calling thread runs the graph on all cores."""

    translator: OnnxTranslator
    request: Request
    reader: JobReader
    recorder: Recorder
    ledger: Ledger | None
    options: FolderOptions

    def run(self, pending: PendingJobs) -> None:
        """Translate the pending jobs; raise only errors that would hit all pictures."""
        jobs = pending.jobs(self.recorder.skip, self.recorder.fail)
        first = next(jobs, None)
        if first is None:
            return
        if self.ledger:
            self.ledger.start()
        with thread_pool(THREADS) as readers, thread_pool(THREADS) as writers:
            for job, written in prefetch(self._write_all(chain([first], jobs), readers, writers), THREADS + 1):
                self.recorder.settle(job, written, self.ledger)

    def _write_all(self, jobs: Iterable[Job], readers: Executor, writers: Executor) -> Iterator[tuple[Job, Future]]:
        for job, prepared in prefetch(((job, readers.submit(self._read, job)) for job in jobs), THREADS + 1):
            yield job, writers.submit(self._write, job, prepared, self._infer(prepared))

    def _read(self, job: Job) -> PreparedImage:
        if self.ledger:
            with contextlib.suppress(OSError):  # the reader says it better
                self.ledger.reading(job)
        picture, layer = self.reader(job)
        return self.translator.prepare(picture, self.request, layer, str(job.path))  # type: ignore[arg-type]

    def _infer(self, prepared: "Future[PreparedImage]") -> PendingResult | Exception:
        try:
            return self.translator.runner.run_batch([prepared.result()], self.request)[0]
        except Exception as error:
            return error

    def _write(self, job: Job, prepared: "Future[PreparedImage]", result: PendingResult | Exception) -> Written:
        """Write the results of a picture; return the frames or pages in its file, and the losses."""
        if isinstance(result, Exception):
            raise result
        if self.ledger:
            self.ledger.writing(job)
        lost: tuple[Loss, ...] = ()
        for target, picture in zip(job.targets, result.pictures(), strict=True):
            write_picture(target, picture, self.options.quality, keep_metadata=self.options.keep_metadata)
            form = FORMATS[target.suffix.lower()]
            lost = losses(picture, form, keep_metadata=self.options.keep_metadata)
        if self.ledger:
            self.ledger.written(job)
        return prepared.result().picture.frames, lost
