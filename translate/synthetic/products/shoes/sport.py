"""Sneakers, high-tops and running shoes."""

__all__ = ["hightop", "running", "sneaker"]

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, ellipse, offset, ribbon, section
from translate.synthetic.products.product import Part, Product
from translate.synthetic.products.shoes.parts import (
    Rng,
    Sole,
    flat_sole,
    height_at,
    hidden_edge,
    lacing,
    opening,
    ridge,
    stage,
)


def _upper(product: Product, sole: Sole, throat: Array, *, toe: float, dip: float, heel: float, puff: float) -> Part:
    """Add tongue, lining and upper of a laced shoe.

    Args:
        product: the shoe.
        sole: under it.
        throat: the laced edge, lower end first.
        toe: height of the toe box.
        dip: height of the rim at the ankle.
        heel: height of the rim at the heel.
        puff: as for `Product.body`.
    """
    base, (x, y) = float(sole.top[0, 1]), throat[-1]
    far = [(x - 0.02, y - 0.005), (x + 0.07, max(dip + 0.05, y - 0.05)), (0.5 * (x + 0.96), dip + 0.042),
           (0.88, heel + 0.005), (0.955, heel + 0.012)]  # fmt: skip
    opening(product, far, [(0.95, heel - 0.05), (0.75, dip - 0.06), (x + 0.02, y - 0.09)])
    tip = [(x - 0.045, y + 0.055), (x - 0.01, y + 0.075), (x + 0.035, y + 0.06), (x + 0.05, y + 0.01)]
    tongue = curve([*ridge(throat, 0.026)[::8], *tip, (x + 0.02, y - 0.08), *throat[::-8] - f32([-0.02, 0.03])])
    product.body("tongue", tongue, puff=0.4, radius=0.03)
    front = [(0.022, base - 0.01), (0.03, base + 0.4 * (toe - base)), (0.075, base + 0.86 * (toe - base)),
             (0.15, toe), (0.22, toe + 0.018)]  # fmt: skip
    rim = [(x + 0.03, y - 0.018), (0.5 * x + 0.34, dip + 0.25 * (y - dip)), (0.5 * x + 0.425, dip),
           (0.85, dip + 0.3 * (heel - dip)), (0.915, heel - 0.012), (0.945, heel), (0.966, heel - 0.018)]  # fmt: skip
    back = [(0.963, heel - 0.09), (0.952, 0.45 * (heel + sole.top[-1, 1])), (0.972, sole.top[-1, 1] + 0.02),
            (0.968, 0.5 * sole.top[-1, 1]), (0.968, 0.5 * sole.top[-1, 1])]  # fmt: skip
    line = curve([*front, *throat[::11], throat[-1], throat[-1], *rim, *back], closed=False)
    return product.body("upper", np.concatenate([line, hidden_edge(sole)]), puff=puff, radius=0.15)


def _eyestay(product: Product, upper: Part, throat: Array, role: str, depth: float) -> None:
    """Add a reinforced band along the laced edge."""
    edge = offset(throat, 0.03, closed=False)
    inner = offset(throat, -depth, closed=False)
    low = inner[0] + f32([-0.035, 0.0])
    product.panel(role, curve([*edge[::6], edge[-1], edge[-1], *inner[::-6], low]), upper, stitch=0.011)


def _stripes(product: Product, upper: Part, rng: Rng, sole: Sole, top: float, role: str) -> None:
    """Add bands, a wave or a zigzag on the side, or nothing."""
    style = rng.integers(4)
    x, low = rng.uniform(0.42, 0.47), height_at(sole.top, 0.6) - 0.03
    if style == 0:
        for k in range(int(rng.choice([1, 2, 4]))):
            left = x + 0.075 * k
            band = [(left, low), (left + 0.045, low), (left + 0.01, 0.5 * (low + top)), (left - 0.065, top),
                    (left - 0.105, top - 0.02), (left - 0.04, 0.5 * (low + top))]  # fmt: skip
            product.panel(role, curve(band), upper, lift=0.004)
    elif style == 1:
        wave = curve([(x - 0.1, low - 0.02), (x - 0.02, low + 0.1), (x + 0.1, low + 0.13), (x + 0.24, low + 0.1),
                      (x + 0.4, low + 0.17), (x + 0.55, low + 0.24)], closed=False)  # fmt: skip
        width = np.linspace(rng.uniform(0.02, 0.03), rng.uniform(0.04, 0.06), len(wave))
        product.panel(role, ribbon(wave, width), upper, lift=0.004)
    elif style == 2:
        path = curve([(x - 0.07, low + 0.16), (x + 0.03, low + 0.04), (x + 0.09, low + 0.15), (x + 0.2, low + 0.06),
                      (x + 0.34, low + 0.15)], closed=False)  # fmt: skip
        half = f32([0, 0.016])
        product.panel(role, np.concatenate([path - half, (path + half)[::-1]]), upper, lift=0.004)


def _toe_and_heel(product: Product, upper: Part, rng: Rng, sole: Sole, toe: float, heel: float, role: str) -> None:
    """Add toe cap or mudguard, and heel counter with a tab."""
    base = [height_at(sole.top, at) for at in (0.1, 0.2, 0.5, 0.7, 0.9)]
    if rng.random() < 0.5:
        cap = [(-0.05, 0), (-0.05, 0.4), (0.1, 0.4), (0.165, toe + 0.02), (0.205, 0.55 * (toe + base[1])), (0.2, 0)]
        product.panel(role, curve([cap[0], *cap, cap[-1]]), upper, stitch=0.012)
    elif rng.random() < 0.7:
        guard = [(-0.05, 0), (-0.05, 0), (-0.05, toe - 0.03), (0.09, toe - 0.035), (0.2, base[1] + 0.06),
                 (0.36, base[2] + 0.03), (0.5, 0.02), (0.5, 0.02)]  # fmt: skip
        product.panel(role, curve(guard), upper, stitch=0.012)
    top = heel * rng.uniform(0.72, 0.85)
    counter = [(1.05, 0), (1.05, 0), (1.05, top), (0.95, top), (0.885, 0.7 * top), (0.81, base[4] + 0.05),
               (0.74, base[3] + 0.02), (0.72, 0.0), (0.72, 0.0)]  # fmt: skip
    product.panel(role, curve(counter), upper, stitch=0.012)
    if rng.random() < 0.7:
        tab = [(1.05, heel - 0.1), (1.05, heel + 0.1), (0.9, heel + 0.1), (0.905, heel - 0.06), (0.945, heel - 0.1)]
        product.panel("accent", curve([tab[0], *tab]), upper)


def _cupsole(product: Product, sole: Sole, rng: Rng) -> None:
    """Add a rubber sole with a line around it."""
    slab = product.body("sole", sole.outline, puff=0.35, radius=0.03, cast=0.45, reach=0.012)
    half = sole.top - f32([0, 1]) * (0.45 * sole.top[:, 1:] * rng.uniform(0.5, 1.0) + 0.006)
    product.seam(half, slab, depth=0.003, width=0.004)
    if rng.random() < 0.5:
        product.stitch(sole.top - f32([0, 0.018]), slab)
    if rng.random() < 0.5:
        low = np.stack([sole.top[:, 0], np.full(len(sole.top), 0.022)], 1)
        product.panel("outsole", np.concatenate([low, f32([(1.1, -0.1), (-0.1, -0.1)])]), slab, lift=0.002)


def sneaker(rng: Rng, size: int) -> Product:
    """Build a low sneaker with a cup sole."""
    top, toe = rng.uniform(0.36, 0.42), rng.uniform(0.175, 0.21)
    dip, heel = top - rng.uniform(0.07, 0.1), top + rng.uniform(-0.03, 0.02)
    sole = flat_sole(rng.uniform(0.06, 0.085), rng.uniform(0.08, 0.11), rng.uniform(0.02, 0.04))
    product = stage(rng, size, "sneaker", top + 0.07)
    throat = curve([(0.28, toe + 0.035), (0.36, toe + 0.085), (0.45, 0.62 * top + 0.4 * toe), (0.545, top + 0.015)],
                   closed=False)  # fmt: skip
    upper = _upper(product, sole, throat, toe=toe, dip=dip, heel=heel, puff=0.55)
    _stripes(product, upper, rng, sole, top, "accent")
    _toe_and_heel(product, upper, rng, sole, toe, heel, "panel")
    _eyestay(product, upper, throat, "panel", rng.uniform(0.06, 0.08))
    lacing(product, upper, throat, int(rng.integers(5, 7)))
    _cupsole(product, sole, rng)
    return product


def hightop(rng: Rng, size: int) -> Product:
    """Build a high basketball shoe or a canvas one with a rubber toe."""
    top, toe = rng.uniform(0.58, 0.68), rng.uniform(0.175, 0.205)
    dip, heel = top - rng.uniform(0.03, 0.06), top + rng.uniform(-0.03, 0.02)
    sole = flat_sole(rng.uniform(0.06, 0.085), rng.uniform(0.075, 0.1), rng.uniform(0.02, 0.035))
    product = stage(rng, size, "hightop", top + 0.08)
    throat = curve([(0.28, toe + 0.035), (0.37, toe + 0.085), (0.455, toe + 0.17), (0.51, toe + 0.27),
                    (0.535, 0.3 * toe + 0.7 * top), (0.55, top + 0.01)], closed=False)  # fmt: skip
    upper = _upper(product, sole, throat, toe=toe, dip=dip, heel=heel, puff=0.5)
    if rng.random() < 0.5:
        _stripes(product, upper, rng, sole, 0.36, "accent")
    _toe_and_heel(product, upper, rng, sole, toe, 0.6 * top, "panel")
    if rng.random() < 0.6:
        patch = product.panel("accent", ellipse((0.75, 0.62 * top + 0.04), 0.055), upper, stitch=0.01)
        product.seam(ellipse((0.75, 0.62 * top + 0.04), 0.025), patch, depth=-0.002)
    else:
        band = [(0.5, 0.62 * top), (0.5, 0.62 * top), (0.5, 0.74 * top), (0.75, 0.76 * top), (1.05, 0.78 * top),
                (1.05, 0.66 * top), (0.75, 0.64 * top)]  # fmt: skip
        product.panel("accent", curve(band), upper, stitch=0.011)
    _eyestay(product, upper, throat, "panel", rng.uniform(0.06, 0.075))
    lacing(product, upper, throat, int(rng.integers(6, 9)))
    _cupsole(product, sole, rng)
    return product


def _wavy_sole(product: Product, rng: Rng) -> Sole:
    """Return the midsole of a running shoe: thick, with a wave in its upper edge and grooves; it is drawn later."""
    front, back, spring = rng.uniform(0.085, 0.11), rng.uniform(0.13, 0.165), rng.uniform(0.045, 0.065)
    sole = flat_sole(front, back, spring, flare=rng.uniform(0.015, 0.045))
    wave = rng.uniform(0.008, 0.016) * np.sin(2 * np.pi * (rng.uniform(1.2, 2.2) * sole.top[:, 0] + rng.random()))
    rise = wave * np.sin(np.pi * np.clip(sole.top[:, 0], 0, 1))
    top = sole.top + f32(np.stack([0 * rise, rise], 1))
    outline = np.concatenate([top, sole.outline[len(top) :]])
    return Sole(outline=outline, top=top)


def _midsole(product: Product, sole: Sole, rng: Rng) -> None:
    """Add foam with sculpted lines over a dark tread."""
    slab = product.body("sole", sole.outline, puff=0.45, radius=0.04, cast=0.5, reach=0.012)
    x = np.linspace(0.0, 1.02, 60)
    tread = 0.026 + 0.006 * np.sin(x * rng.uniform(20, 34))
    edge = np.stack([x, tread + np.maximum(0, 0.12 - x) * 0.3], 1)
    product.panel("outsole", np.concatenate([edge, f32([(1.1, -0.1), (-0.1, -0.1)])]), slab, lift=0.003)
    start = rng.uniform(0.4, 0.55)
    for k in range(int(rng.integers(1, 4))):
        way = np.linspace(start, 0.98, 30)
        high = np.interp(way, sole.top[:, 0], sole.top[:, 1])
        share = (0.35 + 0.2 * k) * (1 - 0.5 * ((way - start) / (0.98 - start)) ** 2)
        product.seam(np.stack([way, 0.03 + share * (high - 0.03)], 1), slab, width=0.008, depth=0.006, ink=0.7)


def running(rng: Rng, size: int) -> Product:
    """Build a running shoe: knit or mesh upper with overlays, a thick wavy midsole."""
    top, toe = rng.uniform(0.385, 0.43), rng.uniform(0.195, 0.225)
    dip, heel = top - rng.uniform(0.06, 0.09), top + rng.uniform(0.0, 0.04)
    product = stage(rng, size, "running", top + 0.08)
    sole = _wavy_sole(product, rng)
    throat = curve([(0.30, toe + 0.04), (0.38, toe + 0.085), (0.46, 0.6 * top + 0.42 * toe), (0.55, top + 0.015)],
                   closed=False)  # fmt: skip
    upper = _upper(product, sole, throat, toe=toe, dip=dip, heel=heel, puff=0.55)
    x = rng.uniform(0.4, 0.5)
    for k in range(int(rng.integers(1, 4))):
        low = section(sole.top, 0.45 + 0.09 * k, 0.45 + 0.09 * k)[0] - f32([0, 0.03])
        high = section(throat, 0.35 + 0.2 * k, 0.35 + 0.2 * k)[0]
        mid = 0.5 * (low + high) + f32([0.05, 0.0])
        spine = curve([low, mid, high], closed=False)
        half = f32([0.014 + 0.01 * (x - 0.4), 0.004])
        product.panel("accent", np.concatenate([spine - half, (spine + half)[::-1]]), upper, lift=0.003)
    _toe_and_heel(product, upper, rng, sole, toe, heel, "panel")
    _eyestay(product, upper, throat, "panel", rng.uniform(0.055, 0.07))
    lacing(product, upper, throat, int(rng.integers(5, 7)))
    _midsole(product, sole, rng)
    return product
