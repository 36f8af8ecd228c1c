"""Description of the machine; peak memory of a process."""

__all__ = ["PeakMemory", "describe_machine"]

import contextlib
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any

import torch


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return names, numbers of cores and threads, and versions of the machine and its software."""
    facts: dict[str, Any] = {
        "processor": _processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": str(device),
    }
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        facts |= {"device": gpu.name, "device_bytes": gpu.total_memory, "cuda": torch.version.cuda}
    return facts


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


class PeakMemory:
    """Peak memory of this process: of tensors on a GPU; on a CPU, resident memory beyond that at construction."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.before = 0
            return
        with contextlib.suppress(OSError):  # not Linux: the peak includes the time before
            Path("/proc/self/clear_refs").write_text("5")  # resets the peak to the current resident memory
        self.before = _peak_resident_bytes()

    def bytes(self) -> int:
        """Return the peak up to now."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return _peak_resident_bytes() - self.before


def _peak_resident_bytes() -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
