"""Sample grids of a run, the faults in them, and a film of all grids at the end."""

__all__ = ["Previews", "is_preview"]

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from translate.data.datasets import PairedData, TrainingData
from translate.data.datasets.images import ImagesData
from translate.images.animation import write_film
from translate.images.io import read_rgb8
from translate.images.tensors import show_planes
from translate.tasks import Task
from translate.training.callbacks import Callbacks
from translate.training.ema import EMA
from translate.training.log import Log
from translate.training.monitors.failure_modes import examine, returns_all_inputs
from translate.training.monitors.findings import MIN_JUDGED_PICTURES, Finding, Verdict
from translate.training.monitors.mode_collapse import CollapseMonitor
from translate.training.planning.plan import Stretch
from translate.utils import dist

# Faults are reported after so many pictures learned from, if the run is four times as long: before, all pictures of
# every generator look alike, and a translation is still near its source, or gray.
QUIET_PICTURES = {"generated": 16_000, "translated": 1_000}


class Previews:
    """The sample grids of a run, drawn by the exported networks from `probe`, a batch on the device of the run.

    The grids are judged by the number of pictures learned from: `batch_size` in each of `steps` steps.
    """

    def __init__(
        self, task: Task, ema: EMA, data: TrainingData, probe: dict[str, Tensor], steps: int = 0, batch_size: int = 1
    ) -> None:
        self.task, self.ema, self.probe = task, ema, probe
        self.steps, self.batch_size = steps, batch_size
        self.quiet = QUIET_PICTURES["generated" if task.from_latents else "translated"]
        self.maps = data.maps if isinstance(data, PairedData) else {}
        self.told: set[tuple[str, str]] = set()  # kind and row of the newest grid's findings: told already
        self.returns_input = False  # whether the newest grid is a copy of its sources
        self.collapse: CollapseMonitor | None = None
        if isinstance(data, ImagesData) and task.from_latents:
            self.collapse = CollapseMonitor(probe["image"], data.cache, data.labels)

    @dist.on_main_process
    def show(self, log: Log, step: int, callbacks: Callbacks, *, at_chance: bool = False) -> None:
        """Write a sample grid; report the faults that are new in it and, for generated pictures, their variety."""
        rows = self.draw()
        log.write_numbers(step, callbacks.after_preview(step, log.write_grid(step, rows)))
        early = self.is_early(step)
        if self.collapse:
            report = self.collapse.assess(list(rows.values()), young=early)
            numbers = {f"health/{name}": getattr(report, name) for name in ("spread", "within", "nearness")}
            log.write_numbers(step, numbers, str(report))
        if not early:
            findings = self.examine(rows, at_chance=at_chance)
            log.report(step, [one for one in findings if (one.kind, one.where) not in self.told])
            self.told = {(one.kind, one.where) for one in findings}
        self.returns_input = returns_all_inputs(self.task, rows)

    def examine(self, rows: Mapping[str, Tensor], *, at_chance: bool = False) -> list[Finding]:
        """Return the faults that the rows of a grid show, save a collapse of generated pictures.

        `at_chance` says that no discriminator tells anything apart.
        """
        return examine(self.task, rows, self.probe["image"] if self.collapse else None, at_chance=at_chance)

    def is_early(self, step: int) -> bool:
        """Whether faults are not reported yet after `step` steps, by the number of pictures learned from."""
        quiet = min(self.quiet, self.steps * self.batch_size // 4)
        return step * self.batch_size < max(MIN_JUDGED_PICTURES, quiet)

    def judge(self, step: int, *, at_chance: bool = False) -> Verdict:
        """Judge the pictures of a run that ends after `step` steps; `at_chance` as in `examine`."""
        learned = step * self.batch_size
        if learned < MIN_JUDGED_PICTURES:
            return Verdict(learned, judged=False)
        rows = self.draw()
        findings = self.examine(rows, at_chance=at_chance)
        if self.collapse and not any(finding.kind == "blank" for finding in findings):
            findings += self.collapse.assess(list(rows.values())).findings
        return Verdict(learned, tuple(map(str, findings)), young=learned < self.quiet)

    @torch.no_grad()
    def draw(self) -> dict[str, Tensor]:
        """Return the rows of a grid; pictures are translated one at a time, which saves memory."""
        if self.task.from_latents:
            return self.task.preview(self.ema.nets, self.probe)
        count = len(next(iter(self.probe.values())))
        columns = [
            self.task.preview(self.ema.nets, {k: v[i : i + 1] for k, v in self.probe.items()}) for i in range(count)
        ]
        rows = {title: torch.cat([column[title] for column in columns]) for title in columns[0]}
        return {title: self._show(title, row) for title, row in rows.items()}

    def _show(self, title: str, row: Tensor) -> Tensor:
        """Show the planes of label maps in the colours of their classes."""
        sources = [source for source, _, _ in self.task.compared_rows] or ["input"]
        classes = self.maps.get("a" if title in sources else "b")
        return row if classes is None or row.shape[1] != len(classes) else show_planes(row, classes)

    @dist.on_main_process
    def write_film(self, folder: Path) -> None:
        """Write film.gif of the sample grids in `folder`, for a task that generates pictures."""
        grids = [read_rgb8(path) for path in sorted(folder.glob("step_*.png"))]
        if self.collapse and grids:
            write_film(folder / "film.gif", [*grids, *grids[-1:] * 4], fps=2)  # stay on the last grid for a while


def is_preview(done: int, part: Stretch, previews: int, *, early: bool = False, last: bool = False) -> bool:
    """Whether a sample grid is due after `done` steps: `previews` grids are evenly spaced, the last at the end.

    `part` is the stretch of the last step. A run that ends before its last stretch does has one at its `last` step.

    With `early` also at 100, 1000, 2000, 5000, 10000, 20000, ... steps, for a film of how pictures emerge.
    """
    digits = str(done)
    if last and previews:
        return True
    if early and previews and (done == 100 or (done >= 1000 and digits[0] in "125" and not int(digits[1:]))):
        return True
    return part.passes(done, previews)
