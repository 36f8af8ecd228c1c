"""Low-rank corrections of a model's convolutions, and model files that hold these alone.

Hu et al., 2022 (LoRA), https://arxiv.org/abs/2106.09685, section 4.1, with a convolution's weight (O, I, k, k) read as
a matrix (O, I k k). An adapter file names its base, the model that it corrects, with a hash of the base's weights.
"""

__all__ = ["LowRank", "add_low_rank", "apply_adapter", "check_hash", "choose_rank", "find_base", "only_corrections"]

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from translate.utils.errors import OptionError, UserError

SHARE = 0.01  # of the weights that an adapter aims at
PART = ".parametrizations.weight.0."  # between a convolution's name and that of a factor in a state dict


class LowRank(nn.Module):
    """A weight (O, ...) plus the product of `up` (O, rank) and `down` (rank, ...), which is 0 at first."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape[0], weight[0].numel()
        self.down = nn.Parameter(torch.randn(rank, columns, device=weight.device) / math.sqrt(columns))
        self.up = nn.Parameter(torch.zeros(rows, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).reshape(weight.shape)


def convolutions(net: nn.Module) -> dict[str, nn.Conv2d | nn.ConvTranspose2d]:
    """Return the convolutions of a network by name, save those whose weight is computed already."""
    named = ((name, one) for name, one in net.named_modules() if isinstance(one, nn.Conv2d | nn.ConvTranspose2d))
    return {name: one for name, one in named if not is_parametrized(one)}


def choose_rank(nets: Sequence[nn.Module]) -> int:
    """Return the rank with which corrections have about `SHARE` of the weights of `nets`; at least 1."""
    weights = [one.weight for net in nets for one in convolutions(net).values()]
    one_rank = sum(weight.shape[0] + weight[0].numel() for weight in weights)
    whole = sum(p.numel() for net in nets for p in net.parameters())
    return max(1, round(SHARE * whole / max(1, one_rank)))


def add_low_rank(net: nn.Module, rank: int) -> None:
    """Freeze a network, and add corrections of `rank`, which can learn, to all of its convolutions."""
    net.requires_grad_(False)
    for conv in convolutions(net).values():
        register_parametrization(conv, "weight", LowRank(conv.weight, rank))


def only_corrections(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the factors of all corrections in a state dict."""
    return {name: value for name, value in weights.items() if PART in name}


def find_base(file: Path, adapter: Mapping[str, Any]) -> Path:
    """Return the file of the model that the adapter in `file` corrects: where it was, or of that name beside it.

    Raises:
        UserError: there is none.
    """
    recorded = Path(str(adapter.get("base", "")))
    for path in (recorded, file.parent / recorded.name):
        if path.exists() and path.resolve() != file.resolve():
            return path
    raise UserError(
        f"{file}: is an adapter of {recorded}, which is not there; put that model beside it, or name it with --base"
    )


def apply_adapter(file: Path, nets: nn.ModuleDict, corrections: Mapping[str, Tensor]) -> None:
    """Add the corrections in the adapter `file` to the weights of its base's networks.

    Raises:
        UserError: they do not fit; the file is damaged.
    """
    known = convolutions(nets)
    names = {name.partition(PART)[0] for name in corrections}
    for name in sorted(names):
        try:
            weight = known[name].weight
            up, down = corrections[f"{name}{PART}up"], corrections[f"{name}{PART}down"]
            with torch.no_grad():
                weight += (up.to(weight) @ down.to(weight)).reshape(weight.shape)
        except (KeyError, RuntimeError):
            raise UserError(f"{file}: is damaged: its correction of {name} does not fit the base") from None
    if len(corrections) != 2 * len(names):
        raise UserError(f"{file}: is damaged: it holds other tensors than corrections")


def check_hash(file: Path, adapter: Mapping[str, Any], base: Path, found: str) -> None:
    """Raise OptionError if `base`, whose hash is `found`, is not the model that the adapter in `file` corrects."""
    if found != adapter.get("hash"):
        named = f"{adapter.get('base')} with the hash {str(adapter.get('hash'))[:8]}"
        raise OptionError(
            f"{file}: is an adapter of {named}, and {base} is another model ({found[:8]}); name that one with --base"
        )
