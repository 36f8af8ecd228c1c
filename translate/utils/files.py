"""Atomic writes: a file appears under its name completely or not at all.

A file is written under a temporary name, which contains its machine and process, and renamed at the end. Temporary
files of killed processes are removed later. Several machines may write into one folder, so only files that cannot be in
use are removed: files of ended processes on this machine, and files of other machines that are a day old.
"""

__all__ = ["WriteError", "atomic_write", "host_id", "remove_stale_temporaries", "temporary_path", "write_json"]

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from translate.utils.errors import UserError, short_reason

_STALE_AFTER_S = 24 * 3600.0  # no writer pauses this long within one file
_UNKNOWN_HOST = "0" * 8
_TEMPORARY_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{32}\.tmp")


class WriteError(UserError):
    """A file could not be written: the disk is full, or the folder is read-only or missing."""


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; at the end flush the file to disk and rename it to `path`.

    On any error, Ctrl-C included, the temporary file is removed and the old file at `path` stays. Missing folders
    are created.

    Raises:
        WriteError: the disk is full, the folder is read-only, or the system refuses for another reason.
    """
    path = Path(path)
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
        raise WriteError(f"{path}: {reason}; make room or choose another folder") from error
    finally:
        with contextlib.suppress(OSError):  # its folder is a file or out of reach: nothing to remove
            temporary.unlink(missing_ok=True)


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
