"""The journal of an output folder: what each result was made from, one line of JSON for each event.

Every shard appends to a file of its own, so no process writes into another's, and a kill loses at most the last line.
To look entries up in bounded memory, all journals are copied at the start into a temporary database.
"""

__all__ = ["UNKNOWN", "Entry", "Journal"]

import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from translate.data.files.file_state import FileState
from translate.utils.files import WriteError, atomic_write, check_regular, refusals_as_write_errors

UNKNOWN = (-1, -1)  # as the size and date of a result that no known run has written
MAX_STALE = 5  # lines for each result above which the journal is written anew
_TABLE = "CREATE TABLE entries (name BLOB PRIMARY KEY, at REAL, own INTEGER, line TEXT) WITHOUT ROWID"
_INSERT = (
    "INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
    " SET at = excluded.at, own = excluded.own, line = excluded.line WHERE excluded.at >= at"
)


class Entry(NamedTuple):
    """What a result was made from, and how it looked when it was written."""

    run: str  # identifies model, options and mode
    source: str  # absolute path of the picture
    inputs: tuple[FileState, ...] = ()  # of the picture, and of its hints or mask; (): the result was only begun
    written: tuple[int, int] = UNKNOWN  # size and date (ns) of the result


class Journal:
    """The entries of an output folder, by the names of results below it.

    Attributes:
        runs: of all earlier runs, the name of the run and the folder of its pictures.
        replacing: the run that may replace what is there, since it was started so and has not come to its end.
        empty: whether there is no line of an earlier run.
    """

    def __init__(self, file: Path, others: Iterable[Path]) -> None:
        """Read the journal `file` of this process, and the `others` of the folder; lines without sense are skipped."""
        self.runs: set[tuple[str, str]] = set()
        self.replacing, self.empty = "", True
        self._file, self._stream, self._lock = file, -1, threading.Lock()
        self._data = sqlite3.connect("")  # a temporary file of bounded cache, which nothing else sees
        self._data.execute(_TABLE)
        self._lines = 0
        try:
            for journal in sorted({*others, file}):
                self._data.executemany(_INSERT, self._rows(journal, own=journal == file))
        except sqlite3.Error as error:
            reason = f"cannot be used for temporary files ({error})"
            raise WriteError(f"{tempfile.gettempdir()}: {reason}; make room or set TMPDIR") from error
        self._compact()

    def _rows(self, file: Path, *, own: bool) -> Iterator[tuple[bytes, float, bool, str]]:
        """Yield the rows of the table for the lines of a journal."""
        with contextlib.suppress(OSError), _open_lines(file) as lines:
            for line in lines:
                with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                    values, self.empty = json.loads(line), False
                    if "root" in values:
                        self._note_run(values, own)
                        continue
                    row = _key(str(values["name"])), float(values["at"]), own, line
                    self._lines += own
                    yield row

    def _note_run(self, values: Mapping[str, Any], own: bool) -> None:
        self.runs.add((str(values["run"]), str(values["root"])))
        if own:
            self.replacing = str(values["run"]) if values.get("replaces") else ""

    def get(self, name: str) -> Entry | None:
        """Return the last entry of a result, None without one."""
        found = self._data.execute("SELECT line FROM entries WHERE name = ?", (_key(name),)).fetchone()
        if found is None:
            return None
        try:
            values = json.loads(found[0])
            inputs = tuple(FileState(*state) for state in values.get("inputs", ()))
            size, modified_ns = values.get("written", UNKNOWN)
            return Entry(str(values["run"]), str(values["source"]), inputs, (size, modified_ns))
        except (KeyError, TypeError, ValueError):
            return None

    def start(self, run: str, root: Path, *, replaces: bool) -> None:
        """Append that a run begins, or has come to its end if it no longer `replaces` what is there."""
        self.replacing = run if replaces else ""
        self._append([{"run": run, "root": str(root), "replaces": replaces}])

    def begin(self, names: Iterable[str], run: str, source: str) -> None:
        """Append that results are about to be written: if they are there later without another entry, it was a kill."""
        self._append([{"name": name, "at": time.time(), "run": run, "source": source} for name in names])

    def add(self, entries: Mapping[str, Entry]) -> None:
        """Append the entries of results that are written."""
        at = time.time()
        self._append([{"name": name, "at": at, **entry._asdict()} for name, entry in entries.items()])

    def _append(self, values: list[dict[str, Any]]) -> None:
        """Append lines; thread-safe."""
        text = "".join(json.dumps(value, separators=(",", ":")) + "\n" for value in values)
        with self._lock, refusals_as_write_errors(self._file):
            if self._stream < 0:
                self._stream = _open_for_lines(self._file)
            os.write(self._stream, text.encode("ascii"))

    def _compact(self) -> None:
        """Write the journal anew if most of its lines have been overtaken by later ones."""
        (count,) = self._data.execute("SELECT count(*) FROM entries WHERE own").fetchone()
        if self._lines <= MAX_STALE * count:
            return
        with atomic_write(self._file) as temporary, temporary.open("w", encoding="ascii") as stream:
            for run, root in sorted(self.runs, key=lambda one: one[0] == self.replacing):
                stream.write(json.dumps({"run": run, "root": root, "replaces": run == self.replacing}) + "\n")
            stream.writelines(line for (line,) in self._data.execute("SELECT line FROM entries WHERE own"))

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            if self._stream >= 0:
                os.close(self._stream)
            self._stream = -1
            self._data.close()


def _open_lines(file: Path) -> TextIO:
    check_regular(file)
    return file.open(encoding="ascii", errors="replace")


def _key(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _open_for_lines(file: Path) -> int:
    """Open a file to append whole lines, behind a line that a kill may have cut off."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")
    return descriptor
