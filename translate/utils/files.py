"""Atomic writes: a file appears under its name completely or not at all; and reading of regular files alone.

A file is written under a temporary name, which contains its machine and process, and renamed at the end. Temporary
files of killed processes are removed later. Several machines may write into one folder, so only files that cannot be in
use are removed: files of ended processes on this machine, and files of other machines that are a day old.
"""

__all__ = [
    "PathError", "WriteError", "atomic_write", "check_regular", "content_hash", "format_bytes", "host_id", "is_url",
    "read_bytes", "refusals_as_write_errors", "remove_stale_temporaries", "temporary_path", "write_json",
]  # fmt: skip

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from translate.utils.errors import UserError, short_reason

_STALE_AFTER_S = 24 * 3600.0  # no writer pauses this long within one file
_UNKNOWN_HOST = "0" * 8
_OF_ONE_PATH = frozenset({
    errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.EILSEQ, errno.EINVAL,
})  # fmt: skip
_NO_FILES = {
    stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/+[^/]", re.IGNORECASE)  # Path turns // into /
_TEMPORARY_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{32}\.tmp")


class WriteError(UserError):
    """A file could not be written: the disk is full, or the folder is read-only or missing."""


class PathError(WriteError):
    """A file could not be written because of its own path, such as a name that is too long; others may be."""


def content_hash(path: Path) -> str:
    """Return a hash of the content of a regular file; raise OSError for anything else."""
    check_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def check_regular(path: str | Path) -> None:
    """Raise OSError if `path` is a pipe, a socket or a device, which could be read for ever; folders pass."""
    if kind := _NO_FILES.get(stat.S_IFMT(os.stat(path).st_mode)):  # noqa: PTH116
        raise OSError(errno.EINVAL, f"it is {kind}, not a file")


def is_url(path: str | Path) -> bool:
    """Whether a path that does not exist is meant as a URL."""
    return _URL.match(str(path)) is not None


def read_bytes(path: str | Path) -> bytes:
    """Read a file; raise OSError if that is impossible, or if it is a pipe, a socket or a device."""
    check_regular(path)
    return Path(path).read_bytes()


def format_bytes(size: float) -> str:
    """Format bytes in kB, MB or GB."""
    unit, name = next(
        (unit, name) for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if size >= unit or unit == 1e3
    )
    return f"{size / unit:.1f} {name}"


@contextmanager
def refusals_as_write_errors(file: Path) -> Iterator[None]:
    """Raise WriteError, which names `file`, where the system refuses to write it."""
    try:
        yield
    except OSError as error:
        reason = f"cannot be written ({short_reason(error)})"
        raise WriteError(f"{file}: {reason}; make room or choose another folder") from error


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; at the end flush the file to disk and rename it to `path`.

    On any error, Ctrl-C included, the temporary file is removed and the old file at `path` stays. Missing folders
    are created.

    Raises:
        PathError: the name or path is too long, or a folder or no regular file is there.
        WriteError: the disk is full, the folder is read-only, or the system refuses for another reason.
    """
    path = Path(path)
    _check_replaceable(path)
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except UserError:
        raise
    except Exception as error:
        if not _is_refusal(error, path.parent):
            raise
        reason = f"cannot be written ({short_reason(error)})"
        if isinstance(error, OSError) and error.errno in _OF_ONE_PATH:
            raise PathError(f"{path}: {reason}; choose another name or folder") from error
        raise WriteError(f"{path}: {reason}; make room or choose another folder") from error
    finally:
        with contextlib.suppress(OSError):  # its folder is a file or out of reach: nothing to remove
            temporary.unlink(missing_ok=True)


def _check_replaceable(path: Path) -> None:
    """Raise PathError if a folder, a pipe, a socket or a device is where a file is to be written."""
    try:
        check_regular(path)
        if not path.is_dir():
            return
        reason = "it is a folder"
    except OSError as error:
        if error.errno != errno.EINVAL:  # nothing is there yet, or the system will say why not
            return
        reason = short_reason(error)
    raise PathError(f"{path}: cannot be written ({reason}); choose another name or folder")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON; atomicity and errors as `atomic_write`."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _is_refusal(error: Exception, folder: Path) -> bool:
    """Whether the system refused to write; torch and safetensors report this without an OSError."""
    if isinstance(error, OSError) or "(os error " in str(error):
        return True
    return shutil.disk_usage(folder).free < 2**20 or not os.access(folder, os.W_OK)


def temporary_path(path: Path) -> Path:
    """Return a hidden path in the folder of `path` that is unique among all processes and machines."""
    return path.with_name(f".{_HOST}-{os.getpid()}-{uuid.uuid4().hex}.tmp")


def remove_stale_temporaries(folder: Path) -> None:
    """Remove the temporary files in `folder` (not in its sub-folders) whose writers have died."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # a missing or unreadable folder is left alone
        for entry in entries:
            with contextlib.suppress(OSError):  # another process may have removed it first
                if (owner := _TEMPORARY_NAME.fullmatch(entry.name)) and _is_stale(entry, *owner.groups()):
                    Path(entry.path).unlink()


def _is_stale(entry: os.DirEntry[str], host: str, process: str) -> bool:
    if host == _HOST != _UNKNOWN_HOST:
        try:
            os.kill(int(process), 0)  # sends no signal, only checks
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # a process of another user
            pass
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE_AFTER_S


def _host_id() -> str:
    """Hash the boot id, the host name and the process namespace; only Linux has all three."""
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        identity = booted + platform.node() + os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        return _UNKNOWN_HOST
    return hashlib.sha256(identity.encode()).hexdigest()[:8]


def host_id() -> str:
    """Return 8 hexadecimal digits that identify this machine since it was booted, and its process namespace."""
    return _HOST


_HOST = _host_id()
