"""The log of a run: a live line in the terminal, metrics.jsonl, sample grids, and TensorBoard where installed."""

__all__ = ["Log", "Window", "finite", "step_of"]

import contextlib
import importlib.util
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from translate.images.grid import make_grid
from translate.images.io import save_png
from translate.images.tensors import to_array
from translate.training.callbacks import Preview
from translate.training.monitors.findings import Finding
from translate.training.start.messages import print_note
from translate.utils import dist
from translate.utils.files import WriteError, atomic_write
from translate.utils.progress import Bar, CellOutput, in_notebook, moves, open_progress
from translate.utils.terminal import console, escape


class Window:
    """The sums of all terms since the last line; part of a run's state, so that lines do not depend on its saves."""

    def __init__(self) -> None:
        self.since = 0  # step of the last line
        self.sums: dict[str, Tensor] = {}  # by term, on the device
        self.extras: dict[str, tuple[float | Tensor, int]] = {}  # sum and count of the numbers of callbacks, by name

    def state_dict(self) -> dict[str, Any]:
        return {"since": self.since, "sums": self.sums, "extras": self.extras}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.since, self.sums = state["since"], dict(state["sums"])
        self.extras = dict(state.get("extras", {}))  # missing from states of earlier versions

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one step."""
        for name, term in terms.items():
            self.sums[name] = self.sums[name] + term if name in self.sums else term.clone()

    def add_extras(self, numbers: Mapping[str, float | Tensor]) -> None:
        """Add numbers of a callback, which need not come at every step."""
        for name, number in numbers.items():
            total, count = self.extras.get(name, (0.0, 0))
            self.extras[name] = total + number, count + 1

    def means(self, step: int) -> dict[str, float]:
        """Return the mean of every term up to `step`, and of the extras those that are finite."""
        if not self.sums:
            return {}
        sums = torch.stack(list(self.sums.values())) / (step - self.since)
        extras = {name: float(total) / count for name, (total, count) in self.extras.items()}
        return dict(zip(self.sums, sums.tolist(), strict=True)) | finite(extras)

    def clear(self, step: int) -> None:
        """Begin the next line after `step` steps."""
        self.since, self.sums, self.extras = step, {}, {}


class Log:
    """The log of one run, from step `start` on.

    Losses are summed on the device and read only for a line: reading makes the host wait. Lines and samples that an
    interrupted run wrote beyond `start` are dropped, so that a resumed run has each once. Whatever a full disk refuses
    is written later.
    """

    def __init__(self, out: Path, start: int, steps: int, batch_size: int, window: Window | None = None) -> None:
        self.out, self.steps, self.batch_size = out, steps, batch_size
        self.window = window or Window()
        if not self.window.sums:
            self.window.since = start
        self.timed_from, self.began, self.waited, self.printed = start, time.monotonic(), 0.0, 0.0
        self.seconds_before = drop_lines(out / "metrics.jsonl", start)  # of the lines up to `start`
        drop_samples(out / "samples", start)
        main = dist.is_main_process()  # the other ranks write nothing
        self.board = open_tensorboard(out, start) if main else None
        self.lines = LineFile(out / "metrics.jsonl" if main else Path(os.devnull))
        self.unsaved: dict[Path, np.ndarray] = {}  # sample grids that are not on the disk yet
        self.progress = open_progress("training", moves(console) and main, console=console)
        self.score = ""  # the newest one, for the live line
        self.output = CellOutput()  # for sample grids, in a notebook
        self.bar = Bar(self.progress, out.name, steps, completed=start, facts="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()
        self.lines.close()
        if self.board:
            self._plot(self.board.close)

    @property
    def seconds(self) -> float:
        """The time that all steps so far took, with their previews and saves, also of the processes before."""
        return self.seconds_before + time.monotonic() - self.began

    def change_length(self, steps: int) -> None:
        """Show a run of `steps` steps from here on."""
        self.steps = steps
        self.bar.update(total=steps)

    def add(self, terms: Mapping[str, Tensor], extras: Mapping[str, float | Tensor] = {}) -> None:
        """Add the terms of one step, and the numbers that a callback has returned."""
        self.window.add(terms)
        self.window.add_extras(extras)
        self.bar.advance()

    def write(self, step: int, *, lr: float, waited: float, factors: Mapping[str, float] | None = None) -> None:
        """Write and print the means since the last line, after `step` steps.

        `waited` is the time spent waiting for data since the run began, s; `factors` are those on the learning rates of
        phases that diverged.
        """
        if not (means := self.window.means(step)):
            return
        seconds = time.monotonic() - self.began
        speed = {
            "images_per_second": (step - self.timed_from) * self.batch_size / seconds,
            "waiting": (waited - self.waited) / seconds,
        }
        lowered = {f"lr_factor/{phase}": factor for phase, factor in (factors or {}).items()}
        self._record(step, {**means, "lr": lr, **lowered, **speed}, seconds=seconds)
        self._print(step, means, speed)
        self.seconds_before += seconds
        self.timed_from, self.began, self.waited = step, time.monotonic(), waited
        self.window.clear(step)

    def _record(self, step: int, numbers: Mapping[str, float], **unplotted: float) -> None:
        """Add a line to metrics.jsonl, and all but `unplotted` to TensorBoard."""
        self.lines.add(json.dumps({"step": step, **numbers, **unplotted}) + "\n")
        if self.board:
            for name, number in numbers.items():
                self._plot(self.board.add_scalar, name, number, step)

    def _plot(self, call: Callable[..., object], *given: object) -> None:
        """Call TensorBoard; leave it out from its first write error on."""
        try:
            call(*given)
        except OSError as error:
            self.board = None
            print_note(f"TensorBoard is left out from here on ({error.strerror or error}); metrics.jsonl has it all")

    def flush(self) -> None:
        """Write everything to the disk, so that a state of this step may follow.

        Raises:
            WriteError: The disk refuses; what is unwritten is kept.
        """
        self.lines.flush()
        for path in list(self.unsaved):
            save_png(path, self.unsaved[path])
            del self.unsaved[path]
        if self.board:
            self._plot(self.board.flush)

    def _print(self, step: int, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        losses = "  ".join(f"{name} {mean:.3f}" for name, mean in means.items())
        facts = f"{losses}  {speed['images_per_second']:.1f} img/s  waiting {speed['waiting']:.0%}{self.score}"
        self.bar.update(facts=facts)
        if time.monotonic() - self.printed > 15 or step == self.steps:
            self.printed = time.monotonic()
            line = f"step {step}/{self.steps}  {facts}"
            console.print_to_log(line) if moves(console) else console.print(line, soft_wrap=True)

    def write_numbers(self, step: int, numbers: Mapping[str, float | Tensor], words: str = "") -> None:
        """Log those `numbers` measured at `step` that are finite, and print `words`."""
        if numbers:
            self._record(step, finite({name: float(number) for name, number in numbers.items()}))
        if words:
            console.print(f"step {step}: {escape(words)}", soft_wrap=True)

    def write_scores(self, step: int, numbers: Mapping[str, float], words: str) -> None:
        """Log the scores of held-out pictures, print them in `words`, and show the first in the live line."""
        self.write_numbers(step, {f"score/{name}": number for name, number in numbers.items()}, words)
        name, number = next(iter(numbers.items()))
        self.score = f"  {name} {number:.1f}"

    def report(self, step: int, findings: Sequence[Finding]) -> None:
        """Print the findings of `step`, one line each."""
        for finding in findings:
            print_note(f"step {step}: {finding}")

    def write_grid(self, step: int, rows: Mapping[str, Tensor]) -> Preview:
        """Write samples/step_XXXXXXX.png: one row of pictures (B, 3, H, W) in [-1, 1] per entry."""
        path = self.out / "samples" / f"step_{step:07d}.png"
        sheet = make_grid([[to_array(picture) for picture in row] for row in rows.values()])
        self.unsaved[path] = sheet
        with contextlib.suppress(WriteError):
            self.flush()
        if self.board:
            self._plot(partial(self.board.add_image, dataformats="HWC"), "samples", sheet, step)
        if in_notebook():
            self.output.show(Image.fromarray(sheet))
        return Preview(path, sheet, MappingProxyType(dict(rows)))


class LineFile:
    """A text file that grows line by line; lines that a full disk refuses are written later."""

    def __init__(self, path: Path) -> None:
        self.path, self.unsaved = path, b""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("ab", buffering=0)

    def add(self, line: str) -> None:
        """Write a line, or keep it for later."""
        self.unsaved += line.encode()
        with contextlib.suppress(WriteError):
            self._write()

    def flush(self) -> None:
        """Write all lines to the disk.

        Raises:
            WriteError: The disk refuses; the lines are kept.
        """
        self._write()
        self._try(lambda: os.fsync(self.file.fileno()))

    def close(self) -> None:
        self.file.close()

    def _write(self) -> None:
        while self.unsaved:
            written = self._try(lambda: self.file.write(self.unsaved))
            self.unsaved = self.unsaved[written:]

    def _try(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except OSError as error:
            raise WriteError(f"{self.path}: cannot be written ({error.strerror}); make room") from error


def finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the finite ones: JSON has no others."""
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def step_of(path: Path) -> int:
    """Return the step in a name such as step_0001200.pt; -1 if there is none."""
    digits = path.stem.removeprefix("step_")
    return int(digits) if digits.isdecimal() else -1


@dist.on_main_process
def drop_samples(folder: Path, start: int) -> None:
    """Remove the sample grids beyond step `start`."""
    for path in folder.glob("step_*.png"):
        if step_of(path) > start:
            path.unlink()


def drop_lines(path: Path, start: int) -> float:
    """Drop the lines of `path` beyond step `start`, and lines that were cut short; return the seconds of the others."""
    if not (dist.is_main_process() and path.exists()):
        return 0.0
    seconds = 0.0
    kept, text = "", path.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError, KeyError, TypeError):
            entry = json.loads(line)
            if entry["step"] <= start:
                kept += line + "\n"
                seconds += entry.get("seconds", 0.0)
    if kept != text:
        with atomic_write(path) as temporary:
            temporary.write_text(kept, encoding="utf-8")
    return seconds


def open_tensorboard(out: Path, start: int) -> Any:
    """Return a TensorBoard writer, or None where the extra `track` is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(out / "tensorboard"), purge_step=start + 1)
