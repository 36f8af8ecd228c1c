"""Pairs of pictures as a training run sees them."""

__all__ = ["PairedData"]

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from translate.data.checks.pair_checks import check_headers, direction_note, exchanged_pairs, inspect_pairs
from translate.data.checks.quick_check import FileSet
from translate.data.files.find import listed
from translate.data.loading.cache import fingerprint, open_cache
from translate.data.loading.file_kind import FileKind, MixedChannels, as_probe, kind_of_files
from translate.data.loading.hints import sample_hints
from translate.data.loading.loader import PairedStream
from translate.data.loading.preview_images import PROBES, center_crop, training_size
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.pair import Pair, PairError, read_pair
from translate.data.sources.pair_set import resolve_pairs
from translate.images.picture import parse_range, to_depth, to_gray
from translate.utils.errors import OptionError, UserError
from translate.utils.sequences import spread

_LABELS = ("auto", "none", "a", "b", "ab")


class PairedData:
    """Pairs, source first; `TrainingData` says what the attributes mean.

    Attributes:
        pairs: All pairs, in the direction of the run.
        labels: Sides that are label maps, which are never interpolated: "", "a", "b" or "ab".
    """

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.labels not in _LABELS:
            raise OptionError(f"--data.labels is {config.labels!r}; choose from {', '.join(_LABELS)}")
        self.pairs = resolve_pairs(config.a or None, config.b or None, config.root or None, root, config.direction)
        check_headers([*self.pairs.train, *self.pairs.test])
        self.names: tuple[str, ...] = self.pairs.names
        self.title, self.epoch = self.pairs.title, len(self.pairs.train)
        values, train = parse_range(config.value_range), self.pairs.train
        kinds = [kind_of_files(files, values) for files in ([pair.a for pair in train], [pair.b for pair in train])]
        sides = self._sides = inspect_pairs(train, (kinds[0].shown, kinds[1].shown))
        touched = config.hints or config.colour_a > 0 or config.colour_b > 0
        self.kinds = [_of_side(kind, touched) for kind in kinds]
        self.channels = {
            key: 1 if side.gray and not kind.bands else kind.channels
            for key, side, kind in zip("ab", sides, self.kinds, strict=True)
        }
        if config.hints:
            self.channels["hint"] = 4
        self.facts: dict[str, Any] = {"sketch": True} if sides[0].drawing and not self.kinds[0].bands else {}
        if values:
            self.facts["value_range"] = config.value_range
        mapped = zip("ab", sides, self.kinds, strict=True)
        found = "".join(key for key, side, kind in mapped if side.colours and not kind.bands)
        self.labels = {"auto": found, "none": ""}.get(config.labels, config.labels)
        if self.labels:
            self.facts["labels"] = self.labels
        self._hints = config.hints
        wished = {"a": config.colour_a, "b": config.colour_b}
        source, target = (0.0 if key in self.labels else strength for key, strength in wished.items())
        self._colour = (source, target)
        self._found_notes = self._notes(config)
        self.notes = list(self._found_notes)

    def _notes(self, config: DataConfig) -> list[str]:
        colours = not any(kind.bands for kind in self.kinds)
        notes = [question] if colours and (question := direction_note(self._sides, config.direction)) else []
        for key, name, side in zip("ab", self.names, self._sides, strict=True):
            if config.labels == "auto" and key in self.labels:
                notes.append(
                    f"{name} look like label maps ({side.colours} colours) and are never interpolated;"
                    " --data.labels none treats them as pictures"
                )
            if key in self.labels and (config.colour_a if key == "a" else config.colour_b):
                notes.append(f"{name} are label maps: --data.colour_{key} would change what they mean and is left out")
        return notes

    def file_sets(self) -> list[FileSet]:
        """Return the files of each part, the sources first; combined pairs are one part."""
        found = []
        for split, pairs in (("train", self.pairs.train), ("test", self.pairs.test)):
            if pairs and pairs[0].combined:
                found.append(FileSet(self.title, "", split, [pair.a for pair in pairs]))
                continue
            found.append(FileSet(self.names[0], "a", split, [pair.a for pair in pairs]))
            found.append(FileSet(self.names[1], "b", split, [pair.b for pair in pairs]))
        return found

    def native_size(self) -> int:
        """Return the resolution worth training at, px."""
        return training_size([side.size for side in self._sides])

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pairs into `folder`, or find them there."""
        side, train = round(size * zoom), self.pairs.train
        files = [path for pair in train for path in (pair.a, pair.b)]
        turned = "".join(str(int(pair.swapped)) for pair in train)
        self.fingerprint = fingerprint(
            files, "pairs", side, square, self._split, self.channels, self.labels, turned, *self._settings
        )
        self.cache = open_cache(
            folder,
            self.fingerprint,
            [pair.name for pair in train],
            lambda i: self._decode(train[i], side, square),
            title=self.title,
            progress=progress,
        )
        self.epoch = len(self.cache)
        self.counts = dict.fromkeys(self.names, self.epoch)
        self.skipped = self.cache.skipped
        self.probe = self._probe(size, square)
        plain = self.cache.pixels.dtype == np.uint8 and not any(kind.bands for kind in self.kinds)
        exchanged = exchanged_pairs(self.cache, self.cache.names, self._split) if plain else []
        told = f"the two pictures of a pair look exchanged: {listed(exchanged)}; compare them with the other pairs"
        self.notes = [*self._found_notes, *([told] if exchanged else [])]

    def stream(self, *, crop: int, flip: bool, seed: int) -> PairedStream:
        """Return the endless stream of training samples."""
        return PairedStream(
            self.cache, self._split, crop=crop, flip=flip, seed=seed, hints=self._hints, colour=self._colour
        )

    @property
    def _split(self) -> tuple[int, int]:
        return self.channels["a"], self.channels["b"]

    @property
    def _settings(self) -> tuple[object, ...]:
        """What sets the cache apart from one of 8 bits."""
        said = tuple((str(kind.dtype), kind.values) for kind in self.kinds)
        return () if said == (("uint8", None),) * 2 else said

    def _decode(self, pair: Pair, side: int, square: bool) -> np.ndarray | str:
        """Return a pair as the channels of one picture, (H, W, Ca + Cb) of the deeper side's type, or why not."""
        try:
            pictures = read_pair(pair, self.labels, (self.kinds[0].read, self.kinds[1].read))
        except (PairError, MixedChannels):
            raise
        except UserError as error:
            return str(error)
        parts = []
        for key, picture in zip("ab", pictures, strict=True):
            planes = to_gray(picture)[..., None] if self.channels[key] == 1 else picture
            parts.append(fit(planes, side, square=square, nearest=key in self.labels))
        depth = max((kind.dtype for kind in self.kinds), key=lambda dtype: dtype.itemsize)
        return np.concatenate([to_depth(part, depth) for part in parts], axis=2)

    def _probe(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return the middles of some readable pairs, held out where there are enough."""
        chosen = [*spread(self.pairs.test, PROBES), *self.pairs.test, *self.pairs.train]
        found: list[np.ndarray] = []
        for pair in dict.fromkeys(chosen):
            if len(found) == PROBES:
                break
            both = self._decode(pair, size, square)
            if not isinstance(both, str):
                found.append(center_crop(both, size))
        a, b = np.split(np.stack(found), [self._split[0]], axis=3)
        probe = {"a": a, "b": b} | ({"hint": _some_hints(b)} if self._hints else {})
        return {key: as_probe([*part]) for key, part in probe.items()}


def _of_side(kind: FileKind, touched: bool) -> FileKind:
    """Return what files are read as: bytes where colours are changed or hints drawn; RGB, be it gray or a half of both.

    Raises:
        OptionError: that cannot be done to bands.
    """
    if touched and kind.bands:
        raise OptionError(f"--hints and --data.colour_* are for gray and RGB, not {kind.channels} channels; leave them")
    dtype = np.dtype(np.uint8) if touched else kind.dtype
    return replace(kind, channels=kind.channels if kind.bands else 3, dtype=dtype)


def _some_hints(photos: Iterable[np.ndarray]) -> np.ndarray:
    """Draw hints for (n, H, W, C): of some tries the first that is no mere dot."""
    drawn = []
    for which, photo in enumerate(photos):
        tries = (sample_hints(photo, np.random.default_rng([which, again]), absent=0) for again in range(20))
        drawn.append(max(tries, key=lambda hint: min((hint[..., 3] > 0).mean(), 0.02)))
    return np.stack(drawn)
