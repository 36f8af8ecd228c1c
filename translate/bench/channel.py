"""A candidate's end of the pipe to the benchmark: JSON lines, requests for steps in and their times out."""

__all__ = ["WARM_UP_STEPS", "Channel", "serve"]

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from translate.bench.machine import PeakMemory
from translate.bench.timing import mean_seconds

WARM_UP_STEPS = {"cpu": 2, "cuda": 6, "mps": 2}  # CUDA graphs are captured in the first few steps


class Channel:
    """JSON lines on standard input and output; other prints go to standard error."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def send(self, **facts: Any) -> None:
        """Write one line."""
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for a line and parse it; return None at the end of the input."""
        line = sys.stdin.readline()
        return json.loads(line) if line else None


def serve(
    channel: Channel, step: Callable[[], object], device: torch.device, *,
    peak: PeakMemory | None = None, count: bool = False, **facts: Any,
) -> None:  # fmt: skip
    """Warm up and send `facts`; then take the number of steps in each request, until the input ends.

    Args:
        channel: to the benchmark.
        step: takes one step.
        device: of the step.
        peak: memory meter (default: from the first step on).
        count: also send "flops", the floating-point operations of a step's convolutions and matrix products.
        facts: sent with the seconds of the "first" step, which allocates and compiles, and of a "steady" one.
    """
    peak = peak or PeakMemory(device)
    # warm up
    first, *_, steady = [mean_seconds(step, device) for _ in range(WARM_UP_STEPS[device.type])]
    if count:
        with FlopCounterMode(display=False) as counter:
            step()
        facts["flops"] = int(counter.get_total_flops())
    channel.send(first=first, steady=steady, **facts)
    # take turns
    while (request := channel.receive()) is not None:
        seconds = mean_seconds(step, device, request["steps"])
        channel.send(seconds=seconds, peak=peak.bytes())
