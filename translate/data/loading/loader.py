"""Batches as a function of (seed, step) alone, so that a run resumes exactly."""

__all__ = ["Batch", "Batches", "PairedStream", "SampleStream", "SingleStream", "UnpairedStream", "to_planes"]

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.cache import Pictures
from translate.data.loading.crops import Crops, upload
from translate.data.loading.hints import sample_hints
from translate.data.loading.transforms import Jitter
from translate.images.tensors import one_hot
from translate.utils import dist
from translate.utils.concurrency import prefetch, thread_pool

Batch = dict[str, Tensor]


class SampleStream(Protocol):
    """An endless, random-access stream of samples: `sample` runs on the CPU, `crop` where the pixels are.

    Attributes:
        epoch: Samples after which every picture was shown.
        crops: The crops that `crop` takes; empty if `sample` does all the work.
    """

    @property
    def epoch(self) -> int: ...
    @property
    def crops(self) -> Sequence[Crops]: ...

    def sample(self, first: int, count: int) -> Batch:
        """Draw `count` samples from global number `first` >= 0 on; called by several threads."""
        ...

    def crop(self, sampled: Batch) -> Batch:
        """Replace boxes by pixels, (B, C, crop, crop) uint8 or, of more than 8 bits, float32 in [-1, 1]."""
        ...


class UnpairedStream:
    """Sample i is one picture of each domain; every domain is shuffled independently in each epoch."""

    def __init__(self, domains: Mapping[str, Pictures], *, crop: int, flip: bool, seed: int) -> None:
        self._parts = {
            name: Crops(pictures, crop=crop, flip=flip, seed=seed, which=which)
            for which, (name, pictures) in enumerate(domains.items())
        }
        self.crops = tuple(self._parts.values())
        self.epoch = max(part.epoch for part in self.crops)

    def sample(self, first: int, count: int) -> Batch:
        return {name: part.sample(first, count) for name, part in self._parts.items()}

    def crop(self, sampled: Batch) -> Batch:
        """Return {"a": (B, C, crop, crop), "b": ...}."""
        return {name: part.crop(sampled[name]) for name, part in self._parts.items()}


class PairedStream:
    """Sample i is both pictures of one pair, with the same crop and mirroring; pairs are shuffled in each epoch.

    Colour jitter and hints are computed on the CPU, so streams that have them crop there, too.
    """

    def __init__(
        self,
        pairs: Pictures,
        channels: tuple[int, int],
        *,
        crop: int,
        flip: bool,
        seed: int,
        which: int = 0,
        hints: bool = False,
        colour: tuple[float, float] = (0.0, 0.0),
        classes: tuple[int, int] = (0, 0),
    ) -> None:
        """Set up the stream of pairs (H, W, Ca + Cb), the source's channels first; `channels` are Ca and Cb.

        A side of label maps, with a number of `classes`, has its class numbers in one channel, and one-hot planes in
        samples. With `hints`, samples have a "hint", strokes of the target's colours. `colour` is the strength, 0 to 1,
        of the colour jitter of the source and of the target. `Crops` documents the other arguments.
        """
        self._pairs = Crops(pairs, crop=crop, flip=flip, seed=seed, which=which)
        self._channels, self._seed, self._hints = channels, seed, hints
        self._jitter = [Jitter(strength) if strength else None for strength in colour]
        self._on_cpu = hints or any(colour)
        self._classes = dict(zip("ab", classes, strict=True))
        self.crops = () if self._on_cpu else (self._pairs,)
        self.epoch = self._pairs.epoch

    def sample(self, first: int, count: int) -> Batch:
        boxes = self._pairs.sample(first, count)
        return self._augment(self._split(boxes), first) if self._on_cpu else {"pair": boxes}

    def crop(self, sampled: Batch) -> Batch:
        """Return {"a": (B, Ca, crop, crop), "b": ..., perhaps "hint": (B, 4, crop, crop) uint8}."""
        batch = sampled if self._on_cpu else self._split(sampled["pair"])
        return {key: to_planes(x, self._classes.get(key, 0)) for key, x in batch.items()}

    def _split(self, boxes: Tensor) -> Batch:
        a, b = self._pairs.crop(boxes).split(self._channels, dim=1)
        return {"a": a, "b": b}

    def _augment(self, batch: Batch, first: int) -> Batch:
        """Jitter the colours of the samples from `first` on, then draw hints."""
        pictures = {name: list(part.permute(0, 2, 3, 1).numpy()) for name, part in batch.items()}
        for which, (name, jitter) in enumerate(zip("ab", self._jitter, strict=True), 1):
            if jitter:
                pictures[name] = [
                    jitter(np.ascontiguousarray(picture), mix_seed(self._seed, which, index))
                    for index, picture in enumerate(pictures[name], first)
                ]
        if self._hints:
            pictures["hint"] = [
                sample_hints(picture, np.random.default_rng([self._seed, 3, index]))
                for index, picture in enumerate(pictures["b"], first)
            ]
        return {name: torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2) for name, part in pictures.items()}


class SingleStream:
    """Sample i is one picture and, with `labels`, its class; shuffled in each epoch, labels in groups of a class."""

    def __init__(self, pictures: Pictures, labels: np.ndarray | None, *, crop: int, flip: bool, seed: int) -> None:
        """Set up the stream; labels are (n,) int64, -1 for unlabelled pictures. `Crops` documents the others."""
        self.labels, self.flip = labels, flip
        self.crops = (Crops(pictures, crop=crop, flip=flip, seed=seed, labels=labels),)
        self.epoch = self.crops[0].epoch

    def sample(self, first: int, count: int) -> Batch:
        boxes = self.crops[0].sample(first, count)
        labels = {} if self.labels is None else {"label": torch.from_numpy(self.labels)[boxes[:, 0]]}
        return {"image": boxes} | labels

    def crop(self, sampled: Batch) -> Batch:
        """Return {"image": (B, C, crop, crop), perhaps "label": (B,) int64}."""
        return sampled | {"image": self.crops[0].crop(sampled["image"])}


def to_planes(x: Tensor, classes: int) -> Tensor:
    """Convert class numbers (B, 1, H, W), uint8 or scaled to [-1, 1], to one-hot planes; 0 classes are a picture."""
    if not classes:
        return x
    return one_hot(x if x.dtype == torch.uint8 else x.add(1).mul(127.5).round().to(torch.uint8), classes)


def mix_seed(*words: int) -> int:
    """Mix whole numbers into one seed of 32 bits."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


class Batches:
    """Batches of a stream from step `start` on, prefetched by threads.

    Iterating yields dicts of (B, C, H, W) tensors, uint8 or float32 in [-1, 1], and labels (B,) int64, on `device`;
    `waited` sums the seconds that the consumer waited. A GPU holds and crops all pictures if they take little of its
    memory; else finished crops are copied to it while it computes.
    """

    def __init__(
        self, stream: SampleStream, batch_size: int, *, start: int = 0, device: torch.device | None = None
    ) -> None:
        self.stream, self.batch_size, self.start = stream, batch_size, start
        self.local = dist.local_indices(batch_size)  # fixed here: while threads load, previews act as a single process
        self.device = device or torch.device("cpu")
        self.on_gpu = self.device.type == "cuda"
        self.resident = self.on_gpu and upload(stream.crops, self.device)
        self.workers = min(4, os.cpu_count() or 1)
        self.waited = 0.0

    def make(self, step: int) -> Batch:
        """Return the batch of `step`."""
        return self._finish(self._prepare(step))

    def _prepare(self, step: int) -> Batch:
        """Prepare a batch on the CPU, in pinned memory for a GPU."""
        sampled = self._sample(step * self.batch_size)
        batch = sampled if self.resident else self.stream.crop(sampled)
        return {name: part.pin_memory() for name, part in batch.items()} if self.on_gpu else batch

    def _sample(self, first: int) -> Batch:
        """Sample this rank's part of the batch that begins with sample `first`."""
        if self.local.step == 1:
            return self.stream.sample(first, self.batch_size)
        samples = [self.stream.sample(first + index, 1) for index in self.local]
        return {name: torch.cat([sample[name] for sample in samples]) for name in samples[0]}

    def _finish(self, prepared: Batch) -> Batch:
        """Move a batch to the device, in the consumer's thread: other threads would disturb a CUDA graph capture."""
        moved = {name: part.to(self.device, non_blocking=True) for name, part in prepared.items()}
        return self.stream.crop(moved) if self.resident else moved

    def __iter__(self) -> Iterator[Batch]:
        with thread_pool(self.workers) as pool:
            tasks = (pool.submit(self._prepare, step) for step in itertools.count(self.start))
            for task in prefetch(tasks, 2 * self.workers - 1):
                began = time.perf_counter()
                prepared = task.result()
                self.waited += time.perf_counter() - began
                yield self._finish(prepared)
