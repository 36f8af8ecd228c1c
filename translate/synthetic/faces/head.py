"""The face without its eyes: outline, ears, neck, nose, mouth and blush."""

__all__ = ["ears", "mouth", "neck", "nose", "skull"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.curves import ellipse
from translate.synthetic.faces.canvas import INK, Canvas, Pose, Tones, mirror, mix, smooth
from translate.synthetic.faces.factors import Portrait

WOMAN = ((0.82, -0.95), (0.85, -0.35), (0.84, 0.08), (0.77, 0.40), (0.54, 0.73), (0.24, 0.98), (0.05, 1.07))
MAN = ((0.82, -0.95), (0.86, -0.35), (0.85, 0.16), (0.80, 0.56), (0.61, 0.92), (0.33, 1.17), (0.12, 1.24))
MOUTH_DARK, TONGUE, TEETH = f32([122, 36, 44]), f32([232, 120, 118]), f32([255, 253, 250])
BLUSH = f32([240, 82, 92])


def _face_outline(portrait: Portrait, pose: Pose) -> Array:
    """Return the closed outline of the face (N, 2), px."""
    return pose.front(smooth(mirror(MAN if portrait.man else WOMAN), closed=True))


def neck(canvas: Canvas, portrait: Portrait, pose: Pose, skin: Tones) -> None:
    """Draw the neck down to the shoulders under the shadow of the chin."""
    half, wide = (0.48, 0.58) if portrait.man else (0.29, 0.36)
    side = smooth(((half, 0.5), (half, 1.1), (wide, 1.35), (1.2, 1.62), (1.5, 2.2)))
    follow = f32([[0.12 * pose.sin, 0]]) * np.clip((1.35 - side[:, 1:]) / 0.25, 0, 1)
    right, left = (pose.body(side * f32([way, 1]) + follow) for way in (1, -1))
    outline = np.concatenate([right, left[::-1]])
    canvas.fill(outline, skin.base)
    shadow = _face_outline(portrait, pose) + f32([0.0, 0.17 * pose.unit])
    canvas.paint(cv2.min(canvas.mask(outline), canvas.mask(shadow)), skin.shade)
    for edge in (right, left):
        canvas.line(edge[:15], INK * pose.unit, skin.ink, (1, 0.5))


def ears(canvas: Canvas, pose: Pose, skin: Tones) -> None:
    """Draw both ears; the face covers the inner half."""
    for side in (-1, 1):
        flap = ((0.78, 0.06), (0.92, -0.02), (1.01, 0.08), (0.98, 0.30), (0.88, 0.46), (0.78, 0.48))
        outline = pose.back(smooth(flap, closed=True) * f32([side, 1]))
        canvas.fill(outline, skin.base)
        canvas.line(outline, INK * pose.unit, skin.ink)
        canvas.fill(pose.back(ellipse((side * 0.90, 0.20), (0.05, 0.13))), skin.shade)


def skull(canvas: Canvas, portrait: Portrait, pose: Pose, skin: Tones) -> Picture:
    """Draw the face in flat colour, with the side away from the light in shadow; return its mask."""
    outline = _face_outline(portrait, pose)
    mask = canvas.mask(outline)
    canvas.fill(outline, skin.base)
    canvas.paint(mask, [skin.base, skin.base, mix(skin.base, skin.shade, 0.4)])
    lit = outline + f32([-0.08 - 0.10 * pose.sin, -0.03]) * pose.unit
    canvas.paint(cv2.min(mask, cv2.bitwise_not(canvas.mask(lit))), skin.shade, 0.6)
    canvas.line(outline[6:-6], INK * pose.unit, skin.ink, (0.5, 0.5))
    if portrait.blush == "blush":
        _blush(canvas, pose, skin, mask)
    return mask


def _blush(canvas: Canvas, pose: Pose, skin: Tones, face: Picture) -> None:
    """Draw soft red cheeks."""
    cheeks = [pose.front(ellipse((side * 0.53, 0.58), (0.24, 0.12))) for side in (-1, 1)]
    soft = np.asarray(cv2.blur(canvas.mask(*cheeks), (2 * round(0.09 * pose.unit) + 1,) * 2), np.uint8)
    canvas.paint(cv2.min(soft, face), BLUSH, 0.75 - 0.33 * float(skin.base.mean()) / 255)  # seen on dark skin, too


def nose(canvas: Canvas, portrait: Portrait, pose: Pose, skin: Tones) -> None:
    """Draw the nose: a small shadow; a man's has a bridge, too."""
    side = -1 if pose.sin < -0.1 else 1
    low = 0.60 if portrait.man else 0.54
    wing = [(0.02, low - 0.12), (0.10 * side, low), (-0.03 * side, low + 0.02)]
    canvas.fill(pose.front(f32(wing)), skin.shade)
    tip = [(0.11 * side, low - 0.03), (0.03 * side, low + 0.03)]
    canvas.line(pose.front(f32(tip)), 1.3 * INK * pose.unit, skin.ink)
    if portrait.man:
        bridge = smooth(((0.12 * side, 0.05), (0.07 * side, 0.25), (0.12 * side, low - 0.03)))
        canvas.line(pose.front(bridge), 0.9 * INK * pose.unit, mix(skin.base, skin.shade, 0.7), (0.2, 1))


def mouth(canvas: Canvas, portrait: Portrait, pose: Pose, skin: Tones) -> None:
    """Draw the mouth in one of four expressions."""
    middle, half = (0.88, 0.26) if portrait.man else (0.79, 0.20)
    ink = mix(skin.ink, f32([190, 40, 60]), 0.1 if portrait.man else 0.5)
    if portrait.mouth == "open":
        _open_mouth(canvas, pose, middle, half, ink)
        return
    bend = {"smile": 0.13, "neutral": 0.0, "frown": -0.10}[portrait.mouth]
    wide = {"smile": 1.15, "neutral": 0.62, "frown": 0.82}[portrait.mouth] * half
    half_path = ((-wide, middle - bend * 0.7), (-0.5 * wide, middle + 0.25 * bend), (0.0, middle + 0.5 * bend))
    path = half_path + tuple((-x, y) for x, y in half_path[1::-1])
    canvas.line(pose.front(smooth(path)), 2.2 * INK * pose.unit, ink, (0.6, 0.6))
    if portrait.man:
        lip = ((-0.3 * half, middle + 0.13), (0.0, middle + 0.15), (0.3 * half, middle + 0.13))
        canvas.line(pose.front(smooth(lip)), 1.4 * INK * pose.unit, skin.shade, (0.2, 0.2))


def _open_mouth(canvas: Canvas, pose: Pose, middle: float, half: float, ink: Array) -> None:
    """Draw a speaking mouth: teeth above, tongue below."""
    w, top, low = 0.85 * half, middle - 0.10, middle + 0.18
    corner = (w, top)
    lips = ((0.0, top + 0.03), corner, corner, (0.6 * w, low - 0.06), (0.0, low), (-0.6 * w, low - 0.06))
    outline = pose.front(smooth((*lips, (-w, top), (-w, top)), closed=True))
    canvas.fill(outline, MOUTH_DARK)
    inside = canvas.mask(outline)
    canvas.paint(cv2.min(inside, canvas.mask(pose.front(ellipse((0, low + 0.02), (0.6 * w, 0.13))))), TONGUE)
    canvas.paint(cv2.min(inside, canvas.mask(pose.front(ellipse((0, top - 0.02), (0.75 * w, 0.08))))), TEETH)
    canvas.line(np.concatenate([outline, outline[:1]]), 1.3 * INK * pose.unit, ink)
