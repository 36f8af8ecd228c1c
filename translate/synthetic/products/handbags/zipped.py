"""Bags closed by a long zip: backpack and bowling bag."""

__all__ = ["backpack", "bowling"]

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, offset
from translate.synthetic.products.handbags.body import Handle, base_band, lay_handle, shell, sweep
from translate.synthetic.products.handbags.pattern import Bench, trapeze
from translate.synthetic.products.handbags.trim import (
    buckle,
    clasp,
    feet,
    label,
    pocket,
    ring,
    stitch,
    strap,
    tassel,
    zip_on,
)


def backpack(b: Bench) -> None:
    """Cut a dome with a loop on top, a zip round the front, a pocket, and the shoulder straps behind."""
    wide = b.between(0.34, 0.4)
    corners = b.between(0.06, 0.12), b.between(0.12, 0.28)
    body = trapeze(wide, wide * 0.94, 0, b.height, corners=corners, bows=[0.008, 0.02, 0.02, 0.02])
    _straps_behind(b, wide)
    loop = Handle(
        half=b.between(0.07, 0.1), foot=b.height - 0.02, rise=b.between(0.1, 0.16), width=0.038, square=0.7, lean=0.0
    )
    lay_handle(b, loop, side=-0.6)
    sweep(b, body)
    shell(b, body)
    zip_on(b, _upper_part(offset(body, b.between(0.05, 0.07)), b.height * b.between(0.42, 0.55)))
    _backpack_pocket(b, wide, b.height * b.between(0.42, 0.5))
    if b.chance(0.5):
        label(b, 0.0, b.height * b.between(0.72, 0.78), side=1.0)


def _upper_part(body: Array, low: float) -> Array:
    """Return the piece of a closed outline that is above `low`, from its left foot to its right one."""
    arc = body[body[:, 1] > low]
    middle = f32([0, arc[:, 1].min()])
    return f32(arc[np.argsort(-np.arctan2(*(arc - middle).T[::-1]))])


def _straps_behind(b: Bench, wide: float) -> None:
    """Add shoulder straps that bulge out beside the back."""
    width, out = b.between(0.07, 0.09), b.between(0.07, 0.13)
    steps = [(0.1, 0.98), (wide * 0.75, 1.0), (wide + out, 0.7), (wide + out * 1.05, 0.38), (wide * 0.98, 0.1)]
    for sign in (-1, 1):
        bow = curve([(sign * x, y * b.height) for x, y in steps], closed=False)
        b.front(bow, role="handle", kind="strap", width=width, side=-1.1, shade=0.85)


def _backpack_pocket(b: Bench, wide: float, high: float) -> None:
    """Add a bulging pocket up to the height `high`, with a zip, or a cover that a clasp or two straps close."""
    role = b.either("body", "accent")
    edge = trapeze(wide * 0.78, wide * 0.74, 0.05, high, corners=(0.06, 0.1), bows=[0, 0.01, 0.015, 0.01])
    b.front(edge, role=role, side=1.06, lift=0.016, rim=0.06, name="pocket")
    closed = b.rng.random()
    if closed < 0.45:
        line = f32([(-wide * 0.66, high - 0.1), (0, high - 0.088), (wide * 0.66, high - 0.1)])
        zip_on(b, line, side=1.06, within="pocket")
        return
    cover = trapeze(
        wide * 0.8, wide * 0.77, high - 0.15, high + 0.02, corners=(0.07, 0.03), bows=[b.between(0.0, 0.04), 0, 0, 0]
    )
    b.front(cover, role=role, side=1.1, lift=0.012, rim=0.03, name="cover")
    stitch(b, offset(cover, 0.016), within="cover", side=1.1)
    if closed < 0.75:
        clasp(b, high - 0.15, ["tab", "turnlock"], side=1.13)
        return
    for x in (-wide * 0.42, wide * 0.42):
        strap(b, 0.026, high - 0.24, high, x, side=1.12)
        buckle(b, x, high - 0.14, 0.026, side=1.13)


def bowling(b: Bench) -> None:
    """Cut a bowling bag: a domed body with a zip along the arch, and two round handles."""
    corners = b.between(0.06, 0.12), b.between(0.14, 0.24)
    body = trapeze(0.5, b.between(0.34, 0.42), 0, b.height, corners=corners, bows=[0.006, 0.03, 0.03, 0.03])
    feet(b, 0.36)
    handle = Handle(
        half=b.between(0.15, 0.22), foot=b.height * b.between(0.72, 0.82), rise=b.between(0.3, 0.44),
        width=b.between(0.032, 0.045), square=b.between(0.65, 0.9), narrow=b.between(0.85, 1.0),
        tail=b.between(0.06, 0.14),
    )  # fmt: skip
    lay_handle(b, handle, side=-1)
    sweep(b, body)
    shell(b, body)
    zip_on(b, _upper_part(offset(body, b.between(0.035, 0.05)), b.height * 0.45))
    if b.chance(0.6):
        base_band(b, body, b.between(0.1, 0.2), bow=b.between(-0.04, 0.0))
    if b.chance(0.5):
        pocket(b, 0.08, b.height * 0.52, 0.22, side=1.03)
    lay_handle(b, handle)
    for x in (-handle.half, handle.half):
        ring(b, b.on([(x, handle.foot - 0.01)], 1.05)[0], 0.024, 0.028)
    if b.chance(0.35):
        tassel(b, (handle.half, handle.foot - 0.02), b.between(0.26, 0.34))
