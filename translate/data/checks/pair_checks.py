"""What the pictures of pairs are like, and whether they look as if something went wrong: before training starts."""

__all__ = [
    "SideTraits",
    "check_headers",
    "direction_note",
    "exchanged_pairs",
    "inspect_pairs",
    "traits",
    "turned_gaps",
]

import functools
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from translate.data.sources.pair import Pair, PairError, Read, check_halves, check_sizes, read_pair
from translate.images.headers import upright_size
from translate.images.io import read_rgb8
from translate.images.picture import colourless, to_gray
from translate.images.sketch_extraction import is_line_drawing
from translate.utils.errors import UserError
from translate.utils.sequences import spread

_HEADERS = 1000  # pairs whose sizes are checked before any is decoded; the others are as they are decoded
_LOOKED_AT = 16  # pairs decoded to see what they are like
_COMPARED = 500  # pairs looked through for exchanged pictures
_LABELS = 40  # colours of a label map, most
_DENSE = 1 << 16  # pixels of a picture whose colours are counted
_MOST_OF = 0.75  # of the pictures looked at


@dataclass(frozen=True, kw_only=True)
class SideTraits:
    """What the pictures of one side are like.

    Attributes:
        gray: they have no colour.
        drawing: they are line drawings.
        colours: distinct colours of all pictures looked at, if few enough to be label maps; else 0.
        size: px, the median of their shorter sides.
    """

    gray: bool
    drawing: bool
    colours: int
    size: int


def check_headers(pairs: Sequence[Pair]) -> None:
    """Refuse pairs whose sizes, as the files' headers tell them, do not fit; files that tell none are passed over.

    Raises:
        PairError: names the first such pair.
    """
    for pair in spread(pairs, _HEADERS):
        sizes = [upright_size(path) for path in pair.files]
        if sizes[0] and pair.combined:
            check_halves(pair, *sizes[0])
        elif sizes[0] and sizes[-1]:
            check_sizes(pair, sizes[0], sizes[-1])


def inspect_pairs(
    pairs: Sequence[Pair], shown: tuple[Read, Read] = (read_rgb8, read_rgb8)
) -> tuple[SideTraits, SideTraits]:
    """Decode some pairs, and say what the source and the target pictures are like.

    Args:
        pairs: all of them.
        shown: what reads the file of each side as RGB in 8 bits.

    Raises:
        PairError: the sizes of a pair do not fit.
        UserError: none can be read.
    """

    def read(pair: Pair) -> tuple[np.ndarray, np.ndarray] | UserError:
        try:
            return read_pair(pair, "ab", shown)
        except PairError:
            raise
        except UserError as error:
            return error

    chosen = spread(pairs, _LOOKED_AT)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(read, chosen))
    good = [(pair, both) for pair, both in zip(chosen, found, strict=True) if not isinstance(both, UserError)]
    if not good:
        raise UserError(f"none of {len(found)} pairs tried can be read; the first: {found[0]}")
    return (
        _side([a for _, (a, _) in good], [pair.a for pair, _ in good if not pair.combined]),
        _side([b for _, (_, b) in good], [pair.b for pair, _ in good if not pair.combined]),
    )


def direction_note(sides: tuple[SideTraits, SideTraits], direction: str) -> str:
    """Return a question where the pictures look as if the other direction were meant, else ""."""
    source, target = sides
    if source.gray or source.drawing or source.colours:
        return ""
    kinds = {"line drawings": target.drawing, "label maps": target.colours, "gray pictures": target.gray}
    plain = next((kind for kind, fits in kinds.items() if fits), None)
    other = "ba" if direction == "ab" else "ab"
    return plain and (
        f"the target pictures look like {plain} and the sources like photos: is --direction {other} meant?"
    ) or ""  # fmt: skip


def exchanged_pairs(pairs: Sequence[np.ndarray], names: Sequence[str], channels: tuple[int, int]) -> list[str]:
    """Name the pairs whose two pictures look exchanged, measured by the majority.

    Brightness, contrast, detail, paper, half-tones and, where both sides have it, colour of each picture are
    compared with its partner's. Nothing is said where the two sides do not differ clearly in these.

    Args:
        pairs: each (H, W, Ca + Cb) uint8.
        names: of the pairs.
        channels: Ca and Cb.
    """
    places = spread(range(len(pairs)), _COMPARED)
    if not places:
        return []
    parts = [np.split(np.asarray(pairs[i]), [channels[0]], axis=2) for i in places]
    gaps = np.stack([traits(a) - traits(b) for a, b in parts])
    if 1 in channels:
        gaps = gaps[:, :-1]  # colour
    return [names[places[i]] for i in turned_gaps(gaps)]


def turned_gaps(gaps: np.ndarray) -> list[int]:
    """Return which of the differences between the `traits` of pairs, (n, T), point the other way than most."""
    if len(gaps) < 8:
        return []
    typical = np.median(gaps, 0)
    deviation = 1.4826 * np.median(abs(gaps - typical), 0) + 0.01
    score = gaps @ (typical / deviation**2)
    clear = np.median(score)
    sigma = 1.4826 * np.median(abs(score - clear))
    if clear <= 2 * sigma:
        return []
    limit = min(-clear / 2, clear - 4 * sigma)  # an exchanged pair is about at -clear
    return np.flatnonzero(score < limit).tolist()


def traits(picture: np.ndarray) -> np.ndarray:
    """Return brightness, contrast, detail, shares of white and half-tones, and colour of (H, W, C) uint8: 0 to 1."""
    rows = np.ascontiguousarray(picture[::4])
    planes = np.moveaxis(rows, 2, 0)
    luma = to_gray(rows) if len(planes) == 3 else planes[0]
    detail = np.abs(np.diff(luma.astype(np.int16), axis=1)).mean() / 32
    colour = np.subtract(functools.reduce(np.maximum, planes), functools.reduce(np.minimum, planes)).mean() / 128
    between = ((luma > 60) & (luma < 220)).mean()
    return np.array([luma.mean() / 255, luma.std() / 128, detail, (luma > 245).mean(), between, colour])


def _side(pictures: Sequence[np.ndarray], files: Sequence[Path]) -> SideTraits:
    drawing = np.mean([is_line_drawing(p) or is_line_drawing(255 - p) for p in pictures]) >= _MOST_OF
    colours = 0 if drawing else _few_colours(pictures, all(map(_has_palette, files)) and bool(files))
    return SideTraits(
        gray=all(colourless(p, exactly=bool(colours)) for p in pictures),
        drawing=bool(np.mean([is_line_drawing(p) for p in pictures]) >= _MOST_OF),
        colours=colours,
        size=round(statistics.median(min(p.shape[:2]) for p in pictures)),
    )


def _few_colours(pictures: Sequence[np.ndarray], palette: bool) -> int:
    """Count the distinct colours of all pictures together; 0 if they are one colour or more than label maps have.

    Of files that all have a palette, up to 256 are few: a photo's palette would be its own.
    """
    most, seen = 256 if palette else _LABELS, np.empty(0, np.uint32)
    for picture in pictures:
        red, green, blue = np.moveaxis(picture.reshape(-1, 3).astype(np.uint32), 1, 0)
        packed = red << 16 | green << 8 | blue
        seen = np.union1d(seen, packed[:: max(1, packed.size // _DENSE)])
        if seen.size > most:
            return 0
    return seen.size if seen.size > 1 else 0


def _has_palette(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return image.mode == "P"
    except UnidentifiedImageError:  # bands
        return False
