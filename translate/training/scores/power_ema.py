"""Power-function averages of the exported networks, updated while a run trains, and their snapshots on the disk."""

__all__ = ["LENGTHS", "SNAPSHOTS", "PowerAverages", "remove_snapshots"]

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from translate.tasks import Task
from translate.training.log import step_of
from translate.training.scores.least_squares import Profile, exponent_of
from translate.utils import dist
from translate.utils.files import WriteError, atomic_write

LENGTHS = (0.05, 0.10)  # of the two averages that are kept, as in EDM2, relative to the run so far
SNAPSHOTS = 8  # over a run, evenly spaced: enough for averages of up to four times the shorter length
UPDATES = 256  # an update every 256th of the run so far: far less than an average's length, and costs next to nothing


class PowerAverages:
    """Averages of the exported networks of `task`, of `LENGTHS`; part of the state of a run.

    theta(t) = beta theta(t') + (1 - beta) theta, beta = (t' / t)^(gamma + 1) with t' the step of the last update
    (equation 3, for updates that are rarer than steps).
    """

    def __init__(self, task: Task, folder: Path) -> None:
        """Average from the first step on; snapshots lie in `folder`."""
        self.task, self.folder = task, folder
        self.step = 0  # of the last update
        self.averages = [{name: x.clone() for name, x in live_weights(task).items()} for _ in LENGTHS]

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "averages": self.averages}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.averages = state["step"], [dict(one) for one in state["averages"]]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the averages towards the weights after `step`, if that is due."""
        if step - self.step < step / UPDATES:
            return
        live = list(live_weights(self.task).values())
        for average, length in zip(self.averages, LENGTHS, strict=True):
            beta = (self.step / step) ** (exponent_of(length) + 1)
            torch._foreach_lerp_(list(average.values()), live, 1 - beta)
        self.step = step

    def write_snapshot(self) -> None:
        """Write the averages in half precision, named by their step; a full disk leaves a snapshot out."""
        tensors = {
            f"{number}.{name}": x.to("cpu", torch.float16).contiguous()
            for number, average in enumerate(self.averages)
            for name, x in average.items()
        }
        with (
            contextlib.suppress(WriteError),
            atomic_write(self.folder / f"step_{self.step:07d}.safetensors") as temporary,
        ):
            temporary.write_bytes(save(tensors))

    def profiles(self) -> list[tuple[Profile, Mapping[str, Tensor]]]:
        """Return all averages with their profiles: those of the snapshots before the last update, and the newest."""
        found: list[tuple[Profile, Mapping[str, Tensor]]] = []
        for path in sorted(self.folder.glob("step_*.safetensors"), key=step_of):
            if 0 < step_of(path) < self.step:
                tensors = load_file(path)
                for number, length in enumerate(LENGTHS):
                    names = [name for name in tensors if name.startswith(f"{number}.")]
                    weights = {name.partition(".")[2]: tensors[name] for name in names}
                    found.append((Profile(step_of(path), exponent_of(length)), weights))
        newest = zip(LENGTHS, self.averages, strict=True)
        return found + [(Profile(self.step, exponent_of(length)), average) for length, average in newest]


@dist.on_main_process
def remove_snapshots(folder: Path, after: int = -1) -> None:
    """Remove the snapshots of later steps than `after`, and the folder if nothing else is in it."""
    for path in folder.glob("step_*.safetensors"):
        if step_of(path) > after:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def live_weights(task: Task) -> dict[str, Tensor]:
    """Return what is averaged of the exported networks, by the names of a model file: as `EMA` averages it."""
    weights: dict[str, Tensor] = {}
    for net in task.exports:
        module = task.get_submodule(net)
        weights |= {f"{net}.{name}": x.detach() for name, x in module.named_parameters()}
        running = (item for item in module.named_buffers() if item[0].endswith(("running_mean", "running_var")))
        weights |= {f"{net}.{name}": x for name, x in running}
    return weights
