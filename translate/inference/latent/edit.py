"""Strokes and lines on a canvas, and the pictures of a model that have them.

Zhu et al., 2016, "Generative Visual Manipulation on the Natural Image Manifold" (iGAN),
https://arxiv.org/abs/1609.03552, sections 3.2 and 4.1: among all pictures that the model can draw, find those with
the colours where strokes are, and with the orientations of the gradients where lines are.
"""

__all__ = ["Edits", "edit"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.images.picture import Picture, to_gray
from translate.images.sketch_extraction import ink, tidy_sketch
from translate.images.tensors import to_tensor
from translate.inference.latent.directions import draw_styles
from translate.inference.latent.hog import cell_size, oriented_gradients, pool_triangular
from translate.inference.latent.optimise import derive_seeds, gradient_descent, search_batch_size
from translate.inference.latent.style_prior import StylePrior, fit_style_prior
from translate.inference.preprocess import prepare_hints
from translate.inference.sampler import Sampler
from translate.utils.errors import OptionError, UserError

RATE = 0.1  # of Adam, in standard deviations of the styles
LINES = 0.2  # weight of the lines; of the colours it is 1
NEAR = 0.1  # weight of the mean square distance to the starting style, in standard deviations
STRANGE = 0.1  # weight of leaving the usual styles
AROUND = 0.5  # standard deviations: how far around a given start the other candidates start
CHOICE = 4  # times the wanted candidates: styles that the starts are the best of
SAME = 0.1  # root mean square difference, in [-1, 1], of pictures that count as one
INKED = 0.02  # share of ink in a cell from which on it has a line

Label = str | Mapping[str, float] | None


@dataclass(frozen=True, kw_only=True)
class Edits:
    """Pictures that meet a drawing, the best first.

    Attributes:
        pictures: (n, size, size, 3) uint8 RGB.
        w: (n, w_dim), their styles.
        costs: (n,), how badly they meet it; 0 is perfect.
    """

    pictures: np.ndarray
    w: Tensor
    costs: np.ndarray


def edit(
    sampler: Sampler,
    layer: np.ndarray | None,
    sketch: np.ndarray | None = None,
    *,
    start_seed: int | None = None,
    candidates: int = 16,
    steps: int = 40,
    label: Label = None,
    seed: int = 0,
) -> Edits:
    """Find pictures that have the strokes and lines of a drawing.

    Args:
        sampler: the model.
        layer: (H, H, 4) uint8 RGBA: colour where a stroke is, transparent elsewhere; None: no strokes.
        sketch: (H, H), (H, H, 3) dark lines on white, or (H, H, 4) lines on a clear layer, uint8; None: no lines.
        start_seed: change the picture of this seed as little as that takes; None: start anywhere.
        candidates: how many searches to run side by side.
        steps: of each search.
        label: search among the styles of this label; None: among all.
        seed: of the styles to start from.

    Returns:
        At most `candidates` pictures; of those that look the same only the best.

    Raises:
        OptionError: `candidates`, `steps` or a seed is out of range, or the label is unknown.
        UserError: nothing is drawn, a layer is not square or of no such kind, or strokes have no transparency.
    """
    if candidates < 1 or steps < 1:
        raise OptionError(f"{candidates} candidates, {steps} steps: give whole numbers from 1 on")
    aims = [aim for aim in (_strokes(sampler, layer), _lines(sampler, sketch)) if aim]
    if not aims:
        raise UserError("nothing is drawn: the strokes are clear all over and there are no lines; draw one of the two")
    prior = fit_style_prior(sampler, label)
    origin = None if start_seed is None else prior.whiten(draw_styles(sampler, [start_seed], label))

    def cost(u: Tensor) -> Tensor:
        x = sampler.draw_tensor(prior.unwhiten(u))
        total = torch.stack([aim(x) for aim in aims]).sum(0) + STRANGE * prior.outlier_penalty(u)
        return total if origin is None else total + NEAR * (u - origin).square().mean(1)

    if origin is None:
        starts = _best_of_many(sampler, prior, cost, candidates, label, seed)
    else:
        starts = _around(origin, candidates, seed)
    u, costs = gradient_descent(cost, starts, steps=steps, rate=RATE, together=search_batch_size(sampler.size))
    order = costs.argsort(stable=True)
    return _distinct(sampler, prior.unwhiten(u[order]), costs[order])


# ---- what is drawn

Aim = Callable[[Tensor], Tensor]  # pictures (n, C, S, S) to costs (n,)


def _strokes(sampler: Sampler, layer: np.ndarray | None) -> Aim | None:
    """Return the mean square difference to the colours of the strokes, over the strokes alone."""
    if layer is None:
        return None
    _check_square(sampler, layer, "the layer of strokes", (4,), "(H, H, 4) uint8, RGBA, clear where no stroke is")
    if not layer[..., 3].any():
        return None
    rgb, size = np.ascontiguousarray(layer[..., :3]), (sampler.size,) * 2
    if sampler.gray:
        rgb = to_gray(rgb)[..., None].repeat(3, axis=2)
    hint = prepare_hints(Picture(rgb, layer[..., 3]), layer.shape[:2], size, "the layer of strokes").to(sampler.device)
    colour, mask = hint[:, : sampler.G.out_channels], hint[:, 3:].add(1).div(2)
    return lambda x: (mask * (x - colour).square()).mean((1, 2, 3)) / mask.mean()


def _lines(sampler: Sampler, sketch: np.ndarray | None) -> Aim | None:
    """Return the mean square difference to the oriented gradients of the lines, over the cells that have one."""
    if sketch is None:
        return None
    _check_square(sampler, sketch, "the sketch", (1, 3, 4), "(H, H) or (H, H, 4) uint8, dark lines on white or clear")
    drawing = tidy_sketch(_on_paper(sketch), sampler.size)
    if not ink(drawing):
        return None
    lines, cell = to_tensor(drawing[..., None]).to(sampler.device), cell_size(sampler.size)
    wanted = oriented_gradients(lines, cell)
    inked = (pool_triangular((1 - lines) / 2, cell) > INKED).float()
    return lambda x: LINES * (inked * (oriented_gradients(x, cell) - wanted).square()).sum((1, 2, 3)) / inked.sum()


def _on_paper(sketch: np.ndarray) -> np.ndarray:
    """Return a sketch as (H, W) or (H, W, 3) on white; on a clear layer, lines of any colour become black."""
    planes = sketch.reshape(*sketch.shape[:2], -1)
    if planes.shape[2] < 4:
        return planes[..., 0] if planes.shape[2] == 1 else planes
    return 255 - planes[..., 3] if planes[..., 3].min() < 255 else np.ascontiguousarray(planes[..., :3])


def _check_square(sampler: Sampler, array: np.ndarray, name: str, channels: tuple[int, ...], wanted: str) -> None:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or not array.size:
        raise UserError(f"{name} has shape {array.shape} and type {array.dtype}; give {wanted}")
    if (1 if array.ndim == 2 else array.shape[2]) not in channels:
        lacking = "no alpha channel" if channels == (4,) else f"{array.shape[-1]} channels"
        raise UserError(f"{name} has {lacking}; give {wanted}")
    height, width = array.shape[:2]
    if height != width:
        side = sampler.size
        raise UserError(f"{name} is {width} x {height} px, but the pictures are square; draw on {side} x {side} px")


# ---- the search


def _best_of_many(sampler: Sampler, prior: StylePrior, cost: Aim, count: int, label: Label, seed: int) -> Tensor:
    """Return the coordinates of the best of many styles, (count, d)."""
    pool = prior.whiten(draw_styles(sampler, derive_seeds(seed, CHOICE * count), label))
    with torch.no_grad():
        costs = torch.cat([cost(part) for part in pool.split(search_batch_size(sampler.size))])
    return pool[costs.argsort(stable=True)[:count]]


def _around(origin: Tensor, count: int, seed: int) -> Tensor:
    """Return `origin` (1, d) and points around it, (count, d)."""
    noise = torch.randn(count - 1, origin.shape[1], generator=torch.Generator().manual_seed(seed)).to(origin.device)
    return torch.cat([origin, origin + AROUND * noise])


def _distinct(sampler: Sampler, w: Tensor, costs: Tensor) -> Edits:
    """Leave out what looks like one that is better; all are given best first."""
    pictures = sampler.draw(w)
    unit = pictures.astype(np.float32) / 127.5
    kept: list[int] = []
    for i, picture in enumerate(unit):
        if all(np.sqrt(np.square(picture - unit[j]).mean()) > SAME for j in kept):
            kept.append(i)
    return Edits(pictures=pictures[kept], w=w[kept], costs=costs.cpu().numpy()[kept])
