"""A real picture as a style: what a model comes nearest to it with.

Gradient descent from the mean style, as the projector of StyleGAN2 does (Karras et al., 2020,
https://arxiv.org/abs/1912.04958, appendix D), and from several other styles at once, as one alone may end in a dead
end (Zhu et al., 2016, https://arxiv.org/abs/1609.03552, section 3.1).
"""

__all__ = ["Projection", "project"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.images.picture import to_gray
from translate.images.tensors import to_tensor
from translate.inference.latent.directions import draw_styles
from translate.inference.latent.image_distance import build_pyramid, pyramid_distances
from translate.inference.latent.neighbours import square_crop
from translate.inference.latent.optimise import derive_seeds, gradient_descent, search_batch_size
from translate.inference.latent.style_prior import StylePrior, fit_style_prior
from translate.inference.sampler import Sampler
from translate.utils.errors import OptionError, UserError

POOL = 128  # styles that the starts are the best of
RATE = 0.1  # of Adam, in standard deviations of the styles
STRANGE = 0.1  # weight of leaving the usual styles


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The nearest that a model comes to a picture.

    Attributes:
        w: (w_dim,), the style.
        picture: (size, size, 3) uint8 RGB, what the model draws from it.
        distance: of the two pictures, as `likeness.distances`: 0 where they are the same, about 1 where they have
            nothing in common.
        tried: (starts,), the distances that all starts came to.
    """

    w: Tensor
    picture: np.ndarray
    distance: float
    tried: np.ndarray


def project(
    sampler: Sampler,
    picture: np.ndarray,
    *,
    starts: int = 8,
    steps: int = 200,
    label: str | Mapping[str, float] | None = None,
    seed: int = 0,
) -> Projection:
    """Find the style whose picture is nearest to a given one, among those that the model is used to.

    Args:
        sampler: the model.
        picture: (H, W, 3) uint8 RGB of any size; its middle square is brought to the model's size, in gray for a
            model of gray pictures.
        starts: how many searches to run side by side: one from the mean style, the others from the best of 128.
        steps: of each search.
        label: search among the styles of this label; None: among all.
        seed: of the styles to start from.

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
        return distance(u) + STRANGE * prior.outlier_penalty(u)

    together = search_batch_size(sampler.size)
    first = _starts(sampler, prior, distance, starts, label, seed)
    u, _ = gradient_descent(cost, first, steps=steps, rate=RATE, together=together)
    with torch.no_grad():
        tried = torch.cat([distance(part) for part in u.split(together)])
        best = int(tried.argmin())
        w = prior.unwhiten(u[best : best + 1])
    return Projection(w=w[0], picture=sampler.draw(w)[0], distance=float(tried[best]), tried=tried.cpu().numpy())


def _as_target(sampler: Sampler, picture: np.ndarray) -> Tensor:
    """Return the middle square of a picture as (1, C, size, size) in [-1, 1] on the model's device."""
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise UserError(f"the picture has shape {picture.shape} and type {picture.dtype}; give (H, W, 3) uint8, RGB")
    pixels = square_crop(picture, sampler.size)
    return to_tensor(to_gray(pixels)[..., None] if sampler.gray else pixels).to(sampler.device)


def _starts(
    sampler: Sampler,
    prior: StylePrior,
    distance: Callable[[Tensor], Tensor],
    count: int,
    label: str | Mapping[str, float] | None,
    seed: int,
) -> Tensor:
    """Return the mean style and the nearest of a pool, (count, d); the first do not depend on `count`."""
    pool = prior.whiten(draw_styles(sampler, derive_seeds(seed, max(POOL, count)), label))
    with torch.no_grad():
        far = torch.cat([distance(part) for part in pool.split(search_batch_size(sampler.size))])
    return torch.cat([torch.zeros_like(pool[:1]), pool[far.argsort(stable=True)]])[:count]
