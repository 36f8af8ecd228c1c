"""What is done in an output folder, and what may be overwritten there.

A result is done if an equal run (model, options, mode) made it from the same content. A result of another run, one that
was edited, or one that no run is known to have made is not overwritten unasked.
"""

__all__ = ["Judgement", "Ledger"]

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from translate.data.files.counted import Counted
from translate.data.files.file_state import FileState
from translate.data.files.journal import UNKNOWN, Entry, Journal
from translate.data.files.output_note import NOTE, Mode, OutputNote, Run, agree
from translate.data.files.walk import make_absolute
from translate.data.files.worklist import Job
from translate.utils.errors import OptionError

WAY_OUT = "choose another --output, or say --overwrite to replace it"


class _Verdict(NamedTuple):
    """Whether a result can stay, and why it must not be overwritten unasked ("": it may be)."""

    keep: bool
    conflict: str = ""
    entry: Entry | None = None  # to append to the journal


class Judgement(NamedTuple):
    """Whether a job is done; else why it must not be done unasked ("": it may be)."""

    done: bool
    conflict: str = ""
    entries: Mapping[str, Entry] = {}  # to append to the journal, by the names of results


class Ledger:
    """Compares jobs with the note and the journal of their output folder, and records what is made.

    Attributes:
        run: this run; its mode is None until it is known.
    """

    def __init__(
        self, output: Path, root: Path, part: str, run: Run, *, overwrite: bool = False, precision: str = "auto",
        newer_than: Iterable[Path] = (), choose: Callable[[], Mode | None] = lambda: None,
    ) -> None:  # fmt: skip
        """Read the note and the journal; the run gets the mode in which its model has computed there before.

        Args:
            output: the folder, of which this process holds the lock of its `part`.
            root: absolute folder of the pictures.
            part: the shard in a file name, such as "-2of5"; "" without shards.
            run: this run.
            overwrite: make everything again.
            precision: "auto", or the only one that counts.
            newer_than: files that a result without an entry has to be newer than.
            choose: picks the mode, if no earlier run shows it.
        """
        self._output, self._root, self._overwrite, self._precision = output, root, overwrite, precision
        self._file, stem = output / NOTE, NOTE.removesuffix(".json")
        self._fresh, self._note = not _has_files(output), OutputNote.read(self._file)
        self._journal = Journal(output / f"{stem}{part}.jsonl", output.glob(f"{stem}*.jsonl"))
        self._newer_than, self._choose, self._noted = tuple(newer_than), choose, False
        self._states: dict[Job, tuple[FileState, ...]] = {}
        self._kept = Counted()
        must_choose = precision != "auto" or (self._note.damaged and not self._journal.empty)
        self.run = replace(run, mode=self._note.mode_of(run, precision) or (choose() if must_choose else None))

    @property
    def _names(self) -> tuple[str, str]:
        """The names of this run, and of one in an unknown mode, whose results were only found there."""
        return self.run.name, replace(self.run, mode=None).name

    @property
    def _replaces(self) -> bool:
        """Whether results of other runs may be replaced: the user said so, at this start or at one that was killed."""
        return self._overwrite or self._journal.replacing in self._names

    # ---- before the work

    def check(self, jobs: Iterable[Job]) -> None:
        """Raise OptionError, before any work, if a result of another run or of no known run would be overwritten."""
        known = not self._journal.empty and self._journal.runs <= {(name, str(self._root)) for name in self._names}
        if self._replaces or self._fresh or known:
            return
        for job in jobs:
            if conflict := self.judge(job).conflict:
                raise OptionError(f"{conflict}; {WAY_OUT}")

    def judge(self, job: Job) -> Judgement:
        """Compare the results of a job with the journal."""
        if self._overwrite:
            return Judgement(False)
        found = {target: result for target in job.targets if (result := _stat(target))}
        verdicts = {target: self._judge_result(job, target, result) for target, result in found.items()}
        if len(found) == len(job.targets) and all(verdict.keep for verdict in verdicts.values()):
            return Judgement(True, "", {self._name(target): v.entry for target, v in verdicts.items() if v.entry})
        conflicts = [f"{target}: {verdict.conflict}" for target, verdict in verdicts.items() if verdict.conflict]
        return Judgement(False, conflicts[0] if conflicts and not self._replaces else "")

    def _judge_result(self, job: Job, target: Path, found: os.stat_result) -> _Verdict:
        if not stat.S_ISREG(found.st_mode):
            return _Verdict(False, "is no file")
        entry = self._journal.get(self._name(target))
        # 1. of no known run, or of a run like this one that was killed as it wrote it
        if entry is None:
            return self._judge_unknown(job, found)
        if not entry.inputs and entry.run == self.run.name:
            return _Verdict(False)
        # 2. of another run
        if entry.run not in self._names:
            earlier = self._note.runs.get(entry.run)
            return _Verdict(False, f"was made {self.run.difference(earlier) if earlier else 'by an unknown run'}")
        # 3. of a run like this one, but perhaps of other pictures, or edited
        is_intact = entry.written == (found.st_size, found.st_mtime_ns)
        conflict = "" if is_intact else "was changed after it was made"
        states = _renewed(entry.inputs, job)
        if states is None:
            is_same = entry.source == str(make_absolute(job.path))
            return _Verdict(False, conflict if is_same else f"is the result of {entry.source}")
        kept = entry._replace(inputs=states, written=entry.written if is_intact else UNKNOWN)
        return _Verdict(True, conflict, kept if kept != entry else None)

    def _judge_unknown(self, job: Job, found: os.stat_result) -> _Verdict:
        """Judge a result without an entry by its date, and by the note of the first version."""
        if self._replaces:
            return _Verdict(False)
        if self._note.damaged:
            return _Verdict(False, f"is there, and the note {self._file} is damaged")
        if self._note.is_of_other_options(self.run.options):
            return _Verdict(False, "was made with other options")
        try:
            inputs = tuple(FileState.of(path, hashed=False) for path in _inputs(job))
            dates = [path.stat().st_mtime_ns for path in self._newer_than] + [one.modified_ns for one in inputs]
        except OSError:
            return _Verdict(False, "was made by no known run")
        if found.st_mtime_ns < max(dates):
            return _Verdict(False, "was made by no known run, before its picture or the model")
        return _Verdict(True, "was made by no known run", Entry(self._names[1], str(make_absolute(job.path)), inputs))

    def skip(self, judgement: Judgement) -> None:
        """Record a job that is done: results of no known run and edited ones are from now on known as such."""
        for name, entry in judgement.entries.items():
            if entry.written == UNKNOWN:
                self._kept.add(name)
                self._note_run(lambda: None)
        if judgement.entries:
            self._journal.add(judgement.entries)

    # ---- at work

    def start(self) -> None:
        """Note the run, in a mode that all processes of this folder agree on."""
        self._noted = False
        self._note_run(self._choose)

    def _note_run(self, choose: Callable[[], Mode | None]) -> None:
        if not self._noted:
            self.run = agree(self._file, self.run, self._precision, choose, fresh=self._fresh)
            self._journal.start(self.run.name, self._root, replaces=self._replaces)
            self._noted = True

    def reading(self, job: Job) -> None:
        """Take the state of a job's files before they are read; thread-safe. Raise OSError if that is impossible."""
        self._states[job] = tuple(FileState.of(path) for path in _inputs(job))

    def writing(self, job: Job) -> None:
        """Record that a job's results are about to be written; thread-safe."""
        self._journal.begin(map(self._name, job.targets), self.run.name, str(make_absolute(job.path)))

    def written(self, job: Job) -> None:
        """Record a job's results; thread-safe."""
        source, inputs = str(make_absolute(job.path)), self._states.pop(job)
        results = {self._name(target): target.stat() for target in job.targets}
        self._journal.add({
            name: Entry(self.run.name, source, inputs, (found.st_size, found.st_mtime_ns))
            for name, found in results.items()
        })  # fmt: skip

    def forget(self, job: Job) -> None:
        """Forget a job that failed."""
        self._states.pop(job, None)

    def finish(self) -> None:
        """Record that the run has come to its end: the next one may not replace results unasked."""
        if self._replaces and self._noted:
            self._journal.start(self.run.name, self._root, replaces=False)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def notes(self) -> list[str]:
        """Return a line for the report if results were kept that no known run has made."""
        count = self._kept.count
        kept = f"{self._output}: kept {count} result{'s' * (count > 1)} that no known run has made, or that were edited"
        return [f"{kept} ({self._kept}); --overwrite makes them anew"] if count else []

    def _name(self, target: Path) -> str:
        return target.relative_to(self._output).as_posix()


def _inputs(job: Job) -> tuple[Path, ...]:
    return (job.path,) if job.layer is None else (job.path, job.layer)


def _renewed(states: tuple[FileState, ...], job: Job) -> tuple[FileState, ...] | None:
    """Return the states of a job's files now if their contents are still these, else None."""
    paths = _inputs(job)
    if len(paths) != len(states):
        return None
    try:
        now = [state.renewed(path) for state, path in zip(states, paths, strict=True)]
    except OSError:
        return None
    return None if None in now else tuple(state for state in now if state is not None)


def _stat(path: Path) -> os.stat_result | None:
    """Return the state of a file, None if there is none that a result could replace."""
    try:
        return path.stat()
    except OSError:  # missing, or of a name that cannot be
        return None


def _has_files(folder: Path) -> bool:
    """Whether a folder holds anything but hidden files."""
    with os.scandir(folder) as entries:
        return any(not entry.name.startswith(".") for entry in entries)
