"""What a run says: a live line in the terminal, metrics.jsonl, sample grids, and TensorBoard where it is installed."""

__all__ = ["Diverged", "Log", "console"]

import importlib.util
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from translate.errors import UserError
from translate.images import atomic_write, make_grid, save_png, to_array

console = Console(stderr=True, highlight=False)


class Diverged(UserError):
    """A loss is no longer a finite number."""


class Log:
    """The log of one run, from step `start` on.

    Losses are summed on the device and read only when a line is written: reading makes the device wait. Lines that an
    interrupted run wrote beyond `start` are dropped, so that a resumed run has every line once.
    """

    def __init__(self, out: Path, start: int, steps: int, batch_size: int) -> None:
        self.out, self.steps, self.batch_size = out, steps, batch_size
        self.sums: dict[str, Tensor] = {}
        self.since, self.began, self.waited = start, time.monotonic(), 0.0
        keep_lines(out / "metrics.jsonl", start)
        self.board = tensorboard(out, start)
        self.lines = (out / "metrics.jsonl").open("a", encoding="utf-8")
        self.progress = Progress(
            "{task.description}", BarColumn(bar_width=20), "{task.completed}/{task.total}", "{task.fields[facts]}",
            TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self.bar = self.progress.add_task(escape(out.name), total=steps, completed=start, facts="")
        self.spoke = 0.0

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()
        self.lines.close()
        if self.board:
            self.board.close()

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Note the terms of one step."""
        for name, term in terms.items():
            self.sums[name] = self.sums[name] + term if name in self.sums else term.clone()
        self.progress.advance(self.bar)

    def write(self, step: int, *, lr: float, waited: float) -> None:
        """Write the means since the last line.

        Args:
            step: Steps done.
            lr: The learning rate now.
            waited: Seconds spent waiting for data since the run began.

        Raises:
            Diverged: One of the means is not finite.
        """
        count = step - self.since
        if count == 0:
            return
        means = dict(zip(self.sums, (torch.stack(list(self.sums.values())) / count).tolist(), strict=True))
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise Diverged(f"the loss {name} became {mean} between steps {self.since} and {step}")
        seconds = time.monotonic() - self.began
        speed = {
            "images_per_second": count * self.batch_size / seconds,
            "waiting": (waited - self.waited) / seconds,
        }
        self._record(step, {**means, "lr": lr, **speed}, seconds=seconds)
        self._say(step, means, speed)
        self.since, self.began, self.waited, self.sums = step, time.monotonic(), waited, {}

    def _record(self, step: int, numbers: Mapping[str, float], **unplotted: float) -> None:
        """Add a line to metrics.jsonl, and all but `unplotted` to TensorBoard."""
        self.lines.write(json.dumps({"step": step, **numbers, **unplotted}) + "\n")
        self.lines.flush()
        if self.board:
            for name, number in numbers.items():
                self.board.add_scalar(name, number, step)

    def _say(self, step: int, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        losses = "  ".join(f"{name} {mean:.3f}" for name, mean in means.items())
        facts = f"{losses}  {speed['images_per_second']:.1f} img/s  waiting {speed['waiting']:.0%}"
        self.progress.update(self.bar, facts=facts)
        if not console.is_terminal and (time.monotonic() - self.spoke > 15 or step == self.steps):
            self.spoke = time.monotonic()
            console.print(f"step {step}/{self.steps}  {facts}", soft_wrap=True)

    def note(self, step: int, numbers: Mapping[str, float], words: str) -> None:
        """Write `numbers` that were measured at `step` into the log, and say `words`."""
        finite = {name: number for name, number in numbers.items() if math.isfinite(number)}
        self._record(step, finite)
        console.print(f"step {step}: {escape(words)}", soft_wrap=True)

    def grid(self, step: int, rows: Mapping[str, Tensor]) -> None:
        """Write samples/step_XXXXXXX.png: one row of pictures (B, 3, H, W) in [-1, 1] per entry."""
        cells = [[to_array(picture) for picture in row] for row in rows.values()]
        sheet = make_grid(cells)
        save_png(self.out / "samples" / f"step_{step:07d}.png", sheet)
        if self.board:
            self.board.add_image("samples", sheet, step, dataformats="HWC")


def keep_lines(path: Path, start: int) -> None:
    """Drop the lines of `path` beyond step `start`, and one that was cut short."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= start:
                kept.append(line + "\n")
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    with atomic_write(path) as temporary:
        temporary.write_text("".join(kept), encoding="utf-8")


def tensorboard(out: Path, start: int) -> Any:
    """Return a TensorBoard writer, or None where the extra `track` is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(out / "tensorboard"), purge_step=start + 1)
