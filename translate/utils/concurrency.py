"""Slots for forward passes on the CPU: small pictures in parallel, one thread each; a large one alone, on all threads.

The threads of one pass wait for each other at every layer, and for other work, such as decoding, that keeps one of them
busy; a pass in one thread never waits. The number of threads changes the last bits of sums over a picture, so it
depends only on the size of the picture, never on the other pictures.
"""

__all__ = ["CpuSlots", "map_in_threads", "prefetch", "thread_pool"]

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

MAP_AHEAD = 64  # results computed before the consumer takes them: decoded pictures must not fill the memory
S = TypeVar("S")
T = TypeVar("T")


@contextmanager
def thread_pool(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool that, on an error or Ctrl-C, finishes running tasks and drops waiting ones."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def map_in_threads(function: Callable[[S], T], items: Sequence[S]) -> Iterator[T]:
    """Yield `function(item)` of each item, in order, computed on all cores and at most MAP_AHEAD results ahead."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(items), MAP_AHEAD):
            yield from pool.map(function, items[start : start + MAP_AHEAD])


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """Yield items in order, each after the next `depth` have been drawn."""
    waiting: deque[T] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > depth:
            yield waiting.popleft()
    yield from waiting


class CpuSlots:
    """Slots for `count` passes: each takes one slot and one thread, or all slots and all threads."""

    def __init__(self, count: int) -> None:
        import torch  # here alone: pools of threads also serve where torch is not installed

        self._set_num_threads = torch.set_num_threads
        self.count, self._threads = count, torch.get_num_threads()
        self._turn, self._free = threading.Lock(), threading.Semaphore(count)

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Yield one thread per slot."""
        try:
            with thread_pool(self.count) as pool:
                yield pool
        finally:
            self._set_num_threads(self._threads)  # the default of threads that start from here on

    @contextmanager
    def acquire(self, *, exclusive: bool) -> Iterator[None]:
        """Acquire one CPU slot, or all of them if `exclusive`."""
        needed = self.count if exclusive else 1
        with self._turn:  # so that no other pass overtakes one that needs all slots
            for _ in range(needed):
                self._free.acquire()
        self._set_num_threads(self._threads if needed == self.count else 1)  # for this thread only
        try:
            yield
        finally:
            self._free.release(needed)
