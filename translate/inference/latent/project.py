"""Projection of a real picture into the latent space: the style whose picture is nearest to the real one.

Gradient descent from the mean style, as in the projector of StyleGAN2 (Karras et al., 2020,
https://arxiv.org/abs/1912.04958, appendix D), and from several other styles at once, since one start may end in a poor
local minimum (Zhu et al., 2016, https://arxiv.org/abs/1609.03552, section 3.1).
"""

__all__ = ["Projection", "project"]

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.images.picture import to_gray
from translate.images.tensors import to_tensor
from translate.inference.latent.image_distance import build_pyramid, pyramid_distances
from translate.inference.latent.neighbours import square_crop
from translate.inference.latent.optimise import Advance, gradient_descent, ranked_styles, search_batch_size
from translate.inference.latent.style_prior import OUTLIER_WEIGHT, fit_style_prior
from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError, UserError

POOL_SIZE = 128  # random styles; searches start from the best of the pool


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The result of a projection."""

    w: Tensor  # (w_dim,), the style
    picture: np.ndarray  # (size, size, 3) uint8 RGB, drawn from w
    distance: float  # from the real picture, by `pyramid_distances`: 0 if equal, about 1 if nothing is in common
    tried: np.ndarray  # (starts,), the distances at the ends of all searches


def project(
    sampler: Sampler, picture: np.ndarray, *, starts: int = 8, steps: int = 200, label: Label = None, seed: int = 0,
    advance: Advance = lambda share: None,
) -> Projection:  # fmt: skip
    """Find the style whose picture is nearest to a given one, within the model's domain.

    Args:
        sampler: the model.
        picture: (H, W, 3) uint8 RGB of any size; its centre square is resized to the model's size, and converted to
            gray for a model of gray pictures.
        starts: searches to run side by side: one from the mean style, the others from the best of 128.
        steps: of each search.
        label: of the styles to search; None: all.
        seed: of the random styles.
        advance: receives the share that is done, 0 to 1.

    Raises:
        OptionError: `starts` or `steps` is out of range, or the label is unknown.
        UserError: the picture has another shape or type.
    """
    if starts < 1 or steps < 1:
        raise OptionError(f"{starts} starts of {steps} steps: give whole numbers from 1 on")
    target, prior = build_pyramid(_as_target(sampler, picture)), fit_style_prior(sampler, label)

    def distance(u: Tensor) -> Tensor:
        return pyramid_distances(sampler.draw_tensor(prior.unwhiten(u)), target)

    def cost(u: Tensor) -> Tensor:
        return distance(u) + OUTLIER_WEIGHT * prior.outlier_penalty(u)

    # 1. start from the mean style, and the nearest of a pool that is the same for any number of starts up to its size
    ranked = ranked_styles(sampler, prior, distance, max(POOL_SIZE, starts), label, seed)
    first = torch.cat([torch.zeros_like(ranked[:1]), ranked])[:starts]

    # 2. descend, and keep the nearest
    batch = search_batch_size(sampler.size)
    u, _ = gradient_descent(cost, first, steps=steps, batch=batch, advance=advance)
    with torch.no_grad():
        tried = torch.cat([distance(part) for part in u.split(batch)])
        best = int(tried.argmin())
        w = prior.unwhiten(u[best : best + 1])
    return Projection(w=w[0], picture=sampler.draw(w)[0], distance=float(tried[best]), tried=tried.cpu().numpy())


def _as_target(sampler: Sampler, picture: np.ndarray) -> Tensor:
    """Return the centre square of a picture as (1, C, size, size) in [-1, 1] on the model's device."""
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise UserError(f"the picture has shape {picture.shape} and type {picture.dtype}; give (H, W, 3) uint8, RGB")
    pixels = square_crop(picture, sampler.size)
    return to_tensor(to_gray(pixels)[..., None] if sampler.gray else pixels).to(sampler.device)
