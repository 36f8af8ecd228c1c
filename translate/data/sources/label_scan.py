"""The values in the files of a set of label maps: how often each occurs, and in which colour."""

__all__ = ["MapFile", "Values", "scan_maps"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from translate.images.io import read_picture
from translate.images.label_maps import codes_of, packed
from translate.images.picture import Picture
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.progress import track

MAX_KEPT = 1024  # most frequent values of a file
SHOWN_PROGRESS = 50  # files from which on a bar is shown
MAX_RUNS_SHARE = 0.25  # of the pixels, in a label map: most equal their left neighbour


class MapFile(NamedTuple):
    """The file of a label map, which may be one half of a combined picture."""

    path: Path
    half: int = -1  # 0 the left, 1 the right; -1: the whole file


def _read_map(file: MapFile) -> Picture:
    """Read a label map; raise UserError if it cannot be read."""
    picture = read_picture(file.path)
    if file.half < 0:
        return picture
    middle = picture.pixels.shape[1] // 2
    return Picture(picture.pixels[:, middle:] if file.half else picture.pixels[:, :middle])


@dataclass
class Values:
    """The values in a set of label maps; of colours, 0xRRGGBB."""

    forms: dict[str, Path] = field(default_factory=dict)  # "palette", "gray", "gray16" or "rgb", with an example
    indices: Counter[int] = field(default_factory=Counter)  # pixels by palette index or gray value
    colours: Counter[int] = field(default_factory=Counter)  # pixels by colour
    # the colours of each palette index, with an example each, and the indices of each colour
    colours_of: dict[int, dict[int, Path]] = field(default_factory=dict)
    most: tuple[int, Path] = (0, Path())  # the largest number of values in one file
    runs: int = 0  # of pixels of one value along the rows

    @property
    def flat(self) -> bool:
        """Whether pixels equal their neighbours, as in label maps and no photos."""
        pixels = sum((self.indices or self.colours).values())
        return self.runs <= MAX_RUNS_SHARE * pixels

    def add(self, file: Path, form: str, found: "_Found") -> None:
        """Add the values of one file."""
        self.forms.setdefault(form, file)
        self.runs += found.runs
        self.most = max(self.most, (found.distinct, file), key=lambda pair: pair[0])
        (self.colours if form == "rgb" else self.indices).update(found.counts)
        for index, colour in found.colour_of.items():
            self.colours_of.setdefault(index, {}).setdefault(colour, file)
            self.colours[colour] += found.counts[index]


class _Found(NamedTuple):
    counts: dict[int, int]
    distinct: int  # values, of which at most MAX_KEPT are in `counts`
    colour_of: dict[int, int]  # of palette indices
    runs: int


def scan_maps(files: Sequence[MapFile], title: str, *, progress: bool = False) -> Values:
    """Count the values in label maps; unreadable files are left out."""
    values = Values()

    def scan(file: MapFile) -> tuple[str, _Found] | None:
        try:
            return _scan(_read_map(file))
        except UserError:
            return None

    shown = progress and len(files) >= SHOWN_PROGRESS
    for file, found in zip(
        files, track(map_in_threads(scan, files), f"Scanning {title}", len(files), shown), strict=True
    ):
        if found:
            values.add(file.path, *found)
    return values


def _scan(picture: Picture) -> tuple[str, _Found]:
    form = "gray16" if picture.pixels.dtype != np.uint8 else "gray"
    form = "palette" if picture.indices is not None else form if picture.gray else "rgb"
    codes = codes_of(picture, "colour" if form == "rgb" else "index")
    if codes is None:
        raise UserError("floats are no label map")
    counts, distinct, runs = _count(codes)
    colour_of = {}
    if picture.indices is not None:
        table = np.zeros(256, np.int32)
        table[picture.indices.ravel()] = packed(picture.pixels).ravel()
        colour_of = {index: int(table[index]) for index in counts}
    return form, _Found(counts, distinct, colour_of, runs)


def _count(codes: np.ndarray) -> tuple[dict[int, int], int, int]:
    """Count values (H, W) by runs along the rows, of which label maps have few.

    Returns:
        The pixels of the most frequent values, the number of all values, and the number of runs.
    """
    flat = codes.ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1])
    values, run = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(run, weights=np.diff(np.append(starts, flat.size)))
    kept = np.argsort(-counts, kind="stable")[:MAX_KEPT]
    return {int(values[i]): int(counts[i]) for i in kept}, len(values), len(starts)
