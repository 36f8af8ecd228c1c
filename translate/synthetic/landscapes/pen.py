"""A pen that draws objects on the ground, in metres, with their reflection."""

__all__ = ["BITS", "UNIT", "Pen", "encode", "lay"]

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.perspective import View
from translate.synthetic.light import Light

BITS = 4  # fractional bits of OpenCV's drawing coordinates
UNIT = 1 << BITS
PEAK = 1.8  # highest radiance that the 8-bit layers can hold


def encode(colours: Array) -> NDArray[np.uint8]:
    """Encode linear (N, 3) as 8-bit RGBA, with a square root as gamma, to spend the bits on dark tones."""
    codes = np.full((len(colours), 4), 255, np.uint8)
    codes[:, :3] = 255 * np.sqrt(np.clip(colours / PEAK, 0, 1))
    return codes


def lay(image: Array, layer: NDArray[np.uint8]) -> Array:
    """Lay an RGBA layer (H, W, 4) of `encode`d colours over the linear picture `image` (H, W, 3)."""
    drawn = layer.astype(np.float32) / 255
    alpha = drawn[..., 3:]
    colour = np.square(drawn[..., :3] / np.maximum(alpha, 1e-3)) * PEAK
    return image + (colour - image) * alpha


class Pen:
    """Anti-aliased shapes on transparent layers: the view, and its reflection in still water.

    Shapes are drawn upright at one place (`stand`), in metres right of and above that place, from far to near. The pen
    fades colours with distance; the caller computes light and shade.
    """

    def __init__(self, view: View, light: Light, mirrored: bool) -> None:
        self.view, self.light = view, light
        self.layers = [np.zeros((view.size, view.size, 4), np.uint8) for _ in range(2 if mirrored else 1)]
        self.stand(0, 100)

    def stand(self, x: float, z: float) -> None:
        """Move to the ground `x` m right and `z` m ahead."""
        self.z, self.scale = z, self.view.scale(z)
        self.foot = f32([self.view.column(x, z), self.view.row(z)])

    def _places(self, points: Array) -> list[NDArray[np.int32]]:
        """Return the drawing coordinates of (N, 2) metres, once for each layer (upright, upside down)."""
        right = self.foot[0] + points[:, 0] * self.scale
        up = points[:, 1] * self.scale
        return [
            np.round(np.stack([right, self.foot[1] + sign * up], 1) * UNIT - UNIT / 2).astype(np.int32)
            for sign in (-1, 1)[: len(self.layers)]
        ]

    def _codes(self, colours: Array) -> list[list[int]]:
        return encode(self.light.through_air(np.atleast_2d(colours), self.z)).tolist()

    def polygon(self, points: Sequence[Sequence[float]] | Array, colour: Array) -> None:
        """Fill the outline `points` (N, 2) with `colour` (3,)."""
        code = self._codes(colour)[0]
        for layer, places in zip(self.layers, self._places(np.asarray(points, np.float32)), strict=True):
            cv2.fillPoly(layer, [places], code, cv2.LINE_AA, BITS)

    def line(self, points: Sequence[Sequence[float]] | Array, colour: Array, width: float) -> None:
        """Draw an open line `width` m and at least one pixel wide."""
        code, pixels = self._codes(colour)[0], max(1, round(width * self.scale))
        for layer, places in zip(self.layers, self._places(np.asarray(points, np.float32)), strict=True):
            cv2.polylines(layer, [places], False, code, pixels, cv2.LINE_AA, BITS)

    def lines(self, starts: Array, ends: Array, colours: Array, width: float) -> None:
        """Draw N straight lines between `starts` and `ends` (N, 2) in `colours` (N, 3)."""
        codes, pixels = self._codes(colours), max(1, round(width * self.scale))
        pairs = zip(self.layers, self._places(starts), self._places(ends), strict=True)
        for layer, first, last in pairs:
            for a, b, code in zip(first.tolist(), last.tolist(), codes, strict=True):
                cv2.line(layer, a, b, code, pixels, cv2.LINE_AA, BITS)

    def dabs(self, points: Array, radii: Array, colours: Array) -> None:
        """Draw N discs of `radii` (N,) m at `points` (N, 2) in `colours` (N, 3), in this order."""
        codes = self._codes(colours)
        sizes = np.round(np.maximum(radii * self.scale, 0.5) * UNIT).astype(int).tolist()
        for layer, places in zip(self.layers, self._places(points), strict=True):
            for place, size, code in zip(places.tolist(), sizes, codes, strict=True):
                cv2.circle(layer, place, size, code, -1, cv2.LINE_AA, BITS)

    def over(self, image: Array, layer: int = 0) -> Array:
        """Lay a layer (0: seen, 1: mirrored) over the linear picture `image` (H, W, 3)."""
        return lay(image, self.layers[layer])
