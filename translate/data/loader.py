"""From pictures to batches: what a step sees is a function of (seed, step) alone, so a run resumes exactly."""

__all__ = ["Batches", "Paired", "SampleStream", "Singles", "Unpaired"]

import functools
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from translate.data.hints import sample_hints
from translate.data.transforms import Augment, Jitter

Sample = dict[str, np.ndarray]
GROUP = 4  # neighbours of one class; as many as the residual discriminator compares


class SampleStream(Protocol):
    """An endless, random-access stream of samples; `epoch` of them show every picture."""

    epoch: int

    def __getitem__(self, index: int) -> Sample: ...


class Unpaired:
    """Sample i holds one picture of each domain, drawn without regard to the other.

    Every domain is gone through in an order of its own, shuffled anew for each pass.
    """

    def __init__(self, domains: Mapping[str, Sequence[np.ndarray]], *, crop: int, flip: bool, seed: int) -> None:
        self.domains, self.seed = domains, seed
        self.epoch = max(len(pictures) for pictures in domains.values())
        self.augment = Augment(crop, flip=flip)

    def __getitem__(self, index: int) -> Sample:
        """Return {"a": (crop, crop, 3) uint8, "b": ...} of global sample `index` >= 0."""
        sample = {}
        for which, (name, pictures) in enumerate(self.domains.items()):
            epoch, position = divmod(index, len(pictures))
            picture = pictures[order(self.seed, which, epoch, len(pictures))[position]]
            sample[name] = self.augment(picture, seed_of(self.seed, which, index))
        return sample


class Paired:
    """Sample i holds both pictures of one pair, cropped and mirrored alike.

    The pairs are gone through in an order that is shuffled anew for each pass.
    """

    def __init__(
        self,
        pairs: Sequence[np.ndarray],
        channels: tuple[int, int],
        *,
        crop: int,
        flip: bool,
        seed: int,
        hints: bool = False,
        colour: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Set up the stream.

        Args:
            pairs: each (H, W, Ca + Cb) uint8: the source's channels, then the target's.
            channels: Ca and Cb.
            crop: px.
            flip: mirror half of the pairs.
            seed: of order, crops and all else.
            hints: whether samples have a "hint", strokes of the target's colours.
            colour: strength of the colour jitter of the source and of the target, 0 to 1.
        """
        self.pairs, self.channels, self.seed, self.hints = pairs, channels, seed, hints
        self.epoch = len(pairs)
        self.augment = Augment(crop, flip=flip)
        self.jitter = [Jitter(strength) if strength else None for strength in colour]

    def __getitem__(self, index: int) -> Sample:
        """Return {"a": (crop, crop, Ca) uint8, "b": ..., perhaps "hint": (crop, crop, 4)} of sample `index` >= 0."""
        epoch, position = divmod(index, len(self.pairs))
        both = self.pairs[order(self.seed, 0, epoch, len(self.pairs))[position]]
        both = self.augment(both, seed_of(self.seed, 0, index))
        sample = dict(zip("ab", np.split(both, [self.channels[0]], axis=2), strict=True))
        for which, (name, jitter) in enumerate(zip("ab", self.jitter, strict=True), 1):
            if jitter:
                sample[name] = jitter(np.ascontiguousarray(sample[name]), seed_of(self.seed, which, index))
        if self.hints:
            sample["hint"] = sample_hints(sample["b"], np.random.default_rng([self.seed, 3, index]))
        return sample


class Singles:
    """Sample i holds one picture and, with `labels`, the number of its class.

    The pictures are gone through in an order that is shuffled anew for each pass; with labels in groups of GROUP of one
    class, so that a discriminator that looks at neighbours can tell whether a class has more than one picture.
    Single pictures are small, many and wanted fast: crops and mirroring are drawn for a whole pass at once, and are
    views of the stored pixels.
    """

    def __init__(
        self, pictures: Sequence[np.ndarray], labels: np.ndarray | None, *, crop: int, flip: bool, seed: int
    ) -> None:
        """Set up the stream.

        Args:
            pictures: each (H, W, C) uint8, both sides at least `crop` px.
            labels: (n,) int64, -1 for pictures without a label; None: samples have no label.
            crop: px.
            flip: mirror half of the pictures.
            seed: of order, crops and mirroring.
        """
        self.pictures, self.labels, self.crop, self.flip, self.seed = pictures, labels, crop, flip, seed
        self.epoch = len(pictures) if labels is None else max(1, len(pictures) // GROUP) * GROUP
        self._order = functools.lru_cache(maxsize=4)(self._order_of)

    def _order_of(self, epoch: int) -> np.ndarray:
        """Return the order of pass `epoch`."""
        shuffled = order(self.seed, 0, epoch, len(self.pictures))
        return shuffled if self.labels is None else in_groups(shuffled, self.labels)

    def __getitem__(self, index: int) -> Sample:
        """Return {"image": (crop, crop, C) uint8, perhaps "label": int64 scalar} of global sample `index` >= 0."""
        epoch, position = divmod(index, self.epoch)
        which = self._order(epoch)[position % len(self.pictures)]
        down, across, mirror = draws(self.seed, epoch, self.epoch)[position]
        picture = self.pictures[which]
        top, left = int(down * (picture.shape[0] - self.crop + 1)), int(across * (picture.shape[1] - self.crop + 1))
        cut = picture[top : top + self.crop, left : left + self.crop]
        sample = {"image": cut[:, ::-1] if self.flip and mirror < 0.5 else cut}
        return sample if self.labels is None else sample | {"label": self.labels[which]}


def in_groups(shuffled: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rearrange a permutation of pictures so that every GROUP neighbours share a label; what is over comes last.

    Args:
        shuffled: (n,) places of pictures; their order also decides that of the groups.
        labels: (n,) of the pictures.
    """
    sorted_ = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, first, counts = np.unique(labels[sorted_], return_index=True, return_counts=True)
    rank = np.arange(len(sorted_)) - np.repeat(first, counts)
    whole = rank < np.repeat(counts // GROUP * GROUP, counts)
    groups, over = sorted_[whole].reshape(-1, GROUP), sorted_[~whole]
    turn = np.empty(len(shuffled), np.int64)
    turn[shuffled] = np.arange(len(shuffled))
    return np.concatenate([groups[np.argsort(turn[groups].min(1))].ravel(), over])


@functools.lru_cache(maxsize=4)
def draws(seed: int, epoch: int, count: int) -> np.ndarray:
    """Return (count, 3) numbers from 0 to below 1 for the samples of pass `epoch`."""
    return np.random.default_rng([seed, 1, epoch]).random((count, 3))


@functools.lru_cache(maxsize=8)
def order(seed: int, which: int, epoch: int, count: int) -> np.ndarray:
    """Return the permutation in which pass `epoch` goes through `count` pictures of domain number `which`."""
    return np.random.default_rng([seed, which, epoch]).permutation(count)


def seed_of(*words: int) -> int:
    """Mix whole numbers into one seed of 32 bits."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


class Batches:
    """Batches of a stream from step `start` on, made ahead by threads.

    Of a global batch of `batch_size` samples, process `rank` of `world` makes its share. Iterating yields dicts of
    (B, C, H, W) uint8 tensors, and labels (B,) int64; `waited` sums the seconds that the consumer had to wait for them.
    """

    def __init__(self, stream: SampleStream, batch_size: int, *, start: int = 0) -> None:
        self.stream, self.batch_size, self.start = stream, batch_size, start
        self.workers = min(4, os.cpu_count() or 1)
        self.waited = 0.0

    def make(self, step: int) -> dict[str, Tensor]:
        """Return the batch of `step`."""
        first = step * self.batch_size
        samples = [self.stream[i] for i in range(first, first + self.batch_size)]
        stacked = {name: torch.from_numpy(np.stack([s[name] for s in samples])) for name in samples[0]}
        return {name: x.permute(0, 3, 1, 2) if x.ndim == 4 else x for name, x in stacked.items()}

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="batch")
        ahead: deque[Future] = deque()
        try:
            step = self.start
            while True:
                while len(ahead) < 2 * self.workers:
                    ahead.append(pool.submit(self.make, step))
                    step += 1
                began = time.perf_counter()
                batch = ahead.popleft().result()
                self.waited += time.perf_counter() - began
                yield batch
        finally:
            pool.shutdown(cancel_futures=True)
