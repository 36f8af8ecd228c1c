"""Behind and below the face: the background and the clothes."""

__all__ = ["backdrop", "clothes"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.faces.canvas import INK, Canvas, Pose, Tones, mirror, mix, smooth
from translate.synthetic.faces.factors import Part, Portrait

SCARF = f32([214, 66, 74])
CLOTH, CLOTH_SHADE = f32([248, 248, 250]), f32([206, 210, 226])


def backdrop(canvas: Canvas, colour: Array, portrait: Portrait) -> None:
    """Draw a gradient between two tones of one colour, in a random direction."""
    rng = portrait.stream(Part.BACKDROP)
    angle = rng.uniform(-0.9, 0.9)
    ramp = np.linspace(-0.5, 0.5, 64, dtype=np.float32)
    share = np.clip(0.5 + ramp[:, None] * np.float32(np.cos(angle)) + ramp * np.float32(np.sin(angle)), 0, 1)[..., None]
    top, bottom = colour, mix(colour, f32([255, 255, 255]), 0.7)
    small = np.asarray(top + (bottom - top) * share, np.uint8)
    canvas.image[:] = cv2.resize(small, (canvas.edge, canvas.edge), interpolation=cv2.INTER_LINEAR)


def clothes(canvas: Canvas, portrait: Portrait, pose: Pose, cloth: Tones) -> None:
    """Draw shoulders and collar."""
    wide = 1.75 if portrait.man else 1.28
    collar = 0.54 if portrait.man else 0.37
    half = ((collar, 1.30), (0.7 * wide, 1.47), (wide, 1.70), (wide + 0.15, 2.4))
    outline = pose.body(smooth(mirror(half), closed=True))
    {"sailor": _sailor, "shirt": _shirt, "hoodie": _hoodie, "turtleneck": _turtleneck}[portrait.clothing](
        canvas, pose, cloth, outline, collar
    )


def _both(canvas: Canvas, pose: Pose, shape: list[tuple[float, float]], colour: Array, ink: Array) -> None:
    """Fill and ink a shape and its mirror image."""
    for side in (-1, 1):
        path = pose.body(f32(shape) * f32([side, 1]))
        canvas.fill(path, colour)
        canvas.line(np.concatenate([path, path[:1]]), INK * pose.unit, ink)


def _torso(canvas: Canvas, pose: Pose, outline: Array, tones: Tones) -> None:
    canvas.fill(outline, tones.base)
    shade = cv2.min(canvas.mask(outline), cv2.bitwise_not(canvas.mask(outline - f32([0.22, -0.02]) * pose.unit)))
    canvas.paint(shade, tones.shade)
    canvas.line(outline, INK * pose.unit, tones.ink)


def _white(cloth: Tones) -> Tones:
    return Tones(base=CLOTH, shade=CLOTH_SHADE, deep=CLOTH_SHADE, light=CLOTH, ink=mix(cloth.ink, CLOTH_SHADE, 0.3))


def _sailor(canvas: Canvas, pose: Pose, cloth: Tones, outline: Array, collar: float) -> None:
    """Draw a white blouse with a wide coloured collar, its white stripe and a scarf."""
    white = _white(cloth)
    _torso(canvas, pose, outline, white)
    _both(
        canvas, pose, [(collar - 0.1, 1.22), (1.02, 1.46), (0.98, 1.95), (0.0, 2.0), (0.0, 1.86)], cloth.base, cloth.ink
    )
    for side in (-1, 1):
        stripe = f32([(0.88, 1.52), (0.84, 1.84), (0.16, 1.90)]) * f32([side, 1])
        canvas.line(pose.body(stripe), 0.07 * pose.unit, CLOTH)
    for side in (-1, 1):
        bow = f32([(0.0, 1.66), (0.34, 1.52), (0.38, 1.84), (0.0, 1.74)]) * f32([side, 1])
        canvas.fill(pose.body(bow), SCARF)


def _shirt(canvas: Canvas, pose: Pose, cloth: Tones, outline: Array, collar: float) -> None:
    """Draw a jacket over a white shirt with a tie."""
    _torso(canvas, pose, outline, cloth)
    canvas.fill(pose.body([(-collar, 1.28), (collar, 1.28), (0.42, 1.8), (0.3, 2.3), (-0.3, 2.3), (-0.42, 1.8)]), CLOTH)
    tie = pose.body([(-0.11, 1.46), (0.11, 1.46), (0.09, 1.6), (0.17, 2.3), (-0.17, 2.3), (-0.09, 1.6)])
    canvas.fill(tie, cloth.deep)
    _both(canvas, pose, [(collar, 1.14), (0.02, 1.46), (0.24, 1.74), (collar + 0.14, 1.36)], CLOTH, CLOTH_SHADE * 0.6)
    _both(canvas, pose, [(collar + 0.1, 1.38), (0.78, 1.62), (0.40, 2.3), (0.3, 2.3)], cloth.shade, cloth.ink)


def _hoodie(canvas: Canvas, pose: Pose, cloth: Tones, outline: Array, collar: float) -> None:
    """Draw a sweater with its hood behind the neck, and the strings."""
    _torso(canvas, pose, outline, cloth)
    hood = [(collar - 0.06, 1.12), (collar + 0.30, 1.20), (collar + 0.36, 1.48), (0.34, 1.82), (0.0, 1.92), (0.0, 1.66)]
    _both(canvas, pose, [*hood, (collar - 0.16, 1.46)], cloth.shade, cloth.ink)
    for side in (-1, 1):
        canvas.line(pose.body([(0.2 * side, 1.74), (0.22 * side, 2.2)]), 0.08 * pose.unit, cloth.light)


def _turtleneck(canvas: Canvas, pose: Pose, cloth: Tones, outline: Array, collar: float) -> None:
    """Draw a sweater with a high rolled collar."""
    _torso(canvas, pose, outline, cloth)
    top, low = (collar - 0.02, 1.06), (collar + 0.12, 1.44)
    right = ((0.0, 1.14), top, top, low, low, (0.0, 1.54))
    roll = pose.body(smooth(mirror(right), closed=True))
    canvas.fill(roll, cloth.base)
    shade = cv2.min(canvas.mask(roll), cv2.bitwise_not(canvas.mask(roll - f32([0.12, 0.12]) * pose.unit)))
    canvas.paint(shade, cloth.shade)
    canvas.line(np.concatenate([roll, roll[:1]]), INK * pose.unit, cloth.ink)
