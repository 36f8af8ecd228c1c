"""Scores of translated pictures, by name.

`METRICS` maps "l1", "psnr" and "ssim" to functions of two batches of pictures, "kernel" to one of the features of
two sets, "edges" to one of two line drawings, and "looks" to one of the looks of many answers. It is filled on
first use, so that importing the package costs no torch.
"""

__all__ = ["METRICS"]

from collections.abc import Callable
from typing import Any

METRICS: dict[str, Callable[..., Any]]


def __getattr__(name: str) -> dict[str, Callable[..., Any]]:
    if name != "METRICS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from translate.metrics.edge_f1 import edge_f1
    from translate.metrics.kernel_distance import kernel_distance
    from translate.metrics.multimodal_coverage import multimodal_coverage
    from translate.metrics.similarity import l1, psnr, ssim

    metrics: dict[str, Callable[..., Any]] = {
        "l1": l1, "psnr": psnr, "ssim": ssim, "kernel": kernel_distance, "edges": edge_f1, "looks": multimodal_coverage,
    }  # fmt: skip
    globals()[name] = metrics
    return metrics
