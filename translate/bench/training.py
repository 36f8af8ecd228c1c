"""Training compared: our step beside the textbook's, plain PyTorch and perhaps the original repository's, in turns."""

__all__ = ["BF16", "EAGER", "OURS", "TEXTBOOK", "StepTimes", "TrainingComparison", "compare_training"]

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from translate.bench.cases import Case
from translate.bench.original_repo import OriginalRepo
from translate.bench.roofline import Ceiling
from translate.bench.timing import Times, speedup, time_in_turns
from translate.bench.worker import Worker, ask
from translate.utils.errors import UserError

TEXTBOOK, BF16, OURS, ORIGINAL = "textbook", "eager bf16 autocast", "ours", "the original"
EAGER = "eager fp32"


@dataclass(frozen=True, kw_only=True)
class StepTimes(Times):
    """A training step; its memory is that beyond the first step's start.

    Attributes:
        first: seconds of the first step, which allocates and perhaps compiles.
    """

    first: float


@dataclass(frozen=True)
class TrainingComparison:
    """All candidates of one task, preset, size and batch.

    Attributes:
        size, crop: training resolution, and what a step sees of it, px.
        batch_size: pictures a step.
        plan: of our step.
        flops: floating-point operations of one step.
        rows: one per candidate.
        waiting: share of its time that our training loop waits for data.
        loop_images_per_second: of that loop, data included.
        notes: what is missing, and why.
    """

    task: str
    preset: str
    generator: str
    size: int
    crop: int
    batch_size: int
    device: str
    plan: dict[str, Any]
    flops: int
    rows: list[StepTimes]
    waiting: float
    loop_images_per_second: float
    notes: list[str] = field(default_factory=list)

    def speedup_over(self, base: str, row: StepTimes) -> float | None:
        """Return how many times faster a row is than the one named `base`, or None if there is none."""
        seconds = next((other.seconds for other in self.rows if other.name == base), None)
        return speedup(seconds, row.seconds) if seconds else None


def compare_training(
    case: Case, ceiling: Ceiling, *, rounds: int, seconds: float, peer: OriginalRepo | None
) -> TrainingComparison:
    """Measure all candidates of a case, `peer` if it has the task; `rounds` and `seconds` are as in `time_in_turns`.

    Raises:
        UserError: a candidate fails, such as for want of memory.
    """
    spec, notes = case.to_json(), list[str]()
    plan = ask("the plan", spec | {"kind": "plan"})["plan"]
    with ExitStack() as stack:
        # start the candidates
        workers = {}
        for name, order in candidate_specs(case, plan, bf16=ceiling.has_fast_bf16()).items():
            try:
                workers[name] = stack.enter_context(Worker(name, order))
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
    # run the loop
    loop = ask("the training loop", spec | {"kind": "loop", "plan": plan, "seconds": min(times[OURS])})
    return TrainingComparison(
        case.config.task, case.config.preset, case.config.generator["name"], case.size, plan["crop"],
        case.batch_size, case.device, plan, flops, rows, loop["waiting"], loop["images_per_second"], notes,
    )  # fmt: skip


def candidate_specs(case: Case, plan: Mapping[str, Any], *, bf16: bool) -> dict[str, dict[str, Any]]:
    """Return the spec of each row for `candidates.main`, by the row's name."""
    plain = case.as_eager("fp32", plan["crop"]).to_json()
    specs: dict[str, dict[str, Any]] = {}
    if case.config.preset == "paper":
        specs[TEXTBOOK] = plain | {"kind": "textbook"}
    specs[EAGER] = plain | {"kind": "eager", "count": True}
    if bf16:
        specs[BF16] = case.as_eager("bf16", plan["crop"]).to_json() | {"kind": "eager", "count": False}
    specs[OURS] = case.to_json() | {"kind": "ours", "plan": dict(plan)}
    return specs
