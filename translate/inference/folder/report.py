"""What became of a folder: counts, a few examples, and a file that lists every failure."""

__all__ = [
    "FIRST",
    "Failure",
    "Failures",
    "FolderReport",
]

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from translate.utils.files import WriteError

FIRST = 10  # failures that a report names


class Failure(NamedTuple):
    """A picture that could not be read, translated or encoded, and why."""

    path: Path
    reason: str


@dataclass
class FolderReport:
    """What became of a folder.

    Attributes:
        done: pictures translated in this run. skipped: pictures whose translation was there already.
        failed: pictures that could not be read, translated or encoded. failures: the first few of them, and why.
        log: the file that lists all failures, a JSON object a line; None: there are none, or one picture went to
        one file. seconds: the whole run. ignored: files of the source folder that are no pictures. notes: a few
        lines on what was left out, and on what else is worth a look. answers: to each picture.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    log: Path | None = None
    seconds: float = 0.0
    ignored: int = 0
    notes: list[str] = field(default_factory=list)
    answers: int = 1

    def summary(self) -> str:
        """Return the counts as the final line."""
        line = f"{self.done} translated" + (f" to {self.answers} answers each" if self.answers > 1 else "")
        line += f" in {self.seconds:.1f} s"
        line += f", {self.skipped} there already" if self.skipped else ""
        line += f", {self.failed} failed" if self.failed else ""
        line += f" (see {self.log})" if self.log else ""
        return line + (f", {self.ignored} not pictures" if self.ignored else "")


class Failures:
    """The list of a run's failures: OUTPUT/failed.jsonl, to which each is added as it happens.

    A line is one JSON object: `file`, `reason`, `error` (what kind, for programs), `output` (where the translation
    should have gone) and `layer`, where it has one. A kill loses the last line at most.
    """

    def __init__(self, file: Path | None) -> None:
        """Begin a new list, so that none is left of an earlier run; None: there shall be no file.

        Raises:
            WriteError: that of the earlier run cannot be removed.
        """
        self.file = file
        if file:
            with _writing(file):
                file.unlink(missing_ok=True)

    def add(self, failure: Failure, error: Exception, output: Path, layer: Path | None) -> None:
        """Add one.

        Raises:
            WriteError: the disk or the folder refuses.
        """
        if not self.file:
            return
        said = {"file": str(failure.path), "reason": failure.reason, "error": type(error).__name__}
        said |= {"output": str(output)} | ({"layer": str(layer)} if layer else {})
        with _writing(self.file), self.file.open("a", encoding="ascii") as stream:
            stream.write(json.dumps(said) + "\n")


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"{file}: cannot be written ({reason}); make room or choose another folder") from error
