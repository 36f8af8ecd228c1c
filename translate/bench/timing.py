"""Comparable times: candidates take turns, so that a disturbance of the machine affects them equally."""

__all__ = ["Percentiles", "Times", "mean_seconds", "percentiles", "speedup", "synchronize", "time_in_turns"]

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

MIN_ROUNDS = 3  # a median of fewer is not robust


@dataclass(frozen=True, kw_only=True)
class Times:
    """Measurements of a candidate."""

    name: str
    precision: str  # "fp32" or "bf16"; "" if unknown
    seconds: list[float]  # one number per round
    peak: int | None = None  # memory, bytes


class Percentiles(NamedTuple):
    """Percentiles of times, s."""

    median: float
    low: float  # 10th percentile
    high: float  # 90th percentile


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Return the median and the 10th and 90th percentiles of one or more times."""
    if len(seconds) == 1:
        return Percentiles(seconds[0], seconds[0], seconds[0])
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return Percentiles(statistics.median(seconds), tenths[0], tenths[-1])


def speedup(base: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the speedup over `base`: the median of the ratios of their common rounds."""
    return statistics.median(b / s for b, s in zip(base, seconds, strict=True))


def time_in_turns(turns: Mapping[str, Callable[[], float]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Let warmed-up candidates take turns; each round begins with another one.

    Args:
        turns: by name, a function that takes a turn and returns its seconds.
        rounds: at most.
        seconds: no new round begins after this time, but for the first three.

    Returns:
        The seconds by name, one number per round.
    """
    times: dict[str, list[float]] = {name: [] for name in turns}
    names, began = list(turns), time.perf_counter()
    for k in range(rounds):
        if k >= MIN_ROUNDS and time.perf_counter() - began > seconds:
            break
        first = k % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(turns[name]())
    return times


def mean_seconds(work: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Return the mean seconds of `repeats` consecutive calls of `work`, including work on the device."""
    synchronize(device)
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    synchronize(device)
    return (time.perf_counter() - began) / repeats


def synchronize(device: torch.device) -> None:
    """Wait until `device` has finished all work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
