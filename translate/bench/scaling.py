"""Cost of a training step over picture size and batch size, and of start-up over data set size."""

__all__ = ["Scaling", "StartUp", "StepCost", "measure_scaling"]

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from translate.bench.cases import Case, make_case
from translate.bench.pictures import write_dataset
from translate.bench.timing import time_in_turns
from translate.bench.worker import Worker, fetch_facts
from translate.utils.errors import OptionError, UserError
from translate.utils.memory import free_bytes

SIZES_PX, BATCH_SIZES = (64, 128, 256, 512), (1, 4, 16, 64)
DATASET_COUNTS, DATASET_SIDE_PX = (100, 1_000, 10_000, 100_000), 64
MAX_STEP_S = 30  # longer steps are left out
ROUNDS = 3


@dataclass(frozen=True)
class StepCost:
    """Cost of a training step at one size and batch size."""

    size: int  # px
    batch_size: int
    seconds: list[float] = field(default_factory=list)  # one number per round; empty if it was left out
    peak: int = 0  # memory, bytes


@dataclass(frozen=True)
class StartUp:
    """Cost of start-up, from finding the pictures of a data set to its first batch."""

    pictures: int
    cold: float  # s, without a cache
    warm: float  # s, with the cache of an earlier run
    peak: int  # memory with the cache, bytes


@dataclass(frozen=True)
class Scaling:
    """The costs of one task and preset; `notes` say what is missing, and why."""

    task: str
    preset: str
    device: str
    cells: list[StepCost]
    start_ups: list[StartUp]
    notes: list[str]


def measure_scaling(
    task: str, preset: str, device: torch.device, *, size: int = 0, batch_size: int = 0, **options: Any
) -> Scaling:
    """Measure steps as far as time and memory allow, and start-up over `DATASET_COUNTS`.

    Size 0 (px) means all of `SIZES_PX`, batch size 0 all of `BATCH_SIZES`; `options` are others of `make_case`.

    Raises:
        OptionError: the networks accept none of the sizes, or an option is wrong.
    """
    batches = (batch_size,) if batch_size else BATCH_SIZES
    cases, notes = [], []
    for side in (size,) if size else SIZES_PX:
        try:
            cases.append(make_case(task, preset, device, size=side, batch_size=batches[0], **options))
        except OptionError as error:
            notes.append(f"{side} px: {error}")
    if not cases:
        raise OptionError(notes[0])
    cells = [cell for case in cases for cell in _measure_batches(case, batches, notes)]
    return Scaling(task, preset, str(device), cells, [_measure_start_up(cases[0], n) for n in DATASET_COUNTS], notes)


def _measure_batches(case: Case, batches: Sequence[int], notes: list[str]) -> Iterator[StepCost]:
    """Measure a step at each batch size with the plan of the smallest; add failures to `notes`."""
    plan = fetch_facts("the plan", case.to_json() | {"kind": "plan"})["plan"]
    last: StepCost | None = None
    for batch_size in batches:
        cost = StepCost(case.size, batch_size)
        if last is None or (last.seconds and _is_affordable(last, batch_size, torch.device(case.device))):
            try:
                cost = _measure_step(case.with_options({"batch_size": batch_size}), plan)
            except UserError as error:
                notes.append(f"{case.size} px, batch {batch_size}: {error}")
        yield cost
        last = cost


def _is_affordable(last: StepCost, batch_size: int, device: torch.device) -> bool:
    """Whether a larger batch than `last` fits into time and memory, at cost proportional to the batch size."""
    factor, free = batch_size / last.batch_size, free_bytes(device)
    return factor * min(last.seconds) < MAX_STEP_S and (free is None or factor * last.peak < 0.9 * free)


def _measure_step(case: Case, plan: dict[str, Any]) -> StepCost:
    with Worker("ours", case.to_json() | {"kind": "ours", "plan": plan}) as worker:
        seconds = time_in_turns({"ours": worker.take_turn}, ROUNDS, MAX_STEP_S)["ours"]
        return StepCost(case.size, case.batch_size, seconds, worker.peak)


def _measure_start_up(case: Case, pictures: int) -> StartUp:
    with tempfile.TemporaryDirectory() as temporary:
        data = write_dataset(case.kind, Path(temporary, "data"), pictures, DATASET_SIDE_PX)
        small = case.with_options({**data, "size": DATASET_SIDE_PX, "crop": 0, "zoom": 1.0})
        spec = small.to_json() | {"kind": "start_up", "cache": str(Path(temporary, "cache"))}
        cold, warm = (fetch_facts("the start-up", spec) for _ in range(2))
    return StartUp(pictures, cold["seconds"], warm["seconds"], warm["peak"])
