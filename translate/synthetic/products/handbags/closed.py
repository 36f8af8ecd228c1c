"""Bags with a flap or a frame: satchel, quilted bag, clutch and doctor's bag."""

__all__ = ["clutch", "doctor", "quilted", "satchel"]

from dataclasses import replace

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import curve, offset
from translate.synthetic.products.handbags.body import (
    Handle,
    base_band,
    flap,
    lay_handle,
    quilting,
    shell,
    shoulder_arch,
    sweep,
)
from translate.synthetic.products.handbags.pattern import Bench, arch, outline, trapeze
from translate.synthetic.products.handbags.trim import (
    buckle,
    chain,
    clasp,
    feet,
    pocket,
    ring,
    stitch,
    strap,
    stud,
    tassel,
)


def satchel(b: Bench) -> None:
    """Cut a satchel: a flap over half the front, closed by a clasp or buckled straps; a short handle on top."""
    top = b.between(0.4, 0.5)
    body = trapeze(0.5, top, 0, b.height, corners=(b.between(0.03, 0.1), 0.03), bows=[0.006, 0.02, 0, 0.02])
    if b.chance(0.6):
        feet(b, 0.36)
    if b.chance(0.72):
        _top_handle(b)
    else:
        _long_strap(b, top)
    sweep(b, body)
    shell(b, body)
    drop = b.height * b.between(0.42, 0.7)
    low = b.height - drop
    if b.chance(0.35):
        pocket(b, 0.05, b.height * 0.5, 0.36, side=1.04)
    foot = top * 1.02 * b.between(0.98, 1.08)
    fall = trapeze(
        foot, top * 1.02, low, b.height, corners=(b.between(0.04, 0.2), 0.02), bows=[b.between(0.0, 0.06), 0, 0, 0]
    )
    flap(b, fall, top * 1.02)
    stitch(b, offset(fall, 0.017), within="flap", side=1.07)
    if b.chance(0.45):
        _buckled_straps(b, b.between(0.2, 0.28), b.between(0.028, 0.04), low)
    else:
        clasp(b, low + b.between(0.02, 0.06), ["turnlock", "tab", "padlock"])


def _buckled_straps(b: Bench, x: float, half: float, low: float) -> None:
    """Add two straps that hold the flap down, buckled at its lower edge."""
    for place in (-x, x):
        strap(b, half, low - b.between(0.1, 0.12), b.height - 0.03, place)
        buckle(b, place, low + 0.015, half)


def _top_handle(b: Bench) -> None:
    """Add a round handle on rings in the middle of the top."""
    handle = Handle(
        half=b.between(0.13, 0.22), foot=b.height + 0.03, rise=b.between(0.16, 0.34), width=b.between(0.035, 0.055),
        square=b.between(0.55, 0.9), narrow=b.between(0.85, 1.0),
    )  # fmt: skip
    lay_handle(b, handle, side=0)
    for x in (-handle.half, handle.half):
        ring(b, b.on([(x, b.height + 0.02)], 0)[0], 0.026, 0.03)


def _long_strap(b: Bench, half: float) -> None:
    """Add a strap to be worn across the body, on rings at the ends of the top."""
    line = shoulder_arch(b, half, b.height + 0.02, b.between(0.5, 0.85))
    b.front(line, role="handle", kind="strap", width=b.between(0.025, 0.045), side=0.0)
    for x in (-half, half):
        ring(b, b.on([(x, b.height)], 0.0)[0], 0.024, 0.032)


def quilted(b: Bench) -> None:
    """Cut a bag with diamond quilting, a turnlock, and a chain that runs through eyelets."""
    body = trapeze(0.5, 0.48, 0, b.height, corners=(b.between(0.05, 0.11), 0.05), bows=[0.008, 0.02, 0, 0.02])
    lattice = quilting(b, b.between(0.085, 0.13))
    _chain_strap(b)
    sweep(b, body)
    shell(b, body, quilt=lattice, folds=0.3)
    low = b.height * b.between(0.32, 0.5)
    fall = trapeze(
        0.49, 0.49, low, b.height, corners=(b.between(0.06, 0.16), 0.02), bows=[b.between(0.0, 0.05), 0, 0, 0]
    )
    flap(b, fall, 0.49, role=b.either("body", "accent"))
    b.pieces[-1] = replace(b.pieces[-1], quilt=lattice)
    clasp(b, low + 0.035, ["turnlock", "turnlock", "bar"])
    if b.chance(0.25):
        tassel(b, (0.4, b.height - 0.02), b.between(0.28, 0.36))


def _chain_strap(b: Bench) -> None:
    """Add one long loop or two, from the eyelets at the ends of the top."""
    half, rise = b.between(0.28, 0.42), b.between(0.42, 0.75)
    loops = [(half, rise)] if b.chance(0.5) else [(half, rise), (half * 0.72, rise * b.between(0.72, 0.85))]
    for wide, high in loops:
        bow = arch(wide, b.height - 0.01, high, square=b.between(0.85, 1.1), narrow=b.between(0.7, 0.95), steps=80)
        chain(b, b.see(np.pad(bow, ((0, 0), (0, 1)))), b.between(0.042, 0.058))


def clutch(b: Bench) -> None:
    """Cut an envelope: a pointed, waved or straight flap, sometimes a wrist strap or a chain."""
    body = trapeze(0.5, 0.495, 0, b.height, corners=(b.between(0.02, 0.06), 0.02), bows=[0.006, 0.008, 0, 0.008])
    carried = b.rng.random()
    if carried < 0.35:
        _wrist_strap(b)
    elif carried < 0.55:
        _chain_strap(b)
    sweep(b, body)
    shell(b, body, rim=0.08, folds=0.5)
    low = b.height * b.between(0.22, 0.5)
    fall = _envelope_flap(b, low)
    flap(b, fall, 0.5, role=b.either("body", "accent"), side=1.12)
    stitch(b, offset(fall, 0.017), within="flap", side=1.12)
    clasp(b, low + 0.045, ["turnlock", "bar", "tab"], side=1.16)


def _envelope_flap(b: Bench, low: float) -> Array:
    """Return the falling part of a flap that ends in a point, a wave or a straight edge at height `low`."""
    top, kind = b.height, b.rng.integers(3)
    if kind == 0:
        corners = [b.between(0.05, 0.2), 0.02, 0.02]
        return outline([(0, low), (0.5, top), (-0.5, top)], corners, [b.between(-0.03, 0.05), 0, 0.02])
    if kind == 1:
        points = [(-0.5, top), (-0.46, low + 0.22), (0, low), (0.46, low + 0.22), (0.5, top)]
        return curve(points, closed=False)
    return trapeze(0.5, 0.5, low, top, corners=(b.between(0.02, 0.1), 0.02), bows=[b.between(0.0, 0.03), 0, 0, 0])


def _wrist_strap(b: Bench) -> None:
    """Add a loop that hangs from a ring at the side."""
    x, y = 0.49, b.height - 0.07
    drop, out = b.between(0.24, 0.34), b.between(0.1, 0.17)
    steps = [(0, 0), (1, -0.06), (1.5, -0.6), (0.9, -1), (0.35, -0.6), (0, 0)]
    loop = curve([(x + out * right, y + drop * up) for right, up in steps], closed=False)
    b.front(loop, role="handle", kind="strap", width=0.034, side=0.0)
    ring(b, b.on([(x + 0.005, y)], 0.0)[0], 0.026, 0.026)


def doctor(b: Bench) -> None:
    """Cut a doctor's bag: a stiff frame on top, a gabled side, two short handles, two straps."""
    top = b.between(0.36, 0.42)
    body = trapeze(0.5, top, 0, b.height, corners=(b.between(0.06, 0.12), 0.02), bows=[0.006, 0.045, 0, 0.045])
    feet(b, 0.36)
    handle = Handle(
        half=b.between(0.13, 0.19), foot=b.height - 0.01, rise=b.between(0.16, 0.26), width=b.between(0.04, 0.055),
        square=b.between(0.6, 0.85), lean=0.4, tail=0.05,
    )  # fmt: skip
    lay_handle(b, handle, side=-1)
    sweep(b, body)
    shell(b, body)
    if b.chance(0.6):
        base_band(b, body, b.between(0.12, 0.2))
    bar = trapeze(top + 0.015, top + 0.015, b.height - 0.05, b.height + 0.012, corners=(0.014, 0.014))
    b.front(bar, role="accent", side=1.04, lift=0.014, rim=0.025, name="bar")
    stitch(b, f32([(-top, b.height - 0.036), (top, b.height - 0.036)]), within="bar", side=1.04)
    for x in (-handle.half - 0.09, handle.half + 0.09):
        strap(b, 0.026, b.height * 0.5, b.height - 0.03, x)
        buckle(b, x, b.height * 0.66, 0.026)
    clasp(b, b.height - 0.05, ["turnlock", "padlock"])
    lay_handle(b, handle)
    stud(b, [(x, b.height - 0.045) for x in (-handle.half, handle.half)], 0.013)
