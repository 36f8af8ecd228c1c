"""Run a script of the original as it is: `python -m translate.bench.original_run DIR train.py|test.py OPTIONS`.

Its training loop is let go step by step, as `channel.serve` does with ours; the time between steps, when it loads
pictures, is not counted.
"""

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from translate.bench.channel import FEW, WARM_UP, Channel
from translate.bench.machine import Peak
from translate.bench.timing import wait_for
from translate.utils.torchvision_door import import_torchvision


class Metered:
    """Stands around a model's `set_input` and `optimize_parameters`."""

    def __init__(self, model: Any, channel: Channel) -> None:
        self.channel, self.device = channel, torch.device(model.device)
        self.peak = Peak(self.device)
        self.warm_up = WARM_UP.get(self.device.type, FEW)
        self.warm: list[float] = []
        self.steps = self.left = 1
        self.spent = 0.0
        model.set_input = self.counted(model.set_input)
        model.optimize_parameters = self.counted(model.optimize_parameters, last=True)

    def counted(self, work: Callable[..., Any], last: bool = False) -> Callable[..., Any]:
        """Return `work` with its time counted; `last` ends a step."""

        def run(*args: Any) -> Any:
            began = time.perf_counter()
            result = work(*args)
            if last and self.left == 1:
                wait_for(self.device)
            self.spent += time.perf_counter() - began
            if last:
                self.end_step()
            return result

        return run

    def end_step(self) -> None:
        """Tell the time of the last step of a turn, and wait for the next."""
        self.left -= 1
        if self.left:
            return
        seconds, self.spent = self.spent / self.steps, 0.0
        if len(self.warm) < self.warm_up:
            self.warm.append(seconds)
            self.left = 1
            if len(self.warm) < self.warm_up:
                return
            self.channel.say(first=self.warm[0], usual=seconds)
        else:
            self.channel.say(seconds=seconds, peak=self.peak.bytes())
        order = self.channel.hear()
        if order is None:
            sys.exit(0)
        self.steps = self.left = order["steps"]


def watch_training() -> None:
    """Have every model that the original makes metered."""
    import models  # type: ignore[import-not-found]  # the original's

    channel, create = Channel(), models.create_model
    channel.hear()

    def create_metered(options: Any) -> Any:
        model = create(options)
        Metered(model, channel)
        return model

    models.create_model = create_metered


def main() -> None:
    """Run the script."""
    root, script, *options = sys.argv[1:]
    import_torchvision()
    sys.path.insert(0, root)
    sys.argv = [script, *options]
    if script == "train.py":
        watch_training()
    runpy.run_path(str(Path(root, script)), run_name="__main__")


if __name__ == "__main__":
    main()
