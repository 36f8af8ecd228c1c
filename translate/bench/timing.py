"""Times that can be compared: candidates take turns, so that whatever disturbs the machine disturbs all of them."""

__all__ = ["Spread", "interleaved", "ratio", "spread", "timed", "wait_for"]

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

LEAST = 3  # rounds, however long they take


class Spread(NamedTuple):
    """The median of some times and their 10th and 90th percentiles, s."""

    median: float
    low: float
    high: float


def spread(seconds: Sequence[float]) -> Spread:
    """Return the median and the 10th and 90th percentiles of one or more times."""
    if len(seconds) == 1:
        return Spread(seconds[0], seconds[0], seconds[0])
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return Spread(statistics.median(seconds), tenths[0], tenths[-1])


def ratio(base: Sequence[float], mine: Sequence[float]) -> float:
    """Return how many times faster than `base` `mine` is: the median over the rounds, of which both have as many."""
    return statistics.median(b / m for b, m in zip(base, mine, strict=True))


def interleaved(turns: Mapping[str, Callable[[], float]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Let candidates take turns, each round beginning with another one.

    Args:
        turns: by name, what takes a turn and returns its seconds. Warming up is up to the caller.
        rounds: at most.
        seconds: after which no new round begins, once there are three.

    Returns:
        The seconds by name, one number a round.
    """
    found: dict[str, list[float]] = {name: [] for name in turns}
    names, began = list(turns), time.perf_counter()
    for k in range(rounds):
        if k >= LEAST and time.perf_counter() - began > seconds:
            break
        first = k % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(turns[name]())
    return found


def timed(work: Callable[[], object], device: torch.device, repeats: int = 1) -> float:
    """Return the mean seconds of `repeats` calls of `work` in a row, with all that the device has to do for them."""
    wait_for(device)
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    wait_for(device)
    return (time.perf_counter() - began) / repeats


def wait_for(device: torch.device) -> None:
    """Wait until `device` has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
