"""The `monet` domain: a photograph repainted with layers of curved brush strokes.

Layers from large brushes to small, where a finer one corrects only the errors of the coarser one, and strokes
that are curves of constant colour: A. Hertzmann, "Painterly rendering with curved brush strokes of multiple
sizes", SIGGRAPH 1998. Strokes follow edges, and directions are interpolated between edges:
P. Litwinowicz, "Processing images and video for an impressionist effect", SIGGRAPH 1997; here by a smoothed
structure tensor. Not from these papers: one palette for all pictures, a jitter of each stroke's colour, and shading of
the paint's thickness.
"""

__all__ = ["paint"]

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.landscapes.pen import BITS, UNIT
from translate.synthetic.noise import blur, fbm

GROUND = f32([176, 160, 140])  # the toned canvas, 0..255 RGB
REFERENCE_SIZE = 256  # px: the size at which the brushes below are given
BLUR = 0.5  # f_sigma: the reference of a layer is blurred by this many brush radii
STRIDE = 1.4  # radii between the points of a stroke
CURVATURE = 0.7  # f_c: 1 follows the field, 0 goes straight on
TENSOR_BLUR = 4.0  # sigma, px
PRIOR = 260.0  # strength of the default direction, in squared gray levels of gradient
JITTER_CHROMA, JITTER_LIGHT = 5.0, 4.5  # deviation of a stroke's colour, 0..255
LIGHT_FROM = (0.8, 1.0)  # the lamp stands left and above: brightness per slope in x and y
RELIEF, RELIEF_LIMIT = 0.0075, 0.12  # brightness per unit of slope, and its largest change
WEAVE = 3.2  # px between threads of the canvas


@dataclass(frozen=True)
class Layer:
    """One pass with one brush.

    Attributes:
        radius: of the brush, px at REFERENCE_SIZE.
        threshold: mean RGB error (sum of three channels) above which a spot is painted; below 0 all is.
        spacing: grid of stroke starts, in radii.
        steps: least and most steps of STRIDE radii along a stroke.
    """

    radius: float
    threshold: float
    spacing: float
    steps: tuple[int, int]


LAYERS = (
    Layer(8.0, -1, 1.0, (2, 4)), Layer(4.2, 22, 1.05, (2, 5)), Layer(2.3, 36, 1.2, (2, 5)), Layer(1.3, 58, 1.6, (1, 4)),
)  # fmt: skip


def paint(picture: Picture, rng: np.random.Generator) -> Picture:
    """Paint `picture` (H, W, 3) uint8 RGB with strokes sampled by `rng`."""
    size = picture.shape[0]
    target = _palette(picture)
    field = _directions(target, size / REFERENCE_SIZE)
    canvas = np.empty((*picture.shape[:2], 4), np.uint8)  # RGB and the height of the paint
    canvas[..., :3], canvas[..., 3] = GROUND, 60
    for layer in LAYERS:
        radius = max(layer.radius * size / REFERENCE_SIZE, 0.6)
        _paint_layer(canvas, blur(target, BLUR * radius), field, layer, radius, rng)
    return _varnish(canvas, field, rng)


def _palette(picture: Picture) -> Array:
    """Map a photograph to the painter's palette, (H, W, 3) float32 in 0..255.

    In Lab: no black, violet shadows, warm lights, and more colour everywhere.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0].copy()
    shadow, high = np.clip((52 - light) / 52, 0, 1), np.clip((light - 58) / 42, 0, 1)
    lab[..., 0] = 24 + 0.77 * light
    lab[..., 1:] *= (1.40 - 0.15 * high)[..., None]
    lab[..., 1] += 10 * shadow + 2.5 * high
    lab[..., 2] += 8 * high - 20 * shadow
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255


def _directions(target: Array, zoom: float) -> Array:
    """Return the unit directions (H, W, 2) of strokes: along edges, and along a default curve between edges."""
    gray = blur(cv2.cvtColor(target, cv2.COLOR_RGB2GRAY), 0.8 * zoom)
    gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0, scale=0.25), cv2.Sobel(gray, cv2.CV_32F, 0, 1, scale=0.25)
    xx, xy, yy = (blur(p, TENSOR_BLUR * zoom) for p in (gx * gx, gx * gy, gy * gy))
    height, width = gray.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    swing = 0.35 * np.sin(5.0 * x + 2.0 * y) + 0.25 * np.sin(9.0 * y - 3.0 * x + 1.0) - 0.15
    prior = PRIOR * 0.02
    xx, xy, yy = (
        xx + prior * np.sin(swing) ** 2, xy - prior * np.sin(swing) * np.cos(swing), yy + prior * np.cos(swing) ** 2,
    )  # fmt: skip
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _paint_layer(
    canvas: Picture, reference: Array, field: Array, layer: Layer, radius: float, rng: np.random.Generator
) -> None:
    starts = _starts(canvas, reference, layer, radius, rng)
    if not len(starts):
        return
    colours = reference[starts[:, 1].astype(int), starts[:, 0].astype(int)]
    paths, ends = _trace(canvas, reference, field, starts, colours, layer.steps, radius)
    count = len(starts)
    wobble = JITTER_LIGHT * rng.standard_normal((count, 1)) + JITTER_CHROMA * rng.standard_normal((count, 3))
    rgbh = np.concatenate([colours + wobble, rng.uniform(70, 255, (count, 1))], 1).clip(0, 255)
    widths = np.maximum(1, np.round(2 * radius * rng.uniform(0.7, 1.1, count))).astype(int).tolist()
    points = np.round(paths * UNIT).astype(np.int32)
    for path, end, colour, width in zip(points, ends.tolist(), rgbh.tolist(), widths, strict=True):
        cv2.polylines(canvas, [path[: end + 1]], False, colour, width, cv2.LINE_AA, BITS)


def _starts(canvas: Picture, reference: Array, layer: Layer, radius: float, rng: np.random.Generator) -> Array:
    """Return where strokes start, (N, 2) px in random order: spots whose error is above the layer's threshold."""
    step = max(1.0, layer.spacing * radius)
    height, width = reference.shape[:2]
    error = np.abs(canvas[..., :3] - reference).sum(-1)
    rows, columns = max(1, round(height / step)), max(1, round(width / step))
    mean = cv2.resize(error, (columns, rows), interpolation=cv2.INTER_AREA)
    cells = np.argwhere(mean > layer.threshold)[:, ::-1]
    cells = cells[rng.permutation(len(cells))]
    spots = (cells + rng.uniform(-0.1, 1.1, cells.shape)) * (width / columns, height / rows)
    return np.clip(spots, 0, (width - 1, height - 1)).astype(np.float32)


def _trace(
    canvas: Picture, reference: Array, field: Array, starts: Array, colours: Array, steps: tuple[int, int],
    radius: float,
) -> tuple[Array, NDArray[np.intp]]:  # fmt: skip
    """Follow the field from every start at once.

    Returns:
        Paths (N, steps + 1, 2), px, and the index (N,) of each path's last point: a stroke ends where the
        canvas is already nearer to the reference than the stroke's colour is (Hertzmann 1998, section 2.2).
    """
    least, most = steps
    limit = f32([reference.shape[1] - 1, reference.shape[0] - 1])
    paths = np.empty((len(starts), most + 1, 2), np.float32)
    paths[:, 0] = starts
    ends, alive = np.full(len(starts), least), np.ones(len(starts), bool)
    place, before = starts.copy(), None
    for k in range(1, most + 1):
        column, row = np.clip(place, 0, limit).astype(int).T
        way = field[row, column]
        if before is not None:
            way = way * np.where((way * before).sum(1, keepdims=True) < 0, -1, 1)
            way = CURVATURE * way + (1 - CURVATURE) * before
            way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-6
        place = place + way * np.float32(STRIDE * radius)
        paths[:, k], before = place, way
        column, row = np.clip(place, 0, limit).astype(int).T
        wanted = reference[row, column]
        done = np.abs(wanted - canvas[row, column, :3]).sum(1) < np.abs(wanted - colours).sum(1)
        alive &= ~(done & (k > least))
        ends = np.where(alive & (k > least), k, ends)
    return paths, ends


def _varnish(canvas: Picture, field: Array, rng: np.random.Generator) -> Picture:
    """Light the relief of paint, bristles and canvas from the top left."""
    height, width = canvas.shape[:2]
    zoom = width / REFERENCE_SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bristles = rng.standard_normal((height, width), np.float32)
    combed = sum(
        cv2.remap(
            bristles,
            x + k * field[..., 0],
            y + k * field[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        for k in range(-4, 5)
    )
    weave = np.sin(2 * np.pi * x / (WEAVE * zoom)) + np.sin(2 * np.pi * y / (WEAVE * zoom))
    weave = weave * (0.6 + 0.25 * fbm(rng, (height, width), cells=10, octaves=3))
    relief = blur(canvas[..., 3].astype(np.float32), 0.6 * zoom) * 0.10 + 1.4 * combed + 0.45 * weave
    slope = LIGHT_FROM[0] * cv2.Sobel(relief, cv2.CV_32F, 1, 0) + LIGHT_FROM[1] * cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    shine = 1 + np.clip(RELIEF * slope / 4, -RELIEF_LIMIT, RELIEF_LIMIT)
    return np.clip(canvas[..., :3] * shine[..., None] + 0.5, 0, 255).astype(np.uint8)
