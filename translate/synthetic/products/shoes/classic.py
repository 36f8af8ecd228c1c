"""Leather shoes and boots: oxfords, loafers, Chelsea, strap and lace boots."""

__all__ = ["boot", "loafer", "oxford"]

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, ellipse, offset, resample, section
from translate.synthetic.products.product import Part, Product
from translate.synthetic.products.shoes.parts import Rng, Sole, flat_sole, hidden_edge, lacing, opening, ridge, stage


def _welted_sole(product: Product, sole: Sole, heel: float, *, stacked: bool = True) -> None:
    """Add a leather sole with its welt, and a heel of stacked lifts."""
    slab = product.body("sole", sole.outline, puff=0.3, radius=0.02, cast=0.45, reach=0.01)
    product.stitch(sole.top - f32([0, 0.008]), slab)
    block = [(0.728, -0.05), (0.728, -0.05), (0.733, heel), (0.733, heel), (1.1, heel + 0.01), (1.1, heel + 0.01),
             (1.1, -0.05), (1.1, -0.05)]  # fmt: skip
    lifts = product.panel("heel", curve(block), slab, lift=0.002)
    if stacked:
        for k in range(1, 4):
            product.seam([(0.7, 0.25 * k * heel), (1.05, 0.25 * k * heel)], lifts, width=0.003, depth=0.002, ink=0)
    product.panel("outsole", [(0.7, -0.1), (0.7, 0.016), (1.1, 0.016), (1.1, -0.1)], lifts, lift=0.001, ink=0)


def _punch(product: Product, path: Array, on: Part, radius: float = 0.0045) -> None:
    """Add broguing: a row of punched holes."""
    product.studs("hole", list(resample(path, 0.019)), radius, on, lift=-0.004, ink=0.45)


def oxford(rng: Rng, size: int) -> Product:
    """Build a dress shoe with closed lacing; plain, cap toe or wing tip, with or without broguing."""
    # sole, throat, lining and tongue
    top, toe, heel = rng.uniform(0.30, 0.34), rng.uniform(0.145, 0.17), rng.uniform(0.06, 0.08)
    dip, back = top - rng.uniform(0.055, 0.08), top - rng.uniform(0.0, 0.03)
    sole = flat_sole(rng.uniform(0.03, 0.042), heel + 0.03, rng.uniform(0.012, 0.025), heel=heel)
    product = stage(rng, size, "oxford", top + 0.04)
    throat = curve([(0.35, toe + 0.06), (0.41, toe + 0.092), (0.47, 0.7 * top + 0.3 * toe + 0.02),
                    (0.525, top + 0.01)], closed=False)  # fmt: skip
    x, y = throat[-1]
    opening(product, [(x - 0.02, y), (x + 0.08, dip + 0.055), (0.77, dip + 0.04), (0.88, back + 0.01),
                      (0.955, back + 0.01)],
            [(0.95, back - 0.05), (0.75, dip - 0.06), (x + 0.02, y - 0.08)])  # fmt: skip
    tongue = [
        *ridge(throat, 0.014)[::9], (x - 0.02, y + 0.03), (x + 0.015, y + 0.04), (x + 0.04, y), (x, y - 0.07),
        *throat[::-9] - 0.02,
    ]  # fmt: skip
    product.body("tongue", curve(tongue), puff=0.3, radius=0.03)

    # the upper
    base = float(sole.top[0, 1])
    front = [
        (0.02, base - 0.01), (0.024, 0.55 * base + 0.45 * toe), (0.07, 0.16 * base + 0.84 * toe), (0.15, toe),
        (0.26, toe + 0.026),
    ]  # fmt: skip
    rim = [
        (x + 0.025, y - 0.012), (0.64, dip + 0.02), (0.73, dip), (0.86, 0.5 * (dip + back)), (0.935, back),
        (0.96, back - 0.01),
    ]  # fmt: skip
    heel_line = [
        (0.968, back - 0.06), (0.957, 0.55 * back), (0.972, sole.top[-1, 1] + 0.01), (0.97, 0.05), (0.97, 0.05),
    ]  # fmt: skip
    line = curve([*front, *throat[::11], throat[-1], throat[-1], *rim, *heel_line], closed=False)
    upper = product.body("upper", np.concatenate([line, hidden_edge(sole)]), puff=0.55, radius=0.13)

    # panels, laces and welt
    _oxford_panels(product, upper, rng, throat, toe, top, brogue=rng.random() < 0.6)
    lacing(product, upper, throat, int(rng.integers(4, 6)), reach=0.026, over=0.012, width=0.011)
    _welted_sole(product, sole, heel)
    return product


def _oxford_panels(
    product: Product, upper: Part, rng: Rng, throat: Array, toe: float, top: float, *, brogue: bool
) -> None:
    """Add quarters, toe and counter of an oxford."""
    # quarters
    low, high = throat[0], throat[-1]
    seam = curve(
        [low + f32([-0.02, 0.02]), low + f32([0.03, -0.055]), (0.5, 0.5 * toe + 0.04), (0.56, 0.02)], closed=False
    )
    quarter = np.concatenate(
        [seam, f32([(1.1, 0.0), (1.1, 0.6), high + f32([-0.05, 0.1]), *offset(throat, 0.02, closed=False)[::-8]])]
    )
    product.panel("panel", quarter, upper, stitch=0.009)
    if brogue:
        _punch(product, seam + f32([0.018, 0.0]), upper)

    # plain toe, cap toe or wing tip
    style = rng.integers(3)
    if style == 1:
        edge = curve([(0.17, toe + 0.1), (0.205, toe - 0.03), (0.2, 0.5 * toe), (0.185, 0.0)], closed=False)
    elif style == 2:
        edge = curve(
            [(0.24, toe + 0.1), (0.27, toe - 0.01), (0.29, 0.62 * toe), (0.4, 0.5 * toe), (0.5, 0.03)], closed=False
        )
    if style:
        product.panel("accent", np.concatenate([edge, f32([(-0.1, -0.1), (-0.1, 0.5)])]), upper, stitch=0.009)
        if brogue:
            _punch(product, edge - f32([0.02, 0.0]), upper)

    # counter
    if rng.random() < 0.5:
        counter = curve([(0.88, top + 0.05), (0.875, 0.7 * top), (0.83, 0.4 * top), (0.78, 0.02)], closed=False)
        product.panel("accent", np.concatenate([counter, f32([(1.1, 0.0), (1.1, 0.5)])]), upper, stitch=0.009)
        if brogue:
            _punch(product, counter + f32([0.018, 0.0]), upper)


def loafer(rng: Rng, size: int) -> Product:
    """Build a slip-on with a moccasin toe; plain, penny strap, horse bit or tassels."""
    toe, heel, back = rng.uniform(0.15, 0.175), rng.uniform(0.045, 0.075), rng.uniform(0.27, 0.3)
    peak, dip = rng.uniform(0.29, 0.325), rng.uniform(0.205, 0.23)
    sole = flat_sole(rng.uniform(0.028, 0.042), heel + 0.03, rng.uniform(0.012, 0.022), heel=heel)
    product = stage(rng, size, "loafer", peak + 0.02)
    x, base = rng.uniform(0.40, 0.44), float(sole.top[0, 1])
    opening(product, [(x - 0.01, peak - 0.012), (x + 0.11, dip + 0.085), (0.66, dip + 0.055), (0.84, back + 0.005),
                      (0.95, back + 0.008)],
            [(0.95, back - 0.06), (0.7, dip - 0.07), (x + 0.02, peak - 0.1)])  # fmt: skip
    front = [(0.02, base - 0.01), (0.022, 0.5 * (base + toe)), (0.065, 0.13 * base + 0.87 * toe),
             (0.14, toe + 0.006), (0.24, 0.68 * toe + 0.32 * peak), (0.33, 0.28 * toe + 0.72 * peak),
             (x - 0.03, peak - 0.004)]  # fmt: skip
    rim = [(x, peak), (x + 0.025, peak - 0.014), (x + 0.05, peak - 0.045), (x + 0.13, dip + 0.025), (0.66, dip),
           (0.82, 0.55 * dip + 0.45 * back), (0.925, back), (0.957, back - 0.012), (0.965, back - 0.06),
           (0.955, 0.55 * back), (0.97, sole.top[-1, 1]), (0.97, 0.05), (0.97, 0.05)]  # fmt: skip
    line = curve([*front, *rim], closed=False)
    upper = product.body("upper", np.concatenate([line, hidden_edge(sole)]), puff=0.55, radius=0.13)
    _moccasin(product, upper, rng, toe=toe, peak=peak, dip=dip, x=x)
    if rng.random() < 0.6:
        counter = curve([(0.86, back + 0.05), (0.87, 0.62 * back), (0.8, 0.02)], closed=False)
        product.panel("panel", np.concatenate([counter, f32([(1.1, 0.0), (1.1, 0.5)])]), upper, stitch=0.009)
    _welted_sole(product, sole, heel, stacked=rng.random() < 0.6)
    return product


def _moccasin(product: Product, upper: Part, rng: Rng, *, toe: float, peak: float, dip: float, x: float) -> None:
    """Add the raised seam around the toe, and the piece across the instep."""
    # the seam
    plug = curve([(0.0, 0.72 * toe), (0.06, 0.72 * toe), (0.14, 0.76 * toe), (0.25, 0.92 * toe),
                  (x - 0.05, 0.72 * toe + 0.28 * peak), (x + 0.13, dip + 0.05)], closed=False)  # fmt: skip
    product.seam(plug, upper, width=0.007, depth=-0.006, ink=0.9)
    product.stitch(plug + f32([0, 0.012]), upper)

    # penny strap, horse bit, tassels or nothing
    style = rng.integers(4)
    low = f32([x + 0.02, 0.03])
    strap = curve([(x - 0.11, peak + 0.05), (x - 0.11, peak - 0.05), (x - 0.07, 0.8 * toe), low, low,
                   low + f32([0.09, 0]), low + f32([0.09, 0]), (x + 0.02, 0.95 * toe),
                   (x - 0.035, peak + 0.02)])  # fmt: skip
    middle = f32([x - 0.06, 0.62 * peak + 0.38 * toe - 0.02])
    if style == 0:
        saddle = product.panel("accent", strap, upper, stitch=0.009)
        slot = ellipse(middle + f32([0.005, 0.0]), (0.008, 0.026), 0.35)
        product.panel("hole", slot, saddle, lift=-0.003, ink=0.7)
    elif style == 1:
        product.panel("accent", strap, upper, stitch=0.009)
        rings = [ellipse(middle + f32([dx, dy]), (0.02, 0.015), 0.5) for dx, dy in ((-0.012, 0.03), (0.02, -0.028))]
        product.tube(
            "metal", [*(np.concatenate([r, r[:1]]) for r in rings), f32([rings[0][20], rings[1][8]])], 0.009, puff=1.0
        )
    elif style == 2:
        cords = [curve([(x - 0.04, peak - 0.035), (x - 0.09, peak - 0.075), middle - f32([0.03, 0.03])], closed=False)]
        product.tube("accent", cords, 0.009)
        for dx in (-0.015, 0.025):
            knot = middle + f32([dx - 0.03, -0.025])
            tassel = [
                knot + f32(p)
                for p in (
                    (-0.007, 0.01),
                    (0.01, 0.012),
                    (0.02, -0.05),
                    (0.02, -0.05),
                    (-0.014, -0.056),
                    (-0.014, -0.056),
                )
            ]
            product.body("accent", curve(tassel), puff=0.8, radius=0.02, ink=0.7)


def boot(rng: Rng, size: int) -> Product:
    """Build a boot: Chelsea with elastic gussets, with straps and buckles, or laced."""
    style = ("gusset", "strap", "lace")[rng.integers(3)]
    top = rng.uniform(0.6, 0.76) if style != "strap" else rng.uniform(0.68, 0.9)
    toe, heel = rng.uniform(0.165, 0.2), rng.uniform(0.07, 0.12)
    front = rng.uniform(0.035, 0.06)
    sole = flat_sole(front, heel + front, rng.uniform(0.012, 0.028), heel=heel)
    product = stage(rng, size, f"boot, {style}", top + (0.08 if style == "lace" else 0.035))
    x = rng.uniform(0.49, 0.53)
    rise = top - toe
    shin = curve([(0.30, toe + 0.05), (0.38, toe + 0.095), (0.445, toe + min(0.165, 0.4 * rise)),
                  (0.485, toe + min(0.26, 0.6 * rise)), (x - 0.005, toe + 0.8 * rise),
                  (x, top)], closed=False)  # fmt: skip
    upper = _shaft(product, sole, shin, toe=toe, top=top, tongue=style == "lace")
    if style == "gusset":
        _gusset(product, upper, rng, top)
    elif style == "strap":
        _straps(product, upper, rng, top)
    else:
        _lace_up(product, upper, rng, shin, toe, top)
    if rng.random() < (0.3 if style != "lace" else 0.7):
        cap = curve([(0.18, toe + 0.1), (0.21, toe - 0.02), (0.2, 0.5 * toe), (0.19, 0.0)], closed=False)
        product.panel("panel", np.concatenate([cap, f32([(-0.1, -0.1), (-0.1, 0.5)])]), upper, stitch=0.01)
    _welted_sole(product, sole, heel, stacked=rng.random() < 0.5)
    return product


def _shaft(product: Product, sole: Sole, shin: Array, *, toe: float, top: float, tongue: bool) -> Part:
    """Add lining, tongue and upper of a boot."""
    # lining and tongue
    x, base = float(shin[-1, 0]), float(sole.top[0, 1])
    middle, lean = 0.5 * (x + 0.93), 0.01
    opening(product, [(x - 0.005, top), (x + 0.06, top + 0.025), (middle, top + 0.028), (0.88, top + 0.022),
                      (0.935, top - 0.002)], [(0.93, top - 0.09), (x + 0.02, top - 0.09)], dark=0.3)  # fmt: skip
    if tongue:
        tip = [
            (x - 0.04, top + 0.045), (x - 0.01, top + 0.068), (x + 0.05, top + 0.05), (x + 0.06, top),
            (x + 0.03, top - 0.1),
        ]  # fmt: skip
        product.body(
            "tongue", curve([*ridge(shin, 0.022)[::9], *tip, *shin[::-9] - f32([-0.02, 0.03])]), puff=0.4, radius=0.03
        )

    # the upper
    front = [
        (0.018, base - 0.01), (0.024, base + 0.05), (0.07, 0.25 * base + 0.75 * toe), (0.15, toe), (0.23, toe + 0.02),
    ]  # fmt: skip
    rim = [(x, top), (middle, top - 0.022 + lean), (0.935, top), (0.935, top)]
    back = [
        (0.928, 0.75 * top), (0.925, 0.5 * top), (0.95, 0.26), (0.967, 0.18), (0.97, sole.top[-1, 1]), (0.97, 0.05),
        (0.97, 0.05),
    ]  # fmt: skip
    line = curve([*front, *shin[::12], shin[-1], *rim, *back], closed=False)
    upper = product.body("upper", np.concatenate([line, hidden_edge(sole)]), puff=0.5, radius=0.16)
    for k in range(3):  # leather folds where the ankle bends
        y = toe + 0.1 + 0.035 * k
        product.crease(
            curve([(0.40 + 0.03 * k, y + 0.03), (0.48, y), (0.58 + 0.02 * k, y + 0.005)], closed=False),
            upper,
            width=0.014,
            height=-0.005,
        )
    return upper


def _gusset(product: Product, upper: Part, rng: Rng, top: float) -> None:
    """Add elastic at the side, and pull tabs."""
    low, x = rng.uniform(0.24, 0.3), rng.uniform(0.66, 0.7)
    wide = rng.uniform(0.06, 0.08)
    gore = [(x - wide, top + 0.1), (x - wide, top + 0.1), (x - 0.9 * wide, 0.6 * top + 0.4 * low),
            (x - 0.4 * wide, low), (x + 0.4 * wide, low), (x + 0.95 * wide, 0.6 * top + 0.4 * low),
            (x + 1.1 * wide, top + 0.1), (x + 1.1 * wide, top + 0.1)]  # fmt: skip
    product.panel("elastic", curve(gore), upper, lift=-0.004)
    product.stitch(offset(curve(gore), -0.012), upper, closed=True)
    tab = [
        (0.885, top - 0.06), (0.885, top - 0.06), (0.9, top + 0.055), (0.93, top + 0.065), (0.945, top + 0.04),
        (0.945, top - 0.06), (0.945, top - 0.06),
    ]  # fmt: skip
    product.body("accent", curve(tab), puff=0.3, radius=0.02, ink=0.8)
    seam = curve([(x - 0.4 * wide, low), (0.55, 0.16), (0.52, 0.03)], closed=False)
    product.seam(seam, upper)


def _straps(product: Product, upper: Part, rng: Rng, top: float) -> None:
    """Add one to three straps with buckles, and a zip at the back."""
    for y in (0.27, 0.8 * top, 0.55 * top)[: int(rng.integers(1, 4))]:
        left = 0.3 if y < 0.3 else 0.4
        path = curve([(left, y - 0.0), (0.6, y + 0.015), (0.8, y + 0.01), (1.05, y - 0.005)], closed=False)
        half = f32([0, rng.uniform(0.02, 0.028)])
        strap = product.panel("accent", np.concatenate([path - half, (path + half)[::-1]]), upper, stitch=0.009)
        centre = f32([rng.uniform(0.66, 0.74), y + 0.014])
        frame = (
            f32([(-0.03, -0.036), (0.03, -0.036), (0.03, 0.036), (-0.03, 0.036), (-0.03, -0.036), (0.0, -0.036)])
            + centre
        )
        product.tube("metal", [frame, [centre, centre + f32([0.034, 0.0])]], 0.009, puff=1.0)
        product.studs(
            "hole", [centre + f32([0.06 + 0.03 * k, 0.0]) for k in range(3)], 0.005, strap, lift=-0.003, ink=0.4
        )


def _lace_up(product: Product, upper: Part, rng: Rng, shin: Array, toe: float, top: float) -> None:
    """Add quarters and lacing up the shin."""
    # quarters
    throat = section(shin, 0.12, 0.995)
    seam = curve(
        [throat[0] + f32([-0.03, 0.03]), throat[0] + f32([0.02, -0.07]), (0.46, 0.5 * toe + 0.02), (0.52, 0.0)],
        closed=False,
    )
    quarter = np.concatenate(
        [seam, f32([(1.1, 0.0), (1.1, top + 0.2), (0.4, top + 0.2)]), offset(throat, 0.03, closed=False)[::-6]]
    )
    product.panel("panel", quarter, upper, stitch=0.01)

    # counter, collar and laces
    if rng.random() < 0.6:
        counter = curve([(1.05, 0.36), (0.9, 0.36), (0.83, 0.2), (0.78, 0.0)], closed=False)
        product.panel("accent", np.concatenate([counter, f32([(1.1, 0.0)])]), upper, stitch=0.01)
    if rng.random() < 0.6:
        collar = [
            (0.3, top - 0.07), (0.3, top - 0.07), (0.7, top - 0.085), (1.1, top - 0.07), (1.1, top - 0.07),
            (1.1, top + 0.1), (0.3, top + 0.1),
        ]  # fmt: skip
        product.panel("accent", curve(collar), upper, stitch=0.01)
    lacing(product, upper, throat, int(rng.integers(6, 9)), reach=0.035, over=0.022, width=0.014, holes="metal")
