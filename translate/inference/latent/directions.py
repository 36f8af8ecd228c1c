"""Principal components of styles, as sliders: the directions along which a model's pictures differ most.

Härkönen et al., 2020 (GANSpace), https://arxiv.org/abs/2004.02546, section 2.
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
    """Principal components of styles, in order of decreasing variance."""

    mean: Tensor  # (w_dim,), the mean style
    vectors: Tensor  # (count, w_dim), orthonormal; the largest component of each is positive
    stds: Tensor  # (count,), standard deviations of the styles along the vectors

    def whiten(self, w: Tensor) -> Tensor:
        """Convert styles (n, w_dim) to coordinates (n, count) of mean 0 and variance 1."""
        return (w - self.mean) @ self.vectors.T / self.stds

    def unwhiten(self, u: Tensor) -> Tensor:
        """Convert coordinates (n, count) to styles (n, w_dim)."""
        return self.mean + (u * self.stds) @ self.vectors


def find_directions(sampler: Sampler, *, count: int = 8, samples: int = 2000, label: Label = None) -> Directions:
    """Compute the first `count` principal components of the styles of the seeds 0 to `samples` - 1.

    Without a `label`, the styles of all labels count, so the first directions lead from label to label.

    Raises:
        OptionError: the styles have fewer directions, or the label is unknown.
    """
    available = min(sampler.w_dim, samples - 1)
    if not 1 <= count <= available:
        raise OptionError(f"{count} directions: this model's styles have 1 to {available} (from {samples} samples)")
    return principal_components(sampler.styles_of(range(samples), label), count)


def principal_components(styles: Tensor, count: int) -> Directions:
    """Compute the first `count` principal components of styles (n, w_dim).

    Double precision on the CPU and fixed signs make them the same on every machine.
    """
    points = styles.detach().cpu().double()
    mean = points.mean(0)
    _, lengths, vectors = torch.linalg.svd(points - mean, full_matrices=False)
    vectors = vectors[:count]
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    parts = {"mean": mean, "vectors": vectors * largest.sign(), "stds": lengths[:count] / (len(points) - 1) ** 0.5}
    return Directions(**{name: part.to(styles.device, torch.float32) for name, part in parts.items()})


def draw_along_direction(
    sampler: Sampler, w: Tensor, directions: Directions, index: int, amounts: Sequence[float]
) -> np.ndarray:
    """Draw w (w_dim,) moved along a direction by n `amounts`, in standard deviations: (n, size, size, 3) uint8 RGB.

    Raises:
        OptionError: the direction does not exist.
    """
    if not 0 <= index < len(directions.vectors):
        raise OptionError(f"direction {index} does not exist; choose 0 to {len(directions.vectors) - 1}")
    steps = torch.as_tensor(amounts, dtype=torch.float32, device=w.device)[:, None]
    return sampler.draw(w + steps * directions.stds[index] * directions.vectors[index])
