"""Man-made objects in a landscape: cottages, haystacks, sailing boats, bridges."""

__all__ = ["cottage", "footbridge", "haystack", "sailboat", "stone_bridge"]

from dataclasses import dataclass

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.pen import Pen
from translate.synthetic.light import rgb

Rng = np.random.Generator

WALLS = [rgb(c) for c in (0xEDE3D0, 0xD9C7A8, 0xF2EEE6, 0xC9A98A, 0xB7ADA0)]
ROOFS = [rgb(c) for c in (0x9C4A32, 0x8A5B42, 0x6B6A70, 0x9A8560, 0xB0603C)]
DOORS = [rgb(c) for c in (0x5C7A8C, 0x6B4A34, 0x7A8A5C, 0x9A3A30)]
GLASS, FRAME = rgb(0x30363C), rgb(0xE8E4DA)
STRAW, TIMBER, STONE, PAINT = rgb(0xD2AE6C), rgb(0x6A5744), rgb(0xA39B8C), rgb(0x7FA08A)
SAILS = [rgb(c) for c in (0xF4EFE2, 0xEFE6D0, 0xC9743F, 0xE8E4DC)]
HULLS = [rgb(c) for c in (0xF0EDE6, 0x3F5568, 0x8A3B30, 0x54483C)]


def _pick(rng: Rng, colours: list[Array]) -> Array:
    return colours[rng.integers(len(colours))]


@dataclass(frozen=True)
class House:
    """The walls of a cottage, unfolded: its gable lies left of 0 and its long side right of it (m).

    Attributes:
        length: of the long side, m.
        gable: visible width of the gable side, m.
        eaves: height of the walls, m.
        ridge: height of the roof, m.
        side: 1 shows the gable on the left, -1 on the right.
    """

    length: float
    gable: float
    eaves: float
    ridge: float
    side: int

    def corners(self, *points: tuple[float, float]) -> list[tuple[float, float]]:
        """Project (along the walls, up) to (right, up): walls that recede stand a little higher in the picture."""
        return [(self.side * x, y + 0.035 * x * x / self.length) for x, y in points]

    def panel(self, left: float, right: float, low: float, high: float) -> list[tuple[float, float]]:
        """Return the corners of an upright rectangle on a wall."""
        return self.corners((left, low), (right, low), (right, high), (left, high))


def cottage(pen: Pen, rng: Rng, length: float) -> None:
    """Draw a house `length` m long, seen at an angle: gable side, long side, roof, chimney, windows, door."""
    gable, eaves, side = 0.45 * length, 0.38 * length, -1 if rng.random() < 0.5 else 1
    house = House(length, gable, eaves, eaves + gable * rng.uniform(0.55, 0.85), side)
    wall, roof = _pick(rng, WALLS), _pick(rng, ROOFS)
    normals = f32([[0.35 * side, 0, 0.94], [-0.94 * side, 0, 0.35], [0.25 * side, 0.68, 0.69]])
    front, end, slope = pen.light.shade(np.stack([wall, wall, roof]), normals, 1.0, wrap=0.1)
    pen.polygon(house.panel(0, length, 0, eaves), front)
    pen.polygon(house.corners((0, 0), (-gable, 0), (-gable, eaves), (-gable / 2, house.ridge), (0, eaves)), end)
    _openings(pen, rng, house, float(front.mean() / wall.mean()), float(end.mean() / wall.mean()))
    _chimney(pen, house, float(rng.uniform(0.1, 0.9)) * 0.78 * length, front)
    _roof(pen, rng, house, slope)


def _openings(pen: Pen, rng: Rng, house: House, front: float, end: float) -> None:
    """Draw a door and two windows in front, one in the gable; `front` and `end` are the light on them."""
    door, eaves, half = int(rng.integers(0, 3)), house.eaves, 0.05 * house.length
    for k in range(3):
        x = house.length * (0.2 + 0.3 * k)
        low, colour = (0.0, _pick(rng, DOORS)) if k == door else (0.42 * eaves, GLASS)
        pen.polygon(house.panel(x - 1.3 * half, x + 1.3 * half, low, 0.86 * eaves), FRAME * front)
        pen.polygon(house.panel(x - half, x + half, low, 0.82 * eaves), colour * front)
    middle = -house.gable / 2
    pen.polygon(house.panel(middle - 0.9 * half, middle + 0.9 * half, 0.5 * eaves, 0.9 * eaves), GLASS * end)


def _chimney(pen: Pen, house: House, x: float, colour: Array) -> None:
    width = 0.09 * house.length
    top = house.ridge + 1.6 * width
    pen.polygon(house.panel(x, x + width, house.ridge - width, top), colour * 0.75)
    pen.polygon(house.panel(x - 0.2 * width, x + 1.2 * width, top, top + 0.3 * width), colour * 0.55)


def _roof(pen: Pen, rng: Rng, house: House, slope: Array) -> None:
    """Draw the visible slope with courses of tiles, and the edge over the gable."""
    over, apex = 0.04 * house.length, -house.gable / 2
    low = house.eaves - 0.5 * over
    top = (house.length + over + apex, house.ridge), (apex, house.ridge)
    corners = f32(house.corners((-over, low), (house.length + over, low), *top))
    pen.polygon(corners, slope)
    for t in np.linspace(0.08, 0.95, 7).astype(np.float32):
        course = corners[[0, 1]] * (1 - t) + corners[[3, 2]] * t
        pen.line(course, slope * np.float32(np.exp(rng.normal(-0.05, 0.10))), 0.03)
    pen.line(house.corners((apex, house.ridge), (2 * apex - over, low)), slope * 0.6, 0.12)


def haystack(pen: Pen, rng: Rng, width: float) -> None:
    """Draw a haystack: a drum with a conical cap, with every wisp lit by its position."""
    count = int(np.clip((width * pen.scale) ** 2 * 1.1, 40, 1500))
    body, cap = width * rng.uniform(0.42, 0.55), width * rng.uniform(0.45, 0.65)
    tall = body + cap
    y = f32(rng.random(count) ** 0.9 * tall)
    half = width / 2 * np.where(y < body, 0.90 + 0.14 * y / body, 1.04 * np.clip((tall - y) / cap, 0, 1) ** 0.75)
    across = f32(np.sin(rng.uniform(-np.pi / 2, np.pi / 2, count)))
    normals = np.stack([across, np.where(y < body, -0.05, 0.75), 0.9 * np.sqrt(1 - across**2)], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    tint = f32(np.exp(rng.normal(0, 0.16, (count, 1))))
    under_eaves = np.where((y < body) & (y > 0.75 * body), 0.45, 1.0)
    openness = under_eaves * np.clip(0.35 + y / body, 0, 1)
    colours = pen.light.shade(STRAW * tint, f32(normals), f32(openness), wrap=0.15)
    feet = np.stack([across * half, y], 1)
    wisps = np.stack([0.12 * across * half, -0.09 * tall * rng.uniform(0.5, 1.4, count)], 1)
    _drum(pen, width, body, tall)
    pen.lines(feet, np.maximum(feet + wisps, f32([-width, 0])), colours, 0.05)


def _drum(pen: Pen, width: float, body: float, tall: float) -> None:
    """Draw the dark inside of the stack, so that the background is hidden between the wisps."""
    w, inside = 0.47 * width, pen.light.shade(STRAW * 0.55, f32([[0, 0.2, 0.98]]), 0.6)[0]
    shoulder = body + 0.55 * (tall - body)
    right = [(0.92 * w, 0), (w, body), (0.5 * w, shoulder), (0, 0.98 * tall)]
    pen.polygon(right + [(-x, y) for x, y in right[::-1]], inside)


def sailboat(pen: Pen, rng: Rng, length: float) -> None:
    """Draw a small boat under a mainsail and a jib."""
    sail, hull, heading = _pick(rng, SAILS), _pick(rng, HULLS), -1 if rng.random() < 0.5 else 1
    lean, mast = rng.uniform(-0.06, 0.06), length * rng.uniform(1.15, 1.5)
    normals = f32([[0.4 * heading, 0.1, 0.9], [0, 0.0, 1], [-0.5 * heading, 0.3, 0.8]])
    main, side, jib = pen.light.shade(np.stack([sail, hull, sail]), normals, 1.0, wrap=0.8)
    deck, boom = 0.13 * length, 0.24 * length

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        """Convert (lengths ahead of the middle, m up) to metres in the picture."""
        return [(heading * x * length + lean * y, y) for x, y in points]

    pen.polygon(at((-0.5, deck), (0.55, 1.25 * deck), (0.38, 0), (-0.42, 0)), side)
    pen.line(at((-0.5, deck), (0.55, 1.25 * deck)), side * 0.5 + 0.15, 0.04 * length)
    pen.line(at((0.06, deck), (0.06, mast)), TIMBER * pen.light.fill * 2, 0.025 * length)
    pen.polygon(at((0.04, boom), (-0.5, 1.1 * boom), (-0.18, 0.6 * mast), (0.04, 0.98 * mast)), main)
    pen.polygon(at((0.09, 0.9 * boom), (0.52, 0.8 * boom), (0.08, 0.86 * mast)), jib * 0.92)


def _arc(span: float, foot: float, crown: float) -> Array:
    """Return (25, 2) points of an arch `span` m wide that rises from `foot` to `crown` m."""
    t = np.linspace(-1, 1, 25, dtype=np.float32)
    return np.stack([t * span / 2, foot + (crown - foot) * (1 - t * t)], 1)


def footbridge(pen: Pen, rng: Rng, span: float) -> None:
    """Draw an arched wooden footbridge with a railing, as in a Japanese garden."""
    paint = PAINT if rng.random() < 0.5 else TIMBER
    dark, bright = pen.light.shade(paint, f32([[0, -0.4, 0.9], [0, 0.5, 0.86]]), 1.0)
    foot, rise = 0.05 * span, 0.17 * span
    deck, rail = _arc(span, foot, rise), _arc(span, foot + 1.0, rise + 1.0)
    pen.polygon(np.concatenate([deck + f32([0, 0.15]), (deck - f32([0, 0.25]))[::-1]]), dark)
    posts = deck[::2]
    pen.lines(posts, rail[::2], np.tile(bright, (len(posts), 1)), 0.10)
    for height in (0.5, 1.0):
        pen.line(deck + f32([0, height]), bright, 0.12)


def stone_bridge(pen: Pen, rng: Rng, span: float) -> None:
    """Draw a bridge of two stone arches, with courses of weathered stone."""
    albedo = np.stack([STONE, 0.45 * STONE, 1.15 * STONE])
    normals = f32([[0.0, 0.0, 1.0], [0.0, -0.8, 0.6], [0.0, 1.0, 0.0]])
    face, inside, top = pen.light.shade(albedo, normals, 1.0)
    tall = 0.20 * span
    over = _arc(1.25 * span, 0.62 * tall, 1.25 * tall)
    pen.polygon([*over.tolist(), (0.62 * span, -0.02), (-0.62 * span, -0.02)], face)
    spots = rng.uniform((-0.6 * span, 0), (0.6 * span, 1.1 * tall), (160, 2))
    stones = f32(spots[spots[:, 1] < np.interp(spots[:, 0], over[:, 0], over[:, 1] - 0.1)])
    tints = f32(np.exp(rng.normal(0, 0.16, (len(stones), 1))))
    pen.lines(stones, stones + f32([0.035 * span, 0]), face * tints, 0.05 * tall)
    for side in (-1, 1):
        pen.polygon(_arc(0.44 * span, 0.0, 0.85 * tall) + f32([side * 0.25 * span, 0]), inside)
    pen.line(over, top, 0.3)
