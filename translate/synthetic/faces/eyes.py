"""Eyes, brows and glasses."""

__all__ = ["brows", "eyes", "glasses"]

from dataclasses import dataclass

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.curves import ellipse
from translate.synthetic.faces.canvas import Canvas, Path, Pose, Tones, mix, smooth
from translate.synthetic.faces.factors import Part, Portrait

WHITE, WHITE_SHADE, SPARK = f32([253, 252, 252]), f32([202, 206, 226]), f32([255, 255, 255])
EYE_X, EYE_Y = 0.43, 0.14  # of the middle of an eye: from the middle of the face, and height
PUPIL = f32([24, 16, 26])
GLINT = ((-0.12, -0.38), (0.04, -0.38), (-0.14, 0.42), (-0.30, 0.42))  # on a lens, from the middle of the eye
RIMS = (0.345, 0.34)  # half-widths of a lens, across and down


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The outline of an eye, in its half-widths and half-heights; x runs from the nose outwards.

    Attributes:
        upper: the edge of the upper lid, from the inner to the outer corner.
        lower: the edge of the lower lid, from the outer to the inner corner.
        tall: its half-height as a share of that of a round eye.
        crease: where the fold of the lid is, above the upper edge.
    """

    upper: Path
    lower: Path
    tall: float
    crease: float


CUTS = {
    "round": Cut(
        upper=((-0.95, 0.05), (-0.74, -0.6), (-0.2, -0.94), (0.4, -0.96), (0.88, -0.58), (1.04, 0.0)),
        lower=((0.88, 0.6), (0.4, 0.97), (-0.25, 0.97), (-0.72, 0.7)),
        tall=1.0,
        crease=-1.32,
    ),
    "narrow": Cut(
        upper=((-1.02, 0.42), (-0.6, -0.35), (0.0, -0.85), (0.6, -1.0), (1.12, -0.9)),
        lower=((0.95, 0.1), (0.5, 0.7), (0.0, 0.92), (-0.6, 0.82)),
        tall=0.60,
        crease=-1.6,
    ),
    "sleepy": Cut(
        upper=((-0.98, 0.14), (-0.6, -0.1), (0.0, -0.16), (0.6, -0.06), (1.1, 0.34)),
        lower=((0.85, 0.72), (0.4, 0.95), (-0.25, 0.95), (-0.72, 0.7)),
        tall=0.92,
        crease=-0.72,
    ),
}


class Eye:
    """One eye in its place: from its own half-widths to px."""

    def __init__(self, portrait: Portrait, pose: Pose, side: int) -> None:
        self.pose, self.side, self.cut = pose, side, CUTS[portrait.eye_shape]
        large = portrait.stream(Part.EYES).uniform(0.93, 1.06)
        self.wide, self.round = (0.285 * large, 0.255 * large) if portrait.man else (0.32 * large, 0.345 * large)
        self.tall = self.round * self.cut.tall
        self.middle = f32([side * EYE_X, EYE_Y])

    def at(self, points: Array) -> Array:
        """Place points (N, 2) of the eye in px."""
        return self.pose.front(self.middle + points * f32([self.side * self.wide, self.tall]))

    def path(self, points: Path) -> Array:
        """Return the smooth open curve through `points`, px."""
        return self.at(smooth(points))


def eyes(canvas: Canvas, portrait: Portrait, pose: Pose, iris: Tones, lash: Array, skin: Tones) -> None:
    """Draw both eyes."""
    for side in (-1, 1):
        eye = Eye(portrait, pose, side)
        outline = eye.at(np.concatenate([smooth(eye.cut.upper), smooth(eye.cut.lower)]))
        inside = canvas.mask(outline)
        canvas.fill(outline, WHITE)
        _iris(canvas, eye, inside, iris, pose.sin)
        _lids(canvas, portrait, eye, lash, skin)


def _iris(canvas: Canvas, eye: Eye, inside: Picture, iris: Tones, gaze: float) -> None:
    """Draw the shadow of the lid, then iris, pupil and their reflections, seen through the lids."""
    canvas.paint(cv2.min(inside, canvas.mask(eye.path(eye.cut.upper) + f32([0, 0.07 * eye.pose.unit]))), WHITE_SHADE)
    x = eye.side * (-0.04) + 0.12 * gaze * eye.side
    tall = eye.round / eye.tall * min(1.0, 0.5 + 0.5 * eye.cut.tall)
    centre, rx, ry = f32([x, 0.0]), 0.80 * min(1.0, 0.5 + 0.5 * eye.round / 0.345), 1.02 * tall

    def disc(dx: float, dy: float, sx: float, sy: float) -> Picture:
        return cv2.min(inside, canvas.mask(eye.at(ellipse(centre + f32([dx * rx, dy * ry]), (sx * rx, sy * ry)))))

    canvas.paint(disc(0, 0, 1, 1), iris.ink)
    canvas.paint(disc(0, 0, 0.86, 0.9), [iris.deep, iris.base, iris.light])
    canvas.paint(disc(0, 0.0, 0.38, 0.42), mix(iris.ink, PUPIL, 0.7))
    canvas.paint(disc(0, 0.58, 0.55, 0.26), iris.light, 0.75)
    left = -eye.side  # the light comes from the left for both eyes
    canvas.paint(disc(left * 0.36, -0.42, 0.34, 0.3), SPARK)
    canvas.paint(disc(-left * 0.42, 0.42, 0.17, 0.16), SPARK, 0.9)


def _lids(canvas: Canvas, portrait: Portrait, eye: Eye, lash: Array, skin: Tones) -> None:
    """Draw the dark edge of the upper lid with its lashes, the thin lower one, and the fold."""
    unit = eye.pose.unit
    heavy = (0.09 if portrait.man else 0.115) * (0.8 if portrait.eye_shape == "narrow" else 1.0)
    upper = eye.path(eye.cut.upper)
    canvas.line(upper - f32([0, 0.02 * unit]), heavy * unit, lash, (0.35, 0.7))
    canvas.line(eye.path(eye.cut.lower), 0.035 * unit, mix(lash, skin.ink, 0.5), (0.9, 0.2))
    x, y = eye.cut.upper[-1]
    if not portrait.man:
        for dx, dy, along in ((0.24, -0.36, 0.0), (0.20, -0.08, 0.02)):
            root = f32([[x - 0.2, y - 0.35 + along], [x + dx * 0.5, y + dy * 0.5], [x + dx, y + dy]])
            canvas.line(eye.at(root), 0.075 * unit, lash, (1, 0.1))
    middle = eye.cut.upper[len(eye.cut.upper) // 2][1]
    fold = smooth(eye.cut.upper[1:]) * f32([0.9, 0.55]) + f32([0.05, eye.cut.crease - 0.55 * middle])
    canvas.line(eye.at(fold), 0.03 * unit, skin.ink, (0.1, 0.5))


def brows(canvas: Canvas, portrait: Portrait, pose: Pose, colour: Array) -> None:
    """Draw the brows: a man's are heavy and low, a woman's thin arches; a frown draws them together."""
    high, heavy, arch = (-0.22, 0.095, 0.05) if portrait.man else (-0.38, 0.04, 0.08)
    knit = {"frown": 0.09, "open": -0.05}.get(portrait.mouth, 0.0)
    high += {"narrow": 0.08, "sleepy": 0.05}.get(portrait.eye_shape, 0.0)
    for side in (-1, 1):
        path = ((0.17, high + knit), (0.40, high - arch), (0.72, high + 0.06 - 0.5 * knit))
        canvas.line(pose.front(smooth(path) * f32([side, 1])), heavy * pose.unit, colour, (0.8, 0.15))


def glasses(canvas: Canvas, pose: Pose, frame: Array, squareness: float) -> None:
    """Draw glasses: two glinting lenses, their rims, the bridge and the temples."""
    unit, wide = pose.unit, 0.066
    for side in (-1, 1):
        outline = pose.front(_rim(side, squareness))
        lens = canvas.mask(outline)
        canvas.paint(lens, f32([236, 244, 255]), 0.07)
        glint = pose.front(f32(GLINT) + f32([side * EYE_X, EYE_Y]))
        canvas.paint(cv2.min(lens, canvas.mask(glint)), SPARK, 0.26)
        canvas.line(np.concatenate([outline, outline[:2]]), wide * unit, frame)
        temple = f32([(side * (EYE_X + RIMS[0]), 0.06), (side * 0.9, 0.02)])
        canvas.line(pose.front(temple), 0.9 * wide * unit, frame)
    bridge = smooth(((-0.10, 0.09), (0, 0.03), (0.10, 0.09)))
    canvas.line(pose.front(bridge), wide * unit, frame)


def _rim(side: int, squareness: float) -> Array:
    """Return the outline of a lens between a circle (0) and a rounded box (1), in half-widths of the face."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    power = 1 - 0.55 * squareness
    x, y = (np.sign(v) * np.abs(v) ** power for v in (np.cos(angle), np.sin(angle)))
    wide, tall = RIMS
    return f32(np.stack([side * EYE_X + wide * x, EYE_Y + 0.02 + tall * (1 - 0.15 * squareness) * y], 1))
