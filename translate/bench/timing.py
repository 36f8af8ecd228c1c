"""Comparable times: candidates take turns, so that whatever disturbs the machine disturbs all of them."""

__all__ = ["Percentiles", "Times", "mean_seconds", "percentiles", "speedup", "synchronize", "time_in_turns"]

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

MIN_ROUNDS = 3  # a median of fewer says little


@dataclass(frozen=True, kw_only=True)
class Times:
    """What was measured of a candidate.

    Attributes:
        precision: "fp32" or "bf16"; "" if unknown.
        seconds: one number a round.
        peak: memory, bytes; None if not measured.
    """

    name: str
    precision: str
    seconds: list[float]
    peak: int | None = None


class Percentiles(NamedTuple):
    """The median, the 10th and the 90th percentile of some times, s."""

    median: float
    low: float
    high: float


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Return the median and the 10th and 90th percentiles of one or more times."""
    if len(seconds) == 1:
        return Percentiles(seconds[0], seconds[0], seconds[0])
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return Percentiles(statistics.median(seconds), tenths[0], tenths[-1])


def speedup(base: Sequence[float], seconds: Sequence[float]) -> float:
    """Return how many times faster than `base` a candidate is: the median over their common rounds."""
    return statistics.median(b / s for b, s in zip(base, seconds, strict=True))


def time_in_turns(turns: Mapping[str, Callable[[], float]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Let warmed-up candidates take turns, each round beginning with another one.

    Args:
        turns: by name, a function that takes a turn and returns its seconds.
        rounds: at most.
        seconds: after which no new round begins, once there are three.

    Returns:
        The seconds by name, one number a round.
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
    """Return the mean seconds of `repeats` calls of `work` in a row, the device's work included."""
    synchronize(device)
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    synchronize(device)
    return (time.perf_counter() - began) / repeats


def synchronize(device: torch.device) -> None:
    """Wait until `device` has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
