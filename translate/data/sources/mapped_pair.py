"""Pairs of which one or both pictures are label maps, read as class numbers."""

__all__ = ["map_files", "read_mapped_pair"]

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from translate.data.sources.label_scan import MapFile
from translate.data.sources.pair import Pair, Read, read_pair
from translate.images.io import read_picture, read_rgb8
from translate.images.label_maps import Classes


def map_files(pairs: Sequence[Pair], key: str) -> list[MapFile]:
    """Return the label maps of the side `key`, "a" or "b", each file once."""
    second = key == "b"
    files = [
        MapFile(pair.a, int(pair.swapped != second)) if pair.combined else MapFile(pair.b if second else pair.a)
        for pair in pairs
    ]
    return list(dict.fromkeys(files))


def read_mapped_pair(
    pair: Pair,
    maps: Mapping[str, Classes],
    labels: Collection[str] = "ab",
    read: tuple[Read, Read] = (read_rgb8, read_rgb8),
) -> tuple[np.ndarray, np.ndarray]:
    """Read a pair as `read_pair` does, the sides in `maps` as class numbers (H, W, 1) uint8.

    Values of no class become UNLABELLED.
    """
    if pair.combined:
        halves = read_pair(pair, labels, read)
        first, second = (
            maps[key].encode_colours(half)[..., None] if key in maps else half
            for key, half in zip("ab", halves, strict=True)
        )
        return first, second
    one, other = (
        partial(_read_map, classes=maps[key]) if key in maps else plain for key, plain in zip("ab", read, strict=True)
    )
    return read_pair(pair, labels, (one, other))


def _read_map(path: Path, classes: Classes) -> np.ndarray:
    return classes.encode(read_picture(path))[..., None]
