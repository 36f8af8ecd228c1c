"""The identity of a loaded model: equal for equal weights that are used in the same way."""

__all__ = ["model_hash"]

import hashlib
import json

from torch import nn

from translate.checkpoints.recipe import Recipe


def model_hash(recipe: Recipe, nets: nn.ModuleDict) -> str:
    """Return a hash of networks in memory and of how they are used, whatever becomes of their file meanwhile."""
    digest = hashlib.blake2b(digest_size=16)
    used = [recipe.task, recipe.nets, recipe.size, recipe.whole, recipe.channels, recipe.directions, recipe.facts]
    digest.update(json.dumps(used, sort_keys=True, default=str).encode())
    for name, tensor in sorted(nets.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.float().cpu().contiguous().numpy().data)
    return digest.hexdigest()
