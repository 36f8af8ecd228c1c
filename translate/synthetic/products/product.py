"""A product as a stack of parts, back to front: the shape alone, before any colour.

The caller adds bodies (separate volumes), panels (sheets that lie on a body), tubes, studs, seams and stitches. Each
part adds its outline as a stroke of the sketch, so that the sketch and the photo agree.
"""

__all__ = ["Part", "Product", "Stroke"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import (
    FRACTION_BITS,
    Box,
    Points,
    bounding_box,
    dashes,
    ellipse,
    fill,
    offset,
    resample,
    ribbon,
    to_fixed_point,
)
from translate.synthetic.noise import blur, fbm
from translate.synthetic.products.relief import inflate, slopes

MIN_CANVAS_PX = 256  # px: smaller pictures are drawn on this canvas and averaged down
REFERENCE_CANVAS_PX = 512  # px, the canvas that pixel sizes below are meant for
THREAD = "thread"  # role of stitches


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part on the canvas.

    Attributes:
        index: its number in `Product.label`, from 1; later parts lie in front.
        role: of its colour and material: a key of every `Look`.
        tone: factor on the colour of its role.
        root: index of the body that it lies on; its own if it is a body.
        order: index of the front-most part whose pen strokes it can hide.
        box: the canvas around it.
        mask: its coverage in `box`, [0, 1].
    """

    index: int
    role: str
    tone: float
    root: int
    order: int
    box: Box
    mask: Array


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line of the sketch.

    Attributes:
        path: (N, 2) px of the canvas.
        closed: whether it returns to its start.
        weight: its width, as a multiple of the pen's.
        part: parts in front of this one hide the line.
        outline: whether it bounds a body; parts on that body do not hide it.
        clip: a part to whose mask it is clipped, if any.
    """

    path: Array
    closed: bool
    weight: float
    part: Part
    outline: bool
    clip: Part | None


class Product:
    """The canvas on which a product is assembled.

    Product units are arbitrary: right and up, `scale` of them make the width of the picture. Lengths (`radius`, `lift`,
    `width`) are in these units too.

    Attributes:
        size: edge of the finished picture, px.
        edge: edge of the canvas, px: about twice `size`.
        kind: of the product, for the choice of colours.
        label: (edge, edge) uint8, index of the part in front; 0 where there is none.
        cover: (edge, edge) coverage, [0, 1].
        slope: (2, edge, edge) rise of the surface a px to the right and downwards.
        open: (edge, edge) share of the studio light that reaches the pixel, [0, 1].
        parts: in the order of their index, from 1.
        strokes: the lines of its sketch.
    """

    def __init__(self, size: int, kind: str, *, scale: float = 0.9, origin: tuple[float, float] = (0.05, 0.2)) -> None:
        """Prepare an empty canvas.

        Args:
            size: edge of the finished picture, px.
            kind: of the product.
            scale: widths of the picture that a unit takes.
            origin: where (0, 0) lies, in widths of the picture from its lower left corner.
        """
        self.size, self.edge, self.kind = size, max(2 * size, MIN_CANVAS_PX), kind
        self.unit = scale * self.edge
        self.corner = f32([origin[0] * self.edge, (1 - origin[1]) * self.edge])
        self.label = np.zeros((self.edge, self.edge), np.uint8)
        self.cover = np.zeros((self.edge, self.edge), np.float32)
        self.slope = np.zeros((2, self.edge, self.edge), np.float32)
        self.open = np.ones((self.edge, self.edge), np.float32)
        self.parts: list[Part] = []
        self.strokes: list[Stroke] = []

    @property
    def dot(self) -> float:
        """Convert pixels of the 512 px canvas to pixels of this one."""
        return self.edge / REFERENCE_CANVAS_PX

    def pixels(self, path: Points) -> Array:
        """Convert points (N, 2) in product units to (column, row) px of the canvas."""
        return f32(path) * f32([self.unit, -self.unit]) + self.corner

    def grid(self, part: Part) -> tuple[Array, Array]:
        """Return right and up, in product units, of the pixels of a part's box: (1, w) and (h, 1)."""
        rows, columns = part.box
        x = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5 - self.corner[0]) / self.unit
        y = (self.corner[1] - np.arange(rows.start, rows.stop, dtype=np.float32) - 0.5) / self.unit
        return x[None], y[:, None]

    # ------------------------------------------------------------------ parts

    def body(
        self, role: str, outline: Points | Sequence[Points], *, puff: float = 0.6, radius: float = 0.1,
        tone: float = 1.0, cast: float = 0.35, reach: float = 0.02, ink: float = 1.0,
    ) -> Part:  # fmt: skip
        """Add a volume with a shape of its own; it hides earlier parts.

        Args:
            role: of the colour and material.
            outline: closed curve, or several that form one part.
            puff: thickness: 1 is as thick as wide, 0 flat, below 0 hollow.
            radius: distance from the edge over which the surface rises.
            tone: factor on the colour.
            cast: share of light that the part blocks right behind its edge, [0, 1].
            reach: extent of that shadow.
            ink: weight of the outline in the sketch; 0 draws none.
        """
        paths = self._paths(outline)
        box = self._box(paths, 3 * reach * self.unit + 4)
        mask = fill(paths, box)
        part = self._add(role, tone, None, box, mask)
        self._darken(box, mask, cast, reach)
        self.slope[:, box[0], box[1]] *= 1 - mask
        if puff:
            across, down = slopes(puff * inflate(mask, max(radius * self.unit, 1.0)))
            self.slope[0][box] += across * mask
            self.slope[1][box] += down * mask
        self.open[box] += (1 - self.open[box]) * mask
        self.cover[box] = np.maximum(self.cover[box], mask)
        self._stroke(paths, True, ink, part, outline=True, clip=None)
        return part

    def panel(
        self, role: str, outline: Points, on: Part, *, lift: float = 0.005, soft: float = 0.003, tone: float = 1.0,
        cast: float = 0.3, stitch: float = 0.0, ink: float = 0.8,
    ) -> Part:  # fmt: skip
        """Add a sheet that follows the part `on`, and is clipped to it.

        Args:
            role: of the colour and material.
            outline: closed curve; it may extend beyond `on`.
            on: the part below.
            lift: thickness; below 0 the sheet is sunk.
            soft: radius of the edge.
            tone: factor on the colour.
            cast: share of light that the sheet blocks beside its edge, [0, 1].
            stitch: distance of a line of stitches from the edge; 0 for none.
            ink: weight of the outline in the sketch; 0 draws none.
        """
        paths = self._paths([outline])
        box = self._box(paths, 8 * self.dot)
        whole = fill(paths, box)
        under = self.crop_mask(on, box)
        part = self._add(role, tone, on, box, whole * under)
        self._darken(box, whole, cast, 2.5 * self.dot / self.unit, within=under)
        self._raise(box, whole, lift, soft, within=under)
        self._stroke(paths, True, ink, part, outline=False, clip=on)
        if stitch:
            self.stitch(offset(f32(outline), stitch), part, closed=True)
        return part

    def tube(
        self, role: str, paths: Sequence[Points], width: float, *, puff: float = 0.8, tone: float = 1.0,
        cast: float = 0.4, reach: float = 0.008, ink: float = 0.8,
    ) -> Part:  # fmt: skip
        """Add cords, straps or laces of one `width` along open `paths`, as one part with a round cross-section."""
        bands = [ribbon(resample(f32(path), 0.25 * width), width) for path in paths]
        return self.body(role, bands, puff=puff, radius=width, tone=tone, cast=cast, reach=reach, ink=ink)

    def studs(
        self, role: str, centres: Sequence[Points], radius: float, on: Part, *, lift: float = 0.006, tone: float = 1.0,
        ink: float = 0.6,
    ) -> Part:  # fmt: skip
        """Add small discs to a part: buttons and rivets, or eyelets and punched holes if `lift` is below 0."""
        paths = self._paths([ellipse(centre, radius) for centre in centres])
        box = self._box(paths, 6 * self.dot)
        whole = fill(paths, box)
        under = self.crop_mask(on, box)
        part = self._add(role, tone, on, box, whole * under)
        self._darken(box, whole, 0.3, 1.5 * self.dot / self.unit, within=under)
        self._raise(box, whole, lift, 0.3 * radius, within=under)
        self._stroke(paths, True, ink, part, outline=False, clip=on)
        return part

    # ---------------------------------------------------------------- details

    def stitch(self, path: Points, on: Part, *, closed: bool = False, tone: float = 1.0) -> None:
        """Add a line of stitches along `path` (product units), clipped to the part `on`; not drawn in the sketch."""
        curve = self.pixels(path)
        curve = resample(np.concatenate([curve, curve[:1]]) if closed else curve, 1.5 * self.dot)
        box = self._box([curve], 4 * self.dot)
        canvas = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        corner = f32([box[1].start, box[0].start])
        lines = [to_fixed_point(dash - corner) for dash in dashes(curve, 5 * self.dot, 3.5 * self.dot)]
        cv2.polylines(canvas, lines, False, 255, max(1, round(1.7 * self.dot)), cv2.LINE_AA, FRACTION_BITS)
        thread = canvas.astype(np.float32) / 255
        under = cv2.erode(self.crop_mask(on, box), None, iterations=max(1, round(2 * self.dot)))
        self._add(THREAD, tone, on, box, thread * under)
        self._raise(box, thread, 1.2 * self.dot / self.unit, self.dot / self.unit, within=under)

    def seam(self, path: Points, on: Part, *, width: float = 0.004, depth: float = 0.004, ink: float = 0.7) -> None:
        """Add a groove along the open `path` where two pieces of a part meet; `depth` below 0 makes a raised piping."""
        line, box = self._line([path], width)
        under = self.crop_mask(on, box)
        self.open[box] *= 1 - (0.35 if depth > 0 else 0.0) * line * under
        self._raise(box, line, -depth, 0.4 * width, within=under)
        self._stroke(self._paths([path]), False, ink, on, outline=False, clip=on)

    def crease(self, path: Points, on: Part, *, width: float = 0.02, height: float = 0.01, ink: float = 0.0) -> None:
        """Add a soft fold of the material along the open `path`; `height` below 0 makes a hollow."""
        line, box = self._line([path], width)
        self._raise(box, line, height, 0.6 * width, within=self.crop_mask(on, box))
        self._stroke(self._paths([path]), False, ink, on, outline=False, clip=on)

    def folds(
        self, on: Part, rng: np.random.Generator, *, height: float = 0.006, cells: float = 4, stretch: float = 1
    ) -> None:
        """Add folds to soft material: noise of deviation `height`, `cells` across, `stretch` times as wide as high."""
        noise = fbm(rng, on.mask.shape, cells=cells, octaves=2, stretch=stretch)
        self._raise(on.box, noise, height, 0, within=on.mask)

    def emboss(self, on: Part, height: Callable[[Array, Array], Array]) -> None:
        """Add `height(x, y)`, all in product units, to the surface of a part: quilting, ribs, waves."""
        x, y = self.grid(on)
        self._raise(on.box, f32(np.broadcast_to(height(x, y), on.mask.shape)), 1.0, 0, within=on.mask)

    def shade(self, on: Part, share: Callable[[Array, Array], Array]) -> None:
        """Reduce the light on a part, such as the inside of an opening, to `share(x, y)` in [0, 1]."""
        x, y = self.grid(on)
        self.open[on.box] *= 1 - on.mask * (1 - np.broadcast_to(share(x, y), on.mask.shape))

    def ink(self, path: Points, on: Part, *, weight: float = 0.7, closed: bool = False) -> None:
        """Add a line to the sketch only."""
        self._stroke(self._paths([path]), closed, weight, on, outline=False, clip=on)

    # --------------------------------------------------------------- internals

    def _paths(self, outline: Points | Sequence[Points]) -> list[Array]:
        several = not isinstance(outline, np.ndarray) and np.ndim(outline[0]) == 2
        return [self.pixels(path) for path in (outline if several else [outline])]

    def _box(self, paths: Sequence[Array], pad: float) -> Box:
        box = bounding_box(paths, pad, self.edge)
        assert box is not None, f"a part of the {self.kind} lies outside the picture"
        return box

    def _add(self, role: str, tone: float, on: Part | None, box: Box, mask: Array) -> Part:
        index = len(self.parts) + 1
        assert index < 256, "the label map holds 255 parts"
        root = on.root if on else index
        order = on.index if on and role == THREAD else index  # thread does not interrupt lines below it
        part = Part(index=index, role=role, tone=tone, root=root, order=order, box=box, mask=mask)
        self.label[box][mask > 0.5] = index
        self.parts.append(part)
        return part

    def crop_mask(self, part: Part, box: Box) -> Array:
        """Return the mask of `part` through another box."""
        seen = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.float32)
        rows, columns = (
            slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop)))
            for a, b in zip(box, part.box, strict=True)
        )
        here = tuple(slice(s.start - b.start, s.stop - b.start) for s, b in zip((rows, columns), box, strict=True))
        there = tuple(
            slice(s.start - b.start, s.stop - b.start) for s, b in zip((rows, columns), part.box, strict=True)
        )
        if rows.stop > rows.start and columns.stop > columns.start:
            seen[here] = part.mask[there]
        return seen

    def _darken(self, box: Box, mask: Array, share: float, reach: float, within: Array | float = 1.0) -> None:
        """Darken the parts beside the edge of a mask."""
        if share:
            width = 2 * int(np.sqrt(6) * reach * self.unit / 2) + 1  # two box blurs are nearly a Gaussian one
            around = cv2.blur(cv2.blur(mask, (width, width)), (width, width))
            self.open[box] *= 1 - 2 * share * np.clip(around - mask, 0, 0.5) * within

    def _raise(self, box: Box, field: Array, height: float, soft: float, within: Array) -> None:
        """Add `field` times `height`, rounded by `soft`, to the surface."""
        if height:
            across, down = slopes(blur(field, soft * self.unit) * np.float32(height * self.unit))
            self.slope[0][box] += across * within
            self.slope[1][box] += down * within

    def _line(self, paths: Sequence[Points], width: float) -> tuple[Array, Box]:
        """Return the coverage of open curves drawn `width` wide, and its box."""
        curves = [self.pixels(path) for path in paths]
        box = self._box(curves, 3 * width * self.unit + 4 * self.dot)
        canvas = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), np.uint8)
        corner = f32([box[1].start, box[0].start])
        thick = max(1, round(width * self.unit))
        lines = [to_fixed_point(curve - corner) for curve in curves]
        cv2.polylines(canvas, lines, False, 255, thick, cv2.LINE_AA, FRACTION_BITS)
        return canvas.astype(np.float32) / 255, box

    def _stroke(
        self, paths: list[Array], closed: bool, weight: float, part: Part, *, outline: bool, clip: Part | None
    ) -> None:
        if weight:
            self.strokes += [
                Stroke(path=path, closed=closed, weight=weight, part=part, outline=outline, clip=clip) for path in paths
            ]
