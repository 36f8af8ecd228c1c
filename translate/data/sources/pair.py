"""One pair of pictures: its files and its pixels."""

__all__ = ["Pair", "PairError", "Read", "check_halves", "check_sizes", "read_pair"]

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from translate.data.loading.transforms import resize
from translate.images.io import read_rgb8
from translate.utils.errors import UserError

_ASPECT_TOLERANCE = 0.01  # sizes that differ less in aspect ratio are one picture at two resolutions
Read = Callable[[Path], np.ndarray]


class PairError(UserError):
    """Both pictures can be read, but they are no pair."""


@dataclass(frozen=True)
class Pair:
    """The files of one pair: source `a` and target `b`, or one combined picture, A on its left and B on its right."""

    name: str  # common stem of the files, with their sub-folder if they lie in one; unique in its set
    a: Path
    b: Path
    swapped: bool = False  # of combined pictures: the source is the right half

    @property
    def combined(self) -> bool:
        """Whether one file holds both pictures."""
        return self.a == self.b

    @property
    def files(self) -> tuple[Path, ...]:
        """One file or two."""
        return (self.a,) if self.combined else (self.a, self.b)

    def reverse(self) -> "Pair":
        """Return the pair in the other direction."""
        return replace(self, a=self.b, b=self.a, swapped=self.combined and not self.swapped)


def read_pair(
    pair: Pair, labels: Collection[str] = (), read: tuple[Read, Read] = (read_rgb8, read_rgb8)
) -> tuple[np.ndarray, np.ndarray]:
    """Read both pictures of a pair, source first.

    Args:
        pair: Of two sizes of one aspect ratio, the larger is reduced to the smaller.
        labels: Sides, "a" and "b", that are label maps, which are not interpolated.
        read: Functions that read the file of each side as (H, W, C).

    Raises:
        PairError: the sizes do not fit each other, or a combined picture cannot be halved.
        UserError: a file cannot be read as an image.
    """
    if pair.combined:
        both = read[0](pair.a)
        check_halves(pair, both.shape[1], both.shape[0])
        left, right = np.hsplit(both, 2)
        return (right, left) if pair.swapped else (left, right)
    a, b = read[0](pair.a), read[1](pair.b)
    check_sizes(pair, (a.shape[1], a.shape[0]), (b.shape[1], b.shape[0]))
    if a.shape[0] * a.shape[1] > b.shape[0] * b.shape[1]:
        a = resize(a, *b.shape[:2], nearest="a" in labels)
    elif a.shape[:2] != b.shape[:2]:
        b = resize(b, *a.shape[:2], nearest="b" in labels)
    return a, b


def check_halves(pair: Pair, width: int, height: int) -> None:
    """Raise PairError if a picture cannot be two side by side: its width in px is odd, or below its height."""
    if width % 2:
        raise PairError(f"{pair.a} is {width} px wide: two halves need an even width; crop or leave out that picture")
    if width < height:
        raise PairError(
            f"{pair.a} is {width} x {height} px, which does not look like two pictures side by side;"
            " give two folders with --a and --b, or a root with trainA and trainB"
        )


def check_sizes(pair: Pair, a: tuple[int, int], b: tuple[int, int]) -> None:
    """Raise PairError if the aspect ratios of two sizes (width, height) differ by over 1 % and by over one pixel."""
    (width, height), (small_width, small_height) = (a, b) if a > b else (b, a)
    expected = width * small_height / height
    if abs(small_width - expected) > max(_ASPECT_TOLERANCE * expected, 1):
        raise PairError(
            f"{pair.a} is {a[0]} x {a[1]} px but {pair.b} is {b[0]} x {b[1]} px:"
            " the pictures of a pair must show the same frame; crop one of them or leave out the pair"
        )
