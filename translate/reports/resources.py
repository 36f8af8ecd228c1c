"""What the training of a run cost and ran on, recorded in its folder when a training command ends."""

__all__ = ["Resources", "ResourceMeter", "read_resources", "versions"]

import contextlib
import json
import os
import platform
import resource
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import torch

import translate
from translate.utils.files import WriteError, write_json

FILE_NAME = "resources.json"
LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "kornia", "albumentations", "safetensors")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of one start of a run: of its main process alone, where there are several."""

    steps: int  # steps of the run at the end of this start
    cpu_seconds: float  # of all threads
    peak_memory: int  # most resident memory, bytes
    peak_gpu_memory: int  # most memory that torch has allocated on a CUDA device, bytes; 0 without one
    cores: int  # that the process may use
    machine: str  # processor architecture and system
    gpu: str  # name of the CUDA device; "" without one
    versions: dict[str, str]  # of Python, this package and its libraries


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and its libraries."""
    found = {"Python": platform.python_version(), "image-translate": translate.__version__}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # built by hand
            continue
    return found


class ResourceMeter:
    """Measures what this process takes from now on."""

    def __init__(self) -> None:
        self.cpu_before = cpu_seconds()

    def record(self, folder: Path, steps: int) -> None:
        """Add the resources to the record of a run that has now trained for `steps` steps, unless it had before.

        The most memory is that of the whole life of the process. A full disk is no error.
        """
        known = read_resources(folder)
        if steps <= max((each.steps for each in known), default=0):
            return
        on_cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
        found = Resources(
            steps=steps,
            cpu_seconds=round(cpu_seconds() - self.cpu_before, 1),
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            peak_gpu_memory=torch.cuda.max_memory_allocated() if on_cuda else 0,
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            machine=f"{platform.machine()}, {platform.system()}",
            gpu=torch.cuda.get_device_name() if on_cuda else "",
            versions=versions(),
        )
        with contextlib.suppress(WriteError):
            write_json(folder / FILE_NAME, [asdict(each) for each in (*known, found)])


def cpu_seconds() -> float:
    """Return the CPU time of all threads of this process so far, s."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read_resources(folder: Path) -> list[Resources]:
    """Read the record of a run, first start first; [] without one, or with a damaged one."""
    try:
        return [Resources(**entry) for entry in json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
