"""Single pictures with labels that a model learns to change: attributes, or one of several classes."""

__all__ = ["LabelledData", "LabelledStream"]

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text
from torch import Tensor

from translate.data.datasets.images import ImagesData
from translate.data.loading.cache import Pictures, hash_text
from translate.data.loading.file_kind import stack_pictures
from translate.data.loading.loader import Batch, SingleStream
from translate.data.loading.preview_images import read_previews, read_spread
from translate.data.options import DataConfig
from translate.data.sources.attributes import LabelledSet, resolve_labelled
from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.utils.errors import OptionError
from translate.utils.sequences import spread
from translate.utils.terminal import printable


class LabelledStream(SingleStream):
    """Sample i is one picture and its labels; shuffled in each epoch."""

    def __init__(self, pictures: Pictures, key: str, values: np.ndarray, *, crop: int, flip: bool, seed: int) -> None:
        """Set up the stream; `values` (n, labels) int64 are the part `key` of each batch."""
        super().__init__(pictures, None, crop=crop, flip=flip, seed=seed)
        self.key, self.values = key, values

    def sample(self, first: int, count: int) -> Batch:
        boxes = super().sample(first, count)["image"]
        return {"image": boxes, self.key: torch.from_numpy(self.values)[boxes[:, 0]]}


class LabelledData(ImagesData):
    """One set of pictures with labels; `TrainingData` documents the other attributes.

    A batch has "image", and either "attributes" (B, K), 1 for each that a picture has and 0 for others, or "classes"
    (B, K), one-hot.
    """

    _preview_count = 8

    def __init__(self, config: DataConfig, root: Path) -> None:
        if not config.images:
            raise OptionError("no pictures given; say --images FOLDER --labels, or --images attributes, built in")
        super().__init__(config, root)
        found = self._labelled
        self.key = "classes" if found.exclusive else "attributes"
        self.channels = {"image": self.channels["image"], self.key: len(found.names)}
        self.facts = {self.key: [printable(name) for name in found.names]}
        if apart := found.apart():
            self.facts["apart"] = apart

    def _resolve(self, config: DataConfig, root: Path) -> ImageSet:
        self._labelled = resolve_labelled(config.images, config.classes, config.attributes, root)
        return self._labelled.images

    @property
    def label_table(self) -> Table:
        """How many pictures to train on have each label, and how many have not."""
        return describe_labels(self._labelled)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        super().open(folder, size=size, zoom=zoom, square=square, progress=progress)
        sources = {source.name: source for source in self.train}
        self._values = self._labelled.values([sources[name] for name in self.cache.names])
        self.fingerprint = hash_text(f"{self.fingerprint}{self._labelled.names}{self._values.tolist()}")

    def stream(self, *, crop: int, flip: bool, seed: int) -> LabelledStream:
        """Return the endless stream of training samples; characters are not mirrored."""
        mirror = flip and not self._unmirrored
        return LabelledStream(self.cache, self.key, self._values, crop=crop, flip=mirror, seed=seed)

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        read = lambda source: self._decode(source, size, square)  # noqa: E731
        sources, pictures = read_spread(self.halves()[0].choosing, read, size, count)
        return self._with_labels(sources, pictures)

    def _previews(self, size: int, square: bool) -> dict[str, Tensor]:
        candidates = [s for part in (self.test, self.train) for s in (*spread(part, self._preview_count), *part)]
        decode = lambda source: self._decode(source, size, square)  # noqa: E731
        return self._with_labels(*read_previews(candidates, decode, size, self._preview_count))

    def _with_labels(self, sources: Sequence[LabelledImage], pictures: Sequence[np.ndarray]) -> dict[str, Tensor]:
        values = torch.from_numpy(self._labelled.values(sources))
        return {"image": stack_pictures(pictures), self.key: values}


def describe_labels(found: LabelledSet) -> Table:
    """Return a table of the labels: how many pictures to train on have each, and how many have not."""
    total = len(found.images.train)
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("class" if found.exclusive else "attribute")
    for title in ("with it", "without"):
        table.add_column(title, justify="right")
    for name, count in zip(found.names, found.counts.tolist(), strict=True):
        table.add_row(Text(printable(name)), f"{count:,}", f"{total - count:,}")
    return table
