"""The two halves of held-out pictures: by one a run is chosen, by the other it is reported.

The best of many looks at the same pictures is partly luck, so scores on the choosing half flatter. A picture belongs to
its half by the hash of its name alone, so that it never changes sides, whatever else is added or removed.
"""

__all__ = ["MIN_HALF", "Halves", "is_choosing", "split_halves"]

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

MIN_HALF = 16  # pictures: kernel distances of fewer are mostly noise

T = TypeVar("T")


@dataclass(frozen=True)
class Halves(Generic[T]):
    """The held-out pictures, or pairs, of one set."""

    title: str
    choosing: list[T]
    reporting: list[T]

    @property
    def enough(self) -> bool:
        """Whether both halves have `MIN_HALF` pictures or more."""
        return min(len(self.choosing), len(self.reporting)) >= MIN_HALF

    def __str__(self) -> str:
        return f"{self.title} has {len(self.choosing)} and {len(self.reporting)} pictures in its held-out halves"


def is_choosing(stem: str) -> bool:
    """Whether the held-out pictures with this stem belong to the choosing half.

    What two domains, or two classes, have under one stem is in one half.
    """
    return hashlib.sha256(b"half " + os.fsencode(stem)).digest()[0] % 2 == 0


def split_halves(title: str, items: Iterable[T], stem: Callable[[T], str]) -> Halves[T]:
    """Split held-out `items` into halves by their stems."""
    halves = Halves[T](title, [], [])
    for item in items:
        (halves.choosing if is_choosing(stem(item)) else halves.reporting).append(item)
    return halves
