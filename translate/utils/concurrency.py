"""Lanes for pictures on the CPU: small ones in as many threads as there are cores, a large one with all cores.

The threads of one pass wait for each other at every layer, and for whatever else keeps one of them busy, such as
decoding. A core for each picture has nothing to wait for. Sums over a picture depend in their last bits on how many
threads make them, so that is a matter of the picture's size alone, and never of what else is on its way.
"""

__all__ = ["CpuSlots", "prefetch", "threads"]

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")


@contextmanager
def threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads that, on an error or Ctrl-C, finish what they hold and drop what waits."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def prefetch(begun: Iterable[T], depth: int) -> Iterator[T]:
    """Give things in order, each when the `depth` next ones have been begun."""
    waiting: deque[T] = deque()
    for one in begun:
        waiting.append(one)
        if len(waiting) > depth:
            yield waiting.popleft()
    yield from waiting


class CpuSlots:
    """So many passes of one thread at a time, or one pass of all.

    Attributes:
        count: of the lanes.
    """

    def __init__(self, count: int) -> None:
        self.count, self._threads = count, torch.get_num_threads()
        self._turn, self._free = threading.Lock(), threading.Semaphore(count)

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Give the threads of the lanes."""
        try:
            with threads(self.count) as pool:
                yield pool
        finally:
            torch.set_num_threads(self._threads)  # what threads of the process begin with from here on

    @contextmanager
    def taken(self, *, whole: bool) -> Iterator[None]:
        """Wait for a free lane, or where the `whole` road is asked for, until all are free."""
        needed = self.count if whole else 1
        with self._turn:  # who asks for all is not overtaken
            for _ in range(needed):
                self._free.acquire()
        torch.set_num_threads(self._threads if needed == self.count else 1)  # of this thread alone
        try:
            yield
        finally:
            self._free.release(needed)
