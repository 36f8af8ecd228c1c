"""The child's end of the pipe between benchmark and candidate: JSON lines, steps asked for and times returned."""

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
    """Standard input and output; whatever else prints goes to the standard error."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def send(self, **facts: Any) -> None:
        """Send one line."""
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for a line; return None at the end of the input."""
        line = sys.stdin.readline()
        return json.loads(line) if line else None


def serve(
    channel: Channel, step: Callable[[], object], device: torch.device, *,
    peak: PeakMemory | None = None, count: bool = False, **facts: Any,
) -> None:  # fmt: skip
    """Warm up and send `facts`; then take as many steps as each line asks for, until the input ends.

    Args:
        channel: to the parent.
        step: takes one step.
        device: where it computes.
        peak: meter of the memory (default: from the first step on).
        count: also send the floating-point operations of a step's convolutions and matrix products.
        facts: sent beside the seconds of the first step, which allocates and compiles, and of a later one.
    """
    peak = peak or PeakMemory(device)
    # warm up
    first, *_, usual = [mean_seconds(step, device) for _ in range(WARM_UP_STEPS[device.type])]
    if count:
        with FlopCounterMode(display=False) as counter:
            step()
        facts["flops"] = int(counter.get_total_flops())
    channel.send(first=first, usual=usual, **facts)
    # take the turns
    while (order := channel.receive()) is not None:
        seconds = mean_seconds(step, device, order["steps"])
        channel.send(seconds=seconds, peak=peak.bytes())
