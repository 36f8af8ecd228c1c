"""Choice of device and precision."""

__all__ = ["autocast", "bf16_is_sound", "pick_device"]

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.utils.errors import OptionError


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context for computing in `precision`, "bf16" or "fp32"."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def pick_device(name: str) -> torch.device:
    """Return the device "auto" (the best one), "cpu", "cuda", "cuda:1" or "mps"; raise OptionError if there is none."""
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


def bf16_is_sound(device: torch.device) -> bool:
    """Whether bf16 convolutions, forward and backward, agree with fp32 on `device`; some builds and CPUs are wrong."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return False
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 16, 20, 20, generator=generator)
    for kernel, stride in ((2, 2), (3, 1), (3, 2), (4, 2), (7, 1)):
        weight = torch.randn(16, 16, kernel, kernel, generator=generator) / (4 * kernel)
        exact, rough = _convolve(x, weight, stride), _convolve(x.bfloat16(), weight.bfloat16(), stride)
        if any((r.float() - e).norm() > 0.03 * e.norm() for e, r in zip(exact, rough, strict=True)):
            return False
    return True


def _convolve(x: Tensor, weight: Tensor, stride: int) -> tuple[Tensor, ...]:
    """Return the output y of a convolution, and the gradients of the sum of y^2 with respect to `x` and `weight`."""
    x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
    y = F.conv2d(x, weight, stride=stride)
    return y.detach(), *torch.autograd.grad(y.float().square().sum(), (x, weight))
