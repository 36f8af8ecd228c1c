"""Ctrl-C, SIGTERM and SIGUSR1 stop a run at the end of its step, or at once if there is nothing to save."""

__all__ = ["EXIT_STOPPED", "StopRequest", "Stopped", "stop_at_once"]

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from translate.utils.errors import UserError

EXIT_STOPPED = 75  # the exit status of a saved run that the same command resumes (EX_TEMPFAIL)
_PREEMPTION = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name))
_Handler = Callable[[int, FrameType | None], None]


class Stopped(UserError):
    """A signal stopped the run after it saved its state; the same command resumes it."""


class StopRequest:
    """While active, the first SIGINT, SIGTERM or SIGUSR1 only sets `requested`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.requested = False
        self._earlier: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        self._earlier = _set_handler((signal.SIGINT, *_PREEMPTION), self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        _restore(self._earlier)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True


class _StopNow(BaseException):
    """Raised by the signal handler; a BaseException, so that no `except Exception` catches it."""


@contextmanager
def stop_at_once() -> Iterator[None]:
    """Let SIGTERM and SIGUSR1 raise `Stopped` inside the block: before the first step, there is nothing to save."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _StopNow

    earlier = _set_handler(_PREEMPTION, stop)
    try:
        yield
    except _StopNow:
        raise Stopped("stopped before it took a step; run the same command to go on") from None
    finally:
        _restore(earlier)


def _set_handler(numbers: tuple[int, ...], handler: _Handler) -> dict[int, object]:
    """Set `handler` for the signals; return the handlers that it replaces, by signal."""
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers nowhere else
        return {}
    return {number: signal.signal(number, handler) for number in numbers}


def _restore(earlier: dict[int, object]) -> None:
    for number, handler in earlier.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
