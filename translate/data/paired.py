"""Pairs of pictures as a training run sees them."""

__all__ = ["PairedData"]

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.data.cache import fingerprint, open_cache
from translate.data.checks import check_headers, direction_note, exchanged_pairs, look_at, spread
from translate.data.files import listed
from translate.data.hints import sample_hints
from translate.data.loader import Paired
from translate.data.pair import Pair, PairError, read_pair
from translate.data.pairs import resolve_pairs
from translate.data.probes import PROBES, middle, training_size
from translate.data.transforms import fit
from translate.data.wishes import DataWishes
from translate.errors import OptionError, UserError
from translate.picture import to_gray

_LABELS = ("auto", "none", "a", "b", "ab")


class PairedData:
    """Pairs, source first; `TrainingData` says what the attributes mean.

    Attributes:
        pairs: All pairs, in the direction of the run.
        labels: Sides that are label maps, which are never interpolated: "", "a", "b" or "ab".
    """

    def __init__(self, config: DataWishes, root: Path) -> None:
        if config.labels not in _LABELS:
            raise OptionError(f"--data.labels is {config.labels!r}; choose from {', '.join(_LABELS)}")
        self.pairs = resolve_pairs(config.a or None, config.b or None, config.root or None, root, config.direction)
        check_headers([*self.pairs.train, *self.pairs.test])
        self.names: tuple[str, ...] = self.pairs.names
        self.title, self.epoch = self.pairs.title, len(self.pairs.train)
        sides = self._sides = look_at(self.pairs.train)
        self.channels = {key: 1 if side.gray else 3 for key, side in zip("ab", sides, strict=True)}
        if config.hints:
            self.channels["hint"] = 4
        self.facts: dict[str, Any] = {"sketch": True} if sides[0].drawing else {}
        found = "".join(key for key, side in zip("ab", sides, strict=True) if side.colours)
        self.labels = {"auto": found, "none": ""}.get(config.labels, config.labels)
        if self.labels:
            self.facts["labels"] = self.labels
        self._hints = config.hints
        wished = {"a": config.colour_a, "b": config.colour_b}
        source, target = (0.0 if key in self.labels else strength for key, strength in wished.items())
        self._colour = (source, target)
        self._found_notes = self._notes(config)
        self.notes = list(self._found_notes)

    def _notes(self, config: DataWishes) -> list[str]:
        notes = [question] if (question := direction_note(self._sides, config.direction)) else []
        for key, name, side in zip("ab", self.names, self._sides, strict=True):
            if config.labels == "auto" and side.colours:
                notes.append(
                    f"{name} look like label maps ({side.colours} colours) and are never interpolated;"
                    " --data.labels none treats them as pictures"
                )
            if key in self.labels and (config.colour_a if key == "a" else config.colour_b):
                notes.append(f"{name} are label maps: --data.colour_{key} would change what they mean and is left out")
        return notes

    def native_size(self) -> int:
        """Return the resolution worth training at, px."""
        return training_size([side.size for side in self._sides])

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pairs into `folder`, or find them there."""
        side, train = round(size * zoom), self.pairs.train
        files = [path for pair in train for path in (pair.a, pair.b)]
        turned = "".join(str(int(pair.swapped)) for pair in train)
        self.fingerprint = fingerprint(files, "pairs", side, square, self._split, self.channels, self.labels, turned)
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
        exchanged = exchanged_pairs(self.cache, self.cache.names, self._split)
        told = f"the two pictures of a pair look exchanged: {listed(exchanged)}; compare them with the other pairs"
        self.notes = [*self._found_notes, *([told] if exchanged else [])]

    def stream(self, *, crop: int, flip: bool, seed: int) -> Paired:
        """Return the endless stream of training samples."""
        return Paired(self.cache, self._split, crop=crop, flip=flip, seed=seed, hints=self._hints, colour=self._colour)

    @property
    def _split(self) -> tuple[int, int]:
        return self.channels["a"], self.channels["b"]

    def _decode(self, pair: Pair, side: int, square: bool) -> np.ndarray | str:
        """Return a pair as the channels of one picture, (H, W, Ca + Cb) uint8, or why it cannot be read."""
        try:
            pictures = read_pair(pair, self.labels)
        except PairError:
            raise
        except UserError as error:
            return str(error)
        parts = []
        for key, picture in zip("ab", pictures, strict=True):
            planes = to_gray(picture)[..., None] if self.channels[key] == 1 else picture
            parts.append(fit(planes, side, square=square, nearest=key in self.labels))
        return np.concatenate(parts, axis=2)

    def _probe(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return the middles of some readable pairs, held out where there are enough."""
        chosen = [*spread(self.pairs.test, PROBES), *self.pairs.test, *self.pairs.train]
        found: list[np.ndarray] = []
        for pair in dict.fromkeys(chosen):
            if len(found) == PROBES:
                break
            both = self._decode(pair, size, square)
            if not isinstance(both, str):
                found.append(middle(both, size))
        a, b = np.split(np.stack(found), [self._split[0]], axis=3)
        probe = {"a": a, "b": b} | ({"hint": _some_hints(b)} if self._hints else {})
        return {key: torch.from_numpy(np.ascontiguousarray(part)).permute(0, 3, 1, 2) for key, part in probe.items()}


def _some_hints(photos: Iterable[np.ndarray]) -> np.ndarray:
    """Draw hints for (n, H, W, C): of some tries the first that is no mere dot."""
    drawn = []
    for which, photo in enumerate(photos):
        tries = (sample_hints(photo, np.random.default_rng([which, again]), absent=0) for again in range(20))
        drawn.append(max(tries, key=lambda hint: min((hint[..., 3] > 0).mean(), 0.02)))
    return np.stack(drawn)
