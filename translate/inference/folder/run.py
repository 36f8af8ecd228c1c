"""The translation of folders: every picture keeps its name, sub-folder, size and kind.

A result that is newer than its picture and the model is kept, so the same command resumes a run that was cut off. With
other options, such as another seed or style, which are noted in the output folder, all results are made again. Jobs are
listed while pictures are translated, so memory does not grow with the number of pictures.
"""

__all__ = ["translate_folder"]

import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from translate.data.files.worklist import Shard, Survey, Worklist, as_suffix, check_writable
from translate.inference.folder.jobs import JobReader, PendingJobs
from translate.inference.folder.pipeline import FolderPipeline
from translate.inference.folder.report import FolderReport, Recorder
from translate.inference.options import FolderOptions, build_request
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
        OptionError: an option that is wrong or that this model does not have; an output that would overwrite its input.
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

    # 2. count and check the pictures
    worklist = Worklist(
        str(source), Path(output), answers=len(request.variants), suffix=as_suffix(options.format),
        shard=Shard.parse(options.shard or "1/1"), hints=options.hints, masks=options.masks,
    )  # fmt: skip
    with counting_spinner(options.progress):
        survey = worklist.survey()
    reader = JobReader(translator, options, worklist.layers)
    check_writable(worklist.folder)

    # 3. translate, while no other process writes to the output
    with _hold_output(worklist):
        report = _translate(translator, request, options, worklist, survey, reader)
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
    worklist: Worklist, survey: Survey, reader: JobReader,
) -> FolderReport:  # fmt: skip
    """Translate the pending jobs of a worklist."""
    # 1. find the pending pictures
    used = [translator.file, *map(Path, options.looks)]
    pending = PendingJobs(worklist, _result_options(translator, request, options), used, overwrite=options.overwrite)

    # 2. translate
    report = FolderReport(ignored=survey.ignored, answers=worklist.answers)
    with show_folder_bar(survey.pictures, options.progress) as bar:
        translator.runner.on_progress = bar.show_large
        recorder = Recorder(report, bar, worklist.failures)
        workers = options.workers or (2 if translator.device.type == "cpu" else os.cpu_count() or 2)
        pipeline = FolderPipeline(translator, request, reader, recorder, options.quality, options.keep_metadata)
        pipeline.run(pending.jobs(recorder.skip), workers)

    # 3. report
    report.notes = [*pending.notes(), *survey.notes, *reader.notes(survey, worklist), *recorder.notes()]
    return report


def _result_options(translator: Translator, request: Request, options: FolderOptions) -> dict[str, Any]:
    """Return the options that make the results differ from those of a plain run, for the note in the output folder."""
    result: dict[str, Any] = {"values": translator.values} if translator.values else {}
    if request.direction != translator.check_direction(None):
        result["direction"] = request.direction
    if request.scale != "fit":
        result["scale"] = request.scale
    if options.keep_metadata:
        result["metadata"] = True
    if translator.statistics.kind != "exact":
        result["stats"] = translator.statistics.description
    if options.looks:
        result |= {"looks": [str(Path(path).resolve()) for path in options.looks], "count": options.count}
    elif options.count is not None or options.seed is not None:
        result["seed"] = options.seed or 0  # file names show the count
    if options.hints:
        result["hints"] = str(Path(options.hints).resolve())
    if options.masks:
        masks = str(Path(options.masks).resolve())
        result |= {"masks": masks, "invert": options.invert_masks, "resize": options.resize_masks}
    return result
