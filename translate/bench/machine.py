"""What the figures were measured on."""

__all__ = ["Peak", "describe"]

import contextlib
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def describe(device: torch.device) -> dict[str, Any]:
    """Return what matters of this machine and its software: names, numbers of cores and threads, versions."""
    facts: dict[str, Any] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": str(device),
    }
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        facts |= {"device": about.name, "device_bytes": about.total_memory, "cuda": torch.version.cuda}
    return facts


def _processor() -> str:
    """Return the processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


class Peak:
    """The most memory that this process takes from now on: of the device, or on a CPU what becomes resident."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.before = 0
            return
        with contextlib.suppress(OSError):  # not Linux: the mark is that of the whole process
            _RESET.write_text("5")  # sets the high-water mark back to what is resident now
        self.before = _high_water()

    def bytes(self) -> int:
        """Return the peak since then: on a CPU beyond what was resident, on a GPU all that tensors took."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return _high_water() - self.before


def _high_water() -> int:
    """Return the peak of the resident memory, bytes."""
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
