"""Bags that stand open or are drawn together: tote, bucket and hobo."""

__all__ = ["bucket", "hobo", "tote"]

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, ellipse
from translate.synthetic.products.handbags.body import (
    Handle,
    base_band,
    lay_fold,
    lay_handle,
    opening,
    shell,
    shoulder_arch,
    sweep,
)
from translate.synthetic.products.handbags.pattern import Bench, trapeze
from translate.synthetic.products.handbags.trim import clasp, label, pocket, ring, stitch, stud, tassel, zip_on


def tote(b: Bench) -> None:
    """Cut an open shopper: two handles, the back one seen behind."""
    sag = b.between(0.0, 0.035)
    corners = b.between(0.02, 0.1), 0.008
    body = trapeze(b.between(0.38, 0.5), 0.5, 0, b.height, corners=corners, bows=[0.006, 0.01, -sag, 0.01])
    rim = _rim(body, b.height)
    tail = b.between(0.06, 0.2)
    handle = Handle(
        half=b.between(0.17, 0.28), foot=b.height - sag * 0.6, rise=b.between(0.28, 0.52), width=b.between(0.03, 0.055),
        square=b.between(0.55, 0.95), narrow=b.between(0.8, 1.0), lean=b.between(0.2, 0.7), tail=tail,
    )  # fmt: skip
    lay_handle(b, handle, side=-1)
    opening(b, rim)
    sweep(b, body, rim=b.height, fold=b.between(0.05, 0.13))
    shell(b, body)
    _dress_tote(b, body, rim)
    lay_handle(b, handle)
    stud(b, [(x, handle.foot - tail + 0.025) for x in (-handle.half, handle.half)], 0.012)
    if b.chance(0.3):
        tassel(b, (handle.half, handle.foot), b.between(0.25, 0.34))


def _rim(body: Array, height: float) -> Array:
    """Return the upper edge of a front outline, from left to right."""
    upper = body[(body[:, 1] > height * 0.9) & (np.abs(body[:, 0]) < 0.4975)]
    return f32(upper[np.argsort(upper[:, 0])])


def _dress_tote(b: Bench, body: Array, rim: Array) -> None:
    """Add two-tone panels, a pocket or a clasp, seams."""
    if b.chance(0.5):
        base_band(b, body, b.between(0.1, 0.26), bow=b.between(-0.03, 0.02))
    if b.chance(0.6):
        h = b.between(0.05, 0.09)
        band = np.concatenate([rim + (0, 0.05), rim[::-1] - (0, h)])
        b.front(band[::-1], role=b.either("body", "accent"), lift=0.007, rim=0.01, within="front")
        stitch(b, rim[::-1] - (0, h - 0.014), within="front")
    else:
        stitch(b, rim - (0, 0.018), within="front")
    choice = b.rng.random()
    if choice < 0.3:
        pocket(b, b.between(0.1, 0.2), b.height * b.between(0.55, 0.68), b.between(0.17, 0.24))
    elif choice < 0.5:
        clasp(b, b.height - 0.1, ["tab", "turnlock", "padlock"])
    elif choice < 0.8:
        label(b, 0.0, b.height * b.between(0.55, 0.75))


def bucket(b: Bench) -> None:
    """Cut a drawstring bucket: round in plan, gathered at the rim."""
    wide, foot = 0.5, b.between(0.38, 0.46)
    flat = np.sin(b.pitch)
    body = _tub(foot, wide, b.height, flat)
    mouth = ellipse((0, b.height), (wide, wide * flat))
    b.add(
        shoulder_arch(b, wide * 0.9, b.height - 0.05, b.between(0.55, 0.85)),
        role="handle",
        kind="strap",
        width=b.between(0.035, 0.06),
    )
    b.add(mouth, role="lining", rim=0.0, shade=0.75, name="inside")
    b.add(body, role="body", rim=0.22, name="front", folds=1.0)
    if b.chance(0.6):
        h = b.between(0.14, 0.24)
        x = foot + (wide - foot) * h / b.height
        arc = f32([(x * 1.05 * np.cos(t), h + x * flat * np.sin(t)) for t in np.linspace(np.pi, 2 * np.pi, 24)])
        b.add(
            np.concatenate([arc, f32([(0.6, -0.3), (-0.6, -0.3)])]), role="accent", lift=0.008, rim=0.01, within="front"
        )
        b.add(arc - (0, 0.02), role="thread", kind="seam", width=0.007, within="front", ink=0.0)
    _gathers(b, wide, flat)
    _drawstring(b, wide, flat)


def _tub(foot: float, wide: float, height: float, flat: float) -> Array:
    """Return the outline of an open round body, without the far half of its rim; (N, 2) in the picture."""
    down = np.linspace(np.pi, 2 * np.pi, 26)
    base = np.stack([foot * np.cos(down), np.abs(np.sin(down)) ** 0.8 * -foot * flat * 1.15], 1)
    near = np.stack([wide * np.cos(down[::-1]), height + wide * flat * np.sin(down[::-1])], 1)
    return f32(np.concatenate([base, near]))


def _gathers(b: Bench, wide: float, flat: float) -> None:
    """Add folds that run down from the drawstring."""
    for angle in np.linspace(1.1, 1.9, 7) * np.pi + b.rng.uniform(-0.08, 0.08, 7):
        x, y = wide * np.cos(angle), b.height - 0.1 + wide * flat * np.sin(angle)
        length = b.between(0.08, 0.3)
        line = curve(
            [(x, y + 0.04), (x * 0.97, y - length * 0.5), (x * 0.93 + b.between(-0.02, 0.02), y - length)], closed=False
        )
        b.add(line, role="body", kind="mark", width=0.022, within="front", ink=0.5 if b.chance(0.5) else 0.0)


def _drawstring(b: Bench, wide: float, flat: float) -> None:
    level = b.height - b.between(0.09, 0.13)
    t = np.linspace(np.pi, 2 * np.pi, 12)[1:-1]
    holes = f32([(wide * 0.975 * np.cos(a), level + wide * flat * np.sin(a)) for a in t])
    b.add(*(ellipse(p, 0.018) for p in holes), role="metal", lift=0.008, rim=0.01, ink=0.7)
    runs = [
        curve([holes[k], (holes[k] + holes[k + 1]) / 2 - (0, 0.006), holes[k + 1]], closed=False, density=5)
        for k in range(0, 10, 2)
    ]
    b.add(*runs, role="handle", kind="wire", width=0.018, ink=0.8)
    mid = (holes[4] + holes[5]) / 2
    for sign in (-1, 1):
        end = mid + f32([sign * b.between(0.05, 0.1), -b.between(0.25, 0.36)])
        cord = curve([mid, mid + f32([sign * 0.06, -0.08]), end], closed=False)
        b.add(cord, role="handle", kind="wire", width=0.016, ink=0.8)
        b.add(trapeze(0.026, 0.014, -0.1, 0.01, corners=(0.008, 0.008)) + end, role="handle", lift=0.014, rim=0.014)
    for sign in (-1, 1):
        ring(b, (sign * wide * 0.9, b.height - 0.05), 0.026, 0.034)


def hobo(b: Bench) -> None:
    """Cut a slouching crescent, hung from its two tips by a shoulder strap."""
    # the outline and the rim
    tip, dip = b.height, b.height * b.between(0.45, 0.66)
    reach, full, lean = b.between(0.4, 0.5), b.between(0.48, 0.56), b.between(-0.06, 0.06)
    hollow = dip + (tip - dip) * b.between(0.12, 0.3)
    top = [(-reach, tip), (-0.62 * reach, hollow), (lean, dip), (0.62 * reach, hollow), (reach, tip)]
    right = [
        (full * 0.98, tip * b.between(0.66, 0.76)),
        (full, tip * b.between(0.26, 0.4)),
        (full * b.between(0.6, 0.75), 0.045),
    ]
    body = curve([*right, (lean, 0.0), *(_mirror_point(p) for p in right[::-1]), *top])
    rim = curve(top, closed=False)

    # strap, back, front and zip
    b.front(
        shoulder_arch(b, reach, tip + 0.015, b.between(0.4, 0.64)),
        role="handle",
        kind="strap",
        width=b.between(0.035, 0.065),
        side=0.4,
    )
    back = b.on(rim + (0, 0.012), -0.6)
    b.add(np.concatenate([back, b.on(rim[::-1] - (0, 0.08))]), role="body", rim=0.02, shade=0.8, ink=0.8)
    b.front(body, role="body", rim=0.2, name="front", folds=1.6)
    zip_on(b, rim[4:-4][::-1] - (0, 0.03))
    _hobo_folds(b, reach, tip, dip)

    # an accent panel, rings, perhaps a tassel
    if b.chance(0.4):
        seam = curve([(-0.6, tip * 0.3), (-0.2, 0.16), (0.2, 0.16), (0.6, tip * 0.3)], closed=False)
        b.front(
            np.concatenate([seam, f32([(0.6, -0.2), (-0.6, -0.2)])])[::-1],
            role="accent",
            lift=0.006,
            rim=0.01,
            within="front",
        )
        stitch(b, seam - (0, 0.018), within="front")
    for sign in (-1, 1):
        ring(b, b.on([(sign * reach, tip + 0.005)], 0.4)[0], 0.034, 0.04)
    if b.chance(0.35):
        tassel(b, (reach - 0.02, tip - 0.03), b.between(0.26, 0.36))


def _mirror_point(point: tuple[float, float]) -> tuple[float, float]:
    return -point[0], point[1]


def _hobo_folds(b: Bench, reach: float, tip: float, dip: float) -> None:
    for sign in (-1, 1):
        for k in range(int(b.rng.integers(1, 4))):
            start = f32([sign * (reach - 0.01 - 0.03 * k), tip * 0.86 - 0.05 * k])
            end = f32([sign * b.between(0.1, 0.34), dip * b.between(0.25, 0.7)])
            middle = (start + end) / 2 + f32([sign * b.between(-0.02, 0.06), -b.between(0.0, 0.05)])
            lay_fold(b, curve([start, middle, end], closed=False), strength=b.between(0.7, 1.2))
