"""Drifting: samples are moved towards real data and away from each other, and the generator follows them.

Deng et al., 2026, https://arxiv.org/abs/2602.04770. There is no discriminator: the field of a kernel decides where each
sample should be, given the other samples and a set of real ones, as points in any space of features.
"""

__all__ = ["TEMPERATURES", "drift_field", "drifting_loss"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.networks.blocks import without_autocast
from translate.utils import dist

TEMPERATURES = (0.03, 0.06, 0.15)  # reaches of the kernel, in mean distances: from near neighbours to all
MASKED = -1e9  # a logit that is no neighbour; finite, so that a softmax of nothing else is not NaN
EPS = 1e-8


@torch.no_grad()
def drift_field(
    generated: Tensor,
    real: Tensor,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    generated_group: Tensor | None = None,
    real_group: Tensor | None = None,
) -> Tensor:
    """Return the drift V (..., N, D) of samples `generated` (..., N, D), given `real` (..., M, D).

    For each temperature t, logits are -distance / (t * mean distance to real ones), over all real and all other
    generated points; the kernel K is the geometric mean of their softmax over rows and over columns. With K+ on the
    real points y and K- on the generated ones x,

        V = sum(K+) sum(K-) (K+-weighted mean of y - K--weighted mean of x),

    which is 0 where both agree. It is scaled to a root mean square of 1, and the mean over `temperatures` is taken.
    Leading dimensions are spaces of their own, such as the places of a picture, that share this scale.

    With groups, whole numbers (N,) and (M,), a point sees those of its own group alone. V is 0 for a sample without
    another one, or without a real one, in its group. Computes in float32, detached.
    """
    with without_autocast(generated):
        x, y = generated.float(), real.float()
        # logits of neighbours; masked are others' and the sample itself
        itself = torch.eye(x.shape[-2], dtype=torch.bool, device=x.device)
        to_real, to_other = same_group(generated_group, real_group, x, y), same_group(generated_group, None, x, x)
        seen = torch.cat([to_real, to_other & ~itself], 1)
        distance = torch.cat([torch.cdist(x, y), torch.cdist(x, x)], -1)
        count = y.shape[-2]
        mean = (distance[..., :count] * to_real).sum((-2, -1), keepdim=True) / to_real.sum().clamp_min(1)
        logits = -distance / mean.clamp_min(EPS)
        # the field of each temperature
        total = torch.zeros_like(x)
        for temperature in temperatures:
            scaled = torch.where(seen, logits / temperature, MASKED)
            kernel = (scaled.softmax(-1) * scaled.softmax(-2)).sqrt() * seen
            pull, push = kernel[..., :count], kernel[..., count:]
            field = push.sum(-1, keepdim=True) * (pull @ y) - pull.sum(-1, keepdim=True) * (push @ x)
            total += field / (field.square().mean().sqrt() + EPS)
        return total / len(temperatures)


def drifting_loss(
    generated: Tensor,
    real: Tensor,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
    generated_group: Tensor | None = None,
    real_group: Tensor | None = None,
) -> Tensor:
    """Return the mean squared distance of `generated` (..., B, D) from its drifted points, over the variance of `real`.

    A step of the field is as long as the mean standard deviation of the features `real` (..., M, D), all of which every
    process has; those of a group below 0 are none. Samples see those of all processes, as they see `real`. The gradient
    flows into `generated` alone.
    """
    x, y = generated.float(), real.detach().float()
    everyone = gather_points(x.detach())
    group = None if generated_group is None else dist.all_gather_rows(generated_group.float())
    field = drift_field(everyone, y, temperatures=temperatures, generated_group=group, real_group=real_group)
    variance = variance_of(y, real_group)
    local = dist.local_rows(field.movedim(-2, 0)).movedim(0, -2)
    return F.mse_loss(x, x.detach() + local * variance.sqrt().mean()) / (variance.mean() + EPS)


def same_group(one: Tensor | None, other: Tensor | None, x: Tensor, y: Tensor) -> Tensor:
    """Return whether points `x` (..., N, D) and `y` (..., M, D) are of one group: (N, M) booleans, true without groups.

    `other` None means that `y` are `x`.
    """
    if one is None:
        return torch.ones(x.shape[-2], y.shape[-2], dtype=torch.bool, device=x.device)
    other = one if other is None else other
    return one[:, None] == other[None]


def gather_points(x: Tensor) -> Tensor:
    """Return the points of all processes, (..., B, D) to (..., n * B, D)."""
    return dist.all_gather_rows(x.movedim(-2, 0)).movedim(0, -2)


def variance_of(points: Tensor, group: Tensor | None) -> Tensor:
    """Return the variance of points (..., M, D) in each dimension, (..., 1, D), without those of a `group` below 0."""
    if group is None:
        return points.var(-2, keepdim=True, correction=0)
    weight = (group >= 0).to(points.dtype)[:, None]
    weight = weight / weight.sum().clamp_min(1)
    mean = (weight * points).sum(-2, keepdim=True)
    return (weight * (points - mean).square()).sum(-2, keepdim=True)
