"""The boundary between two domains by simple traits, and the pictures on the wrong side of it."""

__all__ = ["DomainBoundary", "find_boundary"]

from dataclasses import dataclass

import numpy as np

_MIN_PICTURES = 8  # of each domain
_MIN_GAP = 5.0  # between the domains' medians, in median deviations of one domain
_MIN_CROSSING = 0.6  # part of the distance to the other domain's median; a picture beyond it looks like that domain
_MIN_DEVIATIONS = 5.0  # median deviations; a picture nearer to its own domain's median never looks like the other one


@dataclass(frozen=True)
class DomainBoundary:
    """A linear function of the traits."""

    weights: np.ndarray  # (T,)
    offset: float
    spread: float  # median deviation of one domain

    def project(self, traits: np.ndarray) -> np.ndarray:
        """Project traits (n, T) to (n,): 1 at the median of the first domain, 0 at that of the second."""
        return traits @ self.weights + self.offset

    def strays(self, traits: np.ndarray, *, first: bool) -> list[int]:
        """Return the indices of pictures of the first (or second) domain that look like the other domain."""
        distance = 1 - self.project(traits) if first else self.project(traits)
        return np.flatnonzero(distance > max(_MIN_CROSSING, _MIN_DEVIATIONS * self.spread)).tolist()

    def looks_like(self, traits: np.ndarray) -> str:
        """Return "a" or "b", the domain that most pictures look like, or "" for neither."""
        median = float(np.median(self.project(traits))) if len(traits) else 0.5
        return "a" if median > _MIN_CROSSING else "b" if median < 1 - _MIN_CROSSING else ""


def find_boundary(a: np.ndarray, b: np.ndarray) -> DomainBoundary | None:
    """Find the boundary between the traits of two domains, (n, T) and (m, T); None if it is not clear.

    Medians and median deviations tolerate a fifth of the pictures on the wrong side.
    """
    if min(len(a), len(b)) < _MIN_PICTURES:
        return None
    medians = [np.median(side, axis=0) for side in (a, b)]
    spread = sum(np.median(abs(side - median), axis=0) for side, median in zip((a, b), medians, strict=True)) + 0.01
    weights = (medians[0] - medians[1]) / spread**2
    near, far = (float(np.median(side @ weights)) for side in (b, a))
    deviation = max(float(np.median(abs(side @ weights - median))) for side, median in ((b, near), (a, far)))
    if far - near <= _MIN_GAP * deviation or far - near < 1:
        return None
    return DomainBoundary(weights / (far - near), -near / (far - near), deviation / (far - near))
