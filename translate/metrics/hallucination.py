"""Invented and lost contents: whether a result shows, at a known place, what its truth shows or the opposite.

Both states of the place are known pictures, with a boat and without it. No detector has to be learned: the result is
nearer to one or the other.
"""

__all__ = ["Contents", "shows_other", "surroundings"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.synthetic.landscapes.parts import PRESENT

MIN_AREA = 1 / 1000  # of the picture; brush strokes hide the state of smaller places
RING = 1 / 32  # of the shorter side: width of the surroundings of a place
BLUR = 1 / 256  # of the shorter side: sigma, as single brush strokes differ between two paintings of one scene


@dataclass(frozen=True)
class Contents:
    """The two states of a truth, (H, W, 3) uint8, and the map of the places where they differ, (H, W) uint8."""

    truth: np.ndarray
    other: np.ndarray
    places: np.ndarray  # numbers from 1 on, plus PRESENT where the truth has the part; 0 elsewhere

    def score(self, result: np.ndarray) -> dict[str, float | None]:
        """Return the shares of places at which a result, (H, W, 3) uint8, invents or loses the part.

        None if the truth leaves nothing to invent, or has nothing to lose.
        """
        shown, truth, other = (blur(picture) for picture in (result, self.truth, self.other))
        found: dict[bool, list[bool]] = {False: [], True: []}
        for number in np.unique(self.places[self.places > 0]).tolist():
            place = self.places == number
            if place.mean() >= MIN_AREA:
                ring = surroundings(place) & (self.places == 0)
                found[number >= PRESENT].append(shows_other(shown, truth, other, place, ring))
        invented, lost = (float(np.mean(flags)) if flags else None for flags in found.values())
        return {"invented": invented, "lost": lost}


def shows_other(result: np.ndarray, truth: np.ndarray, other: np.ndarray, place: np.ndarray, ring: np.ndarray) -> bool:
    """Whether a result is nearer to `other` than to `truth` at a place, by squared differences of (H, W, 3) float.

    The mean colour by which the result differs from the truth in the `ring` around the place is taken off: it belongs
    to the translation as a whole.
    """
    shift = (result[ring] - truth[ring]).mean(axis=0) if ring.any() else 0.0
    moved = result[place] - shift
    return bool(np.square(moved - other[place]).sum() < np.square(moved - truth[place]).sum())


def surroundings(place: np.ndarray) -> np.ndarray:
    """Return the pixels around a place, (H, W) bool."""
    width = max(2, round(RING * min(place.shape)))
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    return (cv2.dilate(place.astype(np.uint8), kernel) > 0) & ~place


def blur(picture: np.ndarray) -> np.ndarray:
    """Smooth (H, W, 3) uint8 as float32."""
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), max(0.5, BLUR * min(picture.shape[:2])))
