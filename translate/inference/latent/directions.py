"""Directions of the style space along which a model's pictures differ most, as sliders.

Principal components of styles: Härkönen et al., 2020 (GANSpace), https://arxiv.org/abs/2004.02546, section 2.
"""

__all__ = ["Directions", "draw_styles", "find_directions", "principal_components", "draw_along_direction"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.inference.sampler import Sampler
from translate.utils.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Directions, the one of most change first.

    Attributes:
        mean: (w_dim,), the mean style.
        vectors: (count, w_dim), of length 1 and at right angles; the largest number of each is positive.
        spreads: (count,), standard deviations of the styles along them.
    """

    mean: Tensor
    vectors: Tensor
    stds: Tensor


def find_directions(
    sampler: Sampler, *, count: int = 8, samples: int = 2000, label: str | Mapping[str, float] | None = None
) -> Directions:
    """Find the principal components of a model's styles; the same model always gives the same ones.

    Args:
        sampler: the model.
        count: how many directions.
        samples: how many styles to find them from, those of the seeds 0, 1, ...
        label: look at the styles of this label only; None: at all, so that in a model with labels the first
            directions lead from label to label.

    Raises:
        OptionError: the styles do not have so many directions, or the label is unknown.
    """
    most = min(sampler.w_dim, samples - 1)
    if not 1 <= count <= most:
        raise OptionError(f"{count} directions: this model's styles have 1 to {most} (from {samples} samples)")
    return principal_components(draw_styles(sampler, range(samples), label), count)


def draw_styles(sampler: Sampler, seeds: Sequence[int], label: str | Mapping[str, float] | None = None) -> Tensor:
    """Return the styles of `seeds`, (n, w_dim), of one label or, with None, of the label of each seed."""
    with torch.no_grad():
        return sampler.styles_of(seeds, label)


def principal_components(styles: Tensor, count: int) -> Directions:
    """Return the first `count` principal components of styles (n, w_dim), on their device.

    Computed in double precision on the CPU, with signs fixed, so that they are the same everywhere.
    """
    points = styles.detach().cpu().double()
    mean = points.mean(0)
    _, lengths, vectors = torch.linalg.svd(points - mean, full_matrices=False)
    vectors = vectors[:count]
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    parts = mean, vectors * largest.sign(), lengths[:count] / (len(points) - 1) ** 0.5
    mean, vectors, spreads = (part.to(styles.device, torch.float32) for part in parts)
    return Directions(mean=mean, vectors=vectors, stds=spreads)


def draw_along_direction(
    sampler: Sampler, w: Tensor, directions: Directions, which: int, amounts: Sequence[float]
) -> np.ndarray:
    """Move a style along one direction.

    Args:
        sampler: the model.
        w: (w_dim,), the style to start from.
        directions: from `find_directions`.
        which: the direction, from 0 on.
        amounts: how far, in standard deviations; 0 is the picture of `w` itself.

    Returns:
        (n, size, size, 3) uint8 RGB.

    Raises:
        OptionError: there is no such direction.
    """
    if not 0 <= which < len(directions.vectors):
        raise OptionError(f"direction {which} does not exist; choose 0 to {len(directions.vectors) - 1}")
    steps = torch.as_tensor(amounts, dtype=torch.float32, device=w.device)[:, None]
    return sampler.draw(w + steps * directions.stds[which] * directions.vectors[which])
