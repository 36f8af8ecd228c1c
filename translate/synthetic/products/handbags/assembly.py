"""Assembly of a handbag's pieces on the canvas of a product."""

__all__ = ["sew"]

from collections.abc import Sequence

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import fill, resample, ribbon
from translate.synthetic.noise import blur
from translate.synthetic.products.handbags.pattern import Piece
from translate.synthetic.products.product import Part, Product, Stroke

Rng = np.random.Generator
SHADOW = 0.62  # darkness of the floor under a bag
TOOTH = 0.0045  # picture widths, of a zip; so is the gap to the next one
BULGE = 0.5  # difference in slope between the two edges of a panel
RIM_PUFF = 0.55  # thickness of pieces with a rim; 1 is as thick as wide


def sew(pieces: Sequence[Piece], kind: str, size: int, rng: Rng) -> Product:
    """Assemble the pieces, back to front.

    Args:
        pieces: in the unit square, see `pattern.frame`.
        kind: of the bag.
        size: edge of the finished picture, px.
        rng: draws the folds.
    """
    product = Product(size, kind, scale=1.0, origin=(0.0, 0.0))
    named: dict[str, Part] = {}
    for piece in pieces:
        on = named.get(piece.within) if piece.within else (product.parts[-1] if product.parts else None)
        part = SEWN[piece.kind](product, piece, on)
        if part is None:
            continue
        _shape(product, piece, part, rng)
        if piece.name:
            named[piece.name] = part
    return product


def _patch(product: Product, piece: Piece, on: Part | None) -> Part:
    if piece.within:
        assert on is not None
        return product.panel(
            piece.role,
            piece.curves[0],
            on,
            lift=piece.lift,
            soft=max(0.3 * piece.rim, 0.002),
            tone=piece.shade,
            ink=piece.ink,
        )
    puff = RIM_PUFF if piece.rim else 0.0
    small = piece.lift > 0
    return product.body(
        piece.role, list(piece.curves), puff=puff, radius=max(piece.rim, 0.004), tone=piece.shade, ink=piece.ink,
        cast=0.35 if small else 0.4, reach=0.008 if small else 0.02,
    )  # fmt: skip


def _strap(product: Product, piece: Piece, on: Part | None) -> Part:
    if piece.within:
        assert on is not None
        band = ribbon(resample(piece.curves[0], 0.01), piece.width)
        return product.panel(piece.role, band, on, lift=0.003, tone=piece.shade, ink=piece.ink)
    return product.tube(piece.role, list(piece.curves), piece.width, tone=piece.shade, ink=piece.ink)


def _wire(product: Product, piece: Piece, on: Part | None) -> Part:
    part = product.tube(piece.role, list(piece.curves), piece.width, tone=piece.shade, ink=0.0, reach=0.004)
    for curve in piece.curves:  # an outline, so that no hand skips it
        line = product.pixels(curve)
        product.strokes.append(Stroke(path=line, closed=False, weight=piece.ink, part=part, outline=True, clip=None))
    return part


def _seam(product: Product, piece: Piece, on: Part | None) -> None:
    assert on is not None
    for curve in piece.curves:
        if piece.role == "thread":
            product.stitch(curve, on, tone=piece.shade)
        else:  # the teeth of a zip
            product.body(piece.role, _teeth(curve, piece.width), radius=0.004, cast=0.2, reach=0.004, ink=0.0)


def _teeth(curve: Array, width: float) -> list[Array]:
    """Return small bars across a line, each `width` long."""
    at = resample(curve, TOOTH)
    at = at[: len(at) // 2 * 2].reshape(-1, 2, 2)
    way = at[:, 1] - at[:, 0]
    across = f32([-1, 1]) * way[:, ::-1] * (0.5 * width / np.hypot(*way.T)[:, None])
    return list(np.stack([at[:, 0] - across, at[:, 1] - across, at[:, 1] + across, at[:, 0] + across], 1))


def _mark(product: Product, piece: Piece, on: Part | None) -> None:
    assert on is not None
    for curve in piece.curves:
        product.crease(curve, on, width=piece.width, height=-0.25 * piece.width, ink=piece.ink)


def _shadow(product: Product, piece: Piece, on: Part | None) -> None:
    """Add a soft shadow: a black part whose coverage fades.

    The studio's own shadow lies below the lowest edge, while a turned bag also stands on an edge that rises.
    """
    foot = piece.curves[0]
    middle = foot.mean(0)
    wide = middle + (foot - middle) * 1.3 + 0.04 * np.sign(foot - middle)
    part = product.body(piece.role, wide, puff=0.0, cast=0.0, ink=0.0)
    wider = middle + (foot - middle) * 1.03 - (0, 0.006)
    soft = blur(fill([product.pixels(f32(wider))], part.box), 6 * product.dot)
    product.cover[part.box] = np.float32(SHADOW) * soft * part.mask


SEWN = {"shadow": _shadow, "patch": _patch, "strap": _strap, "wire": _wire, "seam": _seam, "mark": _mark}


def _shape(product: Product, piece: Piece, part: Part, rng: Rng) -> None:
    """Tilt, fold and quilt a part."""
    across, up = piece.slope
    for axis, tilt in enumerate((across, -up)):
        if tilt:
            product.slope[axis][part.box] -= tilt * part.mask
    if piece.name in ("front", "flap"):
        _bulge(product, part)
    if piece.name == "inside":  # it is darker further down
        low, high = piece.curves[0][:, 1].min(), piece.curves[0][:, 1].max()
        product.shade(part, lambda x, y: np.clip(0.25 + 0.75 * (y - low) / (high - low), 0, 1))
    if piece.folds:
        product.folds(part, rng, height=0.006 * piece.folds, cells=3, stretch=0.6)
    if piece.quilt is not None:
        _quilt(product, part, piece.quilt)


def _bulge(product: Product, part: Part) -> None:
    """Bulge a panel a little, like that of a filled bag: light falls off towards its edges."""
    x, y = product.grid(part)
    across, down = BULGE * (x - x.mean()) / np.ptp(x), -BULGE * (y - y.mean()) / np.ptp(y)
    product.slope[0][part.box] -= f32(across) * part.mask
    product.slope[1][part.box] -= f32(down) * part.mask


def _quilt(product: Product, part: Part, lattice: Array) -> None:
    """Press a diamond lattice into a part, and draw its lines in the sketch."""
    back = np.linalg.inv(np.stack([lattice[1], lattice[2]], 1))
    depth = 0.11 * float(np.hypot(*lattice[1]))

    def pillows(x: Array, y: Array) -> Array:
        u = (x - lattice[0][0]) * back[0, 0] + (y - lattice[0][1]) * back[0, 1]
        v = (x - lattice[0][0]) * back[1, 0] + (y - lattice[0][1]) * back[1, 1]
        return f32(depth * np.sqrt(np.abs(np.sin(np.pi * u) * np.sin(np.pi * v))))

    product.emboss(part, pillows)
    for k in range(-20, 21):
        for step, line in ((lattice[1], lattice[2]), (lattice[2], lattice[1])):
            start = lattice[0] + k * step
            ends = f32([start - 20 * line, start + 20 * line])
            if (clipped := _inside(ends, part, product)) is not None:
                product.ink(clipped, part, weight=0.45)


def _inside(ends: Array, part: Part, product: Product) -> Array | None:
    """Return the stretch of a slanting line that crosses the box of a part, or None."""
    x, y = product.grid(part)
    way = ends[1] - ends[0]
    one, other = ((f32([pick(x), pick(y)]) - ends[0]) / way for pick in (np.min, np.max))
    start, stop = np.minimum(one, other).max(), np.maximum(one, other).min()
    return f32([ends[0] + start * way, ends[0] + stop * way]) if start < stop else None
