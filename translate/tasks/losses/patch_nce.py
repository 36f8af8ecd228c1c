"""The contrastive loss of patches: a place of the output should be recognised among other places of its source.

Park et al., 2020 (CUT), https://arxiv.org/abs/2007.15651, section 3.
"""

__all__ = ["PatchHeads", "patch_nce"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import without_autocast
from translate.tasks.losses.patch_relations import negative_log_weights


class PatchHeads(nn.Module):
    """H_l, for every layer l a perceptron of two layers, and the places whose features it sees (section 3.2).

    Args:
        channels: Of the maps of each layer.
        dim: Size of the features that are compared.
        patches: Places of a map that are compared, at most.
    """

    def __init__(self, channels: Sequence[int], dim: int = 256, patches: int = 256) -> None:
        super().__init__()
        self.patches = patches
        self.mlps = nn.ModuleList(nn.Sequential(nn.Linear(c, dim), nn.ReLU(), nn.Linear(dim, dim)) for c in channels)
        for linear in (module for module in self.modules() if isinstance(module, nn.Linear)):
            nn.init.xavier_normal_(linear.weight, gain=0.02)  # as the authors' code has it
            nn.init.zeros_(linear.bias)

    def draw_places(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Draw random places of maps (B, C_l, H_l, W_l), the same for all pictures: indices (places,) of each layer."""
        return [torch.rand(x[0, 0].numel(), device=x.device).argsort()[: self.patches] for x in maps]

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Return the features of unit length at `places` of maps (B, C_l, H_l, W_l): (B, places, dim) of each layer."""
        found = []
        for mlp, x, index in zip(self.mlps, maps, places, strict=True):
            found.append(F.normalize(mlp(x.flatten(2).index_select(2, index).mT).float(), dim=-1))
        return found


def patch_nce(
    queries: Sequence[Tensor], keys: Sequence[Tensor], temperature: float = 0.07, hardness: float = 0.0
) -> Tensor:
    """Return the cross-entropy of finding each place of `queries` among those of `keys` (equations 3 and 4).

    Both are lists by layer of features (B, places, dim) of unit length. The other places of the same picture are the
    negatives; with a `hardness`, those that look alike count more (`patch_relations`). The gradient flows into
    `queries` alone. The loss is the mean over layers, pictures and places.
    """
    losses = []
    for q, k in zip(queries, keys, strict=True):
        with without_autocast(q):
            logits = q.float() @ k.detach().float().mT / temperature
        if hardness:
            logits = logits + negative_log_weights(k, hardness)
        own = torch.arange(q.shape[1], device=q.device).expand(len(q), -1)
        losses.append(F.cross_entropy(logits.flatten(0, 1), own.flatten()))
    return torch.stack(losses).mean()
