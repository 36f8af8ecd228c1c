"""Whether simple traits separate two domains, and which pictures lie on the wrong side."""

__all__ = ["DomainBoundary", "find_boundary"]

from dataclasses import dataclass

import numpy as np

_MIN_PICTURES = 8  # of each domain
_MIN_GAP = 5.0  # between the domains' medians, in median deviations of one domain
_OTHER_SIDE = 0.6  # of the way to the other domain's median, from which on a picture looks like that domain
_MIN_DEVIATIONS = 5.0  # from its own domain's median, for a picture that is to look like the other domain


@dataclass(frozen=True)
class DomainBoundary:
    """A linear function of the traits that is 1 at the median of the first domain, and 0 at that of the second."""

    weights: np.ndarray  # (T,)
    offset: float
    spread: float  # median deviation of one domain

    def project(self, traits: np.ndarray) -> np.ndarray:
        """Return where pictures lie on the way from the second domain, 0, to the first, 1; (n,) of (n, T)."""
        return traits @ self.weights + self.offset

    def strays(self, traits: np.ndarray, *, first: bool) -> list[int]:
        """Return which pictures of the first (or second) domain look like those of the other."""
        distance = 1 - self.project(traits) if first else self.project(traits)
        return np.flatnonzero(distance > max(_OTHER_SIDE, _MIN_DEVIATIONS * self.spread)).tolist()

    def looks_like(self, traits: np.ndarray) -> str:
        """Return "a" or "b", as most pictures look like the first or the second domain; "" for neither."""
        median = float(np.median(self.project(traits))) if len(traits) else 0.5
        return "a" if median > _OTHER_SIDE else "b" if median < 1 - _OTHER_SIDE else ""


def find_boundary(a: np.ndarray, b: np.ndarray) -> DomainBoundary | None:
    """Find the boundary between (n, T) traits of one domain and (m, T) of another; None where it is not clear.

    Medians and median deviations are used, so that a fifth of the pictures may lie on the wrong side.
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
