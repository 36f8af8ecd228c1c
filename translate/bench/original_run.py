"""Run a script of the original repository: `python -m translate.bench.original_run DIR train.py|test.py OPTIONS`.

It takes training steps on the benchmark's request, as in `channel.serve`; the time between steps, in which it loads
pictures, is not counted.
"""

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from translate.bench.channel import WARM_UP_STEPS, Channel
from translate.bench.machine import PeakMemory
from translate.bench.timing import synchronize
from translate.utils.torchvision_door import import_torchvision


class StepMeter:
    """Times `set_input` and `optimize_parameters` of a model; blocks the training loop between turns."""

    def __init__(self, model: Any, channel: Channel) -> None:
        self.channel, self.device = channel, torch.device(model.device)
        self.peak = PeakMemory(self.device)
        self.warm_up: list[float] = []
        self.steps = self.left = 1
        self.spent = 0.0
        model.set_input = self.metered(model.set_input)
        model.optimize_parameters = self.metered(model.optimize_parameters, last=True)

    def metered(self, work: Callable[..., Any], last: bool = False) -> Callable[..., Any]:
        """Wrap `work` to add its time to `spent`; the `last` call of a step ends it."""

        def run(*args: Any) -> Any:
            began = time.perf_counter()
            result = work(*args)
            if last and self.left == 1:
                synchronize(self.device)
            self.spent += time.perf_counter() - began
            if last:
                self.end_step()
            return result

        return run

    def end_step(self) -> None:
        """At the end of a turn, send the seconds per step and wait for the next request."""
        self.left -= 1
        if self.left:
            return
        seconds, self.spent = self.spent / self.steps, 0.0
        # warm up, one step a turn
        if len(self.warm_up) < WARM_UP_STEPS[self.device.type]:
            self.warm_up.append(seconds)
            self.left = 1
            if len(self.warm_up) < WARM_UP_STEPS[self.device.type]:
                return
            self.channel.send(first=self.warm_up[0], steady=seconds)
        else:
            self.channel.send(seconds=seconds, peak=self.peak.bytes())
        # wait for the next turn
        request = self.channel.receive()
        if request is None:
            sys.exit(0)
        self.steps = self.left = request["steps"]


def meter_training() -> None:
    """Attach a `StepMeter` to every model that the original repository creates."""
    import models  # type: ignore[import-not-found]  # of the original repository

    channel, create = Channel(), models.create_model
    channel.receive()

    def create_metered(options: Any) -> Any:
        model = create(options)
        StepMeter(model, channel)
        return model

    models.create_model = create_metered


def main() -> None:
    """Run the script with its arguments."""
    root, script, *options = sys.argv[1:]
    import_torchvision()
    sys.path.insert(0, root)
    sys.argv = [script, *options]
    if script == "train.py":
        meter_training()
    runpy.run_path(str(Path(root, script)), run_name="__main__")


if __name__ == "__main__":
    main()
