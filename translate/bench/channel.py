"""How a candidate in a process of its own is told to take steps, and tells how long they took: lines of JSON."""

__all__ = ["Channel", "serve"]

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from translate.bench.machine import Peak
from translate.bench.timing import timed

WARM_UP = {"cuda": 6}  # steps before the measured ones; graphs are captured in the first few
FEW = 2


class Channel:
    """The child's end; what anything else prints goes to the standard error."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def say(self, **facts: Any) -> None:
        """Send one line."""
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()

    def hear(self) -> dict[str, Any] | None:
        """Wait for a line; None: there will be no more."""
        line = sys.stdin.readline()
        return json.loads(line) if line else None


def serve(
    channel: Channel, step: Callable[[], object], device: torch.device, *,
    peak: Peak | None = None, count: bool = False, **facts: Any,
) -> None:  # fmt: skip
    """Warm up and say `facts`; then take as many steps as each line asks for, to the end.

    Args:
        channel: to whom it may concern.
        step: takes one.
        device: where.
        peak: of the memory; None: from the first step on.
        count: whether to say how many floating-point operations a step's convolutions and matrix products have.
        facts: said with it, beside the seconds of the first step, which allocates and compiles, and of a usual one.
    """
    peak = peak or Peak(device)
    first, *_, usual = [timed(step, device) for _ in range(WARM_UP.get(device.type, FEW))]
    if count:
        with FlopCounterMode(display=False) as counter:
            step()
        facts["flops"] = int(counter.get_total_flops())
    channel.say(first=first, usual=usual, **facts)
    while (order := channel.hear()) is not None:
        seconds = timed(step, device, order["steps"])
        channel.say(seconds=seconds, peak=peak.bytes())
