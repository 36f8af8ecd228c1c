"""The saved states of a run, and the schedule of saves.

`state/last.pt` is the newest; older states lie beside it as `step_0001200.pt`. A new state is written under another
name, flushed, read back and only then renamed, so that at every instant there is a whole state to resume from.
"""

__all__ = ["SaveSchedule", "StateFolder"]

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from translate.training.log import step_of
from translate.training.start.messages import print_note
from translate.training.state_file import check_state, load_state, write_state
from translate.utils.errors import UserError
from translate.utils.files import WriteError, atomic_write


class StateFolder:
    """The newest `keep` states of a run in one folder."""

    def __init__(self, folder: Path, keep: int = 2) -> None:
        assert keep >= 1
        self.folder, self.keep = folder, keep
        self.last = folder / "last.pt"  # the newest state
        self.last_step: int | None = None  # its step; None if the file is missing, damaged or not loaded yet

    def files(self) -> list[Path]:
        """Return the files of all states, newest first."""
        older = sorted(self.folder.glob("step_*.pt"), key=step_of, reverse=True)
        return [self.last, *older] if self.last.exists() else older

    def save(self, step: int, parts: Mapping[str, Any]) -> None:
        """Write the state of `parts` after `step` steps, and rename the state before it.

        Raises:
            WriteError: The disk is full, broken or read-only, or the file reads back damaged. The state before is kept.
        """
        with atomic_write(self.last) as temporary:
            write_state(temporary, step, parts)
            check_state(temporary)
            if self.keep > 1 and self.last_step is not None and self.last_step < step:
                self.last.replace(self.last.with_name(f"step_{self.last_step:07d}.pt"))
        self.last_step = step
        flush_folder(self.folder)
        self._remove_old()

    def load(self, parts: Mapping[str, Any], device: torch.device) -> int:
        """Load the newest whole state into `parts` and return its step, or 0 without files; print damaged files.

        Raises:
            UserError: All files are damaged, or of other networks.
        """
        damaged: list[UserError] = []
        for path in self.files():
            try:
                step = load_state(path, parts, device)
            except UserError as error:
                damaged.append(error)
                continue
            self.last_step = step if path == self.last else None
            for complaint in damaged:
                print_note(f"{complaint}; going on from {path.name}, of step {step}")
            return step
        if damaged:
            raise UserError(f"{damaged[0]}; delete {self.folder} to begin anew")
        return 0

    def newest_step(self) -> int:
        """Return the step of the newest whole state; 0 without one."""
        for path in self.files():
            with contextlib.suppress(UserError):  # it is damaged
                return load_state(path, {}, torch.device("cpu"))
        return 0

    def _remove_old(self) -> None:
        """Remove the states beyond `keep`, and those of later steps than the newest: the run went back behind them."""
        older = [path for path in self.files() if path != self.last]
        behind = [path for path in older if step_of(path) < (self.last_step or 0)]
        for path in set(older) - set(behind[: self.keep - 1]):
            with contextlib.suppress(OSError):  # a file too many does no harm
                path.unlink()


REPEAT_AFTER_S = 60.0  # a note that a save failed


class SaveSchedule:
    """A save every few `minutes`, tried again later if the disk refuses.

    `write` saves the run after the given number of steps, or raises WriteError.
    """

    def __init__(self, write: Callable[[int], None], minutes: float, saved_step: int) -> None:
        self.write, self.minutes = write, minutes
        self.saved_step = saved_step  # step of the newest state
        self.since = time.monotonic()
        self.told, self.told_at = "", 0.0  # why the last save failed, as far as it was printed, and when

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next save."""
        return time.monotonic() - self.since > 60 * self.minutes

    def save(self, step: int, *, must: bool) -> None:
        """Save the run; if the disk refuses, print so and try again at the next save, unless it `must` be saved now.

        Raises:
            WriteError: The disk refuses a save that must be.
        """
        try:
            self.write(step)
            self.saved_step = step
        except WriteError as error:
            kept = f"the state of step {self.saved_step} is kept" if self.saved_step else "no earlier state is there"
            if must:
                raise WriteError(f"step {step} is not saved: {error}; {kept}, and the same command goes on") from error
            self._tell(step, str(error), kept)
        finally:
            self.since = time.monotonic()

    def _tell(self, step: int, reason: str, kept: str) -> None:
        """Print that a save failed; the same again only after a minute: --save-minutes 0 saves at every step."""
        if reason != self.told or time.monotonic() - self.told_at > REPEAT_AFTER_S:
            print_note(f"step {step} is not saved: {reason}; {kept}, training goes on, and the next save tries again")
            self.told, self.told_at = reason, time.monotonic()


def flush_folder(folder: Path) -> None:
    """Flush the file names in `folder` to the disk, where the system can, so that they survive a power failure."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
