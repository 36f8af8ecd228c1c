"""What a training run needs of its data, by the kind that its task asks for."""

__all__ = ["TRAINING_DATA", "ImagesData", "MaskedData", "PairedData", "TrainingData", "UnpairedData"]

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from translate.data.checks.quick_check import FileSet
from translate.data.datasets.images import ImagesData
from translate.data.datasets.masked import MaskedData
from translate.data.datasets.paired import PairedData
from translate.data.datasets.unpaired import UnpairedData
from translate.data.loading.loader import SampleStream
from translate.data.options import DataConfig


class TrainingData(Protocol):
    """Pictures to train on: found and checked when made, decoded and ready once `open` was called.

    Attributes:
        names: Of the domains, the source's first; of single pictures, their set's.
        title: Names the run.
        channels: Of each part of a batch, such as {"a": 1, "b": 3} or {"image": 3, "mask": 1}; the classes of
            {"label": 10}.
        epoch: Samples that show every picture.

    The others are there after `open`:
        counts: Pictures to train on, by domain.
        skipped: What could not be decoded, a line a file.
        fingerprint: Identifies the files trained on, and what was done to them.
        probe: Pictures for the sample grids, {"a": (n, C, size, size) uint8 or, where files have more than 8 bits,
            float32 in [-1, 1], ...} and {"label": (n,) int64}; held out
            where there are any. Masks are 255 in the hole.
        facts: What users of the model should know, such as {"sketch": True} where the sources are line drawings.
        notes: What the user should know before training starts, a line each.
    """

    names: tuple[str, ...]
    title: str
    channels: dict[str, int]
    epoch: int
    counts: dict[str, int]
    skipped: list[str]
    fingerprint: str
    probe: dict[str, Tensor]
    facts: dict[str, Any]
    notes: list[str]

    def __init__(self, config: DataConfig, root: Path) -> None:
        """Find the pictures that `config` names, preparing data sets of the catalog in `root`.

        Raises:
            UserError: they do not exist or are not as they should be.
        """

    def file_sets(self) -> list[FileSet]:
        """Return the files of each part, to train on and held out, for a check."""
        ...

    def native_size(self) -> int:
        """Return the resolution worth training at, px: that of the pictures, from 32 to 256, a multiple of 4."""
        ...

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pictures into `folder`, or find them there.

        Args:
            folder: Of the decoded pictures.
            size: Training resolution, px.
            zoom: Pictures are resized to size * zoom, of which crops of at most `size` are taken.
            square: Resize to a square; else the shorter side is resized.
            progress: Whether to show a bar.

        Raises:
            UserError: no picture can be read, the folder cannot be written to, or two pictures are no pair.
        """

    def stream(self, *, crop: int, flip: bool, seed: int) -> SampleStream:
        """Return the endless stream of training samples: crops of `crop` px, half of them mirrored with `flip`."""
        ...


TRAINING_DATA: dict[str, type[TrainingData]] = {
    "unpaired": UnpairedData,
    "paired": PairedData,
    "images": ImagesData,
    "masked": MaskedData,
}
