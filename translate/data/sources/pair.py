"""One pair of pictures: its files and its pixels."""

__all__ = ["Pair", "PairError", "Read", "check_sizes", "read_pair"]

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
    """Two readable pictures that do not form a pair."""


@dataclass(frozen=True)
class Pair:
    """The files of one pair: source `a` and target `b`, or one combined picture, A on its left and B on its right."""

    name: str  # common stem of the files, with their sub-folder if they lie in one; unique in its set
    a: Path
    b: Path
    swapped: bool = False  # the source is the right half of the combined picture

    @property
    def combined(self) -> bool:
        """Whether one file holds both pictures."""
        return self.a == self.b

    @property
    def files(self) -> tuple[Path, ...]:
        """The one or two files of the pair."""
        return (self.a,) if self.combined else (self.a, self.b)

    def reverse(self) -> "Pair":
        """Return the pair in the other direction."""
        return replace(self, a=self.b, b=self.a, swapped=self.combined and not self.swapped)


def read_pair(
    pair: Pair, labels: Collection[str] = (), read: tuple[Read, Read] = (read_rgb8, read_rgb8)
) -> tuple[np.ndarray, np.ndarray]:
    """Read both pictures of a pair, (H, W, C), source first; the larger one is reduced to the smaller one's size.

    The functions `read` read the file of each side. The sides in `labels`, "a" and "b", are label maps, which are not
    interpolated.

    Raises:
        PairError: the sizes do not fit each other, or a combined picture cannot be halved.
        UserError: a file cannot be read as an image.
    """
    if pair.combined:
        both = read[0](pair.a)
        check_sizes(pair, both.shape[1::-1], both.shape[1::-1])
        left, right = np.hsplit(both, 2)
        return (right, left) if pair.swapped else (left, right)
    a, b = read[0](pair.a), read[1](pair.b)
    check_sizes(pair, a.shape[1::-1], b.shape[1::-1])
    if a.shape[0] * a.shape[1] > b.shape[0] * b.shape[1]:
        a = resize(a, *b.shape[:2], nearest="a" in labels)
    elif a.shape[:2] != b.shape[:2]:
        b = resize(b, *a.shape[:2], nearest="b" in labels)
    return a, b


def check_sizes(pair: Pair, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raise PairError if the sizes (width, height) of the two files, or of the one combined file, do not fit.

    Aspect ratios may differ by 1 % or one pixel; the width of a combined picture must be even and at least its height.
    """
    if pair.combined:
        _check_halves(pair, *a)
        return
    (width, height), (small_width, small_height) = (a, b) if a > b else (b, a)
    expected = width * small_height / height
    if abs(small_width - expected) > max(_ASPECT_TOLERANCE * expected, 1):
        raise PairError(
            f"{pair.a} is {a[0]} x {a[1]} px but {pair.b} is {b[0]} x {b[1]} px:"
            " the pictures of a pair must show the same frame; crop one of them or leave out the pair"
        )


def _check_halves(pair: Pair, width: int, height: int) -> None:
    if width % 2:
        raise PairError(f"{pair.a} is {width} px wide: two halves need an even width; crop or leave out that picture")
    if width < height:
        raise PairError(
            f"{pair.a} is {width} x {height} px, which does not look like two pictures side by side;"
            " give two folders with --a and --b, or a root with trainA and trainB"
        )
