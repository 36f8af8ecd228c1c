"""Trimmings of handbags: clasps, buckles, rings, chains, zips, tassels, feet, stitching."""

__all__ = [
    "CLASPS", "buckle", "chain", "clasp", "feet", "label", "pocket", "ring", "stitch", "strap", "stud", "tassel",
    "zip_on",
]  # fmt: skip

from collections.abc import Callable, Sequence

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import ellipse, offset, resample
from translate.synthetic.products.handbags.pattern import Bench, Points, outline, trapeze


def box(x: float, y: float, half: float, rise: float, radius: float = 0.01) -> Array:
    """Return a rectangle of half-sizes `half` and `rise` about (x, y)."""
    return trapeze(half, half, y - rise, y + rise, corners=(radius, radius)) + f32([x, 0])


def stud(b: Bench, at: Sequence[tuple[float, float]], radius: float, *, side: float = 1.07) -> None:
    """Add small domes of metal on the front."""
    b.front(*(ellipse(p, radius) for p in at), role="metal", side=side, lift=0.012, rim=radius, ink=0.8)


def stitch(b: Bench, seam: Points, *, within: str = "", side: float = 1.0) -> None:
    """Add a row of stitches along an open line of the front."""
    b.front(seam, role="thread", kind="seam", width=0.007, within=within, side=side, ink=0.0)


def ring(b: Bench, centre: Sequence[float] | Array, rx: float, ry: float) -> None:
    """Add a ring of metal wire about a point of the picture."""
    loop = ellipse(centre, (rx, ry))
    b.add(np.concatenate([loop, loop[:1]]), role="metal", kind="wire", width=0.014)


def strap(b: Bench, half: float, low: float, high: float, x: float, *, side: float = 1.09) -> None:
    """Add a leather strap down the front, pointed at its lower end."""
    tongue = outline(
        [(x - half, low + half), (x, low), (x + half, low + half), (x + half, high), (x - half, high)],
        [0.02, 0.03, 0.02, 0.01, 0.01],
    )
    b.front(tongue, role="handle", side=side, lift=0.012, rim=0.012)
    stitch(b, offset(tongue, 0.011), side=side)


def buckle(b: Bench, x: float, y: float, half: float, *, side: float = 1.1) -> None:
    """Add a frame with a prong on a strap."""
    frame = box(x, y, half * 1.35, half * 1.1, 0.015)
    b.front(np.concatenate([frame, frame[:1]]), role="metal", kind="wire", width=0.016, side=side)
    b.front([(x, y + half), (x, y - half)], role="metal", kind="wire", width=0.012, side=side, ink=0.7)


def _turnlock(b: Bench, y: float, side: float) -> None:
    size = b.between(0.032, 0.045)
    b.front(box(0, y, size * 1.35, size, b.between(0.01, size)), role="metal", side=side, lift=0.014, rim=0.012)
    b.front(
        ellipse((0, y), (size * 0.75, size * 0.36), b.between(0, 1.57)), role="metal", side=side, lift=0.018, rim=0.012
    )


def _press_tab(b: Bench, y: float, side: float) -> None:
    half = b.between(0.035, 0.05)
    tab = outline([(-half, y - 0.05), (half, y - 0.05), (half, y + 0.09), (-half, y + 0.09)], [0.04, 0.04, 0.01, 0.01])
    b.front(tab, role="handle", side=side, lift=0.012, rim=0.012)
    stitch(b, offset(tab, 0.011), side=side)
    stud(b, [(0, y - 0.018)], 0.016, side=side)


def _padlock(b: Bench, y: float, side: float) -> None:
    half = b.between(0.032, 0.042)
    bow = np.stack([0.7 * half * np.cos(t := np.linspace(0, np.pi, 16)), y + 0.3 * half + 1.3 * half * np.sin(t)], 1)
    b.front(bow, role="metal", kind="wire", width=0.014, side=side)
    b.front(box(0, y - half * 0.45, half, half * 0.85, 0.012), role="metal", side=side, lift=0.016, rim=0.014)
    b.front(
        ellipse((0, y - half * 0.4), (0.007, 0.009)), role="metal", side=side, lift=-0.004, rim=0.0, shade=0.25, ink=0.7
    )


def _bar(b: Bench, y: float, side: float) -> None:
    half = b.between(0.05, 0.09)
    b.front(box(0, y, half, 0.016, 0.014), role="metal", side=side, lift=0.014, rim=0.014)


CLASPS: dict[str, Callable[[Bench, float, float], None]] = {
    "turnlock": _turnlock, "tab": _press_tab, "padlock": _padlock, "bar": _bar
}  # fmt: skip


def clasp(b: Bench, y: float, names: Sequence[str], *, side: float = 1.09) -> None:
    """Add one of the clasps `names` in the middle of the front at height `y`."""
    CLASPS[b.either(*names)](b, y, side)


def chain(b: Bench, line: Points, size: float) -> None:
    """Add a chain along a line of the picture: links seen flat and on edge by turns."""
    at = resample(f32(line), size * 0.78)
    way = np.gradient(at, axis=0)
    angle = np.arctan2(way[:, 1], way[:, 0])
    flat = [ellipse(p, (size * 0.62, size * 0.36), float(t)) for p, t in zip(at[::2], angle[::2], strict=True)]
    heading = np.stack([np.cos(angle), np.sin(angle)], 1)
    edge = [f32([p - d * size * 0.5, p + d * size * 0.5]) for p, d in zip(at[1::2], heading[1::2], strict=True)]
    b.add(*(np.concatenate([c, c[:1]]) for c in flat), role="metal", kind="wire", width=size * 0.24, ink=0.5)
    b.add(*edge, role="metal", kind="wire", width=size * 0.26, ink=0.5)


def zip_on(b: Bench, line: Points, *, side: float = 1.0, within: str = "front") -> None:
    """Add a zip along a line of the front: its tape, its teeth, and the slider at the first point."""
    b.front(line, role="lining", kind="strap", width=0.034, side=side, within=within, ink=0.8)
    b.front(line, role="metal", kind="seam", width=0.014, side=side, within=within, ink=0.0)
    x, y = b.on(line, side)[0]
    b.add(box(x, y, 0.015, 0.018, 0.008), role="metal", lift=0.014, rim=0.01, ink=0.8)
    b.add(box(x, y - 0.045, 0.011, 0.032, 0.008), role="metal", lift=0.01, rim=0.008, ink=0.8)


def tassel(b: Bench, at: tuple[float, float], length: float, *, side: float = 1.1) -> None:
    """Add a leather tassel that hangs from a point of the front."""
    x, y = at
    half = length * 0.16
    b.front([(x, y), (x + 0.004, y - length * 0.38)], role="handle", kind="strap", width=0.012, side=side, ink=0.7)
    skirt = trapeze(half * 1.3, half * 0.7, y - length, y - length * 0.5, corners=(0.006, 0.006)) + f32([x, 0])
    b.front(skirt, role="handle", side=side, lift=0.014, rim=0.02, name="skirt")
    fringe = [
        f32([(x + k * half, y - length), (x + k * half * 0.6, y - length * 0.55)]) for k in (-0.6, -0.2, 0.2, 0.6)
    ]
    b.front(*fringe, role="handle", kind="mark", width=0.006, side=side, within="skirt", ink=0.5)
    knot = box(x, y - length * 0.45, half * 0.85, length * 0.085, 0.012)
    b.front(knot, role="metal", side=side, lift=0.02, rim=0.014)


def feet(b: Bench, half: float) -> None:
    """Add metal feet below the two front corners."""
    b.front(*(ellipse((x, -0.004), (0.017, 0.014)) for x in (-half, half)), role="metal", rim=0.014, ink=0.8)


def pocket(b: Bench, low: float, high: float, half: float, *, side: float = 1.05) -> None:
    """Sew a pocket on the front."""
    edge = trapeze(half, half, low, high, corners=(0.05, 0.012), bows=[0, 0, -0.012, 0])
    b.front(edge, role="body", side=side, lift=0.012, rim=0.03)
    stitch(b, offset(edge, 0.016), side=side)


def label(b: Bench, x: float, y: float, *, side: float = 1.05) -> None:
    """Add a maker's plate."""
    plate = box(x, y, b.between(0.03, 0.06), b.between(0.012, 0.02), 0.006)
    b.front(plate, role="metal", side=side, lift=0.008, rim=0.008, ink=0.8)
