"""The translation of folders: every picture keeps its name, sub-folder, size and kind.

A result that an equal run has made from the same picture is kept, so the same command resumes a run that was cut off;
a note and a journal in the output folder tell. Nothing that another model, another seed or the user has made is
overwritten unasked. Jobs are listed while pictures are translated, so memory does not grow with the number of pictures.
"""

__all__ = ["translate_folder"]

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from pathlib import Path

from translate.data.files.ledger import Ledger
from translate.data.files.walk import is_picture
from translate.data.files.worklist import Shard, Survey, Worklist, check_writable
from translate.inference.folder.identity import describe_run
from translate.inference.folder.jobs import JobReader, PendingJobs
from translate.inference.folder.pipeline import FolderPipeline
from translate.inference.folder.report import FolderReport, Recorder
from translate.inference.folder.trust import TrustFile, TrustJudge, find_calibration
from translate.inference.options import FolderOptions, build_request, check_lossless, result_suffix
from translate.inference.precision import Mode
from translate.inference.request import Request
from translate.inference.translator import Translator
from translate.utils.errors import OptionError
from translate.utils.locks import hold
from translate.utils.progress import counting_spinner, show_folder_bar


def translate_folder(
    translator: Translator, source: str | Path, output: str | Path, options: FolderOptions | None = None
) -> FolderReport:
    """Translate every picture of `source` to the same place below `output`.

    Args:
        translator: the model, with its norm statistics.
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder, created if it is missing; if it is inside `source`, its pictures are no input. For one picture
            also a file: its suffix decides the format, and it is always overwritten.
        options: see `FolderOptions`.

    Raises:
        OptionError: an option that is wrong or that this model does not have; an output that would overwrite its input,
            or, without `overwrite`, results of another run.
        InUseError: another process writes to the output folder.
        UserError: there is nothing to translate, or no hints or masks that match; two results would be one file; a
            look cannot be read.
        WriteError: the output's disk or folder refuses; files written before stay.
    """
    start, options = time.perf_counter(), options or FolderOptions()

    # 1. check the options against the model
    request = build_request(translator, options, options.count)
    if options.shard and translator.statistics.kind == "smooth":
        raise OptionError("frames that follow each other stay together; leave out --shard, or say --stats frozen")
    translator.check_conditioning(hints=bool(options.hints), mask=bool(options.masks))
    calibration = find_calibration(translator, request.direction) if options.trust else None

    # 2. count and check the pictures
    suffix = result_suffix(translator, options.format, Path(output) if is_picture(Path(output).name) else None)
    worklist = Worklist(
        str(source), Path(output), answers=len(request.variants), suffix=suffix,
        shard=Shard.parse(options.shard or "1/1"), hints=options.hints, masks=options.masks,
    )  # fmt: skip
    with counting_spinner(options.progress):
        survey = worklist.survey()
    check_lossless(options, survey.lossy)
    reader = JobReader(translator, options, worklist.layers)
    check_writable(worklist.folder)

    # 3. translate, while no other process writes to the output
    with _hold_output(worklist):
        trust = TrustFile(TrustJudge(translator, request, calibration), worklist) if calibration else None
        report = _translate(translator, request, options, worklist, survey, reader, trust)
    report.seconds = time.perf_counter() - start
    return report


def _hold_output(worklist: Worklist) -> AbstractContextManager[None]:
    """Return the lock of an output folder, one a shard; a file that gets one picture is written whole or not at all."""
    if worklist.failures is None:
        return nullcontext()
    lock = worklist.failures.with_name(f".{worklist.failures.stem}.lock")
    return hold(lock, f"{worklist.output}: is being written to")


def _translate(
    translator: Translator, request: Request, options: FolderOptions,
    worklist: Worklist, survey: Survey, reader: JobReader, trust: TrustFile | None,
) -> FolderReport:  # fmt: skip
    """Translate the pending jobs of a worklist."""
    report = FolderReport(ignored=survey.ignored, answers=worklist.answers)
    with _open_ledger(translator, request, options, worklist, survey, reader) as ledger:
        # 1. refuse to overwrite what another run has made
        if ledger:
            ledger.check(worklist)
        pending = PendingJobs(worklist, ledger)

        # 2. translate
        with show_folder_bar(survey.pictures, options.progress) as bar:
            recorder = Recorder(report, bar, worklist.failures)
            jobs = pending.jobs(recorder.skip, recorder.fail)
            if first := next(jobs, None):
                if ledger:
                    ledger.start()
                    translator = _in_noted_mode(translator, ledger)
                translator.runner.on_progress = bar.show_large
                workers = options.workers or (2 if translator.device.type == "cpu" else os.cpu_count() or 2)
                pipeline = FolderPipeline(
                    translator, request, reader, recorder, ledger, options.quality, options.keep_metadata, trust
                )
                pipeline.run(chain([first], jobs), workers)
        if trust:
            trust.finish(reader, translator, request)
        if ledger:
            ledger.finish()

    # 3. report
    kept, trusted = ledger.notes() if ledger else [], trust.notes() if trust else []
    notes = [*kept, *pending.notes(), *survey.notes, *reader.notes(survey, worklist), *recorder.notes()]
    report.notes = [*notes, *trusted]
    return report


@contextmanager
def _open_ledger(
    translator: Translator, request: Request, options: FolderOptions,
    worklist: Worklist, survey: Survey, reader: JobReader,
) -> Iterator[Ledger | None]:  # fmt: skip
    """Yield what is known of the output folder; None for a single file, which is always written."""
    if worklist.single:
        yield None
        return
    run = describe_run(translator, request, options, lossy=survey.lossy.count > 0, white_is_hole=reader.white_is_hole)
    ledger = Ledger(
        worklist.output, worklist.root, worklist.part, run, overwrite=options.overwrite,
        precision=translator.runner.precision, choose=lambda: translator.mode,
        newer_than=[path for path in (translator.file, *map(Path, options.looks)) if path],
    )  # fmt: skip
    try:
        yield ledger
    finally:
        ledger.close()


def _in_noted_mode(translator: Translator, ledger: Ledger) -> Translator:
    """Return a translator that computes in the mode that the output folder notes."""
    assert ledger.run.mode is not None
    return translator.with_mode(Mode(*ledger.run.mode))
