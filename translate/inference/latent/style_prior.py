"""The distribution of a model's styles, which keeps searches for a style in the model's domain.

A style far outside may give any one picture, but sliders, interpolation and edits do not work there (Zhu et al., 2020,
"In-domain GAN inversion", https://arxiv.org/abs/2004.00049, section 1).
"""

__all__ = ["OUTLIER_WEIGHT", "StylePrior", "fit_style_prior"]

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from translate.inference.latent.directions import Directions, principal_components
from translate.inference.sampler import Label, Sampler

OUTLIER_WEIGHT = 0.1  # of the outlier penalty in a search; the distance to the target has weight 1


@dataclass(frozen=True, kw_only=True)
class StylePrior(Directions):
    """The distribution of a model's styles, by all d principal components along which they differ."""

    max_abs: Tensor  # (d,), the largest magnitude of each whitened coordinate among the samples
    mean_square_limit: Tensor  # mean square of the whitened coordinates that 95 % of the samples do not exceed

    def outlier_penalty(self, u: Tensor) -> Tensor:
        """Return by how much whitened coordinates (n, d), or their mean square, exceed the limits: (n,), 0 inside."""
        length = F.relu(u.square().mean(1) / self.mean_square_limit - 1)
        return length + F.relu(u.abs() - self.max_abs).square().mean(1)


def fit_style_prior(sampler: Sampler, label: Label = None) -> StylePrior:
    """Fit the prior to 2000 styles of one label or, with None, of all."""
    styles = sampler.styles_of(range(2000), label)
    axes = principal_components(styles, styles.shape[1])
    wide = axes.stds > 1e-3 * axes.stds[0]  # along narrower components, styles differ by rounding alone
    axes = Directions(mean=axes.mean, vectors=axes.vectors[wide], stds=axes.stds[wide])
    u = axes.whiten(styles)
    return StylePrior(**vars(axes), max_abs=u.abs().amax(0), mean_square_limit=u.square().mean(1).quantile(0.95))
