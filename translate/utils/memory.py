"""Memory that a forward pass takes, memory that is free, and settings of the allocator."""

__all__ = [
    "bytes_per_pixel", "free_bytes", "gigabytes", "keep_freed_memory", "parse_bytes", "release_freed", "resident_bytes",
]  # fmt: skip

import ctypes
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from translate.utils.errors import OptionError, shorten

_CGROUPS = (  # of versions 2 and 1: folder, limit, usage, and the name of the page cache that can be dropped
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4  # of malloc.h
_MIN_LIMIT_BYTES = 1_000_000  # less is a number whose unit was forgotten
_MAX_LIMIT_BYTES = 10**15  # a petabyte
_HEADROOM = 1.25  # factor on the tensors for the backend's own buffers; measured: 1.01 to 1.1


class PeakMeter(TorchDispatchMode):
    """A meter of the `peak` sum of bytes of all tensors that are alive after an operation."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves((args, out)):
            if isinstance(x, Tensor):
                storage = x.untyped_storage()
                self.alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.alive = {key: entry for key, entry in self.alive.items() if not entry[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
        return out


def bytes_per_pixel(function: Callable[[Tensor], Any], device: torch.device, small: int = 64) -> float:
    """Measure the bytes that each further pixel adds to the peak memory of a convolutional network.

    `function` is its forward pass of (1, 3, N, N) in [-1, 1]; it is measured with N = `small` px and N = 2 `small` px.
    """

    def peak(size: int) -> int:
        x = torch.zeros(1, 3, size, size, device=device)
        with torch.inference_mode(), PeakMeter() as meter:
            function(x)
        return meter.peak

    return _HEADROOM * (peak(2 * small) - peak(small)) / (3 * small**2)


def free_bytes(device: torch.device) -> int | None:
    """Return the bytes that can still be allocated on `device`; None if the system does not report them."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device.type != "cpu":
        return None
    known = [size for size in (_free_on_machine(), *map(_free_in_group, _CGROUPS)) if size is not None]
    return min(known, default=None)


def _free_on_machine(file: Path = Path("/proc/meminfo")) -> int | None:
    try:
        return 1024 * _read_table(file)["MemAvailable:"]
    except (OSError, KeyError):  # not Linux
        return None


def _free_in_group(names: tuple[str, str, str, str]) -> int | None:
    """Return the bytes left below the limit of a container, with the page cache counted as free."""
    folder, limit, usage, cache = names
    try:
        maximum = int(Path(folder, limit).read_text())
        used = int(Path(folder, usage).read_text()) - _read_table(Path(folder, "memory.stat")).get(cache, 0)
    except (OSError, ValueError):  # not this version of cgroups, or the limit is "max"
        return None
    return max(maximum - used, 0)


def _read_table(file: Path) -> dict[str, int]:
    """Read a file whose lines each hold a name and a number."""
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1}


def resident_bytes() -> int:
    """Return the memory that this process holds; 0 where the system does not report it."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:  # not Linux
        return 0
    return int(pages) * resource.getpagesize()


def parse_bytes(text: str) -> int:
    """Parse an amount such as "3GB", "800 MB" or "2GiB" to bytes; raise OptionError for other text or below 1 MB."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip().lower())
    if not match:
        raise OptionError(f"memory {text!r} is no amount; write it as 3GB or 800MB")
    size = round(float(match[1]) * (1024 if match[3] else 1000) ** " kmgt".index(match[2] or " "))
    if size < _MIN_LIMIT_BYTES:
        raise OptionError(f"memory {text!r} is {size} bytes, in which nothing fits; write it as {match[1]}GB")
    if size > _MAX_LIMIT_BYTES:
        raise OptionError(f"memory {shorten(text)!r} is more than any machine has; write it as 3GB or 800MB")
    return size


def gigabytes(size: float) -> str:
    """Format bytes as GB, to two digits."""
    return f"{size / 1e9:.0f} GB" if size >= 9.5e9 else f"{size / 1e9:.1f} GB"


def keep_freed_memory(*, large: bool = True) -> None:
    """Keep freed memory in the process, since the next step allocates as much again.

    glibc returns large blocks to the system, which zeroes them page by page on the next use: a sixth of a training
    step on a CPU. Other C libraries are not configured. With `large`, blocks of 32 MB and more are kept as well, which
    saves a tenth of a step but fragments the memory.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mapping = (_M_MMAP_MAX, 0) if large else (_M_MMAP_THRESHOLD, 32 << 20)
    for option, value in (mapping, (_M_TRIM_THRESHOLD, -1), (_M_TOP_PAD, 64 << 20)):
        mallopt(option, value)


def release_freed() -> None:
    """Return freed memory to the system, also after `keep_freed_memory`; with glibc only."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return
