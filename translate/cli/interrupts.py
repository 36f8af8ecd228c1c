"""Ctrl-C: an exception while a command works, and an exit without a word of Python's before that."""

__all__ = ["EXIT_INTERRUPTED", "exit_on_early_interrupt", "exit_on_late_interrupt", "leave"]

import os
import signal
import sys
from types import FrameType

TYPE_CHECKING = False  # as in translate/__init__.py
if TYPE_CHECKING:
    from typing import NoReturn

EXIT_INTERRUPTED = 130  # as shells report a process that SIGINT ended
_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"  # the file name of its frames


def exit_on_early_interrupt() -> None:
    """Let SIGINT end the process at once while modules are imported; later it raises KeyboardInterrupt, as usual.

    A KeyboardInterrupt that is raised in the middle of an import, perhaps inside a C++ constructor of torch, is a
    traceback or abort() instead of an exit. Nothing is lost: a killed command resumes.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else ignored, as by nohup
        signal.signal(signal.SIGINT, _on_interrupt)


def exit_on_late_interrupt() -> None:
    """Let SIGINT end the process at once from now on, since the command has ended and Python is closing down."""
    if signal.getsignal(signal.SIGINT) is _on_interrupt:
        signal.signal(signal.SIGINT, leave)


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_SYSTEM:
            leave()
        frame = frame.f_back
    raise KeyboardInterrupt


def leave(*_: object) -> "NoReturn":
    """Print that the command was interrupted, and exit with `EXIT_INTERRUPTED`."""
    sys.stderr.write("interrupted\n")
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)
