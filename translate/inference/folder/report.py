"""The outcome of a folder's translation: counts, a few examples, and a file that lists every failure."""

__all__ = ["Failure", "FolderReport", "Recorder", "Written"]

import json
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from translate.data.files.counted import Counted
from translate.data.files.ledger import Ledger
from translate.data.files.worklist import Job
from translate.images.encode import Loss
from translate.utils.errors import UserError
from translate.utils.files import PathError, WriteError, refusals_as_write_errors
from translate.utils.progress import FolderBar

MAX_REPORTED_FAILURES = 10  # in memory and in the report; the file lists all
Written = tuple[int, tuple[Loss, ...]]  # frames or pages in the source, and its metadata that the results do not hold


class Failure(NamedTuple):
    """A picture that could not be read, translated or encoded, and the reason."""

    path: Path
    reason: str


@dataclass
class FolderReport:
    """The outcome of a folder's translation."""

    done: int = 0  # pictures translated in this run
    skipped: int = 0  # pictures that had been translated before
    failed: int = 0  # pictures that could not be read, translated or encoded
    failures: list[Failure] = field(default_factory=list)  # the first ten
    log: Path | None = None  # the file that lists all failures; None: no failures, or a run from file to file
    seconds: float = 0.0  # duration of the run
    ignored: int = 0  # files of the source folder that are not read as pictures; a note says which
    notes: list[str] = field(default_factory=list)  # lines on omissions and problems
    answers: int = 1  # results of each picture

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} translated" + (f" to {self.answers} answers each" if self.answers > 1 else "")
        line += f" in {self.seconds:.1f} s" + (f", {self.skipped} there already" if self.skipped else "")
        line += f", {self.failed} failed" if self.failed else ""
        return line + (f" (see {self.log})" if self.log else "")


class Recorder:
    """Records the outcome of jobs in the report, on the progress bar and in the list of failures.

    The list is the file OUTPUT/failed.jsonl, to which failures are appended as they happen; a kill loses the last line
    at most. A line is one JSON object: `file`, `reason`, `error` (the exception's class), `output` (the path of the
    missing result) and `layer`, if the picture has one. If the list cannot be written, methods raise WriteError.
    """

    def __init__(self, report: FolderReport, bar: FolderBar, log: Path | None) -> None:
        """Remove the list of an earlier run; None: keep no list."""
        self.report, self.bar, self.log = report, bar, log
        self.paged, self.animated = Counted(), Counted()
        self.lost: dict[Loss, Counted] = {}
        if log:
            with refusals_as_write_errors(log):
                log.unlink(missing_ok=True)

    def settle(self, job: Job, written: Future[Written], ledger: Ledger | None) -> None:
        """Wait for the results of a job and record the outcome; raise only errors that would hit all pictures."""
        try:
            self.add(job, *written.result())
        except Exception as error:
            if isinstance(error, WriteError) and not isinstance(error, PathError):
                raise
            self.fail(job, error)
            if ledger:
                ledger.forget(job)

    def skip(self) -> None:
        """Record a picture that has been translated before."""
        self.report.skipped += 1
        self.bar.skip()

    def add(self, job: Job, frames: int, lost: Sequence[Loss] = ()) -> None:
        """Record a translated picture, the number of frames or pages in its file, and the metadata that is lost."""
        for loss in lost:
            self.lost.setdefault(loss, Counted()).add(job.path)
        if frames > 1:
            tiff = job.path.suffix.lower() in (".tif", ".tiff")
            (self.paged if tiff else self.animated).add((job.path, frames))
        self.report.done += 1
        self.bar.advance()

    def fail(self, job: Job, error: Exception) -> None:
        """Record a failed picture."""
        failure = Failure(job.path, _reason(error, job))
        self.report.failed += 1
        if len(self.report.failures) < MAX_REPORTED_FAILURES:
            self.report.failures.append(failure)
        if self.log:
            self.report.log = self.log
            entry = {"file": str(job.path), "reason": failure.reason, "error": type(error).__name__}
            entry |= {"output": str(job.target)} | ({"layer": str(job.layer)} if job.layer else {})
            with refusals_as_write_errors(self.log), self.log.open("a", encoding="ascii") as stream:
                stream.write(json.dumps(entry) + "\n")
        self.bar.print(f"failed: {job.path}: {failure.reason}")
        self.bar.advance()

    def notes(self) -> list[str]:
        """Return a line for each kind of file of which only the first picture, or not all, is in the results."""
        kinds = ((self.paged, "several pages", "page"), (self.animated, "animated", "frame"))
        notes = [_first_only(files, kind, part) for files, kind, part in kinds if files.count]
        for loss, files in self.lost.items():
            remedy = f"; {loss.remedy} keeps it" if loss.remedy else ""
            notes.append(
                f"the {loss.name} of {files.count} file{'s' * (files.count > 1)} is not in the results{remedy}"
            )
        return notes


def _first_only(files: Counted, kind: str, part: str) -> str:
    path, count = files.first[0]
    if files.count == 1:
        return f"{path}: {kind}, only the first of {count} {part}s was translated"
    names = replace(files, first=[path.name for path, _ in files.first])
    return f"{files.count} files: {kind}, only the first {part} of each was translated: {names}"


def _reason(error: Exception, job: Job) -> str:
    """Return an error in one line, without the names of the job's own files."""
    if isinstance(error, UserError):
        text = str(error).removeprefix(f"{job.path}: ")
        return next((text.removeprefix(f"{t}: ") for t in job.targets if text.startswith(f"{t}: ")), text)
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
