"""Directions of the style space along which a model's pictures differ most, as sliders.

Principal components of styles: Härkönen et al., 2020 (GANSpace), https://arxiv.org/abs/2004.02546, section 2.
"""

__all__ = ["Directions", "draw_along_direction", "find_directions", "principal_components"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Principal components of styles, in order of decreasing variance.

    Attributes:
        mean: (w_dim,), the mean style.
        vectors: (count, w_dim), orthonormal; the largest component of each is positive.
        stds: (count,), standard deviations of the styles along them.
    """

    mean: Tensor
    vectors: Tensor
    stds: Tensor

    def whiten(self, w: Tensor) -> Tensor:
        """Return the coordinates (n, count) of styles (n, w_dim), of mean 0 and variance 1."""
        return (w - self.mean) @ self.vectors.T / self.stds

    def unwhiten(self, u: Tensor) -> Tensor:
        """Return the styles (n, w_dim) of coordinates (n, count)."""
        return self.mean + (u * self.stds) @ self.vectors


def find_directions(sampler: Sampler, *, count: int = 8, samples: int = 2000, label: Label = None) -> Directions:
    """Compute the principal components of a model's styles; the same model always gives the same ones.

    Args:
        sampler: the model.
        count: of directions.
        samples: styles to compute them from, those of the seeds 0, 1, ...
        label: restrict the styles to this label; None: all, so that in a model with labels the first directions lead
            from label to label.

    Raises:
        OptionError: the styles do not have so many directions, or the label is unknown.
    """
    available = min(sampler.w_dim, samples - 1)
    if not 1 <= count <= available:
        raise OptionError(f"{count} directions: this model's styles have 1 to {available} (from {samples} samples)")
    return principal_components(sampler.styles_of(range(samples), label), count)


def principal_components(styles: Tensor, count: int) -> Directions:
    """Compute the first `count` principal components of styles (n, w_dim), on their device.

    Computed in double precision on the CPU, with signs fixed, so that they are the same everywhere.
    """
    points = styles.detach().cpu().double()
    mean = points.mean(0)
    _, lengths, vectors = torch.linalg.svd(points - mean, full_matrices=False)
    vectors = vectors[:count]
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    parts = mean, vectors * largest.sign(), lengths[:count] / (len(points) - 1) ** 0.5
    mean, vectors, stds = (part.to(styles.device, torch.float32) for part in parts)
    return Directions(mean=mean, vectors=vectors, stds=stds)


def draw_along_direction(
    sampler: Sampler, w: Tensor, directions: Directions, index: int, amounts: Sequence[float]
) -> np.ndarray:
    """Draw a style w (w_dim,) moved along direction `index`: (n, size, size, 3) uint8 RGB.

    The `amounts` are in standard deviations; 0 is the picture of `w` itself.

    Raises:
        OptionError: there is no such direction.
    """
    if not 0 <= index < len(directions.vectors):
        raise OptionError(f"direction {index} does not exist; choose 0 to {len(directions.vectors) - 1}")
    steps = torch.as_tensor(amounts, dtype=torch.float32, device=w.device)[:, None]
    return sampler.draw(w + steps * directions.stds[index] * directions.vectors[index])
