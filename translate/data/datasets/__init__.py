"""Training data of each kind that a task can declare.

few_pairs  true pairs beside two domains
images     single pictures, with or without labels
labelled   single pictures with labels to change
masked     single pictures with inpainting masks
paired     pairs of pictures
reduced    single pictures with reduced copies of themselves
unpaired   pictures of two domains, without pairs
"""

__all__ = [
    "TRAINING_DATA", "ImagesData", "LabelledData", "MaskedData", "PairedData", "ReducedData", "TrainingData",
    "UnpairedData",
]  # fmt: skip

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from translate.data.datasets.images import ImagesData
from translate.data.datasets.labelled import LabelledData
from translate.data.datasets.masked import MaskedData
from translate.data.datasets.paired import PairedData
from translate.data.datasets.reduced import ReducedData
from translate.data.datasets.unpaired import UnpairedData
from translate.data.files.halves import Halves
from translate.data.loading.loader import SampleStream
from translate.data.options import DataConfig
from translate.data.sources.domains import FileSet


class TrainingData(Protocol):
    """Pictures to train on: listed and checked by the constructor, decoded by `open`.

    `probe` are pictures for the sample grids, held out where there are any: {"a": (n, C, size, size) uint8 or, of more
    than 8 bits, float32 in [-1, 1], ...} and {"label": (n,) int64}; masks are 255 in the hole.
    Labels to change are {"attributes" or "classes": (n, labels) int64}.
    """

    names: tuple[str, ...]  # of the domains, source first, or of the set of single pictures
    title: str  # names the run
    channels: dict[str, int]  # of each part of a batch, such as {"image": 3, "mask": 1}; of "label", the classes
    epoch: int  # samples after which every picture was shown
    facts: dict[str, Any]  # saved with the model, such as {"sketch": True} for line drawings as sources
    notes: list[str]  # for the user before training starts, a line each

    # set by `open`
    counts: dict[str, int]  # pictures to train on, by domain
    skipped: list[str]  # why files could not be decoded, a line each
    fingerprint: str  # identifies the files and how they were decoded
    probe: dict[str, Tensor]

    def __init__(self, config: DataConfig, root: Path) -> None:
        """Find the pictures that `config` names, preparing data sets of the catalog in `root`.

        Raises:
            UserError: the pictures do not exist or are unfit.
        """

    def file_sets(self) -> list[FileSet]:
        """Return the files of each domain and split, for the data check."""
        ...

    def native_size(self) -> int:
        """Return the resolution worth training at, px: that of the pictures, from 32 to 256, and a multiple of 4."""
        ...

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pictures into `folder`, or reuse the cache there.

        With `square` both sides, else the shorter side, are resized to `size` * `zoom` px.

        Raises:
            OptionError: most pictures are smaller than `size`, or too few for a batch can be read.
            UserError: no picture can be read, the folder cannot be written to, or two pictures do not form a pair.
        """

    def halves(self) -> list[Halves[Any]]:
        """Return the halves of the held-out pictures, of each domain or of all pairs."""
        ...

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        """Return at most `count` pictures of each choosing half, evenly spaced, in the form of `probe`."""
        ...

    def stream(self, *, crop: int, flip: bool, seed: int) -> SampleStream:
        """Return the endless stream of training samples: crops of `crop` px, half of them mirrored with `flip`."""
        ...


TRAINING_DATA: dict[str, type[TrainingData]] = {
    "unpaired": UnpairedData,
    "paired": PairedData,
    "images": ImagesData,
    "masked": MaskedData,
    "reduced": ReducedData,
    "labelled": LabelledData,
}
