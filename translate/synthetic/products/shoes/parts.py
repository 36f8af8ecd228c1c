"""Parts of all shoes: the frame, soles, an opening with its lining, laces.

Shoes are seen from the outer side, toe to the left; the shoe is about 1 long, the ground lies at 0.
"""

__all__ = [
    "Maker", "Rng", "Sole", "court", "flat_sole", "height_at", "hidden_edge", "lacing", "opening", "ridge", "stage",
]  # fmt: skip

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import Points, curve, offset, section
from translate.synthetic.noise import smoothstep
from translate.synthetic.products.product import Part, Product

Rng = np.random.Generator


def stage(rng: Rng, size: int, kind: str, height: float) -> Product:
    """Return an empty picture with room for a shoe of length 1 and of this height, in its middle."""
    scale = min(0.88, 0.84 / height) * rng.uniform(0.94, 1.0)
    left = 0.5 - 0.5 * scale + rng.uniform(-0.012, 0.012)
    return Product(size, kind, scale=scale, origin=(left, 0.5 - 0.5 * scale * height + rng.uniform(-0.015, 0.015)))


@dataclass(frozen=True, kw_only=True)
class Sole:
    """A sole: its outline, and its top edge from toe to heel.

    Attributes:
        outline: closed curve.
        top: (N, 2), from left to right.
    """

    outline: Array
    top: Array


def flat_sole(front: float, back: float, spring: float, *, heel: float = 0.0, flare: float = 0.0) -> Sole:
    """Return a sole `front` thick at the ball and `back` at the heel.

    Args:
        front: thickness under the ball.
        back: height of the top edge at the heel.
        spring: height of the toe above the ground.
        heel: height of the notch before a separate heel; 0 for a sole that lies flat.
        flare: how far the heel extends backwards.
    """
    end = 0.985 + flare
    top = curve(
        [(0.012, front + spring), (0.10, front + 0.35 * spring), (0.3, front), (0.55, 0.5 * (front + back)),
         (0.8, 0.97 * back), (0.978, back + 0.006)], closed=False
    )  # fmt: skip
    if heel:
        under = [(end, 0.5 * back), (0.985, 0.004), (0.98, 0), (0.98, 0), (0.735, 0), (0.735, 0), (0.72, heel),
                 (0.72, heel), (0.6, 0.9 * heel), (0.42, 0.004), (0.25, 0), (0.1, 0.25 * spring)]  # fmt: skip
    else:
        under = [(end, 0.55 * back), (0.975 + 0.5 * flare, 0.012), (0.93, 0), (0.75, 0), (0.5, 0.004), (0.25, 0),
                 (0.1, 0.25 * spring)]  # fmt: skip
    toe = [(0.02, spring * 0.75), (0.0, spring + 0.35 * front)]
    outline = np.concatenate([top, curve([top[-1], *under, *toe, top[0]], closed=False)[1:-1]])
    return Sole(outline=outline, top=top)


def height_at(path: Array, x: float) -> float:
    """Return the height at `x` of a path that runs from left to right."""
    return float(np.interp(x, path[:, 0], path[:, 1]))


def hidden_edge(sole: Sole) -> Array:
    """Return the lower edge of an upper, from heel to toe: just below the top of the sole, which covers it."""
    return sole.top[::-6] - f32([0, 0.012])


def ridge(throat: Array, reach: float) -> Array:
    """Return the crest of the tongue: it leaves the laced edge at its lower end, and rises `reach` above it."""
    t = smoothstep(0, 0.3, np.linspace(0, 1, len(throat), dtype=np.float32))[:, None]
    return throat + t * (offset(throat, reach, closed=False) - throat)


def opening(product: Product, far: Points, near: Points, *, dark: float = 0.35) -> Part:
    """Add the inside of the shoe that is visible between the far rim and the near one.

    Args:
        product: the shoe.
        far: points of the far rim, from the throat to the heel.
        near: points below the near rim, from the heel to the throat, hidden by the upper.
        dark: share of the light that reaches the bottom.
    """
    rim, below = curve(far, closed=False), f32(near)
    lining = product.body("lining", np.concatenate([rim, below]), puff=-0.25, radius=0.05, cast=0.0, ink=0.9)
    product.shade(
        lining, lambda x, y: dark + (1 - dark) * smoothstep(-0.075, 0.0, y - np.interp(x, rim[:, 0], rim[:, 1]))
    )
    return lining


def lacing(
    product: Product, upper: Part, throat: Array, count: int, *, reach: float = 0.045, over: float = 0.028,
    width: float = 0.016, holes: str = "hole",
) -> None:  # fmt: skip
    """Add laces across the throat, and their eyelets.

    Args:
        product: the shoe.
        upper: the part with the eyelets.
        throat: the laced edge, from its lower end to its upper one.
        count: number of rows.
        reach: distance of the eyelets from the edge.
        over: how far the laces extend beyond the edge, over the tongue.
        width: of a lace.
        holes: role of the eyelets.
    """
    inner, outer = offset(throat, -reach, closed=False), offset(throat, over, closed=False)
    shares = np.linspace(0.1, 0.92, count)
    holes_at = [section(inner, s, s)[0] for s in shares]
    far = [section(outer, max(s - 0.035, 0), 1)[0] for s in shares]
    product.studs(holes, holes_at, 0.65 * width, upper, lift=-0.004, ink=0.5)
    bars = [
        curve([hole, 0.5 * (hole + end) + 0.12 * (end - hole)[::-1] * f32([-1, 1]), end], closed=False)
        for hole, end in zip(holes_at, far, strict=True)
    ]
    product.tube("lace", bars, width, puff=0.9, cast=0.5, ink=0.6)


def court(
    product: Product, bed: Array, *, throat: float, toe: float, side: float, counter: float, point: float = 0.0,
    puff: float = 0.55,
) -> Part:  # fmt: skip
    """Add a low-cut upper, as of pumps and ballet flats, on the line `bed`, and return it.

    Args:
        product: the shoe.
        bed: bottom line of the upper, from toe to heel.
        throat: x at which the cut begins.
        toe: height of the toe box above the bed.
        side: height of the cut at the arch above the bed.
        counter: height of the heel above the bed.
        point: how pointed the toe is, [0, 1].
        puff: as for `Product.body`.
    """
    first, last = bed[0], bed[-1]

    def above(x: float, rise: float) -> tuple[float, float]:
        return x, height_at(bed, x) + rise

    tip = [(first[0], first[1]), (first[0] - 0.012, first[1] + (0.22 - 0.08 * point) * toe),
           (first[0] + 0.004 + 0.006 * point, first[1] + (0.52 - 0.16 * point) * toe),
           above(0.065 + 0.015 * point, (0.76 - 0.14 * point) * toe)]  # fmt: skip
    vamp = [
        above(0.5 * throat, (0.95 - 0.07 * point) * toe), above(0.75 * throat, toe * 1.06), above(throat, 1.2 * toe),
    ]  # fmt: skip
    cut = [above(throat + 0.035, 1.08 * toe), above(throat + 0.14, side * 1.02), above(0.62, side)]
    back = [above(0.8, 0.5 * (side + counter)), (last[0] - 0.055, last[1] + 0.93 * counter)]
    heel = [(last[0] - 0.018, last[1] + counter), (last[0] + 0.002, last[1] + 0.93 * counter),
            (last[0] + 0.012, last[1] + 0.5 * counter), (last[0], last[1])]  # fmt: skip
    far = [above(throat - 0.01, 1.15 * toe), above(throat + 0.1, 1.0 * toe + 0.01), above(0.58, side + 0.035),
           above(0.8, 0.55 * (side + counter) + 0.022), (last[0] - 0.015, last[1] + counter - 0.004)]  # fmt: skip
    near = [above(0.85, 0.3 * side), above(0.6, 0.3 * side), above(throat + 0.1, 0.3 * side)]
    opening(product, far, near, dark=0.45)
    rim = curve([*tip, *vamp, vamp[-1], *cut, *back, *heel], closed=False)
    upper = product.body("upper", np.concatenate([rim, bed[::-1]]), puff=puff, radius=0.09)
    return upper


Maker = Callable[[Rng, int], Product]
