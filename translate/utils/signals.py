"""Ctrl-C, SIGTERM and SIGUSR1: wishes, granted at the end of the step, or at once where nothing is to be saved."""

__all__ = ["STOPPED", "StopRequest", "Stopped", "stop_at_once"]

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from translate.utils.errors import UserError

STOPPED = 75  # the exit status of "saved and stopped; run the same command to go on" (EX_TEMPFAIL)
_PREEMPTION = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name))
_Handler = Callable[[int, FrameType | None], None]


class Stopped(UserError):
    """The run was asked to stop, and has saved: the same command goes on."""


class StopRequest:
    """While active, the first SIGINT, SIGTERM or SIGUSR1 only sets `requested`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.requested = False
        self._earlier: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        self._earlier = _handle((signal.SIGINT, *_PREEMPTION), self._note)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _restore(self._earlier)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True


class _AtOnce(BaseException):
    """Not to be mistaken for an error by anyone on the way."""


@contextmanager
def stop_at_once() -> Iterator[None]:
    """Inside, SIGTERM and SIGUSR1 end the work as Ctrl-C does: while a run gets ready, there is nothing to save.

    Raises:
        Stopped: One of them came.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        raise _AtOnce

    earlier = _handle(_PREEMPTION, leave)
    try:
        yield
    except _AtOnce:
        raise Stopped("stopped before it took a step; run the same command to go on") from None
    finally:
        _restore(earlier)


def _handle(numbers: tuple[int, ...], handler: _Handler) -> dict[int, object]:
    """Let `handler` answer these signals; return what did before."""
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers nowhere else
        return {}
    return {number: signal.signal(number, handler) for number in numbers}


def _restore(earlier: dict[int, object]) -> None:
    for number, handler in earlier.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
