"""Batches of two kinds in one fixed order: pictures without partners, and in a share of the steps true pairs."""

__all__ = ["MixedStream", "pair_steps_before"]

import math

import torch

from translate.data.loading.loader import Batch, PairedStream, UnpairedStream


class MixedStream:
    """Each step's batch is of pairs, or of two domains; each kind goes on where its last batch ended.

    `sample` may be asked for any part of a batch, but for no more than one batch at a time. Pairs are told by "paired",
    (B,) int64: 1 for every sample of a batch of pairs, else 0.
    """

    def __init__(self, domains: UnpairedStream, pairs: PairedStream, *, share: float, batch_size: int) -> None:
        """Set up the stream; `share`, above 0 and up to 1, is the share of the steps that see pairs."""
        self._domains, self._pairs, self._share, self._batch_size = domains, pairs, share, batch_size
        self.crops = (*domains.crops, *pairs.crops)
        self.epoch = domains.epoch

    def sample(self, first: int, count: int) -> Batch:
        step, place = divmod(first, self._batch_size)
        assert place + count <= self._batch_size, "samples of several steps"
        seen = pair_steps_before(step, self._share)
        if pair_steps_before(step + 1, self._share) == seen:
            batch = self._domains.sample((step - seen) * self._batch_size + place, count)
        else:
            batch = self._pairs.sample(seen * self._batch_size + place, count)
        return batch | {"paired": torch.full((count,), int("pair" in batch))}

    def crop(self, sampled: Batch) -> Batch:
        """Return {"a": (B, C, crop, crop), "b": ..., "paired": (B,)}."""
        stream = self._pairs if "pair" in sampled else self._domains
        cropped = stream.crop({name: part for name, part in sampled.items() if name != "paired"})
        return cropped | {"paired": sampled["paired"]}


def pair_steps_before(step: int, share: float) -> int:
    """Return how many of the steps 0 to `step` - 1 see pairs: a share of them, evenly spaced."""
    return math.floor(step * share)
