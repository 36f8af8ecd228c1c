"""Locks between processes: one run, one process.

A lock is a hidden file that its process holds with `flock`, which the system releases when the process dies, however it
dies. The file names the process and its machine, for the message that another process prints. Some network file systems
have no `flock`, or grant it once per machine: there the file's time, which its process renews, shows that it is
alive.
"""

__all__ = ["Holder", "InUseError", "hold", "holder_of"]

import contextlib
import errno
import fcntl
import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from translate.utils.errors import UserError
from translate.utils.files import host_id
from translate.utils.terminal import console, escape

_RENEW_EVERY_S = 5.0
# A process of another machine that did not renew its lock for so long is dead; it renews it in a thread of its own.
_DEAD_AFTER_S = 20.0
_LONG_DEAD_AFTER_S = 120.0  # without watching: clocks of machines differ by less
_POLL_S = 0.2
_VANISHED_TRIES = 20
_TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}  # by another process; any other error: there is no flock here


class InUseError(UserError):
    """Another process uses a folder or file."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock."""

    process: int
    host: str  # name of the machine
    host_id: str  # identifies the machine since it was booted, and its process namespace
    since: float  # seconds since 1970

    @classmethod
    def this_process(cls) -> Self:
        return cls(os.getpid(), platform.node(), host_id(), time.time())

    @property
    def is_local(self) -> bool:
        """Whether it is a process of this machine, as this process sees them."""
        return (self.host, self.host_id) == (platform.node(), host_id())

    @property
    def has_ended(self) -> bool:
        """Whether it is a process of this machine that is no more."""
        try:
            if self.is_local:
                os.kill(self.process, 0)  # sends no signal, only checks
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # a process of another user
            pass
        return False

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        own = " (this one)" if self.is_local and self.process == os.getpid() else ""
        return f"process {self.process}{own} on {self.host}, since {since}"


def holder_of(path: Path) -> Holder | None:
    """Return the living process that holds the lock file `path`, without taking the lock; None if there is none.

    A process of this machine lives as long as it has the file open, so that the number of a dead process, which the
    system may have given to another one, means nothing. A process elsewhere lives as long as it renews the file's time.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        holder, renewed = _read_holder(file), os.fstat(file).st_mtime
    finally:
        os.close(file)
    if holder is None:
        return None
    if holder.is_local:
        return holder if _has_open(holder.process, path) else None
    return holder if time.time() - renewed < _LONG_DEAD_AFTER_S else None


@contextmanager
def hold(path: Path, use: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path` inside the block; the file is removed at its end.

    A folder that cannot be written to is not locked: nothing can be damaged there.

    Args:
        path: Lock file; missing folders are created.
        use: Subject of the messages, such as "runs/x is being trained".
        wait: Wait for the other process, and say so once, instead of raising an error.

    Raises:
        InUseError: Another process holds the lock; the message names the process and its machine.
    """
    lock = _take(path, use, wait)
    try:
        yield
    finally:
        if lock:
            lock.release()


def _take(path: Path, use: str, wait: bool) -> "_Lock | None":
    """Take the lock at `path`, perhaps after waiting; return None where the folder cannot be written to.

    Raises:
        InUseError: Another process holds the lock.
    """
    waiting, vanished = False, 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _Lock.take(path)
        except FileNotFoundError:  # the folder has just been removed, by a holder that had created it
            vanished += 1
            if vanished == _VANISHED_TRIES:
                return None
            continue
        except OSError:  # whatever writes there next says so in its own words
            return None
        if isinstance(lock, _Lock):
            return lock
        if not wait:
            raise InUseError(f"{use} by {lock}; wait for it, or stop it")
        if not waiting:
            console.print(f"{escape(f'{use} by {lock}')}: waiting for it", soft_wrap=True)
            waiting = True
        time.sleep(_POLL_S)


class _Lock:
    """A lock that this process holds."""

    def __init__(self, path: Path, file: int) -> None:
        self._path, self._file, self._end = path, file, threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lock", daemon=True)
        self._thread.start()

    @classmethod
    def take(cls, path: Path) -> "_Lock | Holder":
        """Take the lock at `path`; return its holder if that is another process.

        Raises:
            OSError: The folder cannot be written to.
        """
        while True:
            file = _open(path)
            try:
                if holder := _other_holder(path, file):
                    os.close(file)
                    return holder
                if not _is_at(path, file):  # its holder has just removed it
                    os.close(file)
                    continue
                _write_holder(file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.close(file)
                raise
            return cls(path, file)

    def release(self) -> None:
        """Remove the file, if it is still this lock's, and let go of it."""
        self._end.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            if _is_at(self._path, self._file):
                self._path.unlink()
        os.close(self._file)

    def _renew(self) -> None:
        while not self._end.wait(_RENEW_EVERY_S):
            with contextlib.suppress(OSError):
                os.utime(self._file)


def _open(path: Path) -> int:
    """Open the lock file `path`, which may be another user's: it can be locked without being written."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _other_holder(path: Path, file: int) -> Holder | None:
    """Lock the open `file` at `path`; return the other process that holds it, None if this one does now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return _read_holder(file) or Holder(0, "a machine that did not leave its name", "", time.time())
        holder = _read_holder(file)  # without flock, the file alone can tell
        return holder if holder and _is_alive(holder, path) else None
    holder = _read_holder(file)
    if holder is None or holder.is_local:  # a lock of this machine that can be taken has lost its process
        return None
    return holder if _is_alive(holder, path) else None


def _is_alive(holder: Holder, path: Path) -> bool:
    """Whether the process that wrote the lock file `path` lives: it renews the file's time."""
    # signs of death that need no waiting
    before = _renewed_at(path)
    if before is None or time.time() - before / 1e9 > _LONG_DEAD_AFTER_S or holder.has_ended:
        return False
    # watch the file
    checking = f"{path.parent}: locked by {holder}; looking for {_DEAD_AFTER_S:g} s whether it is alive"
    console.print(escape(checking), soft_wrap=True)
    end = time.monotonic() + _DEAD_AFTER_S
    while time.monotonic() < end:
        time.sleep(_POLL_S)
        if (now := _renewed_at(path)) != before:
            return now is not None  # renewed; or removed by a process that has come to its end
    return False


def _has_open(process: int, path: Path) -> bool:
    """Whether a process of this machine has the file `path` open; as far as is known, if it is another user's."""
    try:
        return any(os.path.samefile(one.path, path) for one in psutil.Process(process).open_files())  # noqa: PTH121
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OSError, ValueError, OverflowError):
        return False


def _renewed_at(path: Path) -> int | None:
    """Return the time of the lock file in ns, None without one; opening it asks the server for the newest time."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.fstat(file).st_mtime_ns
    finally:
        os.close(file)


def _is_at(path: Path, file: int) -> bool:
    """Whether the open `file` is the one at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))  # noqa: PTH116
    except FileNotFoundError:
        return False


def _read_holder(file: int) -> Holder | None:
    """Return the process that wrote into the open lock `file`; None where there is none, or no sense."""
    try:
        values: dict[str, Any] = json.loads(os.pread(file, 4096, 0))
        return Holder(int(values["process"]), str(values["host"]), str(values["host_id"]), float(values["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_holder(file: int) -> None:
    """Write this process into the open lock `file`; on a full disk it stays empty, and locks as well."""
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(asdict(Holder.this_process())).encode(), 0)
