"""Parts that most handbags have: side panels, openings, flaps, handles and straps."""

__all__ = [
    "base_band", "Handle", "flap", "lay_fold", "lay_handle", "opening", "quilting", "shell", "shoulder_arch", "sweep",
]  # fmt: skip

from dataclasses import dataclass

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.products.handbags.pattern import Bench, Points, arch, outline
from translate.synthetic.products.handbags.trim import stitch


def sweep(b: Bench, body: Points, *, rim: float | None = None, fold: float = 0.0) -> None:
    """Lay the visible body between its front and its back outline: the side panel, and a closed top.

    Args:
        b: the bench.
        body: (N, 2) closed front outline, counter-clockwise.
        rim: height of the opening of a bag without a top.
        fold: how far the side of an open bag folds inwards at the rim.
    """
    near, far = b.on(body), b.on(body, -1)
    step = (far - near).mean(0)
    reach = near @ f32([step[1], -step[0]])
    first, last = int(reach.argmax()), int(reach.argmin())
    if rim is not None:
        if not b.is_turned:
            return
        right = np.where(f32(body)[:, 0] > 0, f32(body)[:, 1], -1)
        last = int(np.argmax(right >= rim - 1e-3))
    take = np.arange(first, first + (last - first) % len(near) + 1) % len(near)
    edge = [near[take], far[take[::-1]]]
    if fold and rim is not None:
        corner = f32(body)[last]
        edge.insert(1, b.on([corner - (fold * 0.7, 0.01)], 0.35))
        edge.insert(2, b.on([corner - (fold, 0.015)], 0.0))
        edge.insert(3, b.on([corner - (fold * 0.5, 0.005)], -0.5))
    slope = (1.3, 0.0) if b.is_turned else (0.0, 0.9)
    b.add(np.concatenate(edge), role="body", slope=slope, rim=0.05, name="side", folds=0.5)
    if fold and rim is not None:
        height = np.linspace(0.25, 0.98, 12) * rim
        side = np.interp(height, f32(body)[take, 1], f32(body)[take, 0]) - fold * (height / rim) ** 2
        b.add(b.on(np.stack([side, height], 1), 0.0), role="body", kind="mark", width=0.012, within="side", ink=0.7)


def opening(b: Bench, rim: Points, *, dip: float = 0.1) -> None:
    """Lay the inside of an open bag: its back panel's rim and the lining below it.

    Args:
        b: the bench.
        rim: (N, 2) upper edge of the panels, from left to right.
        dip: depth of the lining behind the front panel.
    """
    back = b.on(rim, -1)
    front = b.on(f32(rim)[::-1] * (0.9, 1) - (0, dip), 1)
    b.add(np.concatenate([back, front]), role="lining", rim=0.0, shade=0.75, name="inside")


def shell(b: Bench, body: Points, *, rim: float = 0.13, folds: float = 1.0, quilt: Array | None = None) -> None:
    """Lay the front panel; `rim` is the radius of its edge, `folds` the strength of its folds."""
    b.front(body, role="body", rim=rim, folds=folds, quilt=quilt, name="front")


def base_band(b: Bench, body: Array, high: float, *, bow: float = 0.0) -> None:
    """Lay a band of the second colour round the foot of the body, `high` up its front; `bow` lifts its middle."""
    low = outline([(-0.7, -0.2), (0.7, -0.2), (0.7, high), (-0.7, high)], 0.01, [0, 0, bow, 0])
    b.front(low, role="accent", lift=0.006, rim=0.01, within="front")
    x = np.linspace(-0.49, 0.49, 24)
    stitch(b, np.stack([x, high + bow * (1 - (x / 0.7) ** 2) - 0.018], 1), within="front")
    if b.is_turned:
        right = body[body[:, 0] > 0]
        edge = float(right[np.abs(right[:, 1] - high).argmin(), 0])
        near, far = b.on([(edge, high)])[0], b.on([(edge, high)], -1)[0]
        ends = f32([near + (near - far) * 0.4, far + (far - near) * 0.4])
        b.add(np.concatenate([ends, ends[::-1] - (0, 1)]), role="accent", lift=0.006, rim=0.01, within="side",
              slope=(1e-3, 0.0))  # fmt: skip  # the side is tilted already; this puts the band in its shade, too


def flap(b: Bench, fall: Array, half: float, *, role: str = "accent", side: float = 1.07) -> None:
    """Lay a flap over the top and down the front.

    Args:
        b: the bench.
        fall: outline of the part on the front panel.
        half: half the width of the part on top.
        role: of the flap.
        side: distance from the front panel: at 1 it touches.
    """
    top = b.height + 0.004
    over = [b.on([(x, top)], s)[0] for x, s in ((-half, -1), (half, -1), (half, side), (-half, side))]
    b.add(outline(over, 0.02), role=role, rim=0.03, slope=(0.0, 0.9), ink=0.9)
    b.front(fall, role=role, side=side, lift=0.012, rim=0.05, name="flap", folds=0.3)


@dataclass(frozen=True, kw_only=True)
class Handle:
    """An arch that stands on the bag and leans to its middle.

    Attributes:
        half: half the distance between the feet.
        foot: height of the feet.
        rise: height of the crown above the feet.
        width: of the strap.
        square: 1 is round, 0.5 boxy.
        narrow: half-width at the shoulders, in units of `half`.
        lean: position of the crown: 0 above the panel, 1 above the middle of the bag.
        tail: length of the ends that hang down the front panel.
    """

    half: float
    foot: float
    rise: float
    width: float
    square: float = 0.75
    narrow: float = 1.0
    lean: float = 0.5
    tail: float = 0.0


def lay_handle(b: Bench, handle: Handle, side: float = 1.0) -> None:
    """Lay a handle on the front (side 1), on the back (-1), where it is smaller and darker, or between."""
    behind = side < 0
    rise = handle.rise * (0.95 if behind else 1.0)
    bow = arch(handle.half, handle.foot, rise, square=handle.square, narrow=handle.narrow)
    if handle.tail and not behind:
        drop = np.linspace(1, 0, 6, endpoint=False)[:, None]
        left = bow[:1] - f32([0, handle.tail]) * drop
        right = bow[-1:] - f32([0, handle.tail]) * drop[::-1]
        bow = np.concatenate([left, bow, right])
    up = np.clip((bow[:, 1] - handle.foot) / rise, 0, 1)
    low, high = b.depth
    z = 0.5 * side * (low + (high - low) * np.clip(bow[:, 1] / b.height, 0, 1)) * (1 - handle.lean * up) + 0.02 * side
    b.add(b.see(np.stack([bow[:, 0], bow[:, 1], z], 1)), role="handle", kind="strap", width=handle.width,
          shade=0.74 if behind else 1.0)  # fmt: skip


def shoulder_arch(b: Bench, half: float, foot: float, rise: float) -> Array:
    """Return the line of a shoulder strap that stands up from (-half, foot) and (half, foot)."""
    bow = arch(half, foot, rise, square=b.between(0.7, 0.95), narrow=b.between(0.6, 0.95))
    return f32(bow + f32([b.between(-0.1, 0.1), 0]) * (bow[:, 1:] - foot) / rise)


def quilting(b: Bench, size: float) -> Array:
    """Return the diamond lattice of quilted panels, `size` wide: (3, 2) origin and two steps in the picture."""
    p = b.on([(0, 0), (size, size * 1.05), (-size, size * 1.05)])
    return f32([p[0], p[1] - p[0], p[2] - p[0]])


def lay_fold(b: Bench, points: Points, *, strength: float = 1.0) -> None:
    """Press a soft fold into the front panel."""
    b.front(points, role="body", kind="mark", width=0.02 * strength, within="front", ink=0.6 * strength)
