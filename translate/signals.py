"""Ctrl-C and SIGTERM as a wish that is granted at the end of the step."""

__all__ = ["STOPPED", "StopRequest", "Stopped"]

import signal
import threading
from types import FrameType, TracebackType

from translate.errors import UserError

STOPPED = 75  # the exit status of "saved and stopped; run the same command to go on" (EX_TEMPFAIL)


class Stopped(UserError):
    """The run was asked to stop, and has saved: the same command goes on."""


class StopRequest:
    """While active, the first SIGINT or SIGTERM only sets `requested`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.requested = False
        self._earlier: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            for number in (signal.SIGINT, signal.SIGTERM):
                self._earlier[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
