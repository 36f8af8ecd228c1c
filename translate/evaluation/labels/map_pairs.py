"""Test pairs with label maps: shown in the colours of their classes, and given to a model as it takes them."""

__all__ = ["MapInput", "MeanColours", "ShownPairs"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from translate.data.sources.mapped_pair import read_mapped_pair
from translate.data.sources.pair import Pair
from translate.images.label_maps import UNLABELLED, Classes
from translate.utils.errors import UserError


@dataclass(frozen=True)
class ShownPairs:
    """Reads pairs as (H, W, 3) uint8, label maps in the colours of their classes."""

    maps: Mapping[str, Classes] = field(default_factory=dict)  # by side, "a" or "b"

    def __call__(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Read a pair; raises as `read_pair`."""
        pictures = read_mapped_pair(pair, self.maps)
        source, target = (
            self.maps[key].show(picture[..., 0]) if key in self.maps else picture
            for key, picture in zip("ab", pictures, strict=True)
        )
        return source, target


class MapInput:
    """A translator of label maps that takes them as `ShownPairs` shows them."""

    def __init__(self, translator: Callable[..., Any], classes: Classes) -> None:
        self.translator, self.classes = translator, classes
        self.random = bool(getattr(translator, "random", False))

    def __call__(self, source: np.ndarray, **options: Any) -> Any:
        """Translate (H, W, 3) uint8 to the same shape and type, or to a list; raise UserError for unknown values."""
        results = self.translator(self.as_stored(source), **options)
        return [_as_rgb(one) for one in results] if isinstance(results, list) else _as_rgb(results)

    def as_stored(self, source: np.ndarray) -> np.ndarray:
        """Return the map as an array of its values, (H, W), or of its colours, (H, W, 3)."""
        numbers = self.classes.from_shown(source)
        if not self.classes.unlabelled and (numbers == UNLABELLED).any():
            raise UserError("a test map has values of no class, which training never saw")
        pixels, label_map = self.classes.stored(numbers)
        return pixels if self.classes.key == "colour" or label_map.values is None else label_map.values


class MeanColours:
    """Paints each class of a shown map in the mean colour that training pairs have there."""

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.sums, self.counts = np.zeros((256, 3)), np.zeros(256)

    def add(self, source: np.ndarray, target: np.ndarray) -> None:
        """Add a training pair, both (H, W, 3) uint8."""
        numbers = self.classes.from_shown(source).ravel()
        self.counts += np.bincount(numbers, minlength=256)
        for channel, plane in enumerate(target.reshape(-1, 3).T):
            self.sums[:, channel] += np.bincount(numbers, weights=plane, minlength=256)

    def __call__(self, source: np.ndarray) -> np.ndarray:
        """Paint a shown map: (H, W, 3) uint8."""
        means = self.sums / np.maximum(1, self.counts)[:, None]
        return np.rint(means).astype(np.uint8)[self.classes.from_shown(source)]


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    return picture[..., None].repeat(3, axis=2) if picture.ndim == 2 else picture
