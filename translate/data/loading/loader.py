"""From pictures to batches: what a step sees is a function of (seed, step) alone, so a run resumes exactly."""

__all__ = ["Batch", "Batches", "PairedStream", "SampleStream", "SingleStream", "UnpairedStream"]

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.cache import Pictures
from translate.data.loading.crops import Crops, upload
from translate.data.loading.hints import sample_hints
from translate.data.loading.transforms import Jitter
from translate.utils import dist

Batch = dict[str, Tensor]


class SampleStream(Protocol):
    """An endless, random-access stream of samples, made in two steps: the second can be done where the pixels lie.

    Attributes:
        epoch: Samples that show every picture.
        crops: Those that `cut` cuts.
    """

    @property
    def epoch(self) -> int: ...
    @property
    def crops(self) -> Sequence[Crops]: ...

    def draw(self, first: int, count: int) -> Batch:
        """Return what the CPU does for the samples from global number `first` >= 0 on; called by several threads."""
        ...

    def cut(self, drawn: Batch) -> Batch:
        """Complete what `draw` returned, on the device that it was brought to: places become pictures.

        Returns:
            Pictures (B, C, crop, crop), uint8 or, of more than 8 bits, float32 in [-1, 1]; and labels (B,) int64.
        """
        ...


class UnpairedStream:
    """Sample i holds one picture of each domain, drawn without regard to the other.

    Every domain is gone through in an order of its own, shuffled anew for each pass.
    """

    def __init__(self, domains: Mapping[str, Pictures], *, crop: int, flip: bool, seed: int) -> None:
        self._parts = {
            name: Crops(pictures, crop=crop, flip=flip, seed=seed, which=which)
            for which, (name, pictures) in enumerate(domains.items())
        }
        self.crops = tuple(self._parts.values())
        self.epoch = max(part.epoch for part in self.crops)

    def draw(self, first: int, count: int) -> Batch:
        return {name: part.places(first, count) for name, part in self._parts.items()}

    def cut(self, drawn: Batch) -> Batch:
        """Return {"a": (B, 3, crop, crop) uint8, "b": ...}."""
        return {name: part.cut(drawn[name]) for name, part in self._parts.items()}


class PairedStream:
    """Sample i holds both pictures of one pair, cropped and mirrored alike.

    The pairs are gone through in an order that is shuffled anew for each pass. Changed colours and hints are the CPU's
    work, so that streams that have them are made there as a whole.
    """

    def __init__(
        self,
        pairs: Pictures,
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
        self._pairs = Crops(pairs, crop=crop, flip=flip, seed=seed)
        self._channels, self._seed, self._hints = channels, seed, hints
        self._jitter = [Jitter(strength) if strength else None for strength in colour]
        self._touched = hints or any(colour)
        self.crops = () if self._touched else (self._pairs,)
        self.epoch = self._pairs.epoch

    def draw(self, first: int, count: int) -> Batch:
        places = self._pairs.places(first, count)
        return self._touch(self._split(places), first) if self._touched else {"pair": places}

    def cut(self, drawn: Batch) -> Batch:
        """Return {"a": (B, Ca, crop, crop) uint8, "b": ..., perhaps "hint": (B, 4, crop, crop)}."""
        return drawn if self._touched else self._split(drawn["pair"])

    def _split(self, places: Tensor) -> Batch:
        a, b = self._pairs.cut(places).split(self._channels, dim=1)
        return {"a": a, "b": b}

    def _touch(self, batch: Batch, first: int) -> Batch:
        """Change the colours of the samples from `first` on, and draw hints after them."""
        pictures = {name: list(part.permute(0, 2, 3, 1).numpy()) for name, part in batch.items()}
        for which, (name, jitter) in enumerate(zip("ab", self._jitter, strict=True), 1):
            if jitter:
                pictures[name] = [
                    jitter(np.ascontiguousarray(picture), seed_of(self._seed, which, index))
                    for index, picture in enumerate(pictures[name], first)
                ]
        if self._hints:
            pictures["hint"] = [
                sample_hints(picture, np.random.default_rng([self._seed, 3, index]))
                for index, picture in enumerate(pictures["b"], first)
            ]
        return {name: torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2) for name, found in pictures.items()}


class SingleStream:
    """Sample i holds one picture and, with `labels`, the number of its class.

    The pictures are gone through in an order that is shuffled anew for each pass, with labels in groups of one class.
    """

    def __init__(self, pictures: Pictures, labels: np.ndarray | None, *, crop: int, flip: bool, seed: int) -> None:
        """Set up the stream.

        Args:
            pictures: each (H, W, C) uint8, both sides at least `crop` px.
            labels: (n,) int64, -1 for pictures without a label; None: samples have no label.
            crop: px.
            flip: mirror half of the pictures.
            seed: of order, crops and mirroring.
        """
        self.labels, self.flip = labels, flip
        self.crops = (Crops(pictures, crop=crop, flip=flip, seed=seed, labels=labels),)
        self.epoch = self.crops[0].epoch

    def draw(self, first: int, count: int) -> Batch:
        places = self.crops[0].places(first, count)
        return {"image": places} | (
            {} if self.labels is None else {"label": torch.from_numpy(self.labels)[places[:, 0]]}
        )

    def cut(self, drawn: Batch) -> Batch:
        """Return {"image": (B, C, crop, crop) uint8, perhaps "label": (B,) int64}."""
        return drawn | {"image": self.crops[0].cut(drawn["image"])}


def seed_of(*words: int) -> int:
    """Mix whole numbers into one seed of 32 bits."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


class Batches:
    """Batches of a stream from step `start` on, made ahead by threads.

    Iterating yields dicts of (B, C, H, W) tensors, uint8 or float32 in [-1, 1], and labels (B,) int64, on `device`;
    `waited` sums the seconds that the consumer had to wait for them. A GPU keeps all pictures, if they take little of
    its memory, and cuts them itself; else they are copied there while it computes.
    """

    def __init__(
        self, stream: SampleStream, batch_size: int, *, start: int = 0, device: torch.device | None = None
    ) -> None:
        self.stream, self.batch_size, self.start = stream, batch_size, start
        self.mine = dist.local_indices(
            batch_size
        )  # asked once: threads draw while the first process previews as if alone
        self.device = device or torch.device("cpu")
        self.on_gpu = self.device.type == "cuda"
        self.resident = self.on_gpu and upload(stream.crops, self.device)
        self.workers = min(4, os.cpu_count() or 1)
        self.waited = 0.0

    def make(self, step: int) -> Batch:
        """Return the batch of `step`."""
        return self._finish(self._prepare(step))

    def _prepare(self, step: int) -> Batch:
        """Do the CPU's part of a batch, in memory that a GPU can copy from without waiting."""
        drawn = self._draw(step * self.batch_size)
        batch = drawn if self.resident else self.stream.cut(drawn)
        return {name: part.pin_memory() for name, part in batch.items()} if self.on_gpu else batch

    def _draw(self, first: int) -> Batch:
        """Draw this process's samples of the batch that begins with number `first`."""
        if self.mine.step == 1:
            return self.stream.draw(first, self.batch_size)
        samples = [self.stream.draw(first + place, 1) for place in self.mine]
        return {name: torch.cat([sample[name] for sample in samples]) for name in samples[0]}

    def _finish(self, prepared: Batch) -> Batch:
        """Do the device's part, in the consumer's thread: other threads must not disturb what it records."""
        moved = {name: part.to(self.device, non_blocking=True) for name, part in prepared.items()}
        return self.stream.cut(moved) if self.resident else moved

    def __iter__(self) -> Iterator[Batch]:
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="batch")
        ahead: deque[Future[Batch]] = deque()
        try:
            step = self.start
            while True:
                while len(ahead) < 2 * self.workers:
                    ahead.append(pool.submit(self._prepare, step))
                    step += 1
                began = time.perf_counter()
                prepared = ahead.popleft().result()
                self.waited += time.perf_counter() - began
                yield self._finish(prepared)
        finally:
            pool.shutdown(cancel_futures=True)
