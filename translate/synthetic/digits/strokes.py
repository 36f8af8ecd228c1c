"""The ten digits as people write them: several forms of each digit, with random measures.

A stroke is an array of (n, 2) points, x to the right and y down, about 1 high and centred on the origin. It is drawn as
a smooth curve through the points, with a corner where a point is repeated.
"""

__all__ = ["SHAPES"]

from collections.abc import Callable, Sequence

import numpy as np

from translate.synthetic.arrays import Array, f32

Rng = np.random.Generator
Point = tuple[float, float]
Strokes = list[Array]


def arc(centre: Point, radii: Point, start: float, end: float) -> list[Point]:
    """Return points on an ellipse from one angle to another, in degrees clockwise from its top."""
    angles = np.radians(np.linspace(start, end, max(3, round(abs(end - start) / 30) + 1)))
    return [(centre[0] + radii[0] * np.sin(a), centre[1] - radii[1] * np.cos(a)) for a in angles.tolist()]


def stroke(*points: Point | Sequence[Point]) -> Array:
    """Return single points and lists of points as one stroke, (n, 2)."""
    flat: list[Point] = []
    for part in points:
        flat += [part] if isinstance(part, tuple) else list(part)
    return f32(flat)


def zero(rng: Rng) -> Strokes:
    """Draw a ring from the top, closed or not quite, at times with the ends crossing; seldom slashed."""
    width, start = rng.uniform(0.24, 0.42), rng.uniform(-20, 45)
    ring = stroke(arc((0, 0), (width, 0.5), start, start - rng.normal(365, 15)))
    if rng.random() < 0.25:  # the pen comes in from outside, or leaves inwards
        ring = np.concatenate([f32([(rng.uniform(-0.05, 0.25), rng.uniform(-0.62, -0.4))]), ring])
    slash = stroke((0.8 * width, -0.4), (-0.8 * width, 0.4))
    return [ring, slash] if rng.random() < 0.02 else [ring]


def one(rng: Rng) -> Strokes:
    """Draw a stroke down, at times with a flag, at times with a foot too."""
    bow, form = rng.normal(0, 0.025), rng.random()
    top, foot = (0.0, -0.5), (rng.normal(0, 0.02), 0.5)
    down = [top, (bow, 0.0), foot]
    if form < 0.76:
        return [stroke(down)]
    flag = (-rng.uniform(0.1, 0.26), rng.uniform(-0.4, -0.2))
    strokes = [stroke(flag, top, top, down[1:])]
    if form > 0.86:
        strokes.append(stroke((-rng.uniform(0.14, 0.3), 0.5), (rng.uniform(0.14, 0.3), 0.5 + rng.normal(0, 0.02))))
    return strokes


def two(rng: Rng) -> Strokes:
    """Draw a swan's neck, then the foot: turned at a corner, in a loop, or in a wave."""
    radius, low, form = rng.uniform(0.2, 0.3), rng.uniform(0.38, 0.5), rng.random()
    crown = arc((0, -0.5 + radius), (radius + 0.03, radius), rng.uniform(-100, -50), rng.uniform(105, 135))
    right = (rng.uniform(0.28, 0.42), low + rng.normal(-0.02, 0.05))
    left = -rng.uniform(0.22, 0.36)
    if form < 0.5:
        return [stroke(crown, (left, low), (left, low), (0.0, low + rng.normal(0, 0.03)), right)]
    if form < 0.85:
        tall = rng.uniform(0.08, 0.22)
        loop = [
            (left + 0.13, low), (left - 0.02, low - 0.02), (left + 0.02, low - tall), (left + 0.2, low - 0.5 * tall),
        ]  # fmt: skip
        return [stroke(crown, (0.02, 0.16), loop, (0.12, low + 0.03), right)]
    return [stroke(crown, (-0.05, 0.15), (left, low), (left + 0.1, low - 0.04), (0.1, low + 0.04), right)]


def three(rng: Rng) -> Strokes:
    """Draw two bowls that meet in a point or a small loop, or a flat top over one bowl."""
    waist, form = rng.uniform(-0.12, 0.05), rng.random()
    inner = rng.uniform(-0.16, 0.02)
    lower = arc((-0.02, (0.5 + waist) / 2), (rng.uniform(0.24, 0.34), (0.5 - waist) / 2), 20, rng.uniform(215, 265))
    if form < 0.12:
        left = (-rng.uniform(0.2, 0.3), -0.48)
        right = (rng.uniform(0.16, 0.26), -0.5)
        return [stroke(left, right, right, (inner, waist), (inner, waist), lower)]
    upper = arc((-0.02, (waist - 0.5) / 2), (rng.uniform(0.2, 0.29), (waist + 0.5) / 2), rng.uniform(-85, -40), 150)
    if form < 0.72:
        return [stroke(upper, (inner, waist), (inner, waist), lower)]
    side = rng.uniform(0.05, 0.1)  # of the loop, or of a waist that is merely rounded
    return [stroke(upper, (inner, waist + 0.3 * side), (inner - side, waist), (inner, waist - 0.2 * side), lower)]


def four(rng: Rng) -> Strokes:
    """Draw a bent or curved arm and a stem across it: open on top, closed, or all of one line."""
    bar, stem, form = rng.uniform(0.0, 0.2), rng.uniform(0.04, 0.2), rng.random()
    right, foot = (stem + rng.uniform(0.06, 0.24), bar + rng.normal(-0.03, 0.03)), (stem - rng.uniform(0, 0.1), 0.5)
    left = -rng.uniform(0.24, 0.36)
    if form < 0.22:
        top = (stem, -0.5)
        return [stroke(top, (left, bar), (left, bar), right), stroke(top, foot)]
    top, reach = (left + rng.uniform(-0.02, 0.14), -rng.uniform(0.38, 0.5)), (stem, -rng.uniform(0.2, 0.52))
    if form < 0.6:
        return [stroke(top, (left, bar), (left, bar), right), stroke(reach, foot)]
    belly = [(left, bar - 0.2), (left + 0.1, bar), ((left + stem) / 2 + 0.06, bar)]
    if form < 0.85:
        return [stroke(top, belly, right), stroke(reach, foot)]
    return [stroke(top, belly, (stem - 0.02, bar - 0.15), reach, reach, foot)]


def five(rng: Rng) -> Strokes:
    """Draw a bar, a neck and a bowl: the bar as a stroke of its own, or all in one line with corners or curves."""
    left, neck, form = -rng.uniform(0.12, 0.25), rng.uniform(-0.16, 0.02), rng.random()
    bar = (rng.uniform(0.2, 0.42), -0.5 + rng.normal(-0.01, 0.04))
    bowl = arc(
        (-0.03, (0.5 + neck) / 2), (rng.uniform(0.22, 0.33), (0.5 - neck) / 2 + 0.02), -20, rng.uniform(205, 255)
    )
    shoulder, top = (left - rng.uniform(0.0, 0.1), neck + 0.04), (left, -0.46)
    if form < 0.45:
        return [stroke(top, shoulder, shoulder, bowl), stroke((left + rng.normal(0, 0.04), -0.46), bar)]
    if form < 0.75:
        return [stroke(bar, top, top, shoulder, shoulder, bowl)]
    lean = (left - 0.02, (neck - 0.46) / 2)
    return [stroke(bar, (left + 0.12, -0.49), (left, -0.4), lean, (left + 0.06, neck), bowl[1:])]


def six(rng: Rng) -> Strokes:
    """Draw a stem, straight or bowed, that rolls up into a loop, closed or nearly."""
    width, height = rng.uniform(0.17, 0.29), rng.uniform(0.17, 0.3)
    centre = (0.0, 0.5 - height)
    top = (rng.uniform(-0.12, 0.26), -0.5)
    bow = rng.uniform(0.02, 0.14)
    middle = ((top[0] - width) / 2 - bow, (centre[1] - 0.5) / 2)
    loop = arc(centre, (width, height), -90, -90 - rng.normal(335, 28))
    entry = [(top[0] + 0.1, top[1] + 0.04)] if rng.random() < 0.2 else []
    return [stroke(entry, top, middle, loop)]


def seven(rng: Rng) -> Strokes:
    """Draw a bar and a leg, at times with a serif on the left, at times with a bar across, at times all curved."""
    left, right = (-rng.uniform(0.22, 0.36), -0.44 + rng.normal(0, 0.03)), (rng.uniform(0.2, 0.32), -0.48)
    foot = (rng.uniform(-0.16, 0.1), 0.5)
    knee = ((right[0] + foot[0]) / 2 - rng.normal(0.03, 0.035), 0.0)
    roof = [left, ((left[0] + right[0]) / 2, left[1] + rng.normal(-0.02, 0.03))]
    if rng.random() < 0.22:
        serif = (left[0] + rng.normal(0, 0.03), left[1] + rng.uniform(0.08, 0.25))
        roof = [serif, left, *roof]
    corner = [right, right] if rng.random() < 0.75 else [(right[0] - 0.05, -0.47), (right[0], -0.38)]
    strokes = [stroke(roof, corner, knee, foot)]
    if rng.random() < 0.16:
        across = rng.uniform(-0.08, 0.1)
        strokes.append(stroke((knee[0] - rng.uniform(0.14, 0.26), across + 0.02), (knee[0] + 0.22, across)))
    return strokes


def eight(rng: Rng) -> Strokes:
    """Draw one line that crosses itself, begun at the top right or in the middle, or two rings."""
    waist = rng.uniform(-0.1, 0.06)
    up, down = rng.uniform(0.15, 0.25), rng.uniform(0.19, 0.3)
    high, deep = (-0.5 + waist) / 2, (0.5 + waist) / 2
    if rng.random() < 0.12:
        tall = (waist + 0.5) / 2
        rings = arc((0, high), (up, tall), 170, 170 - 365), arc((0, deep), (down, 0.5 - deep), 0, rng.normal(-362, 8))
        return [stroke(ring) for ring in rings]
    begin = (up * rng.uniform(0.6, 1.4), high - rng.uniform(0.02, 0.2))
    end = (up * rng.uniform(0.6, 1.3), high - rng.uniform(-0.1, 0.16))
    left = [(0.0, -0.5), (-up, high), (-0.25 * up, waist - 0.03)]
    right = [(0.9 * down, deep - 0.04), (0.7 * down, deep + 0.14), (0.0, 0.5)]
    return [stroke(begin, left, right, (-down, deep), (0.0, waist), end)]


def nine(rng: Rng) -> Strokes:
    """Draw a loop and a tail: straight, hooked, or bent all the way round."""
    width, height = rng.uniform(0.17, 0.28), rng.uniform(0.17, 0.27)
    centre, form = (-0.02, -0.5 + height), rng.random()
    start = rng.uniform(30, 95)
    loop = arc(centre, (width, height), start, start - rng.normal(325, 15))
    edge = (centre[0] + width, -0.5 + rng.uniform(0.02, 0.7) * height)
    if form < 0.55:
        foot = (edge[0] - rng.uniform(-0.02, 0.3), 0.5)
        tail: list[Point] = [edge, edge, ((edge[0] + foot[0]) / 2 + rng.normal(0.02, 0.02), 0.05), foot]
    elif form < 0.85:
        low = rng.uniform(0.0, 0.15)
        tail = [edge, (edge[0] + 0.01, 0.05), (edge[0] - low, 0.4), (edge[0] - low - 0.12, 0.5)]
    else:
        tail = [edge, (edge[0] + 0.02, 0.1), (0.08, 0.46), (-0.12, 0.5), (-0.28, 0.38)]
    return [stroke(loop, tail)]


SHAPES: tuple[Callable[[Rng], Strokes], ...] = (zero, one, two, three, four, five, six, seven, eight, nine)
