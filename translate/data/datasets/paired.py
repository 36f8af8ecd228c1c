"""Pairs of pictures."""

__all__ = ["PairedData", "decode_pair", "kind_to_read"]

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from translate.data.checks.pair_checks import SideTraits, check_headers, direction_note, exchanged_pairs, inspect_pairs
from translate.data.files.counted import list_names
from translate.data.files.halves import Halves, split_halves
from translate.data.loading.cache import fingerprint, open_cache
from translate.data.loading.file_kind import FileKind, MixedChannels, kind_of_files, stack_pictures
from translate.data.loading.hints import sample_hints
from translate.data.loading.loader import PairedStream, to_planes
from translate.data.loading.native_size import native_size
from translate.data.loading.preview_images import PREVIEW_COUNT, read_previews, read_spread
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.domains import FileSet
from translate.data.sources.label_classes import find_classes
from translate.data.sources.label_scan import scan_maps
from translate.data.sources.mapped_pair import map_files, read_mapped_pair
from translate.data.sources.pair import Pair, PairError
from translate.data.sources.pair_set import resolve_pairs
from translate.images.label_maps import MAX_CLASSES, Classes
from translate.images.picture import parse_range, to_depth, to_gray
from translate.utils import dist
from translate.utils.errors import OptionError, UserError
from translate.utils.sequences import spread

_LABELS = ("auto", "none", "a", "b", "ab")
NO_MAPS: Mapping[str, Classes] = MappingProxyType({})
_SAMPLE = 16  # maps to find out whether a side are label maps


class PairedData:
    """Pairs, source first; `TrainingData` documents the other attributes.

    Attributes:
        pairs: All pairs, in the direction of the run.
        labels: Sides that are label maps, which are never interpolated: "", "a", "b" or "ab".
        maps: The classes of sides whose label maps are one-hot, by side.
    """

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.labels not in _LABELS:
            raise OptionError(f"--data.labels is {config.labels!r}; choose from {', '.join(_LABELS)}")

        # find the pairs and inspect a sample
        self.pairs = resolve_pairs(config.a, config.b, config.root, root, config.direction)
        check_headers([*self.pairs.train, *self.pairs.test])
        self.names: tuple[str, ...] = self.pairs.names
        self.title, self.epoch = self.pairs.title, len(self.pairs.train)
        values, train = parse_range(config.value_range), self.pairs.train
        kinds = [kind_of_files(files, values) for files in ([pair.a for pair in train], [pair.b for pair in train])]
        sides = self._sides = inspect_pairs(train, (kinds[0].read_rgb8, kinds[1].read_rgb8))

        # choose the kind and the channels of each side
        augmented = config.hints or config.colour_a > 0 or config.colour_b > 0
        self.kinds = [kind_to_read(kind, augmented) for kind in kinds]
        coloured = {key: not kind.bands for key, kind in zip("ab", self.kinds, strict=True)}
        self.channels = {
            key: 1 if side.gray and coloured[key] else kind.channels
            for key, side, kind in zip("ab", sides, self.kinds, strict=True)
        }
        if config.hints:
            self.channels["hint"] = 4
        label_maps = "".join(key for key, side in zip("ab", sides, strict=True) if side.colours and coloured[key])
        self.labels = {"auto": label_maps, "none": ""}.get(config.labels, config.labels)
        self.maps, self._map_notes = dict[str, Classes](), list[str]()
        if config.one_hot:
            self._find_maps(config)
            self.channels |= {key: len(classes) for key, classes in self.maps.items()}

        # note facts, colour jitter and messages
        self.facts: dict[str, Any] = {"sketch": True} if self._draws(coloured["a"]) else {}
        if values:
            self.facts["value_range"] = config.value_range
        if self.labels:
            self.facts["labels"] = self.labels
        if self.maps:
            self.facts["maps"] = {key: classes.to_facts() for key, classes in self.maps.items()}
        self._hints = config.hints
        self._jitter = (0.0 if "a" in self.labels else config.colour_a, 0.0 if "b" in self.labels else config.colour_b)
        self._initial_notes = self._make_notes(config)
        self.notes = list(self._initial_notes)

    def _draws(self, coloured: bool) -> bool:
        """Whether the sources are line drawings."""
        return self._sides[0].drawing and coloured and "a" not in self.maps

    def _find_maps(self, config: DataConfig) -> None:
        """Find the sides of label maps and their classes; raise OptionError for options that one-hot maps exclude."""
        if config.hints or config.value_range:
            wrong = "--hints are" if config.hints else "--value-range is"
            raise OptionError(f"{wrong} not for one-hot label maps; leave one of the two out")
        if config.labels == "auto":
            self.labels = "".join(
                key for key, side in zip("ab", self._sides, strict=True) if self._shows_maps(key, side)
            )
        if not self.labels:
            names = " nor ".join(self.names)
            raise OptionError(
                f"--one-hot: neither {names} look like label maps; say which are, such as --data.labels a"
            )
        for key in self.labels:
            train, test = (map_files(pairs, key) for pairs in (self.pairs.train, self.pairs.test))
            title = self.names["ab".index(key)]
            self.maps[key], notes = find_classes(title, train, test, config, progress=dist.is_main_process())
            self._map_notes += notes

    def _shows_maps(self, key: str, side: SideTraits) -> bool:
        """Whether a side are label maps: of few colours, or of few values in areas."""
        if side.colours or side.drawing:
            return bool(side.colours)
        values = scan_maps(spread(map_files(self.pairs.train, key), _SAMPLE), key)
        return 1 < len(values.indices or values.colours) <= MAX_CLASSES and values.flat

    def _make_notes(self, config: DataConfig) -> list[str]:
        kinds = [
            (name, kind) for key, name, kind in zip("ab", self.names, self.kinds, strict=True) if key not in self.maps
        ]
        notes = [f"{name}: {kind.note}" for name, kind in kinds if kind.note]
        notes += self._map_notes
        if not (self.maps or any(kind.bands for kind in self.kinds)) and (
            question := direction_note(self._sides, config.direction)
        ):
            notes.append(question)
        for key, name, side in zip("ab", self.names, self._sides, strict=True):
            if config.labels == "auto" and key in self.labels and key not in self.maps:
                notes.append(
                    f"{name} look like label maps ({side.colours} colours) and are never interpolated;"
                    " --one-hot gives each class a channel, --data.labels none treats them as pictures"
                )
            if key in self.labels and (config.colour_a if key == "a" else config.colour_b):
                notes.append(f"{name} are label maps: --data.colour_{key} would change what they mean and is left out")
        return notes

    def file_sets(self) -> list[FileSet]:
        return self.pairs.file_sets()

    def native_size(self) -> int:
        return native_size([side.size for side in self._sides])

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        side, train = round(size * zoom), self.pairs.train
        files = [path for pair in train for path in (pair.a, pair.b)]
        swapped = "".join(str(int(pair.swapped)) for pair in train)
        depths = tuple((str(kind.dtype), kind.values) for kind in self.kinds)
        settings: tuple[Any, ...] = () if depths == (("uint8", None),) * 2 else depths
        settings += (repr(self.maps),) if self.maps else ()
        self.fingerprint = fingerprint(
            files, "pairs", side, square, self._split, self.channels, self.labels, swapped, *settings
        )
        names, decode = [pair.name for pair in train], lambda i: self._decode(train[i], side, square)
        self.cache = open_cache(folder, self.fingerprint, names, decode, title=self.title, progress=progress)
        self.epoch = len(self.cache)
        self.counts = dict.fromkeys(self.names, self.epoch)
        self.skipped = self.cache.skipped
        self.probe = self._previews(size, square)

        # exchanged pictures are recognised by 8-bit colours only
        plain = self.cache.pixels.dtype == np.uint8 and not (self.maps or any(kind.bands for kind in self.kinds))
        exchanged = exchanged_pairs(self.cache, self.cache.names, self._split) if plain else []
        note = f"the two pictures of a pair look exchanged: {list_names(exchanged)}; compare them with the other pairs"
        self.notes = [*self._initial_notes, *([note] if exchanged else [])]

    def halves(self) -> list[Halves[Pair]]:
        return [split_halves(self.title, self.pairs.test, self.pairs.stem)]

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        """Return pairs of the choosing half; hints are empty."""
        decode = partial(self._decode, side=size, square=square)
        pairs = np.stack(read_spread(self.halves()[0].choosing, decode, size, count)[1])
        return self._to_batch(pairs, lambda b: np.zeros((*b.shape[:3], 4), np.uint8))

    def stream(self, *, crop: int, flip: bool, seed: int) -> PairedStream:
        return PairedStream(
            self.cache, self._split, crop=crop, flip=flip, seed=seed, hints=self._hints, colour=self._jitter,
            classes=(len(self.maps.get("a", ())), len(self.maps.get("b", ()))),
        )  # fmt: skip

    @property
    def _split(self) -> tuple[int, int]:
        """The channels of source and target in the cache, where label maps are class numbers."""
        first, second = (1 if key in self.maps else self.channels[key] for key in "ab")
        return first, second

    def _decode(self, pair: Pair, side: int, square: bool) -> np.ndarray | str:
        return decode_pair(pair, self.kinds, self.channels, side, square=square, labels=self.labels, maps=self.maps)

    def _previews(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return the center crops of some readable pairs, held-out ones first."""
        candidates = [*spread(self.pairs.test, PREVIEW_COUNT), *self.pairs.test, *self.pairs.train]
        _, pairs = read_previews(candidates, lambda pair: self._decode(pair, size, square), size)
        return self._to_batch(np.stack(pairs), _sample_preview_hints)

    def _to_batch(self, pairs: np.ndarray, draw_hints: Callable[[np.ndarray], np.ndarray]) -> dict[str, Tensor]:
        """Convert stacked pairs (n, H, W, C) to a batch, with the hints that `draw_hints` returns for the targets."""
        a, b = np.split(pairs, [self._split[0]], axis=3)
        pictures = {"a": a, "b": b} | ({"hint": draw_hints(b)} if self._hints else {})
        stacked = {key: stack_pictures([*part]) for key, part in pictures.items()}
        return {key: to_planes(x, len(self.maps.get(key, ()))) for key, x in stacked.items()}


def decode_pair(
    pair: Pair, kinds: Sequence[FileKind], channels: Mapping[str, int], side: int, *, square: bool,
    labels: Collection[str] = (), maps: Mapping[str, Classes] = NO_MAPS,
) -> np.ndarray | str:  # fmt: skip
    """Return a pair stacked to (H, W, Ca + Cb) of the deeper side's type, or why it cannot be read.

    Args:
        pair: source first.
        kinds: from `kind_to_read`, of the source and of the target.
        channels: of "a" and "b"; 1 makes a coloured picture gray.
        side: px, to which `fit` resizes.
        square: whether it resizes both sides, and not the shorter one.
        labels: the sides, "a" and "b", that are label maps.
        maps: the classes of those that are stacked as class numbers, in one channel.

    Raises:
        PairError: the sizes of the two pictures do not fit.
        MixedChannels: a picture has other channels than its side.
    """
    try:
        pictures = read_mapped_pair(pair, maps, labels, (kinds[0].read, kinds[1].read))
    except (PairError, MixedChannels):
        raise
    except UserError as error:
        return str(error)
    parts = []
    for key, picture in zip("ab", pictures, strict=True):
        planes = to_gray(picture)[..., None] if channels[key] == 1 and key not in maps else picture
        parts.append(fit(planes, side, square=square, nearest=key in labels))
    depth = max((kind.dtype for kind in kinds), key=lambda dtype: dtype.itemsize)
    return np.concatenate([to_depth(part, depth) for part in parts], axis=2)


def kind_to_read(kind: FileKind, augmented: bool = False) -> FileKind:
    """Return the kind that reads gray as RGB, and in 8 bits if `augmented`; raise OptionError for augmented bands."""
    if augmented and kind.bands:
        raise OptionError(f"--hints and --data.colour_* are for gray and RGB, not {kind.channels} channels; leave them")
    dtype = np.dtype(np.uint8) if augmented else kind.dtype
    return replace(kind, channels=kind.channels if kind.bands else 3, dtype=dtype)


def _sample_preview_hints(photos: Iterable[np.ndarray]) -> np.ndarray:
    """Draw hints for (n, H, W, C): the first of 20 draws that covers 2 %, or else the largest."""
    hints = []
    for which, photo in enumerate(photos):
        draws = (sample_hints(photo, np.random.default_rng([which, again]), absent=0) for again in range(20))
        hints.append(max(draws, key=lambda hint: min((hint[..., 3] > 0).mean(), 0.02)))
    return np.stack(hints)
