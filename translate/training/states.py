"""The states of a run, newest first, and when they are saved.

`state/last.pt` is the newest; those behind it lie beside it as `step_0001200.pt`. A new one is written under another
name, flushed, read back and only then given its name, so that at every instant there is a whole one to go on from.
"""

__all__ = ["SaveSchedule", "StateFolder"]

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from translate.training.log import print_note
from translate.training.state_file import check_state, load_state, write_state
from translate.utils.errors import UserError
from translate.utils.files import WriteError, atomic_write


class StateFolder:
    """The newest states of a run in one folder, `keep` of them.

    Attributes:
        last: The file of the newest.
        step: What `last` is known to hold; None where it holds nothing that could be gone on from.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        assert keep >= 1
        self.folder, self.keep = folder, keep
        self.last = folder / "last.pt"
        self.step: int | None = None

    def found(self) -> list[Path]:
        """Return the files that are there, newest first."""
        older = sorted(self.folder.glob("step_*.pt"), key=step_of, reverse=True)
        return [self.last, *older] if self.last.exists() else older

    def save(self, step: int, parts: Mapping[str, Any]) -> None:
        """Write what `parts` hold after `step` steps; what was the newest state is kept behind it.

        Raises:
            WriteError: The disk is full, broken or read-only, or what was written reads back otherwise. There is a
                state to go on from as before.
        """
        with atomic_write(self.last) as temporary:
            write_state(temporary, step, parts)
            check_state(temporary)
            if self.keep > 1 and self.step is not None and self.step < step:
                self.last.replace(self.last.with_name(f"step_{self.step:07d}.pt"))
        self.step = step
        flush_folder(self.folder)
        self._forget()

    def load(self, parts: Mapping[str, Any], device: torch.device) -> int:
        """Put the newest state that is whole into `parts` and return its step; 0 where there are no files.

        Those that are damaged are told of, a line each.

        Raises:
            UserError: All are damaged, or of other networks.
        """
        damaged: list[UserError] = []
        for path in self.found():
            try:
                step = load_state(path, parts, device)
            except UserError as error:
                damaged.append(error)
                continue
            self.step = step if path == self.last else None
            for complaint in damaged:
                print_note(f"{complaint}; going on from {path.name}, of step {step}")
            return step
        if damaged:
            raise UserError(f"{damaged[0]}; delete {self.folder} to begin anew")
        return 0

    def _forget(self) -> None:
        """Remove the states beyond those that are kept, and what runs that were gone back behind left."""
        older = [path for path in self.found() if path != self.last]
        passed = [path for path in older if step_of(path) < (self.step or 0)]
        for path in set(older) - set(passed[: self.keep - 1]):
            with contextlib.suppress(OSError):  # it is in nobody's way
                path.unlink()


class SaveSchedule:
    """Saves a run now and then and, where the disk refuses, later.

    Attributes:
        good: The step of the newest state.
    """

    def __init__(self, write: Callable[[int], None], minutes: float, good: int) -> None:
        """Begin to count the time.

        Args:
            write: Saves what the run has come to after so many steps, or raises WriteError.
            minutes: Between two saves.
            good: The step that the run begins at.
        """
        self.write, self.minutes, self.good = write, minutes, good
        self.since = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time for the next."""
        return time.monotonic() - self.since > 60 * self.minutes

    def __call__(self, step: int, *, now: bool) -> None:
        """Save; unless it has to be `now`, a disk that refuses is told of, and asked again when the next save is due.

        Raises:
            WriteError: It refuses, and the run is about to end.
        """
        try:
            self.write(step)
            self.good = step
        except WriteError as error:
            kept = f"the state of step {self.good} is kept" if self.good else "no earlier state is there"
            if now:
                raise WriteError(f"step {step} is not saved: {error}; {kept}, and the same command goes on") from error
            print_note(f"step {step} is not saved: {error}; {kept}, training goes on, and the next save tries again")
        finally:
            self.since = time.monotonic()


def step_of(path: Path) -> int:
    """Return the step that the name step_0001200.pt tells; -1 of a name that tells none."""
    digits = path.stem.removeprefix("step_")
    return int(digits) if digits.isdecimal() else -1


def flush_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, where the system can: a crash of the machine keeps the new one."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
