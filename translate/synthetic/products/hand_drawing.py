"""Hand drawings of products, from the curves of their parts.

The lines are the outlines of the parts, not edges of the photo, so that a drawing shows neither colour nor texture,
like a user's drawing.
"""

__all__ = ["HANDS", "Hand", "draw_sketch"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.curves import FRACTION_BITS, bounding_box, to_fixed_point
from translate.synthetic.noise import fbm
from translate.synthetic.products.product import Product, Stroke


@dataclass(frozen=True, kw_only=True)
class Hand:
    """A style of drawing by hand; lengths in px of a 256 px picture.

    Attributes:
        share: its frequency.
        pen: width of the pen.
        wobble: deviation of lines from their place.
        pressure: variation of the width and darkness of a line.
        skipped: largest share of inner parts whose lines are left out.
        again: darkness of a second, different pass over every line; 0 for none.
    """

    share: float
    pen: float
    wobble: float
    pressure: float = 0.25
    skipped: float = 0.0
    again: float = 0.0


HANDS = {
    "clean": Hand(share=0.3, pen=1.1, wobble=0.25, pressure=0.15),
    "wobbly": Hand(share=0.25, pen=1.2, wobble=0.75, pressure=0.4),
    "partial": Hand(share=0.2, pen=1.1, wobble=0.45, skipped=0.3),
    "marker": Hand(share=0.12, pen=2.2, wobble=0.5, pressure=0.1),
    "pencil": Hand(share=0.13, pen=0.9, wobble=0.6, pressure=0.6, again=0.7),
}


def draw_sketch(product: Product, rng: np.random.Generator, hand: Hand | None = None) -> Picture:
    """Draw `product`: (size, size) uint8, dark lines on paper of 255.

    Args:
        product: the product.
        rng: of the choice of a hand, and of its wobble.
        hand: None: one of `HANDS` at random.
    """
    if hand is None:
        hands = list(HANDS.values())
        hand = hands[rng.choice(len(hands), p=[h.share for h in hands])]
    strokes = _choose_strokes(product, hand, rng)
    lines = _lines(product, strokes, hand.pen)
    drawn = _distort(lines, product, hand, rng)
    if hand.again:
        drawn = np.maximum(drawn, hand.again * _distort(lines, product, hand, rng))
    shape = (product.size, product.size)
    ink = np.clip(1.35 * cv2.resize(drawn, shape, interpolation=cv2.INTER_AREA), 0, 1)
    return np.round(255 - 235 * ink).astype(np.uint8)


def _choose_strokes(product: Product, hand: Hand, rng: np.random.Generator) -> list[Stroke]:
    """Return all strokes, except those of the inner parts that this hand skips."""
    dropping = rng.uniform(0, hand.skipped)
    dropped = {part.index for part in product.parts if rng.random() < dropping}
    return [s for s in product.strokes if s.outline or s.part.index not in dropped]


def _lines(product: Product, strokes: list[Stroke], pen: float) -> Array:
    """Draw all strokes except their hidden pieces on the canvas: (edge, edge) float32 in [0, 1]."""
    scale = max(2 * product.dot, 0.8 * product.edge / product.size)  # keeps lines visible in small pictures
    canvas = np.zeros((product.edge, product.edge), np.uint8)
    order = np.array([0] + [part.order for part in product.parts])
    root = np.array([0] + [part.root for part in product.parts])
    for stroke in strokes:
        width = max(1, round(pen * stroke.weight * scale))
        box = bounding_box([stroke.path], width + 2, product.edge)
        if box is None:
            continue
        line = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        path = to_fixed_point(stroke.path - f32([box[1].start, box[0].start]))
        cv2.polylines(line, [path], stroke.closed, 255, width, cv2.LINE_AA, FRACTION_BITS)
        seen = root <= stroke.part.root if stroke.outline else order <= stroke.part.order
        table = np.zeros(256, np.uint8)
        table[: len(seen)] = 255 * seen
        line = np.minimum(line, cv2.LUT(product.label[box], table))
        if stroke.clip:
            line = np.minimum(line, f32(255 * product.crop_mask(stroke.clip, box)).astype(np.uint8))
        canvas[box] = np.maximum(canvas[box], line)
    return canvas.astype(np.float32) / 255


def _distort(lines: Array, product: Product, hand: Hand, rng: np.random.Generator) -> Array:
    """Distort the lines and vary their strength, smoothly over the canvas."""
    edge = product.edge
    reach = 2 * hand.wobble * product.dot
    coarse = (max(32, edge // 8),) * 2
    shift = [reach * fbm(rng, coarse, cells=cells, octaves=3) for cells in (6, 6)]
    dx, dy, strength = (
        cv2.resize(field, (edge, edge), interpolation=cv2.INTER_LINEAR)
        for field in (*shift, np.clip(1 - hand.pressure * np.abs(fbm(rng, coarse, cells=10, octaves=3)), 0.35, 1))
    )
    ruler = np.arange(edge, dtype=np.float32)
    return cv2.remap(lines, ruler[None] + dx, ruler[:, None] + dy, cv2.INTER_LINEAR) * strength
