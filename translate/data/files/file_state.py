"""The state of a file: enough to tell later whether its content is still the same, mostly without reading it.

Sizes and dates mislead: a file can be replaced by an older one, or by one of equal size and date (`cp -p`, archives
without dates), and dates may lie in the future. The time of the last change of the inode, which no program can set,
shows every such case, and the hash of the content decides it.
"""

__all__ = ["FileState"]

import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from translate.utils.files import content_hash

_COARSEST_CLOCK_NS = 2 * 10**9  # of file systems (FAT); a file may change again within this time at the same date


class FileState(NamedTuple):
    """Size, dates and content of a file."""

    size: int
    modified_ns: int
    changed_ns: int  # of the inode; 0: so recent that the file could change again without another date
    digest: str = ""  # of the content; "": unknown

    @classmethod
    def of(cls, path: Path, *, hashed: bool = True) -> Self:
        """Return the state of a file; without a hash only if `hashed` is false and its dates are old enough.

        Raises:
            OSError: the file is missing, unreadable, or no regular file.
        """
        now, found = time.time_ns(), path.stat()
        is_old = found.st_ctime_ns < now - _COARSEST_CLOCK_NS
        dates = found.st_size, found.st_mtime_ns, found.st_ctime_ns if is_old else 0
        if not is_old:
            return cls(*dates, content_hash(path))
        return cls(*dates, _remembered_hash(path, *dates) if hashed else "")

    def renewed(self, path: Path) -> Self | None:
        """Return the state of `path` now if its content is still this one, read only if the dates differ; else None."""
        found = path.stat()
        if found.st_size != self.size:
            return None
        if (found.st_mtime_ns, found.st_ctime_ns) == (self.modified_ns, self.changed_ns):
            return self
        if not self.digest:
            return None
        now = type(self).of(path)
        return now if now.digest == self.digest else None


@lru_cache(maxsize=16)  # of a mask that all pictures share
def _remembered_hash(path: Path, *_: int) -> str:
    return content_hash(path)
