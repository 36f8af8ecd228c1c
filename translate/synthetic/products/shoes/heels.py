"""Pumps, wedges, ballet flats and sandals."""

__all__ = ["flat", "pump", "sandal", "wedge"]

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, ellipse, ribbon
from translate.synthetic.noise import smoothstep
from translate.synthetic.products.product import Part, Product
from translate.synthetic.products.shoes.parts import Rng, court, height_at, stage


def _arch(front: float, heel: float, spring: float, ball: float = 0.3) -> Array:
    """Return the line on which the foot stands, toe to heel: flat under the ball, then up to the height `heel`."""
    rise = heel - front
    return curve(
        [(0.02, front + spring), (0.1, front + 0.3 * spring), (ball, front), (ball + 0.14, front + 0.11 * rise),
         (0.6, front + 0.5 * rise), (0.76, front + 0.87 * rise), (0.87, front + 0.99 * rise), (0.965, heel + 0.012)],
        closed=False,
    )  # fmt: skip


def _thin_sole(product: Product, bed: Array, thick: float) -> Part:
    """Add a sole of even thickness under the bed."""
    lower = bed - f32([0, thick])
    return product.body(
        "sole", np.concatenate([bed, lower[::-1]]), puff=0.3, radius=0.02, cast=0.3, reach=0.008, ink=0.8
    )


def _heel(product: Product, rng: Rng, height: float) -> None:
    """Add a stiletto, a kitten heel, a cone or a block under the seat."""
    seat = height + 0.004
    tip = rng.choice([0.018, 0.022, 0.075, 0.12], p=[0.4, 0.2, 0.15, 0.25])
    right = 0.955 if tip < 0.05 else 0.965
    top = [(0.77, 0.88 * seat), (0.77, 0.88 * seat), (0.86, seat - 0.004), (0.972, seat + 0.006), (0.972, seat + 0.006)]
    back = [(0.972, 0.8 * seat), (right + 0.004, 0.45 * seat), (right + 0.006, 0.0), (right + 0.006, 0.0)]
    foot = [(right - tip, 0.0), (right - tip, 0.0)]
    inner = [(right - tip - 0.004, 0.35 * seat), (0.5 * (right - tip) + 0.41, 0.7 * seat)]
    heel = product.body("heel", curve([*top, *back, *foot, *inner]), puff=0.7, radius=0.05)
    product.panel("outsole", [(0.5, -0.1), (0.5, 0.014), (1.1, 0.014), (1.1, -0.1)], heel, lift=0.001, ink=0)


def pump(rng: Rng, size: int) -> Product:
    """Build a court shoe on a heel; some have a platform, a bow or an ankle strap."""
    # the bed and the far half of the ankle strap
    height = rng.uniform(0.2, 0.42)
    platform = rng.uniform(0.03, 0.07) if rng.random() < 0.3 else 0.0
    bed = _arch(0.022 + platform, height + platform, rng.uniform(0.005, 0.02))
    counter = rng.uniform(0.17, 0.2)
    strapped = rng.random() < 0.3
    product = stage(rng, size, "pump", height + platform + counter + (0.06 if strapped else 0.02))
    throat = rng.uniform(0.23, 0.29)
    toe = rng.uniform(0.095, 0.115)
    ankle = (0.855, float(bed[-1, 1]) + counter + 0.01)
    if strapped:
        _ankle_strap(product, rng, ankle, 0.024, near=False)

    # heel, upper and trimmings
    _heel(product, rng, height + platform)
    upper = court(
        product, bed, throat=throat, toe=toe, side=rng.uniform(0.075, 0.095), counter=counter, point=rng.random()
    )
    if strapped:
        _ankle_strap(product, rng, ankle, 0.024, near=True)
    _trim(product, upper, rng, bed, throat, toe)

    # the sole
    if platform:
        top = bed[bed[:, 0] < 0.47]
        under = [(0.44, 0.3 * platform), (0.38, 0.0), (0.25, 0.0), (0.1, 0.006), (0.02, 0.35 * platform + 0.012)]
        slab = np.concatenate([top, curve([top[-1], *under, top[0]], closed=False)[1:-1]])
        product.body("heel", slab, puff=0.4, radius=0.03, cast=0.4, reach=0.01)
        _thin_sole(product, bed[bed[:, 0] > 0.42], 0.018)
    else:
        _thin_sole(product, bed, 0.018)
    return product


def _ring(centre: tuple[float, float], radii: tuple[float, float], turn: float, near: bool) -> Array:
    """Return half of a loop around the ankle, seen from a little above: its near half hangs lower."""
    loop = ellipse((0, 0), radii)
    half = np.concatenate([loop[14:], loop[:3]]) if near else loop[:17]  # the near one reaches round both ends
    cos, sin = np.cos(turn), np.sin(turn)
    return f32(half @ f32([[cos, sin], [-sin, cos]]) + f32(centre))


def _ankle_strap(product: Product, rng: Rng, centre: tuple[float, float], width: float, near: bool) -> None:
    """Add half of a strap around the ankle; the near half carries the buckle."""
    path = _ring(centre, (0.108, 0.028), -0.12, near)
    product.tube("accent" if near else "lining", [path], width, puff=0.5, tone=1.0 if near else 0.9, cast=0.2)
    if near:
        spot = path[10]
        frame = ellipse(spot, (0.018, 0.62 * width))
        product.tube("metal", [np.concatenate([frame, frame[:1]])], 0.008, puff=1.0)


def _trim(product: Product, upper: Part, rng: Rng, bed: Array, throat: float, toe: float) -> None:
    """Add a toe cap, a bow, a clip or nothing at all on the vamp."""
    style = rng.integers(5)
    top = f32([throat - 0.02, height_at(bed, throat) + 1.05 * toe])
    if style == 0:
        cap = curve([(-0.05, 0.4), (0.12, 0.4), (0.135, height_at(bed, 0.135) + 0.05), (0.11, -0.1), (-0.05, -0.1)])
        product.panel("accent", cap, upper, lift=0.002)
    elif style in (1, 2):
        for side, tone in ((-1, 1.0), (1, 0.92)):
            wing = [
                (0.0, 0.0), (side * 0.03, 0.028), (side * 0.06, 0.022), (side * 0.058, -0.018), (side * 0.028, -0.02),
            ]  # fmt: skip
            product.body("accent", curve(f32(wing) + top), puff=0.6, radius=0.02, tone=tone, ink=0.7)
        product.body("accent", ellipse(top, (0.013, 0.017)), puff=0.9, radius=0.02, ink=0.7)
    elif style == 3:
        product.body("metal", ellipse(top - f32([0.012, 0.016]), (0.028, 0.015), 0.35), puff=0.5, radius=0.01, ink=0.7)


def flat(rng: Rng, size: int) -> Product:
    """Build a ballet flat: a thin sole, a round toe, a piped edge."""
    bed = _arch(0.03, rng.uniform(0.045, 0.06), rng.uniform(0.008, 0.018))
    counter, throat, toe = rng.uniform(0.2, 0.235), rng.uniform(0.22, 0.28), rng.uniform(0.115, 0.135)
    product = stage(rng, size, "flat", counter + 0.08)
    upper = court(
        product, bed, throat=throat, toe=toe, side=rng.uniform(0.115, 0.14), counter=counter, point=rng.uniform(0, 0.6)
    )
    _trim(product, upper, rng, bed, throat, toe)
    heel = [(0.972, 0.3 * bed[-1, 1]), (0.97, 0.0), (0.97, 0.0), (0.78, 0.0), (0.78, 0.0), (0.77, 0.014), (0.77, 0.014)]
    toe_end = [(0.5, 0.014), (0.3, 0.004), (0.12, 0.01), (0.03, bed[0, 1] - 0.018), (0.008, bed[0, 1] - 0.006)]
    slab = np.concatenate([bed, curve([bed[-1], *heel, *toe_end, bed[0]], closed=False)[1:-1]])
    sole = product.body("sole", slab, puff=0.3, radius=0.02, cast=0.35, reach=0.008)
    product.panel("heel", [(0.775, -0.1), (0.775, 0.034), (1.1, 0.04), (1.1, -0.1)], sole, lift=0.002)
    return product


def _wedge_sole(product: Product, bed: Array, rng: Rng) -> None:
    """Add the wedge itself, wound with rope or smooth, on a thin outsole."""
    low = [(0.982, 0.5 * bed[-1, 1]), (0.97, 0.0), (0.97, 0.0), (0.6, 0.0), (0.25, 0.0), (0.1, 0.008),
           (0.03, 0.35 * bed[0, 1]), (0.006, 0.75 * bed[0, 1])]  # fmt: skip
    slab = np.concatenate([bed, curve([bed[-1], *low, bed[0]], closed=False)[1:-1]])
    wedge = product.body("heel", slab, puff=0.4, radius=0.06, cast=0.45, reach=0.012)
    product.panel("outsole", [(-0.1, -0.1), (-0.1, 0.016), (1.1, 0.016), (1.1, -0.1)], wedge, lift=0.001, ink=0.6)
    if rng.random() < 0.5:
        for share in (0.33, 0.66):
            product.seam(np.stack([bed[:, 0], share * bed[:, 1]], 1)[6:], wedge, width=0.004, depth=0.003, ink=0.5)


def wedge(rng: Rng, size: int) -> Product:
    """Build a wedge: closed like a court shoe, or with a toe band and an ankle strap."""
    height = rng.uniform(0.17, 0.28)
    bed = _arch(rng.uniform(0.05, 0.08), height, 0.015, ball=0.27)
    closed = rng.random() < 0.5
    counter = rng.uniform(0.18, 0.21)
    product = stage(rng, size, "wedge, closed" if closed else "wedge, open", height + counter + 0.08)
    if closed:
        throat, toe = rng.uniform(0.25, 0.29), rng.uniform(0.115, 0.135)
        upper = court(product, bed, throat=throat, toe=toe, side=rng.uniform(0.09, 0.11), counter=counter)
        _trim(product, upper, rng, bed, throat, toe)
    else:
        _open_upper(product, rng, bed, counter)
    _wedge_sole(product, bed, rng)
    return product


def _band(product: Product, bed: Array, left: float, right: float, lean: float, rise: float, role: str) -> Part:
    """Add a strap over the foot, from the bed between `left` and `right` up to `rise` and over to the far side."""
    a, b = height_at(bed, left), height_at(bed, right)
    span, top, far = right - left, b + rise, height_at(bed, right + 0.055)
    inside = [(right + lean - 0.3 * span, top - 0.012), (right + lean, top - 0.004),
              (right + lean + 0.035, top - 0.35 * rise), (right + 0.06, max(b + 0.3 * rise, far + 0.01)),
              (right + 0.055, far), (left + 0.5 * span, a)]  # fmt: skip
    lining = product.body("lining", curve(inside), puff=-0.2, radius=0.04, cast=0.0, ink=0.8)
    product.shade(lining, lambda x, y: 0.4 + 0.5 * smoothstep(0.1, 0.9, (y - b) / rise) + 0 * x)
    outside = [(left, a - 0.012), (left, a - 0.012), (left + 0.04 * lean, a + 0.35 * rise),
               (left + 0.22 * span + 0.4 * lean, a + 0.74 * rise),
               (left + 0.6 * span + 0.8 * lean, 0.3 * a + 0.7 * b + 0.94 * rise), (right + lean - 0.01, top),
               (right + lean + 0.006, top - 0.018), (right + 0.6 * lean, b + 0.5 * rise), (right, b - 0.012),
               (right, b - 0.012)]  # fmt: skip
    return product.body(role, curve(outside), puff=0.5, radius=0.05)


def _foot_bed(product: Product, bed: Array, rise: float) -> None:
    """Add the visible top of the sole, which curves up to `rise` behind its near edge."""
    far = f32([0, rise]) * np.sin(np.pi * np.linspace(0, 1, len(bed), dtype=np.float32))[:, None]
    outline = np.concatenate([bed + far, (bed - f32([0, rise]))[::-1]])
    product.body("lining", outline, puff=0.1, cast=0.0, ink=0.7)


def _open_upper(product: Product, rng: Rng, bed: Array, counter: float) -> None:
    """Add toe band, closed heel, ankle strap and, for some, a strap over the instep."""
    last = bed[-1]
    ankle = (float(last[0]) - 0.115, float(last[1]) + counter + 0.012)
    width = rng.uniform(0.022, 0.034)
    _ankle_strap(product, rng, ankle, width, near=False)
    _foot_bed(product, bed, 0.014)
    y = float(last[1])
    back = [(last[0] - 0.13, y - 0.03), (last[0] - 0.13, y - 0.03), (last[0] - 0.09, y + 0.07),
            (last[0] - 0.045, y + 0.13), (last[0] - 0.035, y + counter + 0.01),
            (last[0] - 0.004, y + counter + 0.01), (last[0] + 0.012, y + 0.1), (last[0] + 0.004, y - 0.02),
            (last[0] + 0.004, y - 0.02)]  # fmt: skip
    product.body("upper", curve(back), puff=0.5, radius=0.05)
    wide = rng.uniform(0.1, 0.2)
    _band(product, bed, 0.13, 0.13 + wide, 0.02, rng.uniform(0.115, 0.135), "upper")
    if rng.random() < 0.5:
        _band(product, bed, 0.4, 0.4 + rng.uniform(0.04, 0.06), 0.05, 0.185, "accent")
    _ankle_strap(product, rng, ankle, width, near=True)


def _slide(product: Product, rng: Rng, bed: Array) -> None:
    """Add two wide straps with buckles, or one, on a moulded foot bed."""
    spans = [(0.12, 0.3, 0.03, 0.14), (0.4, 0.56, 0.03, 0.2)] if rng.random() < 0.7 else [(0.16, 0.5, 0.05, 0.18)]
    _foot_bed(product, bed, 0.016)
    for left, right, lean, rise in reversed(spans):
        band = _band(product, bed, left, right, lean, rise, "upper")
        y = height_at(bed, left) + 0.5 * rise
        if len(spans) == 2:
            spot = f32([0.5 * (left + right) + 0.4 * lean, y])
            product.stitch(ribbon(f32([spot - f32([0.06, 0.0]), spot + f32([0.06, 0.0])]), 0.05), band, closed=True)
            frame = spot + f32([(-0.03, -0.022), (0.03, -0.022), (0.03, 0.022), (-0.03, 0.022), (-0.03, -0.022)])
            product.tube("metal", [frame, frame[[0, 3]] + f32([0.03, 0.0])], 0.008, puff=1.0)


def sandal(rng: Rng, size: int) -> Product:
    """Build a sandal: a slide on a cork bed, or straps on a flat sole, a block or a thin heel."""
    style = ("slide", "flat", "heel")[rng.integers(3)]

    # straps on a heel
    if style == "heel":
        height = rng.uniform(0.16, 0.36)
        bed = _arch(0.024, height, 0.012)
        counter = rng.uniform(0.17, 0.2)
        product = stage(rng, size, "sandal, heel", height + counter + 0.06)
        _heel(product, rng, height)
        _open_upper(product, rng, bed, counter)
        _thin_sole(product, bed, 0.02)
        return product

    # a slide, or straps on a flat bed
    thick = rng.uniform(0.05, 0.085)
    bed = curve(
        [
            (0.015, thick + 0.025),
            (0.08, thick + 0.004),
            (0.3, thick),
            (0.55, thick + 0.018),
            (0.8, thick + 0.012),
            (0.975, thick + 0.03),
        ],
        closed=False,
    )
    counter = rng.uniform(0.2, 0.24)
    product = stage(rng, size, f"sandal, {style}", 0.3 if style == "slide" else thick + counter + 0.08)
    if style == "slide":
        _slide(product, rng, bed)
    else:
        _open_upper(product, rng, bed, counter)

    # the sole
    under = [(0.985, 0.5 * thick), (0.965, 0), (0.8, 0), (0.3, 0), (0.1, 0.006), (0.01, 0.5 * thick + 0.02)]
    slab = np.concatenate([bed, curve([bed[-1], *under, bed[0]], closed=False)[1:-1]])
    sole = product.body("heel", slab, puff=0.4, radius=0.03, cast=0.4, reach=0.01)
    low = [(-0.1, -0.1), (-0.1, 0.02), (0.3, 0.018), (1.1, 0.02), (1.1, -0.1)]
    product.panel("outsole", low, sole, lift=0.002, ink=0.7)
    return product
