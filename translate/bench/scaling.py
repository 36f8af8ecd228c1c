"""How cost grows: with the size of pictures, with the batch, and with the number of pictures to learn from."""

__all__ = ["Cell", "Growth", "StartUp", "measure_growth"]

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from translate.bench.cases import Case, make_case
from translate.bench.pictures import write_dataset
from translate.bench.timing import interleaved
from translate.bench.training import CANDIDATE
from translate.bench.worker import Worker, ask
from translate.utils.errors import OptionError, UserError
from translate.utils.memory import free_bytes

SIZES, BATCHES = (64, 128, 256, 512), (1, 4, 16, 64)
DATASETS, SIDE = (100, 1_000, 10_000, 100_000), 64  # pictures, px
DEAR = 30  # s; a step that would take longer is left out
ROUNDS = 3


@dataclass(frozen=True)
class Cell:
    """One step at one size and batch; no seconds where it was left out."""

    size: int
    batch_size: int
    seconds: list[float] = field(default_factory=list)
    peak: int = 0


@dataclass(frozen=True)
class StartUp:
    """From finding the pictures of a data set to its first batch.

    Attributes:
        pictures: of the data set.
        cold: seconds where they have to be decoded. warm: where that was done before.
        peak: of memory with a warm cache, bytes.
    """

    pictures: int
    cold: float
    warm: float
    peak: int


@dataclass(frozen=True)
class Growth:
    """The tables of one task and preset."""

    task: str
    preset: str
    device: str
    cells: list[Cell]
    start_ups: list[StartUp]
    notes: list[str]


def measure_growth(
    task: str, preset: str, device: torch.device, *, size: int = 0, batch_size: int = 0, **options: Any
) -> Growth:
    """Measure steps of SIZES and BATCHES as far as time and memory allow, and start-up over DATASETS.

    Args:
        task: of `TASKS`.
        preset: of configs/.
        device: where.
        size: px; 0: SIZES.
        batch_size: 0: BATCHES.
        options: more of `make_case`.

    Raises:
        OptionError: the task's networks take none of the sizes, or an option is wrong.
    """
    cases, notes = [], []
    for side in (size,) if size else SIZES:
        try:
            cases.append(make_case(task, preset, device, size=side, batch_size=batch_size or BATCHES[0], **options))
        except OptionError as error:
            notes.append(f"{side} px: {error}")
    if not cases:
        raise OptionError(notes[0])
    batches = (batch_size,) if batch_size else BATCHES
    cells = [cell for case in cases for cell in _row(case, batches, notes)]
    return Growth(task, preset, str(device), cells, [_start_up(cases[0], n) for n in DATASETS], notes)


def _row(case: Case, batches: Sequence[int], notes: list[str]) -> Iterator[Cell]:
    """Measure a step over the batches, all with the plan of the smallest."""
    plan = ask("the plan", case.to_json() | {"kind": "plan"})["plan"]
    last: Cell | None = None
    for batch_size in batches:
        larger = case.changed({"batch_size": batch_size})
        cell = Cell(case.size, batch_size)
        if last is None or (last.seconds and _affordable(last, batch_size, torch.device(case.device))):
            try:
                cell = _measured(larger, plan)
            except UserError as error:
                notes.append(f"{case.size} px, batch {batch_size}: {error}")
        yield cell
        last = cell


def _affordable(last: Cell, batch_size: int, device: torch.device) -> bool:
    """Whether a larger batch than `last` will neither take too long nor too much memory, were cost in proportion."""
    times, free = batch_size / last.batch_size, free_bytes(device)
    return times * min(last.seconds) < DEAR and (free is None or times * last.peak < 0.9 * free)


def _measured(case: Case, plan: dict[str, Any]) -> Cell:
    with Worker("ours", CANDIDATE, case.to_json() | {"kind": "ours", "plan": plan}) as worker:
        seconds = interleaved({"ours": worker.turn}, ROUNDS, DEAR)["ours"]
        return Cell(case.size, case.batch_size, seconds, worker.peak)


def _start_up(case: Case, pictures: int) -> StartUp:
    with tempfile.TemporaryDirectory() as temporary:
        data = write_dataset(case.kind, Path(temporary, "data"), pictures, SIDE)
        small = case.changed({**data, "size": SIDE, "crop": 0, "zoom": 1.0})
        spec = small.to_json() | {"kind": "start_up", "cache": str(Path(temporary, "cache"))}
        cold, warm = (ask("the start-up", spec) for _ in range(2))
    return StartUp(pictures, cold["seconds"], warm["seconds"], warm["peak"])
