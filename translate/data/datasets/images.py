"""Single pictures, with or without labels, as a training run sees them."""

__all__ = ["ImagesData"]

import hashlib
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.data.checks.quick_check import FileSet
from translate.data.loading.cache import PictureCache, fingerprint, open_cache
from translate.data.loading.file_kind import FileKind, as_probe, kind_of_files
from translate.data.loading.loader import SingleStream
from translate.data.loading.preview_images import SINGLE_PROBES, center_crop, single_size
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.image_set import resolve_images
from translate.data.sources.labelled_image import UNLABELLED, FileSource, LabelledImage, RowSource, shape_of
from translate.images.colourless import colourless
from translate.images.picture import to_gray
from translate.utils.errors import OptionError, UserError
from translate.utils.sequences import spread
from translate.utils.terminal import printable

_MEASURED = 1000  # pictures whose sizes are looked up before any is decoded
_LOOKED_AT = 64  # pictures decoded to see whether they have colour
_LEAST = 32  # px, the smallest side that networks are made for
_WORTH_A_BORDER = 20  # px: pictures from this side on are brought to 32 px by a border


class ImagesData:
    """One set of pictures; `TrainingData` says what the attributes mean.

    Attributes:
        train: The pictures to train on.
        test: Those held out.
        labels: After `open`, of the pictures that could be read, (n,) int64; None where there are no classes.
    """

    _probes = SINGLE_PROBES  # pictures of a sample grid, most
    _deep = False  # whether more than 8 bits are worth learning

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.a or config.b or config.root:
            raise OptionError("--a, --b and --data name domains to translate between; here give --images alone")
        if config.value_range:
            raise OptionError("--value-range: single pictures are learned in 8 bits; rescale them, or leave it out")
        found = resolve_images(config.images, config.classes, root)
        self.train, self.test, self.title = list(found.train), list(found.test), found.title
        self.names: tuple[str, ...] = (self.title,)
        self.epoch, self._batch_size = len(self.train), config.batch_size
        self._check_batch(self.epoch)
        self._sides = shorter_sides(self.train)
        self.channels = {"image": 1 if _all_gray(self.train) else 3}
        self._kind = _deep_kind(self.train) if self._deep else FileKind()
        self.facts: dict[str, Any] = {}
        if found.classes:
            self.channels["label"] = len(found.classes)
            self.facts["classes"] = [printable(word) for word in found.classes]
        self._unmirrored = _are_characters(self.train, found.classes)
        told = "the pictures seem to be characters, so none is mirrored"
        self._found_notes = [*found.notes, *([told] if self._unmirrored and config.flip else [])]
        self.notes = list(self._found_notes)

    def file_sets(self) -> list[FileSet]:
        """Return the files of each part; of arrays there are none."""
        parts = (("train", self.train), ("test", self.test))
        return [
            FileSet(self.title, "", split, [source.file for source in part if isinstance(source, FileSource)])
            for split, part in parts
        ]

    def native_size(self) -> int:
        """Return the resolution worth training at, px: a power of two from 32 to 256."""
        return single_size(self._sides)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pictures into `folder`, or find them there.

        Raises:
            OptionError: most pictures are smaller than `size`, or too few for a batch can be read.
            UserError: none can be read, or the folder cannot be written to.
        """
        self.notes = [*self._found_notes, *self._check_sizes(size)]
        self._border = size <= _LEAST
        side, files, names = round(size * zoom), dict.fromkeys(s.file for s in self.train), [s.name for s in self.train]
        settings = ("images", size, side, square, self.channels["image"], *self._kind.settings, *names)
        self.cache = open_cache(
            folder,
            fingerprint(files, *settings),
            names,
            lambda i: self._decode(self.train[i], side, square),
            title=self.names[0],
            progress=progress,
        )
        self.epoch, self.skipped = len(self.cache), self.cache.skipped
        self._check_batch(self.epoch)
        self.counts = {self.names[0]: self.epoch}
        self.labels = self._labels_of(self.cache)
        known = "" if self.labels is None else f"{self.facts['classes']}{self.labels.tolist()}"
        self.fingerprint = hashlib.sha256(f"{self.cache.fingerprint}{known}".encode()).hexdigest()[:16]
        self.probe = self._probe(size, square)

    def stream(self, *, crop: int, flip: bool, seed: int) -> SingleStream:
        """Return the endless stream of training samples; characters are not mirrored."""
        return SingleStream(self.cache, self.labels, crop=crop, flip=flip and not self._unmirrored, seed=seed)

    def _check_batch(self, count: int) -> None:
        if count < self._batch_size:
            held = f" ({len(self.test)} are held out)" if self.test else ""
            raise OptionError(
                f"{self.names[0]} has {count} picture{'s' * (count != 1)} to train on{held}, fewer than a batch of"
                f" {self._batch_size}; say --batch-size {count}, or give more pictures"
            )

    def _check_sizes(self, size: int) -> list[str]:
        """Refuse pictures of which most are smaller than `size` px, and return what to tell of a few that are.

        Raises:
            OptionError: says which size suits them.
        """
        if not self._sides:
            return []
        typical, small = statistics.median(self._sides), [side for side in self._sides if side < size]
        if typical < _WORTH_A_BORDER or (typical < size and size > _LEAST):
            way = f"say --size {self.native_size()}" if typical >= _WORTH_A_BORDER else "enlarge them first"
            sides = f"{min(small)} px" if min(small) == max(small) else f"{min(small)} to {max(small)} px"
            raise OptionError(
                f"{len(small)} of {len(self._sides)} pictures looked at are smaller than {size} px"
                f" (shorter side: {sides}); {way}"
            )
        if small and size > _LEAST:
            return [
                f"{len(small)} of {len(self._sides)} pictures looked at are smaller than {size} px and are enlarged"
            ]
        return []

    def _decode(self, source: LabelledImage, side: int, square: bool) -> np.ndarray | str:
        """Return a picture as (H, W, C), or why it cannot be read."""
        try:
            picture = source.read() if self._kind.dtype == np.uint8 else self._kind.read(source.file)
        except UserError as error:
            return str(error)
        planes = to_gray(picture)[..., None] if self.channels["image"] == 1 else picture
        if self._border and max(planes.shape[:2]) <= _LEAST and min(planes.shape[:2]) >= _WORTH_A_BORDER:
            return bordered(planes, side)
        return fit(planes, side, square=square)

    def _labels_of(self, cache: PictureCache) -> np.ndarray | None:
        """Return the labels, (n,) int64, of the pictures that could be read; None where there are no classes."""
        if "label" not in self.channels:
            return None
        labels = {source.name: source.label for source in self.train}
        return np.array([labels[name] for name in cache.names], np.int64)

    def _probe(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return the middles of some readable pictures, held out where there are any; of all classes."""
        known = [[s for s in part if s.label != UNLABELLED] or part for part in (self.test, self.train)]
        ordered = [sorted(part, key=lambda source: source.label) for part in known]
        chosen = [source for part in ordered for source in (*spread(part, min(self._probes, len(part))), *part)]
        pictures: list[np.ndarray] = []
        labels: list[int] = []
        for source in dict.fromkeys(chosen):
            if len(pictures) == self._probes:
                break
            picture = self._decode(source, size, square)
            if not isinstance(picture, str):
                pictures.append(center_crop(picture, size))
                labels.append(source.label)
        probe = {"image": as_probe(pictures)}
        return probe | ({"label": torch.tensor(labels)} if "label" in self.channels else {})


def shorter_sides(sources: Sequence[LabelledImage]) -> list[int]:
    """Return the shorter sides of some pictures, px, as far as their files tell them."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [min(shape) for shape in pool.map(shape_of, spread(sources, _MEASURED)) if shape]


def bordered(picture: np.ndarray, side: int) -> np.ndarray:
    """Return (H, W, C) in the middle of `side` x `side` px of the colour that its edge mostly has."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    colours, counts = np.unique(edge, axis=0, return_counts=True)
    canvas = np.empty((side, side, picture.shape[2]), picture.dtype)
    canvas[:] = colours[counts.argmax()]
    height, width = picture.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas


def _deep_kind(sources: Sequence[LabelledImage]) -> FileKind:
    """Return how pictures are read in all their depth.

    Raises:
        UserError: they have bands instead of colours.
    """
    kind = kind_of_files([source.file for source in sources if isinstance(source, FileSource)])
    if kind.bands:
        raise UserError(f"{kind.example} has {kind.channels} channels; here only gray and RGB pictures can be used")
    return FileKind(dtype=kind.dtype)


def _all_gray(sources: Sequence[LabelledImage]) -> bool:
    """Whether all pictures looked at are gray; what cannot be read is reported later."""
    seen = []
    for source in spread(sources, _LOOKED_AT):
        try:
            seen.append(colourless(source.read()))
        except UserError:
            continue
        if not seen[-1]:
            return False
    return bool(seen)


def _are_characters(train: Sequence[LabelledImage], classes: Sequence[str]) -> bool:
    """Whether labels or folders show characters, or the file is of MNIST's kind: mirrored, they are wrong."""
    names = classes or sorted({source.name.split("/")[0] for source in train})
    return isinstance(train[0], RowSource) or (len(names) > 1 and all(len(name) == 1 for name in names))
