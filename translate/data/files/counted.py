"""Counts of items for messages."""

__all__ = ["MAX_NAMES", "Counted", "list_names"]

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

MAX_NAMES = 3  # in one message


@dataclass
class Counted:
    """A count of items, and the first few of them for a message."""

    count: int = 0
    first: list[Any] = field(default_factory=list)

    def add(self, one: Any) -> None:
        """Count one item."""
        self.count += 1
        if len(self.first) < MAX_NAMES:
            self.first.append(one)

    def __str__(self) -> str:
        named = ", ".join(map(str, self.first))
        return f"{named} and {self.count - len(self.first)} more" if self.count > len(self.first) else named


def list_names(names: Collection[object]) -> str:
    """List the first few of `names`, and count the others."""
    return str(Counted(len(names), list(islice(names, MAX_NAMES))))
