"""How places of a picture relate: which of them count most as negatives, and whether an output relates alike.

Jung et al., 2022 (Hneg and SRC), https://arxiv.org/abs/2203.01532.
"""

__all__ = ["negative_log_weights", "relation_consistency"]

from collections.abc import Sequence

import torch
from torch import Tensor

from translate.networks.blocks import without_autocast


def negative_log_weights(keys: Tensor, hardness: float) -> Tensor:
    """Return the logarithms of the weights of all places as negatives of each place: (B, n, n), 0 on the diagonal.

    `keys` are features (B, n, dim) of unit length of the source, n > 1. The weight of place j for place i is
    proportional to exp(hardness k_i . k_j), with the mean 1 over all j but i: negatives that look alike are hard, and
    teach most. With a hardness of 0 all weights are 1.
    """
    similar = hardness * similarities(keys.detach())
    own = torch.eye(keys.shape[1], dtype=torch.bool, device=keys.device)
    weights = similar.masked_fill(own, -torch.inf).log_softmax(-1) + torch.log(own.sum() - 1.0)
    return weights.masked_fill(own, 0.0)


def relation_consistency(queries: Sequence[Tensor], keys: Sequence[Tensor]) -> Tensor:
    """Return how differently places of `queries` relate to each other than those of `keys` (SRC).

    Both are lists by layer of features (B, n, dim) of unit length. The relations of a place are the softmax of its
    similarities to all others; the loss is their Jensen-Shannon divergence, in nats, the mean over layers, pictures and
    places. The gradient flows into `queries` alone.
    """
    losses = []
    for q, k in zip(queries, keys, strict=True):
        own = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
        ours, theirs = (similarities(x).masked_fill(own, -torch.inf).softmax(-1) for x in (q, k.detach()))
        middle = ((ours + theirs) / 2).masked_fill(own, 1.0).log()
        both = [(p * (p.masked_fill(own, 1.0).log() - middle)).sum(-1) for p in (ours, theirs)]
        losses.append((both[0] + both[1]).mean() / 2)
    return torch.stack(losses).mean()


def similarities(x: Tensor) -> Tensor:
    """Return the cosines of all pairs of features (B, n, dim) of unit length: (B, n, n) float32."""
    with without_autocast(x):
        return x.float() @ x.float().mT
