"""Single pictures, with or without labels."""

__all__ = ["ImagesData"]

import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.data.files.halves import Halves, split_halves
from translate.data.loading.cache import fingerprint, hash_text, open_cache
from translate.data.loading.file_kind import FileKind, kind_of_files, range_notes, stack_pictures
from translate.data.loading.loader import SingleStream
from translate.data.loading.native_size import power_of_two_size
from translate.data.loading.preview_images import read_previews, read_spread
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.domains import FileSet
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.data.sources.labelled_image import UNLABELLED, LabelledFile, LabelledImage, LabelledRow, shape_of
from translate.images.picture import is_colourless, to_gray
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import OptionError, UserError
from translate.utils.sequences import spread
from translate.utils.terminal import printable

_HEADER_SAMPLE = 1000  # pictures whose headers are read for their sizes before any is decoded
_COLOUR_SAMPLE = 64  # pictures decoded to find whether all are gray
_MIN_SIZE_PX = 32  # the smallest side that the networks take
_MIN_PADDED_PX = 20  # pictures from this side on are padded to 32 px, as MNIST's 28 px are, and not enlarged


class ImagesData:
    """One set of pictures; `TrainingData` documents the other attributes.

    Attributes:
        train: The pictures to train on.
        test: The held-out pictures.
        labels: After `open`, (n,) int64 of the readable pictures to train on; None without classes.
    """

    _preview_count = 32
    _deep = False  # whether more than 8 bits are worth learning
    _if_small = "are enlarged"  # what happens to pictures that are smaller than the training resolution

    def __init__(self, config: DataConfig, root: Path) -> None:
        # refuse options of other data
        if config.a or config.b or config.root:
            raise OptionError("--a, --b and --data name domains to translate between; here give --images alone")
        if config.value_range:
            raise OptionError("--value-range: single pictures are learned in 8 bits; rescale them, or leave it out")

        # find the pictures; inspect their headers and a decoded sample
        images = self._resolve(config, root)
        self.train, self.test, self.title = list(images.train), list(images.test), images.title
        self.names: tuple[str, ...] = (self.title,)
        self.epoch, self._batch_size = len(self.train), config.batch_size
        self._check_batch(self.epoch)
        self._sides = _shorter_sides(self.train)
        self.channels = {"image": 1 if _all_gray(self.train) else 3}
        files = [source.file for source in self.train if isinstance(source, LabelledFile)]
        self._kind = _deep_kind(files) if self._deep else FileKind()

        # labels, facts and notes
        self.facts: dict[str, Any] = {}
        if images.classes:
            self.channels["label"] = len(images.classes)
            self.facts["classes"] = [printable(word) for word in images.classes]
        self._unmirrored = _are_characters(self.train, images.classes)
        note = "the pictures seem to be characters, so none is mirrored"
        self._initial_notes = [*images.notes, *([note] if self._unmirrored and config.flip else [])]
        self._initial_notes += range_notes(files)
        self.notes = list(self._initial_notes)

    def _resolve(self, config: DataConfig, root: Path) -> ImageSet:
        """Find the pictures."""
        return resolve_images(config.images, config.classes, root)

    def file_sets(self) -> list[FileSet]:
        """Return the files of each split; rows of an array have none."""
        return [
            FileSet(self.title, "", split, [source.file for source in part if isinstance(source, LabelledFile)])
            for split, part in (("train", self.train), ("test", self.test))
        ]

    def native_size(self) -> int:
        return power_of_two_size(self._sides)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        self.notes = [*self._initial_notes, *self._check_sizes(size)]
        self._padded = size <= _MIN_SIZE_PX
        side, names = round(size * zoom), [source.name for source in self.train]
        files = dict.fromkeys(source.file for source in self.train)
        settings = ("images", size, side, square, self.channels["image"], *self._kind.settings, *names)
        key, title = fingerprint(files, *settings), self.names[0]
        self.cache = open_cache(
            folder, key, names, lambda i: self._decode(self.train[i], side, square), title=title, progress=progress
        )
        self.epoch, self.skipped = len(self.cache), self.cache.skipped
        self._check_batch(self.epoch)
        self.counts = {title: self.epoch}
        self.labels: np.ndarray | None = None
        if "label" in self.channels:
            labels = {source.name: source.label for source in self.train}
            self.labels = np.array([labels[name] for name in self.cache.names], np.int64)
        classes = "" if self.labels is None else f"{self.facts['classes']}{self.labels.tolist()}"
        self.fingerprint = hash_text(f"{self.cache.fingerprint}{classes}")
        self.probe = self._previews(size, square)

    def halves(self) -> list[Halves[LabelledImage]]:
        return [split_halves(self.names[0], self.test, lambda source: source.stem)]

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        decode = partial(self._decode, side=size, square=square)
        return {"image": stack_pictures(read_spread(self.halves()[0].choosing, decode, size, count)[1])}

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
        """Return a note if a few pictures are smaller than `size` px; raise OptionError if most are."""
        if not self._sides:
            return []
        typical, small = statistics.median(self._sides), [side for side in self._sides if side < size]
        counts = f"{len(small)} of {len(self._sides)} pictures looked at are smaller than {size} px"
        if typical < _MIN_PADDED_PX or (typical < size and size > _MIN_SIZE_PX):
            remedy = f"say --size {self.native_size()}" if typical >= _MIN_PADDED_PX else "enlarge them first"
            sides = f"{min(small)} px" if min(small) == max(small) else f"{min(small)} to {max(small)} px"
            raise OptionError(f"{counts} (shorter side: {sides}); {remedy}")
        return [f"{counts} and {self._if_small}"] if small and size > _MIN_SIZE_PX else []

    def _read_planes(self, source: LabelledImage) -> np.ndarray | str:
        """Return a picture as (H, W, C) at its own size, or why it cannot be read."""
        try:
            picture = source.read() if self._kind.dtype == np.uint8 else self._kind.read(source.file)
        except UserError as error:
            return str(error)
        return to_gray(picture)[..., None] if self.channels["image"] == 1 else picture

    def _decode(self, source: LabelledImage, side: int, square: bool) -> np.ndarray | str:
        """Return a picture as (H, W, C), or why it cannot be read."""
        planes = self._read_planes(source)
        if isinstance(planes, str):
            return planes
        if self._padded and max(planes.shape[:2]) <= _MIN_SIZE_PX and min(planes.shape[:2]) >= _MIN_PADDED_PX:
            return pad_with_edge_colour(planes, side)
        return fit(planes, side, square=square)

    def _previews(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return the center crops of some readable pictures of all classes, held-out ones first."""
        labelled = [[s for s in part if s.label != UNLABELLED] or part for part in (self.test, self.train)]
        by_class = [sorted(part, key=lambda source: source.label) for part in labelled]
        candidates = [s for part in by_class for s in (*spread(part, min(self._preview_count, len(part))), *part)]
        decode = lambda source: self._decode(source, size, square)  # noqa: E731
        sources, pictures = read_previews(candidates, decode, size, self._preview_count)
        labels = {"label": torch.tensor([s.label for s in sources])} if "label" in self.channels else {}
        return {"image": stack_pictures(pictures)} | labels


def _shorter_sides(sources: Sequence[LabelledImage]) -> list[int]:
    """Return the shorter sides in px of a sample of pictures, as far as their headers state them."""
    return [min(shape) for shape in map_in_threads(shape_of, spread(sources, _HEADER_SAMPLE)) if shape]


def pad_with_edge_colour(picture: np.ndarray, side: int) -> np.ndarray:
    """Center (H, W, C) on `side` x `side` px of the most frequent colour of its edge."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    colours, counts = np.unique(edge, axis=0, return_counts=True)
    canvas = np.full((side, side, picture.shape[2]), colours[counts.argmax()], picture.dtype)
    height, width = picture.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas


def _deep_kind(files: Sequence[Path]) -> FileKind:
    """Return the kind that reads gray and RGB pictures at full depth; raise UserError for pictures with bands."""
    kind = kind_of_files(files)
    if kind.bands:
        raise UserError(f"{kind.example} has {kind.channels} channels; here only gray and RGB pictures can be used")
    return FileKind(dtype=kind.dtype)


def _all_gray(sources: Sequence[LabelledImage]) -> bool:
    """Whether all readable pictures of a sample are gray."""
    any_read = False
    for source in spread(sources, _COLOUR_SAMPLE):
        try:
            if not is_colourless(source.read()):
                return False
        except UserError:  # reported when all are decoded
            continue
        any_read = True
    return any_read


def _are_characters(train: Sequence[LabelledImage], classes: Sequence[str]) -> bool:
    """Whether the pictures show characters, as labels, folders or an IDX file suggest: mirroring spoils characters."""
    names = classes or sorted({source.name.split("/")[0] for source in train})
    return isinstance(train[0], LabelledRow) or (len(names) > 1 and all(len(name) == 1 for name in names))
