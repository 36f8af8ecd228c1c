"""The drawing surface of the portraits: flat colours with clean edges, tapered ink, shadows within a shape."""

__all__ = ["INK", "Canvas", "Path", "Pose", "Tones", "mirror", "mix", "smooth", "tones"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.curves import FRACTION_BITS, Points, curve, to_fixed_point

INK = 0.03  # width of a line, in half-widths of the face
DEPTH = 0.62  # half-widths of the face that its middle lies in front of its sides


@dataclass(frozen=True, kw_only=True)
class Tones:
    """The colours of one material under cel shading, each (3,) sRGB in [0, 255].

    Attributes:
        base: in the light.
        shade: in the shadow.
        deep: in the deepest shadow.
        light: in the highlights.
        ink: of the lines.
    """

    base: Array
    shade: Array
    deep: Array
    light: Array
    ink: Array


def mix(one: Array, other: Array, share: float) -> Array:
    """Mix a share of the colour `other` into `one`."""
    return one + (other - one) * np.float32(share)


def tones(base: Array, shade: Points = (0.74, 0.66, 0.78), ink: Points = (0.48, 0.38, 0.46)) -> Tones:
    """Return the tones of a material of colour `base`; shadows are cooler, as in painting."""
    shaded = base * f32(shade)
    deep = shaded * f32(shade) * 0.96
    return Tones(base=base, shade=shaded, deep=deep, light=mix(base, f32([255, 252, 248]), 0.62), ink=base * f32(ink))


Path = tuple[tuple[float, float], ...]


@lru_cache(maxsize=1024)  # most portraits share most of their curves
def smooth(points: Path, closed: bool = False) -> Array:
    """Return the smooth curve through `points`."""
    return curve(points, closed, 5)


def mirror(points: Path) -> Path:
    """Return a symmetrical outline: points of the right half from top to bottom, then their mirror images back up."""
    return points + tuple((-x, y) for x, y in points[::-1] if x)


class Pose:
    """Position and turn of the head: maps half-widths of the face to px of the canvas.

    The head's own coordinates have the eyes at height 0, the chin near 1 and the cheeks at -1 and 1; x is to the
    right and y is down.

    Attributes:
        unit: half the width of the face, px.
    """

    def __init__(self, turn: float, tilt: float, unit: float, eyes: Points) -> None:
        """Turn and tilt in degrees; `eyes` is the point between them (2,), px."""
        angle, lean = np.radians(turn), np.radians(tilt)
        self.cos, self.sin, self.unit, self.eyes = float(np.cos(angle)), float(np.sin(angle)), unit, f32(eyes)
        self.lean = f32([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
        self.nape = f32([0, 1.15])  # the head leans about this point

    def front(self, points: Points) -> Array:
        """Place points (N, 2) of the face and the front of the hair; near points move most when the head turns."""
        x, y = f32(points).T
        bulge = np.clip(1 - (x / 1.2) ** 2, -0.2, 1) * np.interp(y, [-1.5, -0.4], [0.25, 1.0])
        return self._apply_lean(np.stack([x * self.cos + DEPTH * self.sin * bulge, y], 1))

    def back(self, points: Points) -> Array:
        """Place points (N, 2) of the back of the head, which moves against the turn."""
        return self._apply_lean(f32(points) - f32([0.2 * self.sin, 0]))

    def body(self, points: Points) -> Array:
        """Place points (N, 2) of neck and shoulders, which do not turn."""
        return f32(points) * self.unit + self.eyes

    def _apply_lean(self, points: Array) -> Array:
        return self.body((points - self.nape) @ self.lean + self.nape)


@lru_cache(maxsize=256)
def _swell(count: int, start: float, end: float) -> Array:
    """Return the widths (count,) of a line: `start` and `end` at its ends, 1 in the middle."""
    ends = np.linspace(start, end, count)
    return f32(ends + (1 - ends) * np.sin(np.linspace(0, np.pi, count)))


class Canvas:
    """A picture (edge, edge, 3) to draw on; all coordinates and widths are px.

    Attributes:
        image: uint8 RGB.
    """

    def __init__(self, edge: int) -> None:
        self.edge = edge
        self.image: Picture = np.zeros((edge, edge, 3), np.uint8)

    def fill(self, outline: Array, colour: Array) -> None:
        """Fill the closed `outline` (N, 2)."""
        cv2.fillPoly(self.image, [to_fixed_point(outline)], colour.tolist(), cv2.LINE_AA, FRACTION_BITS)

    def line(self, path: Array, width: float, colour: Array, taper: tuple[float, float] = (1.0, 1.0)) -> None:
        """Draw the open `path` (N, 2), `width` px wide in the middle and `taper` times as wide at its ends."""
        along = np.empty_like(path)
        along[1:-1], along[0], along[-1] = path[2:] - path[:-2], path[1] - path[0], path[-1] - path[-2]
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
        aside = along[:, ::-1] * f32([-0.5 * width, 0.5 * width]) * (_swell(len(path), *taper) / length)[:, None]
        self.fill(np.concatenate([path + aside, (path - aside)[::-1]]), colour)

    def mask(self, *outlines: Array) -> Picture:
        """Return the coverage (edge, edge) of the closed `outlines` together, 0 to 255."""
        mask = np.zeros((self.edge, self.edge), np.uint8)
        for outline in outlines:
            cv2.fillPoly(mask, [to_fixed_point(outline)], 255, cv2.LINE_AA, FRACTION_BITS)
        return mask

    def paint(self, mask: Picture, colours: Array | Sequence[Array], strength: float = 1.0) -> None:
        """Lay a colour (3,), or several (k, 3) that run into each other from top to bottom, where `mask` is."""
        x, y, width, height = cv2.boundingRect(mask)
        if not width:
            return
        part = self.image[y : y + height, x : x + width]
        cover = mask[y : y + height, x : x + width, None] * np.float32(strength / 255)
        stops = np.atleast_2d(f32(colours))
        rows = np.linspace(0, len(stops) - 1, height)
        ramp = np.stack([np.interp(rows, range(len(stops)), stops[:, k]) for k in range(3)], 1)
        part[:] = part + (f32(ramp)[:, None] - part) * cover + np.float32(0.5)
