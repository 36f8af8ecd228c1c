"""Comparison of training steps: ours, the textbook's, plain PyTorch and the original repository's, in turns."""

__all__ = ["BF16", "EAGER", "OURS", "TEXTBOOK", "StepTimes", "TrainingComparison", "compare_training"]

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from translate.bench.cases import Case
from translate.bench.original_repo import OriginalRepo
from translate.bench.roofline import Ceiling
from translate.bench.timing import Times, speedup, time_in_turns
from translate.bench.worker import Worker, fetch_facts
from translate.utils.errors import UserError

TEXTBOOK, EAGER, BF16 = "textbook", "eager fp32", "eager bf16 autocast"
OURS, ORIGINAL = "ours", "the original"


@dataclass(frozen=True, kw_only=True)
class StepTimes(Times):
    """Measurements of a training step; `peak` is the memory beyond that before the first step."""

    first: float  # s, of the first step, which allocates and perhaps compiles


@dataclass(frozen=True)
class TrainingComparison:
    """All candidates of one task, preset, size and batch size."""

    task: str
    preset: str
    generator: str
    size: int  # training resolution, px
    crop: int  # side of the pictures in a step, px
    batch_size: int
    device: str
    plan: dict[str, Any]  # of our step
    flops: int  # floating-point operations of one step
    rows: list[StepTimes]
    waiting: float  # share of its time that our training loop waits for data
    loop_images_per_second: float  # of our training loop, including data
    notes: list[str]  # what is missing, and why

    def speedup_over(self, base: str, row: StepTimes) -> float | None:
        """Return the speedup of a row over the row named `base`, or None if there is no such row."""
        seconds = next((other.seconds for other in self.rows if other.name == base), None)
        return speedup(seconds, row.seconds) if seconds else None


def compare_training(
    case: Case, ceiling: Ceiling, *, rounds: int, seconds: float, peer: OriginalRepo | None
) -> TrainingComparison:
    """Measure all candidates of a case, and `peer` if it has the task; `rounds` and `seconds` as in `time_in_turns`.

    Raises:
        UserError: a candidate fails, for example out of memory.
    """
    spec, notes = case.to_json(), list[str]()
    plan = fetch_facts("the plan", spec | {"kind": "plan"})["plan"]
    with ExitStack() as stack:
        # start the candidates
        workers = {}
        for name, candidate in candidate_specs(case, plan, bf16=ceiling.has_fast_bf16()).items():
            try:
                workers[name] = stack.enter_context(Worker(name, candidate))
            except UserError as error:
                if name != TEXTBOOK:
                    raise
                notes.append(str(error))
        if peer and (command := peer.training_command(case, plan["crop"], stack)):
            workers[ORIGINAL] = stack.enter_context(Worker(ORIGINAL, {}, command))
        # time their steps
        times = time_in_turns({name: worker.take_turn for name, worker in workers.items()}, rounds, seconds)
        precisions = {OURS: plan["precision"], BF16: "bf16"}
        rows = [
            StepTimes(
                name=name, precision=precisions.get(name, "fp32"), seconds=times[name], peak=worker.peak,
                first=worker.facts["first"],
            )
            for name, worker in workers.items()
        ]  # fmt: skip
        flops = workers[EAGER].facts["flops"]
    # run the training loop
    loop = fetch_facts("the training loop", spec | {"kind": "loop", "plan": plan, "seconds": min(times[OURS])})
    return TrainingComparison(
        case.config.task, case.config.preset, case.config.generator["name"], case.size, plan["crop"],
        case.batch_size, case.device, plan, flops, rows, loop["waiting"], loop["images_per_second"], notes,
    )  # fmt: skip


def candidate_specs(case: Case, plan: Mapping[str, Any], *, bf16: bool) -> dict[str, dict[str, Any]]:
    """Return specs for `candidates.main` by the name of the row."""
    plain = case.as_eager("fp32", plan["crop"]).to_json()
    specs: dict[str, dict[str, Any]] = {}
    if case.config.preset == "paper":
        specs[TEXTBOOK] = plain | {"kind": "textbook"}
    specs[EAGER] = plain | {"kind": "eager", "count": True}
    if bf16:
        specs[BF16] = case.as_eager("bf16", plan["crop"]).to_json() | {"kind": "eager", "count": False}
    specs[OURS] = case.to_json() | {"kind": "ours", "plan": dict(plan)}
    return specs
