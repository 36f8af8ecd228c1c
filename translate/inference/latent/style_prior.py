"""Which styles a model is used to, so that a search does not leave them.

A style far from all that training ever drew may paint any one picture, but no slider, walk or edit works from there
(Zhu et al., 2020, "In-domain GAN inversion", https://arxiv.org/abs/2004.00049, section 1).
"""

__all__ = ["StylePrior", "fit_style_prior"]

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from translate.inference.latent.directions import draw_styles, principal_components
from translate.inference.sampler import Sampler

SAMPLES = 2000
FLAT = 1e-3  # of the largest spread: along anything narrower the styles do not differ
USUAL = 0.95  # of the styles are no stranger than what costs nothing


@dataclass(frozen=True, kw_only=True)
class StylePrior:
    """The distribution of a model's styles, in coordinates u along which it has mean 0 and variance 1.

    Attributes:
        mean: (w_dim,), the mean style.
        vectors: (d, w_dim), principal components, of length 1.
        spreads: (d,), standard deviations along them.
        reach: (d,), how far from 0 any of the samples had them.
        radius: the mean square that the coordinates of one style usually do not exceed.
    """

    mean: Tensor
    vectors: Tensor
    stds: Tensor
    max_abs: Tensor
    mean_square_limit: Tensor

    def whiten(self, w: Tensor) -> Tensor:
        """Return the coordinates (n, d) of styles (n, w_dim)."""
        return (w - self.mean) @ self.vectors.T / self.stds

    def unwhiten(self, u: Tensor) -> Tensor:
        """Return the styles (n, w_dim) of coordinates (n, d)."""
        return self.mean + (u * self.stds) @ self.vectors

    def outlier_penalty(self, u: Tensor) -> Tensor:
        """Return how far (n, d) lie outside of what is usual, (n,): by their length, and by single coordinates."""
        length = F.relu(u.square().mean(1) / self.mean_square_limit - 1)
        return length + F.relu(u.abs() - self.max_abs).square().mean(1)


def fit_style_prior(sampler: Sampler, label: str | Mapping[str, float] | None = None) -> StylePrior:
    """Measure the distribution of a model's styles, of one label or, with None, of all."""
    styles = draw_styles(sampler, range(SAMPLES), label)
    axes = principal_components(styles, styles.shape[1])
    wide = axes.stds > FLAT * axes.stds[0]
    vectors, spreads = axes.vectors[wide], axes.stds[wide]
    u = (styles - axes.mean) @ vectors.T / spreads
    reach, radius = u.abs().amax(0), u.square().mean(1).quantile(USUAL)
    return StylePrior(mean=axes.mean, vectors=vectors, stds=spreads, max_abs=reach, mean_square_limit=radius)
