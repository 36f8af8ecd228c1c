"""Checks of pairs: unequal sizes, sides that are drawings or label maps, and exchanged pictures."""

__all__ = [
    "SideTraits",
    "check_headers",
    "direction_note",
    "exchanged_pairs",
    "find_exchanged",
    "find_unequal_sizes",
    "inspect_pairs",
]

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from translate.data.checks.measure import Measurement, traits_of
from translate.data.checks.report import Finding
from translate.data.sources.pair import Pair, PairError, Read, check_sizes, read_pair
from translate.images.io import read_rgb8, upright_size
from translate.images.line_drawings import is_line_drawing
from translate.images.picture import is_colourless
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.sequences import spread

_HEADER_SAMPLE = 1000  # pairs checked before any is decoded; the others are checked when they are decoded
_TRAITS_SAMPLE = 16  # pairs decoded to find the traits of each side
_EXCHANGE_SAMPLE = 500  # pairs searched for exchanged pictures
_MAX_LABEL_COLOURS = 40  # in a label map; photos have more
_COUNTED_PIXELS = 1 << 16  # of each picture, when colours are counted
_MIN_DRAWING_SHARE = 0.75  # of the sample, for a side of drawings


@dataclass(frozen=True, kw_only=True)
class SideTraits:
    """The traits of one side, from a sample."""

    gray: bool
    drawing: bool  # line drawings
    colours: int  # distinct colours of the whole sample, if few enough for label maps; else 0
    size: int  # median of the shorter sides, px


def check_headers(pairs: Sequence[Pair]) -> None:
    """Raise PairError for the first pair whose sizes, as stated in the files' headers, do not fit."""
    for pair in spread(pairs, _HEADER_SAMPLE):
        sizes = [upright_size(path) for path in pair.files]
        if sizes[0] and sizes[-1]:
            check_sizes(pair, sizes[0], sizes[-1])


def inspect_pairs(
    pairs: Sequence[Pair], read: tuple[Read, Read] = (read_rgb8, read_rgb8)
) -> tuple[SideTraits, SideTraits]:
    """Decode a sample of the pairs, and return the traits of the source and of the target.

    The functions `read` return a file of each side as (H, W, 3) uint8.

    Raises:
        PairError: the sizes of a pair do not fit.
        UserError: no pair of the sample can be read.
    """

    def try_read(pair: Pair) -> tuple[np.ndarray, np.ndarray] | UserError:
        try:
            return read_pair(pair, "ab", read)
        except PairError:
            raise
        except UserError as error:
            return error

    sample = spread(pairs, _TRAITS_SAMPLE)
    results = list(map_in_threads(try_read, sample))
    good = [(pair, both) for pair, both in zip(sample, results, strict=True) if not isinstance(both, UserError)]
    if not good:
        raise UserError(f"none of {len(results)} pairs tried can be read; the first: {results[0]}")
    separate = [pair for pair, _ in good if not pair.combined]
    return (
        _side_traits([a for _, (a, _) in good], [pair.a for pair in separate]),
        _side_traits([b for _, (_, b) in good], [pair.b for pair in separate]),
    )


def direction_note(sides: tuple[SideTraits, SideTraits], direction: str) -> str:
    """Return a question if the pictures look as if the other direction was meant, else ""."""
    source, target = sides
    if source.gray or source.drawing or source.colours:
        return ""
    fits = {"line drawings": target.drawing, "label maps": target.colours, "gray pictures": target.gray}
    if not any(fits.values()):
        return ""
    kind, other = next(kind for kind in fits if fits[kind]), "ba" if direction == "ab" else "ab"
    return f"the target pictures look like {kind} and the sources like photos: is --direction {other} meant?"


def find_unequal_sizes(pairs: Sequence[Pair], a: Sequence[Measurement], b: Sequence[Measurement]) -> list[Finding]:
    """Find measured pairs whose sizes do not fit each other."""
    wrong, reason = [], ""
    for pair, first, second in zip(pairs, a, b, strict=True):
        if first.problem or second.problem:
            continue
        try:
            check_sizes(pair, first.size[::-1], second.size[::-1])
        except PairError as error:
            wrong.append(pair.a)
            reason = reason or str(error)
    more = f"; {len(wrong) - 1} more pairs are like that" if len(wrong) > 1 else ""
    return [Finding("pair sizes", f"{reason}{more}", wrong, problem=True)] if wrong else []


def find_exchanged(pairs: Sequence[Pair], a: Sequence[Measurement], b: Sequence[Measurement]) -> list[Finding]:
    """Find measured pairs whose two pictures look exchanged."""
    good = [i for i in range(len(pairs)) if not (a[i].problem or b[i].problem) and len(a[i].traits) <= 2]
    gaps = np.array([a[i].traits[0] - b[i].traits[-1] for i in good])
    exchanged = [pairs[good[i]].a for i in _opposite_gaps(gaps)]
    words = f"the two pictures of {len(exchanged)} pair{'s' * (len(exchanged) > 1)} look exchanged"
    return [Finding("exchanged pairs", words, exchanged)] if exchanged else []


def exchanged_pairs(pairs: Sequence[np.ndarray], names: Sequence[str], channels: tuple[int, int]) -> list[str]:
    """Name the decoded pairs, (H, W, Ca + Cb) uint8 with `channels` Ca and Cb, whose two pictures look exchanged.

    Their traits (colour if both sides have it) differ opposite to most pairs; none is named if the sides hardly differ.
    """
    sample = spread(range(len(pairs)), _EXCHANGE_SAMPLE)
    if not sample:
        return []
    parts = [np.split(np.asarray(pairs[i]), [channels[0]], axis=2) for i in sample]
    gaps = np.stack([traits_of(a) - traits_of(b) for a, b in parts])
    if 1 in channels:
        gaps = gaps[:, :-1]  # without colour
    return [names[sample[i]] for i in _opposite_gaps(gaps)]


def _opposite_gaps(gaps: np.ndarray) -> list[int]:
    """Return the indices of the differences between the traits of pairs, (n, T), that are opposite to most."""
    if len(gaps) < 8:
        return []
    typical = np.median(gaps, 0)
    deviation = 1.4826 * np.median(abs(gaps - typical), 0) + 0.01
    score = gaps @ (typical / deviation**2)
    center = np.median(score)
    sigma = 1.4826 * np.median(abs(score - center))
    if center <= 2 * sigma:
        return []
    limit = min(-center / 2, center - 4 * sigma)  # an exchanged pair is at about -center
    return np.flatnonzero(score < limit).tolist()


def _side_traits(pictures: Sequence[np.ndarray], files: Sequence[Path]) -> SideTraits:
    drawing = np.mean([is_line_drawing(p) or is_line_drawing(255 - p) for p in pictures]) >= _MIN_DRAWING_SHARE
    colours = 0 if drawing else _count_few_colours(pictures, all(map(_has_palette, files)) and bool(files))
    return SideTraits(
        gray=all(is_colourless(p, exactly=bool(colours)) for p in pictures),
        drawing=bool(np.mean([is_line_drawing(p) for p in pictures]) >= _MIN_DRAWING_SHARE),
        colours=colours,
        size=round(statistics.median(min(p.shape[:2]) for p in pictures)),
    )


def _count_few_colours(pictures: Sequence[np.ndarray], palette: bool) -> int:
    """Count the distinct colours of all pictures together; 0 if there is one, or more than label maps have.

    With a `palette` in all files, label maps may have 256 colours: every photo would have a palette of its own.
    """
    limit, colours = 256 if palette else _MAX_LABEL_COLOURS, np.empty(0, np.uint32)
    for picture in pictures:
        red, green, blue = np.moveaxis(picture.reshape(-1, 3).astype(np.uint32), 1, 0)
        packed = red << 16 | green << 8 | blue
        colours = np.union1d(colours, packed[:: max(1, packed.size // _COUNTED_PIXELS)])
        if colours.size > limit:
            return 0
    return colours.size if colours.size > 1 else 0


def _has_palette(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return image.mode == "P"
    except (OSError, ValueError, SyntaxError):  # a format that Pillow does not open, such as bands
        return False
