"""What a film's translation keeps beside its output until it is done, to go on after it was cut off."""

__all__ = ["SegmentStore", "Progress"]

import pickle
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from translate.utils.files import atomic_write
from translate.utils.safe_load import load_tensors


@dataclass
class Progress:
    """How far a translation is.

    Attributes:
        starts: when each whole segment begins, in units of the clip.
        counts: frames of each.
        statistics: where smooth statistics stand behind the last of them.
        calm: where the averaging of noise stands.
        mode: precision and layout that the networks compute in.
    """

    starts: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    statistics: dict[str, Any] = field(default_factory=dict)
    calm: dict[str, Any] = field(default_factory=dict)
    mode: tuple[str, bool] | None = None


class SegmentStore:
    """A hidden folder beside the output: whole segments, and what the next one needs to be what it would have been.

    Attributes:
        folder: `.NAME.parts`.
    """

    def __init__(self, output: Path, asked: dict[str, Any]) -> None:
        """Name the folder of an output; `asked` is all that the result depends on, in plain words and numbers."""
        self.folder, self._asked = output.with_name(f".{output.name}.parts"), asked

    @property
    def _file(self) -> Path:
        return self.folder / "progress.pt"

    def exist(self) -> bool:
        """Whether some translation to this output was begun."""
        return self.folder.exists()

    def open(self) -> Progress:
        """Return how far the same translation is; parts of another one are removed."""
        if self._file.exists():
            try:
                known = load_tensors(self._file)
                if known.pop("asked") == self._asked:
                    return Progress(**known)
            except (pickle.UnpicklingError, KeyError, ValueError, TypeError, AttributeError, OSError):
                pass  # damaged: as if it were not there
        self.remove()
        return Progress()

    def save(self, progress: Progress) -> None:
        """Note that another segment is whole.

        Raises:
            WriteError: the disk refuses; what was noted before stays.
        """
        with atomic_write(self._file) as temporary:
            torch.save(asdict(progress) | {"asked": self._asked}, temporary)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
