"""Which device and precision to compute in."""

__all__ = ["autocast", "pick_device"]

from contextlib import AbstractContextManager, nullcontext

import torch

from translate.utils.errors import OptionError


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which a step of this precision computes."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def pick_device(name: str) -> torch.device:
    """Return the device that `name` ("auto", "cpu", "cuda", "cuda:1", "mps") stands for here.

    Raises:
        OptionError: It is no device, or this machine has none of it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise OptionError(f"--device {name!r} is unknown; choose auto, cpu, cuda, cuda:1 or mps") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise OptionError(f"--device {name}: this machine has {torch.cuda.device_count()} such; choose auto or cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise OptionError("--device mps: this machine has none; choose auto or cpu")
    if device.type not in ("cpu", "cuda", "mps"):
        raise OptionError(f"--device {name!r} is not supported; choose auto, cpu, cuda, cuda:1 or mps")
    return device
