"""Editing by strokes and lines: the pictures of a model that match a drawing.

Zhu et al., 2016, "Generative Visual Manipulation on the Natural Image Manifold" (iGAN),
https://arxiv.org/abs/1609.03552, sections 3.2 and 4.1: search the pictures that the model can draw for the colours of
the strokes, and for the gradient orientations of the lines.
"""

__all__ = ["Edits", "as_layer", "edit"]

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.images.line_drawings import ink_share, tidy_sketch
from translate.images.picture import Picture, to_depth, to_gray_rgb
from translate.images.tensors import to_tensor
from translate.inference.latent.hog import cell_size, oriented_gradients, pool_triangular
from translate.inference.latent.optimise import Advance, gradient_descent, ranked_styles, search_batch_size
from translate.inference.latent.style_prior import OUTLIER_WEIGHT, fit_style_prior
from translate.inference.preprocess import prepare_hints
from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError, UserError

LINE_WEIGHT = 0.2  # of the loss of lines; the loss of strokes has weight 1
START_WEIGHT = 0.1  # of the mean square distance to a given starting style, in standard deviations
POOL_FACTOR = 4  # random styles per candidate; searches start from the best of the pool
Loss = Callable[[Tensor], Tensor]  # maps pictures (n, C, S, S) to losses (n,)


@dataclass(frozen=True, kw_only=True)
class Edits:
    """Pictures that match a drawing, the best first."""

    pictures: np.ndarray  # (n, size, size, 3) uint8 RGB
    w: Tensor  # (n, w_dim), styles of the pictures
    costs: np.ndarray  # (n,), 0 for a perfect match


def edit(
    sampler: Sampler, layer: np.ndarray | None, sketch: np.ndarray | None = None, *, start_seed: int | None = None,
    start: Tensor | None = None, candidates: int = 16, steps: int = 40, label: Label = None, seed: int = 0,
    advance: Advance = lambda share: None,
) -> Edits:  # fmt: skip
    """Find pictures that match the strokes and lines of a drawing.

    Args:
        sampler: the model.
        layer: (H, H, 4) uint8 RGBA, transparent between the strokes; None: no strokes.
        sketch: (H, H), (H, H, 3) dark lines on white, or (H, H, 4) lines on a clear layer, uint8; None: no lines.
        start_seed: change the picture of this seed as little as possible; None: start anywhere.
        start: a style (w_dim,) in place of a seed, whose picture is to change as little as possible.
        candidates: searches to run side by side; of results that look the same, only the best is returned.
        steps: of each search.
        label: of the styles to search; None: all.
        seed: of the random starts.
        advance: receives the share that is done, 0 to 1.

    Raises:
        OptionError: `candidates`, `steps` or a seed is out of range, or the label is unknown.
        UserError: nothing is drawn, a layer has another shape or type, or strokes have no transparency.
    """
    if candidates < 1 or steps < 1:
        raise OptionError(f"{candidates} candidates, {steps} steps: give whole numbers from 1 on")
    losses = [loss for loss in (_stroke_loss(sampler, layer), _line_loss(sampler, sketch)) if loss]
    if not losses:
        raise UserError("nothing is drawn: the strokes are clear all over and there are no lines; draw one of the two")
    prior = fit_style_prior(sampler, label)
    if start is None and start_seed is not None:
        start = sampler.styles_of([start_seed], label)[0]
    origin = None if start is None else prior.whiten(start.to(sampler.device)[None])

    def cost(u: Tensor) -> Tensor:
        x = sampler.draw_tensor(prior.unwhiten(u))
        total = torch.stack([loss(x) for loss in losses]).sum(0) + OUTLIER_WEIGHT * prior.outlier_penalty(u)
        return total if origin is None else total + START_WEIGHT * (u - origin).square().mean(1)

    # 1. start from the best of a pool, or from the given style and points around it
    if origin is None:
        starts = ranked_styles(sampler, prior, cost, POOL_FACTOR * candidates, label, seed)[:candidates]
    else:
        noise = torch.randn(candidates - 1, origin.shape[1], generator=torch.Generator().manual_seed(seed))
        starts = torch.cat([origin, origin + 0.5 * noise.to(origin.device)])  # half a standard deviation away

    # 2. descend, and sort by cost
    u, costs = gradient_descent(cost, starts, steps=steps, batch=search_batch_size(sampler.size), advance=advance)
    order = costs.argsort(stable=True)
    return _distinct(sampler, prior.unwhiten(u[order]), costs[order])


def as_layer(picture: Picture) -> np.ndarray:
    """Convert a drawing that was read from a file to (H, W, 3) uint8, or to (H, W, 4) if it has transparency."""
    pixels = to_depth(picture.pixels, np.uint8)
    return pixels if picture.alpha is None else np.dstack((pixels, to_depth(picture.alpha, np.uint8)))


def _stroke_loss(sampler: Sampler, layer: np.ndarray | None) -> Loss | None:
    """Return the mean square difference from the colours of the strokes, over the strokes; None: no strokes."""
    if layer is None:
        return None
    _check_square(sampler, layer, "the layer of strokes", (4,), "(H, H, 4) uint8, RGBA, clear where no stroke is")
    if not layer[..., 3].any():
        return None
    rgb, size = np.ascontiguousarray(layer[..., :3]), (sampler.size,) * 2
    if sampler.gray:
        rgb = to_gray_rgb(rgb)
    hint = prepare_hints(Picture(rgb, layer[..., 3]), layer.shape[:2], size, "the layer of strokes").to(sampler.device)
    colour, mask = hint[:, : sampler.G.out_channels], hint[:, 3:].add(1).div(2)
    return lambda x: (mask * (x - colour).square()).mean((1, 2, 3)) / mask.mean()


def _line_loss(sampler: Sampler, sketch: np.ndarray | None) -> Loss | None:
    """Return the mean square difference from the gradients of the lines, over cells with lines; None: no lines."""
    if sketch is None:
        return None
    _check_square(sampler, sketch, "the sketch", (1, 3, 4), "(H, H) or (H, H, 4) uint8, dark lines on white or clear")
    drawing = tidy_sketch(_on_white(sketch), sampler.size)
    if not ink_share(drawing):
        return None
    lines, cell = to_tensor(drawing[..., None]).to(sampler.device), cell_size(sampler.size)
    target = oriented_gradients(lines, cell)
    ink = (pool_triangular((1 - lines) / 2, cell) > 0.02).float()  # 2 % of ink in a cell make a line
    return lambda x: LINE_WEIGHT * (ink * (oriented_gradients(x, cell) - target).square()).sum((1, 2, 3)) / ink.sum()


def _on_white(sketch: np.ndarray) -> np.ndarray:
    """Composite a sketch on white: (H, W) or (H, W, 3); lines of any colour on a clear layer become black."""
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


def _distinct(sampler: Sampler, w: Tensor, costs: Tensor) -> Edits:
    """Draw styles (n, w_dim), sorted by `costs`, and drop pictures that look the same as a better one."""
    pictures = sampler.draw(w)
    scaled = pictures.astype(np.float32) / 127.5
    kept: list[int] = []
    for i, picture in enumerate(scaled):
        if all(np.sqrt(np.square(picture - scaled[j]).mean()) > 0.1 for j in kept):
            kept.append(i)
    return Edits(pictures=pictures[kept], w=w[kept], costs=costs.cpu().numpy()[kept])
