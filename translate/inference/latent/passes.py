"""Passes of a generator over any number of rows, in batches of one size."""

__all__ = ["as_arrays", "batches", "in_batches"]

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from translate.images.tensors import to_uint8

BATCH_SIZE = 8  # of every pass, padded if need be: another size would change the last bits of pictures


def batches(x: Tensor) -> list[tuple[Tensor, int]]:
    """Split (n, d) into full batches, the last padded with its last row; return each with its number of real rows."""
    pieces = x.split(BATCH_SIZE)
    return [(torch.cat([p, p[-1:].expand(BATCH_SIZE - len(p), -1)]), len(p)) for p in pieces]


def in_batches(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Call `function` on batches of its inputs, all (n, ...), and concatenate the results."""
    split = zip(*map(batches, inputs), strict=True)
    return torch.cat([function(*(x for x, _ in batch))[: batch[0][1]] for batch in split])


def as_arrays(pictures: Tensor) -> np.ndarray:
    """Convert (n, 1 or 3, H, W) in [-1, 1] to (n, H, W, 3) uint8."""
    return to_uint8(pictures.expand(-1, 3, -1, -1)).permute(0, 2, 3, 1).contiguous().cpu().numpy()
