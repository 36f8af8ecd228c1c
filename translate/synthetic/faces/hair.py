"""Hair: locks, the hair behind the head and beside the face, and its shine."""

__all__ = [
    "Lock", "back_hair", "crown", "draw_locks", "hairline", "outlines", "place_locks", "shine", "side_locks", "spikes",
]  # fmt: skip

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.curves import Points, curve
from translate.synthetic.faces.canvas import INK, Canvas, Pose, Tones, mirror, mix, smooth
from translate.synthetic.faces.factors import Part, Portrait

Rng = np.random.Generator
Place = Callable[[Points], Array]

STEPS = np.linspace(0, 1, 13, dtype=np.float32)[:, None]
BACK_DROP = {"short": 0.78, "medium": 1.42, "long": 2.6}  # where the hair behind the head ends
SIDE_DROP = {"short": 0.42, "medium": 1.12, "long": 2.3}  # where the locks beside the face end


@dataclass(frozen=True)
class Lock:
    """A tapered strand of hair, in half-widths of the face.

    Attributes:
        root: where it leaves the head.
        bend: pulls its middle.
        tip: where it ends.
        width: of its thickest part.
        blunt: 0 tapers from the middle, 1 only near the tip, -1 from the root.
    """

    root: tuple[float, float]
    bend: tuple[float, float]
    tip: tuple[float, float]
    width: float
    blunt: float = 0.3


def place_locks(place: Place, locks: Sequence[Lock]) -> Array:
    """Return the left edges, the middles and the right edges of n `locks`, (3, n, 13, 2), px."""
    root, bend, tip = (f32([getattr(lock, name) for lock in locks])[:, None] for name in ("root", "bend", "tip"))
    width, blunt = (f32([getattr(lock, name) for lock in locks])[:, None, None] for name in ("width", "blunt"))
    axis = (1 - STEPS) ** 2 * root + 2 * STEPS * (1 - STEPS) * bend + STEPS**2 * tip
    taper = np.clip((1 - STEPS) / (0.5 - 0.42 * blunt), 0, 1) ** np.float32(0.8)
    aside = 0.5 * width * (0.62 + 0.38 * np.minimum(2 * STEPS, 1)) * taper * _normals(axis)
    flat = np.stack([axis - aside, axis, axis + aside])
    return place(flat.reshape(-1, 2)).reshape(flat.shape)


def outlines(placed: Array) -> Array:
    """Return the closed outlines (n, 26, 2) of locks (3, n, 13, 2)."""
    return np.concatenate([placed[0], placed[2, :, ::-1]], axis=1)


def draw_locks(canvas: Canvas, unit: float, placed: Array, hair: Tones) -> None:
    """Draw locks (3, n, 13, 2) one over the other: flat colour, a dark and a light strand, ink at the edges."""
    left, axis, right = placed
    swap = left[:, 6:7, :1] > right[:, 6:7, :1]  # the light is on the left
    dark, bright = np.where(swap, left, right), np.where(swap, right, left)
    inner = axis + (dark - axis) * np.linspace(1.0, 0.1, len(STEPS), dtype=np.float32)[:, None]
    shadow = np.concatenate([dark[:, 3:], inner[:, :2:-1]], axis=1)
    strand = _ink_outlines(0.6 * bright[:, 2:12] + 0.4 * axis[:, 2:12], INK * unit)
    glow, lit = (
        _ink_outlines(0.3 * bright[:, 1:10] + 0.7 * axis[:, 1:10], 1.7 * INK * unit),
        mix(hair.base, hair.light, 0.45),
    )
    edges = _ink_outlines(dark[:, 3:], INK * unit), _ink_outlines(bright[:, 6:], INK * unit)
    for k, outline in enumerate(outlines(placed)):
        canvas.fill(outline, hair.base)
        canvas.fill(shadow[k], hair.shade)
        canvas.fill(strand[k], hair.shade)
        canvas.fill(glow[k], lit)
        for edge in edges:
            canvas.fill(edge[k], hair.ink)


def _ink_outlines(paths: Array, width: float) -> Array:
    """Return the outlines (n, 2 k, 2) of lines along open `paths` (n, k, 2), thickest before the end."""
    swell = np.interp(np.linspace(0, 1, paths.shape[1]), [0, 0.7, 1], [0.1, 1.0, 0.6]).astype(np.float32)
    aside = 0.5 * width * swell[:, None] * _normals(paths)
    return np.concatenate([paths - aside, (paths + aside)[:, ::-1]], axis=1)


def _normals(paths: Array) -> Array:
    """Return unit vectors across `paths` (n, k, 2)."""
    along = np.gradient(paths, axis=1)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    return across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)


def crown(portrait: Portrait) -> Array:
    """Return the upper edge of the hair on the top of the head (N, 2), from the right ear to the left."""
    wide, high = (1.14, -1.46) if portrait.man else (1.20, -1.50)
    half = ((wide - 0.03, 0.12), (wide, -0.35), (0.95, -0.98), (0.5, high + 0.10), (0.0, high))
    return smooth(mirror(half))


def hairline(portrait: Portrait) -> Array:
    """Return the lower edge of the hair on the top of the head (N, 2), from the right ear to the left."""
    line = -0.80 if portrait.fringe == "none" else -0.92
    half = ((0.92, -0.05), (0.86, -0.40), (0.72, line + 0.20), (0.36, line - 0.02), (0.0, line + 0.06))
    return smooth(mirror(half))


def back_hair(canvas: Canvas, portrait: Portrait, pose: Pose, hair: Tones) -> None:
    """Draw the hair behind the head and the neck, and the ends that stand out from it."""
    rng = portrait.stream(Part.BACK_HAIR)
    wide = (1.14 if portrait.man else 1.22) + rng.uniform(-0.02, 0.03)
    cropped = portrait.man and portrait.hair_length == "short"
    drop = BACK_DROP[portrait.hair_length] * (0.85 if cropped else 1.0)
    flare = {"short": 0.88, "medium": 1.02, "long": 1.12}[portrait.hair_length] + rng.uniform(-0.05, 0.08)
    if portrait.man:
        flare -= 0.22 if cropped else 0.05
    ears = 0.98 if cropped else wide
    half = ((0.0, -1.48), (0.55, -1.37), (0.98, -0.95), (wide, -0.3), (ears, 0.3), (wide * flare, drop - 0.25))
    outline = curve(mirror((*half, (wide * flare * 0.8, drop))), density=5)
    canvas.fill(pose.back(outline), mix(hair.shade, hair.deep, 0.5))
    locks = []
    for x in sorted(np.linspace(-1, 1, 9 if portrait.hair_length != "long" else 5), key=lambda v: -abs(v)):
        reach = drop + rng.uniform(0.02, 0.22) - 0.12 * abs(x)
        tip = (x * wide * flare * 1.04 + rng.uniform(-0.08, 0.08), reach)
        locks.append(Lock((x * 0.8 * wide, -0.2), (x * ears * 1.05, 0.5 * drop), tip, 0.46, 0.0))
    draw_locks(canvas, pose.unit, place_locks(pose.back, locks), _shaded_tones(hair))
    canvas.line(pose.back(outline), INK * pose.unit, hair.ink)


def _shaded_tones(hair: Tones) -> Tones:
    """Return the tones of hair that lies in the shadow of the head."""
    return Tones(
        base=mix(hair.base, hair.shade, 0.55),
        shade=mix(hair.shade, hair.deep, 0.4),
        deep=hair.deep,
        light=hair.base,
        ink=hair.ink,
    )


def side_locks(portrait: Portrait) -> list[Lock]:
    """Return the locks that frame the face, outer ones first."""
    rng = portrait.stream(Part.SIDE_LOCKS)
    short_man = portrait.man and portrait.hair_length == "short"
    drop = 0.12 if short_man else SIDE_DROP[portrait.hair_length]
    count, wide = (1, 0.24) if short_man else (2, 0.30)
    locks = []
    for side in (-1, 1):
        for k in range(count):
            tip = (side * (0.95 - 0.14 * k + rng.uniform(-0.06, 0.08)), drop * (1 - 0.16 * k) + rng.uniform(-0.08, 0.1))
            bend = (side * (1.14 - 0.1 * k), 0.25 * drop)
            locks.append(Lock((side * (0.90 - 0.06 * k), -0.75), bend, tip, wide, 0.35))
    return locks


def spikes(portrait: Portrait) -> list[Lock]:
    """Return tufts that stand out from the crown: many for spiky hair, else a stray one at most."""
    rng = portrait.stream(Part.SPIKES)
    if portrait.fringe != "spiky":
        lean = rng.uniform(-0.25, 0.25)
        return [Lock((0.1 * lean, -1.38), (0.5 * lean, -1.6), (1.6 * lean, -1.66), 0.10)] if rng.random() < 0.5 else []
    tufts = []
    for side in (-1, 1):
        for x, y in ((1.38, 0.16), (1.52, -0.30), (1.46, -0.80), (1.18, -1.30), (0.52, -1.70)):
            far = f32([x, y]) + f32(rng.uniform(-0.12, 0.12, 2))
            bend = (side * 0.72 * far[0], 0.6 * far[1] - 0.50)
            tufts.append(Lock((side * 0.42 * x, 0.3 * y - 0.55), bend, (side * far[0], far[1]), 0.70, -0.9))
    return tufts


def shine(canvas: Canvas, pose: Pose, hair: Tones, rng: Rng, shapes: Sequence[Array]) -> None:
    """Light from above within `shapes` (px): a soft gradient, and the ring of streaks around the head."""
    mask = canvas.mask(*shapes)
    canvas.paint(mask, [hair.light, hair.base, hair.shade], 0.28)
    x = np.linspace(-0.95, 0.95, 24) + rng.uniform(-0.03, 0.03, 24)
    tall = rng.uniform(0.05, 0.22, 24) * (1.1 - 0.6 * x * x)
    centre = np.stack([x, -0.93 + 0.36 * x * x], axis=1)
    along = np.stack([0.55 * x * tall, tall], axis=1)
    wide = np.stack([rng.uniform(0.02, 0.055, 24), np.zeros(24)], axis=1)
    corners = np.stack([centre - along, centre + wide, centre + 1.2 * along, centre - wide], axis=1)
    streaks = pose.front(corners.reshape(-1, 2)).reshape(-1, 4, 2)
    canvas.paint(cv2.min(canvas.mask(*streaks), mask), hair.light, 0.85)
