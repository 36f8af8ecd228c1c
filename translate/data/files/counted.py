"""A count of items, and the first few of them for a message."""

__all__ = ["Counted"]

from dataclasses import dataclass, field
from typing import Any

_MAX_NAMES = 3  # in one line


@dataclass
class Counted:
    """A count of items, and the first few of them for a message."""

    count: int = 0
    first: list[Any] = field(default_factory=list)

    def add(self, one: Any) -> None:
        """Count one item."""
        self.count += 1
        if len(self.first) < _MAX_NAMES:
            self.first.append(one)

    def __str__(self) -> str:
        named = ", ".join(map(str, self.first))
        return f"{named} and {self.count - len(self.first)} more" if self.count > len(self.first) else named
