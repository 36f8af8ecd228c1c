"""Scores of translated pictures, by name.

`METRICS` maps "psnr" and "ssim" to functions of two batches of pictures, and "kernel" to a function of the
features of two sets. It is filled on first use, so that importing the package costs no torch.
"""

__all__ = ["METRICS"]

from collections.abc import Callable
from typing import Any

METRICS: dict[str, Callable[..., Any]]


def __getattr__(name: str) -> dict[str, Callable[..., Any]]:
    if name != "METRICS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from translate.metrics.kernel import kernel_distance
    from translate.metrics.similarity import psnr, ssim

    metrics: dict[str, Callable[..., Any]] = {"psnr": psnr, "ssim": ssim, "kernel": kernel_distance}
    globals()[name] = metrics
    return metrics
