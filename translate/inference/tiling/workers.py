"""Tiles that are worked on side by side."""

__all__ = ["TileWorkers"]

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch

from translate.inference.tiling.regions import Region
from translate.utils.concurrency import prefetch

T = TypeVar("T")


class TileWorkers:
    """So many threads, each with a tile: on a CPU a core for each, that waits for no other and for no disk."""

    def __init__(self, pool: ThreadPoolExecutor, count: int, around: Callable[[], AbstractContextManager[Any]]) -> None:
        """Lead `count` threads; each enters the context `around`, for torch keeps that by thread."""
        self.pool, self.count, self.around = pool, count, around

    def go(self, work: Callable[[Region], T], regions: Iterable[Region]) -> Iterator[tuple[Region, T]]:
        """Give each region, and what `work` makes of it, in order."""

        def alone(region: Region) -> T:
            if self.count > 1:
                torch.set_num_threads(1)  # of this thread
            with torch.inference_mode(), self.around():
                return work(region)

        begun = ((region, self.pool.submit(alone, region)) for region in regions)
        for region, made in prefetch(begun, self.count):
            yield region, made.result()
