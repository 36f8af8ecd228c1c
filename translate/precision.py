"""Whether a network answers faster in bf16 here, and still answers the same."""

__all__ = ["pick_inference_precision"]

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from translate.errors import OptionError

_ROUGH = 2 / 255  # how far bf16 may stray from fp32 in the mean: one gray level

Pass = Callable[[Tensor, str], Tensor]  # pictures (B, 3, H, W) and a precision -> pictures


def pick_inference_precision(run: Pass, device: torch.device, precision: str = "auto", size: int = 128) -> str:
    """Return "bf16" where it is asked for, or, with "auto", where it is both sound and faster on `device`.

    Args:
        run: takes (1, 3, size, size) in [-1, 1] and a precision.
        device: where it computes.
        precision: "auto", "bf16" or "fp32".
        size: of the probe, px.

    Raises:
        OptionError: no such precision.
    """
    if precision in ("bf16", "fp32"):
        return precision
    if precision != "auto":
        raise OptionError(f"precision {precision!r} is unknown; choose auto, bf16 or fp32")
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type != "cpu" or not _convolves_faster_in_bf16():
        return "fp32"
    x = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    exact, rough = run(x, "fp32"), run(x, "bf16")
    sound = (exact - rough).abs().mean() <= _ROUGH  # false for NaN too
    faster = _seconds(lambda: run(x, "bf16")) < 0.9 * _seconds(lambda: run(x, "fp32"))
    return "bf16" if sound and faster else "fp32"


def _convolves_faster_in_bf16() -> bool:
    """Time one small convolution first: where bf16 is emulated, a whole network would take minutes."""
    x, weight = torch.rand(1, 32, 32, 32), torch.rand(32, 32, 3, 3)
    rough = x.bfloat16(), weight.bfloat16()
    with torch.inference_mode():
        return _seconds(lambda: torch.conv2d(*rough)) < 2 * _seconds(lambda: torch.conv2d(x, weight))


def _seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    """Return the least time that `work` took, after one run that is not counted."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])
