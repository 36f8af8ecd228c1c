"""The hidden folder beside a film's output, from which an interrupted run resumes."""

__all__ = ["ResumeState", "SegmentStore"]

import pickle
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from translate.utils.files import atomic_write
from translate.utils.safe_load import load_tensors


@dataclass
class ResumeState:
    """The state of a translation after its last finished segment."""

    starts: list[int] = field(default_factory=list)  # start time of each segment, in units of the clip
    counts: list[int] = field(default_factory=list)  # frames of each segment
    statistics: dict[str, Any] = field(default_factory=dict)  # state of the smooth norm statistics
    denoiser: dict[str, Any] = field(default_factory=dict)  # state of the temporal denoiser
    mode: tuple[str, bool] | None = None  # precision and layout of the networks


class SegmentStore:
    """Finished segments and the resume state, in the folder `.NAME.parts` beside the output NAME."""

    def __init__(self, output: Path, fingerprint: dict[str, Any]) -> None:
        """Name the folder of an output; the fingerprint is everything that the result depends on."""
        self.folder, self._fingerprint = output.with_name(f".{output.name}.parts"), fingerprint
        self._file = self.folder / "progress.pt"

    def open(self) -> ResumeState:
        """Return the state of the same translation; remove the segments of another one."""
        if self._file.exists():
            try:
                state = load_tensors(self._file)
                if state.pop("asked") == self._fingerprint:
                    return ResumeState(denoiser=state.pop("calm"), **state)
            except (pickle.UnpicklingError, KeyError, ValueError, TypeError, AttributeError, OSError):
                pass  # restart if the file is damaged
        self.remove()
        return ResumeState()

    def save(self, state: ResumeState) -> None:
        """Save the state after another finished segment; if the disk refuses, the previous state stays."""
        tensors = asdict(state) | {"asked": self._fingerprint}
        tensors["calm"] = tensors.pop("denoiser")  # the key in the files of unfinished runs
        with atomic_write(self._file) as temporary:
            torch.save(tensors, temporary)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
