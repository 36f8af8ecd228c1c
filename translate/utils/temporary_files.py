"""Temporary files that a kill left behind: found by their names, which say whose they are, and removed.

Several machines may write into one folder at the same time, so nothing goes that may be alive: of this machine, what
belongs to a process that is no more; of all others, what nobody has touched for a day.
"""

__all__ = ["remove_leftovers", "temporary_beside"]

import contextlib
import hashlib
import os
import platform
import re
import time
import uuid
from pathlib import Path

_DAY = 24 * 3600.0  # s; no picture takes as long without a byte written
_UNKNOWN = "0" * 8
_NAME = re.compile(r"\.([0-9a-f]{8})-(\d+)-[0-9a-f]{32}\.tmp")


def temporary_beside(path: Path) -> Path:
    """Return a hidden name in the folder of `path` that no other process gives."""
    return path.with_name(f".{_HERE}-{os.getpid()}-{uuid.uuid4().hex}.tmp")


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of `folder`, sub-folders apart, whose writers are dead."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # no folder: no files; closed: left alone
        for entry in entries:
            with contextlib.suppress(OSError):  # another run may be faster
                if (owner := _NAME.fullmatch(entry.name)) and _is_dead(entry, *owner.groups()):
                    Path(entry.path).unlink()


def _is_dead(entry: os.DirEntry[str], where: str, process: str) -> bool:
    if where == _HERE != _UNKNOWN:
        try:
            os.kill(int(process), 0)  # sends nothing
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # somebody else's
            pass
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _DAY


def _whereabouts() -> str:
    """Return what all processes that see each other have in common, and no other machine or container; Linux tells."""
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        place = booted + platform.node() + os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        return _UNKNOWN
    return hashlib.sha256(place.encode()).hexdigest()[:8]


_HERE = _whereabouts()
