"""Whether two domains can be told apart by simple traits, and which of their pictures then look like the other's."""

__all__ = ["DomainBoundary", "find_boundary"]

from dataclasses import dataclass

import numpy as np

_LEAST = 8  # pictures of each side
_CLEAR = 5.0  # spreads of one side that lie between the middles of both
_OTHERS = 0.6  # of the way to the other side's middle, from which on a picture looks like one of it
_ODD = 5.0  # spreads of its own side, that it has to be away from the middle of that as well


@dataclass(frozen=True)
class DomainBoundary:
    """What tells two domains apart.

    Attributes:
        weights: of the traits, (T,); their sum is 1 in the middle of the first domain, 0 in that of the second.
        offset: that is added.
        spread: of one side, the median deviation, in these units.
    """

    weights: np.ndarray
    offset: float
    spread: float

    def places(self, traits: np.ndarray) -> np.ndarray:
        """Return where pictures lie on the way from the second domain, 0, to the first, 1; (n,) of (n, T)."""
        return traits @ self.weights + self.offset

    def strays(self, traits: np.ndarray, *, first: bool) -> list[int]:
        """Return which pictures of the first (or second) domain look like those of the other."""
        away = 1 - self.places(traits) if first else self.places(traits)
        return np.flatnonzero(away > max(_OTHERS, _ODD * self.spread)).tolist()

    def looks_like(self, traits: np.ndarray) -> str:
        """Return "a" or "b", as most of the pictures are like the first or the second domain; "" for neither."""
        middle = float(np.median(self.places(traits))) if len(traits) else 0.5
        return "a" if middle > _OTHERS else "b" if middle < 1 - _OTHERS else ""


def find_boundary(a: np.ndarray, b: np.ndarray) -> DomainBoundary | None:
    """Find what tells (n, T) traits of one domain from (m, T) of another; None where nothing does, clearly.

    Medians and median deviations are used, so that a fifth of the pictures may lie on the wrong side.
    """
    if min(len(a), len(b)) < _LEAST:
        return None
    middles = [np.median(side, axis=0) for side in (a, b)]
    spread = sum(np.median(abs(side - middle), axis=0) for side, middle in zip((a, b), middles, strict=True)) + 0.01
    weights = (middles[0] - middles[1]) / spread**2
    near, far = (float(np.median(side @ weights)) for side in (b, a))
    deviation = max(float(np.median(abs(side @ weights - middle))) for side, middle in ((b, near), (a, far)))
    if far - near <= _CLEAR * deviation or far - near < 1:
        return None
    return DomainBoundary(weights / (far - near), -near / (far - near), deviation / (far - near))
