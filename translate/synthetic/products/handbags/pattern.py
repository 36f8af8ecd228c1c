"""The pattern of a handbag: pieces in bag coordinates, projected by a camera, stacked from back to front.

A bag stands on y = 0 and is about one unit wide: x to the right, y up, z towards the viewer. Its panels are planes of
that space, so a handle at the back, a gusset and a flap over the top fit together in every view.
"""

__all__ = ["Bench", "Piece", "arch", "frame", "outline", "trapeze"]

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from translate.synthetic.arrays import Array, f32

Rng = np.random.Generator
Points = ArrayLike  # (N, 2), or (N, 3) in space

CAMERA_DISTANCE = 5.5  # bag widths: the perspective of a short telephoto lens
SHADY, SUNNY = 0.68, 0.9  # brightness of side panels that face away from the lights, and towards the key light


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece of a bag, drawn over the pieces before it.

    Attributes:
        curves: (N, 2) points each, x to the right and y up; all of them share one mask.
        role: of its colour and material: body, accent, handle, lining, metal, thread or shadow.
        kind: "patch" (closed outlines), "strap" (centre lines `width` wide), "wire" (a thin strap that the sketch draws
            as one line), "seam" (dashes `width` wide), "mark" (an embossed line) or "shadow" (on the floor).
        width: of straps, seams and marks.
        rim: radius of the rounded edge; 0 is flat.
        lift: height above the piece below; 0 for a separate volume.
        slope: of its plane, to the right and up: negative leans away.
        within: clip it to the latest piece of that name.
        name: of this piece, for `within`.
        ink: weight of its outline in the sketch; 0 leaves it out.
        shade: brightness of its colour.
        quilt: (3, 2) origin and the two steps of a diamond lattice pressed into it, or None.
        folds: strength of the soft folds in it, 0 to 1.
    """

    curves: tuple[Array, ...]
    role: str
    kind: str = "patch"
    width: float = 0.0
    rim: float = 0.03
    lift: float = 0.0
    slope: tuple[float, float] = (0.0, 0.0)
    within: str = ""
    name: str = ""
    ink: float = 1.0
    shade: float = 1.0
    quilt: Array | None = None
    folds: float = 0.0


@dataclass
class Bench:
    """The size of a bag's body and the view, and the pieces that are laid on each other.

    Attributes:
        rng: of the shape.
        height: of the body.
        depth: of the body at its bottom and at its top.
        yaw: turn of the bag, radians; its right side shows.
        pitch: downward tilt of the camera, radians.
    """

    rng: Rng
    height: float
    depth: tuple[float, float]
    yaw: float
    pitch: float
    pieces: list[Piece] = field(default_factory=list)

    @property
    def is_turned(self) -> bool:
        """Whether the side panel is seen."""
        return self.yaw > 0.2

    def between(self, low: float, high: float) -> float:
        """Sample uniformly."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Return True with probability `share`."""
        return bool(self.rng.random() < share)

    def see(self, points: Points) -> Array:
        """Project (N, 3) points of space; (N, 2)."""
        x, y, z = f32(points).T
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        right, near = x * cos - z * sin, x * sin + z * cos
        up, near = (
            y * np.cos(self.pitch) - near * np.sin(self.pitch),
            near * np.cos(self.pitch) + y * np.sin(self.pitch),
        )
        size = CAMERA_DISTANCE / (CAMERA_DISTANCE - near)
        return np.stack([right * size, up * size], 1).astype(np.float32)

    def on(self, points: Points, side: float = 1.0) -> Array:
        """Put (N, 2) points on the front panel (side 1), the back panel (-1) or between; (N, 2) in the picture."""
        x, y = f32(points).T
        bottom, top = self.depth
        z = side * 0.5 * (bottom + (top - bottom) * np.clip(y / self.height, 0, 1))
        return self.see(np.stack([x, y, z], 1))

    def either(self, *names: str) -> str:
        """Choose one of `names`."""
        return names[int(self.rng.integers(len(names)))]

    def stand(self, half: float, depth: float | None = None) -> None:
        """Cast a shadow on the floor: the bag stands on a rectangle of half-width `half`, as deep as the body."""
        z = 0.5 * (self.depth[0] if depth is None else depth)
        foot = self.see([(-half, 0, z), (half, 0, z), (half, 0, -z), (-half, 0, -z)])
        self.add(foot, role="shadow", kind="shadow", ink=0.0)

    def add(self, *curves: Array, role: str, **options: object) -> None:
        """Lay a piece of picture coordinates on top."""
        self.pieces.append(Piece(curves=tuple(f32(c) for c in curves), role=role, **options))  # type: ignore[arg-type]

    def front(self, *curves: Points, role: str, side: float = 1.0, **options: object) -> None:
        """Lay a piece of panel coordinates on top."""
        self.add(*(self.on(c, side) for c in curves), role=role, **options)


def frame(pieces: Sequence[Piece], rng: Rng, *, soft: float, margin: float = 0.07) -> list[Piece]:
    """Scale and centre the pieces in the unit square, so that the whole bag is visible.

    Args:
        pieces: in any units.
        rng: of the distortion; half of all bags are mirrored.
        soft: deviation of the outlines, in units of the picture; 0 for none.
        margin: empty border on every side.
    """
    points = np.concatenate([c for p in pieces if not p.within for c in _hull(p)])
    low, high = points.min(0), points.max(0)
    scale = min((1 - 2 * margin) / (high[0] - low[0]), (1 - 2 * margin) / (high[1] - low[1]))
    centre = (low + high) / 2
    flip = -1.0 if rng.random() < 0.5 else 1.0
    waves = rng.uniform(3, 7, (2, 2)), rng.uniform(0, 6.3, (2, 2))

    def place(curve: Array) -> Array:
        p = (curve - centre) * scale
        x = p @ waves[0] + waves[1][0]
        p = p + soft * np.sin(x + 0.6 * np.sin(x[:, ::-1] + waves[1][1]))
        return f32(p * (flip, 1) + 0.5)

    return [_place_piece(piece, place, scale, flip) for piece in pieces]


def _hull(piece: Piece) -> list[Array]:
    reach = piece.width / 2 if piece.kind == "strap" else 0
    return [curve + shift for curve in piece.curves for shift in (-reach, reach)]


def _place_piece(piece: Piece, place: object, scale: float, flip: float) -> Piece:
    assert callable(place)
    quilt = piece.quilt
    if quilt is not None:
        corners = place(np.stack([quilt[0], quilt[0] + quilt[1], quilt[0] + quilt[2]]))
        quilt = f32([corners[0], corners[1] - corners[0], corners[2] - corners[0]])
    return replace(
        piece,
        curves=tuple(place(c) for c in piece.curves),
        width=piece.width * scale,
        rim=piece.rim * scale,
        lift=piece.lift * scale,
        slope=(piece.slope[0] * flip, piece.slope[1]),
        shade=piece.shade * (1 if piece.slope[0] * flip == 0 else SHADY if piece.slope[0] * flip > 0 else SUNNY),
        quilt=quilt,
    )


def outline(
    corners: Points, radii: float | Sequence[float], bows: float | Sequence[float] = 0.0, *, steps: int = 14
) -> Array:
    """Return a closed outline with rounded corners and bowed edges.

    Args:
        corners: (K, 2), counter-clockwise.
        radii: how much of its two edges each corner takes.
        bows: how far the middle of the edge after each corner stands out.
        steps: points per edge.
    """
    p = f32(corners)
    r = np.broadcast_to(f32(radii), len(p))
    bow = np.broadcast_to(f32(bows), len(p))
    edges = []
    for k, start in enumerate(p):
        along_edge = p[(k + 1) % len(p)] - start
        length = max(float(np.hypot(*along_edge)), 1e-6)
        t = np.linspace(min(r[k] / length, 0.5), max(1 - r[(k + 1) % len(p)] / length, 0.5), steps)[:, None]
        out = f32([along_edge[1], -along_edge[0]]) / length
        edges.append(start + along_edge * t + out * bow[k] * 4 * t * (1 - t))
    curves = []
    for k, edge in enumerate(edges):
        curves += [edge, _bend(edge[-1], p[(k + 1) % len(p)], edges[(k + 1) % len(p)][0])]
    return f32(np.concatenate(curves))


def _bend(start: Array, corner: Array, end: Array) -> Array:
    t = np.linspace(0, 1, 10)[1:-1, None]
    return f32((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)


def trapeze(
    foot: float, head: float, low: float, high: float, *, corners: tuple[float, float] = (0.02, 0.02),
    bows: float | Sequence[float] = 0.0,
) -> Array:  # fmt: skip
    """Return a panel about x = 0 with rounded `corners` (lower, upper), `foot` and `head` half-wide; see `outline`."""
    points = [(-foot, low), (foot, low), (head, high), (-head, high)]
    return outline(points, [corners[0], corners[0], corners[1], corners[1]], bows)


def arch(half: float, foot: float, rise: float, *, square: float = 0.8, narrow: float = 1.0, steps: int = 40) -> Array:
    """Return an arch that stands on (-half, foot) and (half, foot); (steps, 2).

    Args:
        half: half the distance between its feet.
        foot: height of its feet.
        rise: its height.
        square: 1 is an ellipse, 0.5 nearly a rectangle.
        narrow: half-width at its shoulders, in units of `half`.
        steps: points.
    """
    angle = np.linspace(np.pi, 0, steps)
    y = np.sin(angle).clip(0) ** square
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** square * half * (1 + (narrow - 1) * y)
    return f32(np.stack([x, foot + rise * y], 1))
