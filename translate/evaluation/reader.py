"""Read test pictures with a progress bar; unreadable ones are counted and left out."""

__all__ = ["Place", "Reader", "choose_places", "readable"]

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.utils.errors import UserError
from translate.utils.progress import Bar, Progress
from translate.utils.sequences import subsample

Place = tuple[int, LabelledImage]  # a test picture, and its index among all, which seeds what is drawn for it
K = TypeVar("K")
V = TypeVar("V")


class Reader:
    """Reads items, such as paths, advances a progress bar, and records unreadable items."""

    def __init__(self, bars: Progress, title: str) -> None:
        self.bar, self.total = Bar(bars, title, 0), 0
        self.unreadable: set[object] = set()

    def attempt(self, item: K, read: Callable[[K], V]) -> V | None:
        """Return `read(item)`, or None if it raises UserError."""
        try:
            return read(item)
        except UserError:
            self.unreadable.add(item)
            return None

    def read_all(self, items: Sequence[K], read: Callable[[K], V]) -> Iterator[tuple[K, V]]:
        """Yield each readable item with `read(item)`."""
        self.total += len(items)
        self.bar.update(total=self.total)
        for item in items:
            value = self.attempt(item, read)
            if value is not None:
                yield item, value
            self.bar.advance()

    def notes(self, kind: str = "files") -> list[str]:
        """Return a note on the number of unreadable items, if any."""
        return [f"{len(self.unreadable)} unreadable {kind} were left out"] if self.unreadable else []


def readable(items: Iterable[K], read: Callable[[K], V]) -> Iterator[V]:
    """Yield `read(item)` for each item; skip items that raise UserError."""
    for item in items:
        with contextlib.suppress(UserError):
            yield read(item)


def choose_places(images: ImageSet, count: int | None) -> list[Place]:
    """Return at most `count` held-out pictures, evenly spaced; raise UserError if there are none."""
    if not images.test:
        reasons = [f"{images.title} has no held-out pictures", *images.notes]
        raise UserError(f"{'; '.join(reasons)}; score on others: --images FOLDER")
    return subsample(list(enumerate(images.test)), count)
