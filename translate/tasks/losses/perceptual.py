"""Distances of pictures by the features of frozen networks.

`feature_distance`: Zhang et al., 2018 (LPIPS), https://arxiv.org/abs/1801.03924. The losses of partial convolutions, on
VGG-16's features, and total variation: Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 3.3.
"""

__all__ = ["feature_distance", "feature_loss", "roll_together", "perceptual_loss", "style_loss", "total_variation"]

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.networks.augment import roll_together
from translate.networks.blocks import without_autocast
from translate.networks.features.load import Features


def feature_distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Return the sum over layers of the mean squared distance of features (B, C, H, W) of unit length (equation 1).

    The weights of the channels are 1. A layer adds at most 4.
    """
    distances = []
    for x, y in zip(one, other, strict=True):
        difference = F.normalize(x.float(), dim=1) - F.normalize(y.float(), dim=1)
        distances.append(difference.square().sum(1).mean())
    return torch.stack(distances).sum()


def feature_loss(features: Features, out: Tensor, truth: Tensor) -> Tensor:
    """Return `feature_distance` of pictures (B, C, H, W) in [-1, 1], by `features`; the gradient flows into `out`.

    Both are rolled alike, since strided features see some phases of a lattice better than others.
    """
    out, truth = roll_together(out, truth)
    with torch.no_grad():
        seen = features(truth)
    return feature_distance(features(out), seen)


def perceptual_loss(out: Sequence[Tensor], comp: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Return the sum over layers n of |F_n(out) - F_n(truth)| / N_n + |F_n(comp) - F_n(truth)| / N_n (equation 3).

    F_n are features (B, C_n, H_n, W_n), N_n values per picture, of the output (`out`), of the output with the true
    known pixels (`comp`), and of the true picture. The loss is the mean over the batch.
    """
    return _sum_l1(_by_layer(out, comp, truth))


def style_loss(out: Sequence[Tensor], comp: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Return the sum over layers n of |K_n (S_n(out) - S_n(truth))| / C_n^2, plus that of `comp` (equations 4 and 5).

    S_n = F_n^T F_n, (C_n, C_n), is the co-occurrence of features at any position; K_n = 1 / (C_n H_n W_n). The
    arguments are those of `perceptual_loss`.
    """
    return _sum_l1([gram(x) for x in layer] for layer in _by_layer(out, comp, truth))


def total_variation(comp: Tensor, hole: Tensor) -> Tensor:
    """Sum |comp(i, j+1) - comp(i, j)| and |comp(i+1, j) - comp(i, j)| over pairs in R, over N_comp (equation 6).

    R is the hole, where `hole` (B, 1, H, W) is above 0, dilated by one pixel so that it includes the seam. `comp` is
    (B, C, H, W), N_comp = C H W, and the loss is the mean over the batch.
    """
    region = F.max_pool2d((hole > 0).to(comp.dtype), 3, stride=1, padding=1)
    across = comp.diff(dim=3).abs() * region[..., 1:] * region[..., :-1]
    down = comp.diff(dim=2).abs() * region[..., 1:, :] * region[..., :-1, :]
    return (across.sum() + down.sum()) / comp.numel()


def _by_layer(*features: Sequence[Tensor]) -> list[list[Tensor]]:
    """Group the features of several pictures by layer, in float32: sums are long and differences small."""
    return [[x.float() for x in layer] for layer in zip(*features, strict=True)]


def _sum_l1(layers: Iterable[Sequence[Tensor]]) -> Tensor:
    return torch.stack([F.l1_loss(out, truth) + F.l1_loss(comp, truth) for out, comp, truth in layers]).sum()


def gram(features: Tensor) -> Tensor:
    """Return K S, (B, C, C), of features (B, C, H, W), in float32 even under autocast."""
    _, channels, height, width = features.shape
    flat = features.flatten(2)
    with without_autocast(features):
        return flat @ flat.mT / (channels * height * width)
