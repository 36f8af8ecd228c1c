"""The queue of computations on a device: bounded, with a time limit, and stopped for clients that have gone."""

__all__ = ["Figures", "Worker", "stop_if_cancelled"]

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request
from torch.nn.modules.module import register_module_forward_pre_hook

from translate.studio.errors import BusyError, ExpiredError
from translate.utils.errors import UserError

T = TypeVar("T")
_thread = threading.local()  # its `cancelled` is the event of the computation that runs in a thread of a worker


class Cancelled(UserError):
    """A computation was cancelled."""


@dataclass
class Figures:
    """What a worker has done since its start."""

    outcomes: Counter[str] = field(default_factory=Counter)  # done, failed, refused, expired, gone
    seconds: float = 0.0  # of computing


class Worker:
    """Runs functions in `threads` threads; at most `max_waiting` wait for one."""

    def __init__(self, threads: int, max_waiting: int, max_seconds: float) -> None:
        self.threads, self.max_waiting, self.max_seconds = threads, max_waiting, max_seconds
        self.figures, self.pending = Figures(), 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="studio")
        self._hook = register_module_forward_pre_hook(lambda module, inputs: stop_if_cancelled())
        self._running: set[threading.Event] = set()

    @property
    def waiting(self) -> int:
        """Number of computations that wait for a thread."""
        return max(0, self.pending - self.threads)

    async def run(self, request: Request, function: Callable[[], T], max_seconds: float | None = None) -> T:
        """Call `function` in a thread, and return its result.

        It is cancelled at its next layer if the client goes, or after `max_seconds` (None: the limit of the studio).

        Raises:
            BusyError: too many wait already.
            ExpiredError: it took too long.
        """
        if self.waiting >= self.max_waiting:
            self.figures.outcomes["refused"] += 1
            raise BusyError("the studio is busy; ask again in a few seconds", self._wait_s())
        limit, cancelled = max_seconds or self.max_seconds, threading.Event()
        self.pending += 1
        self._running.add(cancelled)
        loop = asyncio.get_running_loop()
        task: asyncio.Future[T] = loop.run_in_executor(self._pool, self._compute, function, cancelled)
        gone = asyncio.ensure_future(_has_gone(request))
        try:
            either: set[asyncio.Future[Any]] = {task, gone}
            await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                cancelled.set()
                await asyncio.wait({task})  # so that its files stay until it has ended
            return self._result(task, gone.done(), limit)
        finally:
            cancelled.set()
            gone.cancel()
            self.pending -= 1
            self._running.discard(cancelled)

    def _wait_s(self) -> int:
        """Estimate how many seconds the queue takes."""
        each = self.figures.seconds / max(1, self.figures.outcomes["done"])
        return max(1, min(60, round(each * self.pending / self.threads)))

    def _compute(self, function: Callable[[], T], cancelled: threading.Event) -> T:
        start, _thread.cancelled = time.perf_counter(), cancelled
        try:
            stop_if_cancelled()
            return function()
        finally:
            _thread.cancelled = None
            self.figures.seconds += time.perf_counter() - start

    def _result(self, task: "asyncio.Future[T]", gone: bool, limit: float) -> T:
        """Return the result of a task that has ended, and count its outcome."""
        error = task.exception()
        if isinstance(error, Cancelled):
            self.figures.outcomes["gone" if gone else "expired"] += 1
            raise ExpiredError(f"took more than {limit:g} s and was cancelled; give a smaller picture or fewer answers")
        self.figures.outcomes["failed" if error else "done"] += 1
        return task.result()

    def close(self) -> None:
        """Cancel everything."""
        for cancelled in list(self._running):
            cancelled.set()
        self._pool.shutdown(cancel_futures=True)
        self._hook.remove()


def stop_if_cancelled(*_: Any) -> None:
    """Raise `Cancelled` if the computation of this thread was cancelled; every layer of a network asks."""
    cancelled = getattr(_thread, "cancelled", None)
    if cancelled is not None and cancelled.is_set():
        raise Cancelled("was cancelled")


async def _has_gone(request: Request) -> None:
    """Wait until the client of a request, whose body has been read, is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
