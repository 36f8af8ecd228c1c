"""What is shown of a run while it goes on: sample grids, whether new pictures are well, and at the end a film."""

__all__ = ["Previews", "is_preview"]

from pathlib import Path

import torch
from torch import Tensor

from translate.data.datasets import TrainingData
from translate.data.datasets.images import ImagesData
from translate.images.animation import write_film
from translate.images.io import read_rgb8
from translate.tasks import Task
from translate.training.ema import EMA
from translate.training.failure_modes import examine
from translate.training.log import Log
from translate.training.mode_collapse import CollapseMonitor
from translate.utils import dist

YOUNG = 1000  # steps before which nobody is alarmed
LINGER = 4  # times that the last picture of a film is shown


class Previews:
    """Draws the sample grids of a run by the networks that are exported."""

    def __init__(self, task: Task, ema: EMA, data: TrainingData, probe: dict[str, Tensor]) -> None:
        """Take the pictures (B, C, H, W) in [-1, 1] of `probe` for the grids."""
        self.task, self.ema, self.probe = task, ema, probe
        self.health: CollapseMonitor | None = None
        if isinstance(data, ImagesData) and task.whole_probe:  # pictures from nothing
            self.health = CollapseMonitor(probe["image"], data.cache, data.labels)

    @dist.on_main_process
    def show(self, log: Log, step: int) -> None:
        """Write a sample grid and say what is to be said about it: of pictures from nothing always, else of faults."""
        rows = self.draw()
        log.grid(step, rows)
        if self.health:
            verdict = self.health.look(list(rows.values()), young=step < YOUNG)
            numbers = {f"health/{name}": getattr(verdict, name) for name in ("spread", "within", "nearness")}
            log.note(step, numbers, str(verdict))
        if step >= min(YOUNG, log.steps // 4):
            log.say(step, examine(self.task, rows, self.probe["image"] if self.health else None))

    @torch.no_grad()
    def draw(self) -> dict[str, Tensor]:
        """Return the rows of a grid; pictures that are translated go one at a time, which saves memory."""
        if self.task.whole_probe:
            return self.task.preview(self.ema.nets, self.probe)
        count = len(next(iter(self.probe.values())))
        columns = [
            self.task.preview(self.ema.nets, {k: v[i : i + 1] for k, v in self.probe.items()}) for i in range(count)
        ]
        return {title: torch.cat([column[title] for column in columns]) for title in columns[0]}

    @dist.on_main_process
    def film(self, folder: Path) -> None:
        """Of pictures from nothing, make film.gif of the sample grids in `folder`: how they came to be."""
        grids = [read_rgb8(path) for path in sorted(folder.glob("step_*.png"))]
        if self.health and grids:
            write_film(folder / "film.gif", [*grids, *grids[-1:] * LINGER], fps=2)


def is_preview(done: int, steps: int, previews: int, *, early: bool = False) -> bool:
    """Whether `done` is one of the `previews` steps, evenly spread up to the last, that get a sample grid.

    With `early` also after 100, 1000, 2000, 5000, 10000, 20000, ... steps, for a film of how pictures come to be.
    """
    digits = str(done)
    if early and previews and (done == 100 or (done >= 1000 and digits[0] in "125" and not int(digits[1:]))):
        return True
    return done * previews // steps > (done - 1) * previews // steps
