"""How many there are of something, and the first few of them."""

__all__ = ["Counted"]

from dataclasses import dataclass, field
from typing import Any

_NAMED = 3  # names in one line


@dataclass
class Counted:
    """How many there are of something, and the first few of them."""

    count: int = 0
    first: list[Any] = field(default_factory=list)

    def add(self, one: Any) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(one)

    def __str__(self) -> str:
        named = ", ".join(map(str, self.first))
        return f"{named} and {self.count - len(self.first)} more" if self.count > len(self.first) else named
