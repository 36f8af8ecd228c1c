"""Training compared: our step beside the textbook's, plain ones and perhaps the original's, turn by turn."""

__all__ = ["Row", "Training", "compare_training"]

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from translate.bench.cases import Case
from translate.bench.original_repo import Peer
from translate.bench.roofline import Ceiling
from translate.bench.timing import interleaved, ratio
from translate.bench.worker import Worker, ask, python
from translate.utils.errors import UserError

CANDIDATE = python("translate.bench.candidates")
TEXTBOOK, BF16, OURS, ORIGINAL = "textbook", "eager bf16 autocast", "ours", "the original"
EAGER = "eager fp32"


@dataclass(frozen=True)
class Row:
    """What was measured of one candidate.

    Attributes:
        name: of it.
        precision: "fp32" or "bf16".
        seconds: of a step, one number a round.
        first: seconds of the first step, which allocates and perhaps compiles.
        peak: of its memory beyond that before the first step, bytes.
    """

    name: str
    precision: str
    seconds: list[float]
    first: float
    peak: int


@dataclass(frozen=True)
class Training:
    """One task, preset, size and batch.

    Attributes:
        task, preset, generator: what is trained.
        size: px. crop: what a step sees of it, px. batch_size: pictures a step.
        device: where.
        plan: what our step came to.
        flops: floating-point operations of one step.
        rows: one per candidate.
        waiting: share of the time that our training loop waited for data.
        loop_images_per_second: of that loop, with all that belongs to it.
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
    rows: list[Row]
    waiting: float
    loop_images_per_second: float
    notes: list[str] = field(default_factory=list)

    def times_faster(self, row: Row, base: str) -> float | None:
        """Return how many times faster a row is than that called `base`, or None where there is no such row."""
        found = next((other for other in self.rows if other.name == base), None)
        return ratio(found.seconds, row.seconds) if found else None


def compare_training(case: Case, ceiling: Ceiling, *, rounds: int, seconds: float, peer: Peer | None) -> Training:
    """Measure all candidates of a case.

    Args:
        case: what is trained.
        ceiling: of the machine; says whether bf16 is worth trying.
        rounds: turns of each candidate, at most.
        seconds: after which no new round begins, once there are three.
        peer: a checkout of the original, where it has this task.

    Raises:
        UserError: a candidate fails, such as for want of memory.
    """
    spec = case.to_json()
    plan = ask("the plan", spec | {"kind": "plan"})["plan"]
    notes: list[str] = []
    with ExitStack() as stack:
        workers = {}
        for name, order in candidates(case, plan, bf16=ceiling.fast_bf16()).items():
            try:
                workers[name] = stack.enter_context(Worker(name, CANDIDATE, order))
            except UserError as error:
                if name != TEXTBOOK:
                    raise
                notes.append(str(error))
        if peer and (command := peer.training(case, plan["crop"], stack)):
            workers[ORIGINAL] = stack.enter_context(Worker(ORIGINAL, command, {}))
        times = interleaved({name: worker.turn for name, worker in workers.items()}, rounds, seconds)
        rows = [row(name, worker, times[name], plan) for name, worker in workers.items()]
        flops = workers[EAGER].facts["flops"]
    loop = ask("the training loop", spec | {"kind": "loop", "plan": plan, "seconds": min(times[OURS])})
    return Training(
        case.config.task, case.config.preset, case.config.generator["name"], case.size, plan["crop"],
        case.batch_size, case.device, plan, flops, rows, loop["waiting"], loop["images_per_second"], notes,
    )  # fmt: skip


def candidates(case: Case, plan: Mapping[str, Any], *, bf16: bool) -> dict[str, dict[str, Any]]:
    """Return, by name, what `candidates.main` is told for each row."""
    plain = case.eager("fp32", plan["crop"]).to_json()
    found: dict[str, dict[str, Any]] = {}
    if case.config.preset == "paper":
        found[TEXTBOOK] = plain | {"kind": "textbook"}
    found[EAGER] = plain | {"kind": "eager", "count": True}
    if bf16:
        found[BF16] = case.eager("bf16", plan["crop"]).to_json() | {"kind": "eager", "count": False}
    found[OURS] = case.to_json() | {"kind": "ours", "plan": dict(plan)}
    return found


def row(name: str, worker: Worker, seconds: Sequence[float], plan: Mapping[str, Any]) -> Row:
    """Return what a worker and its times come to."""
    precision = plan["precision"] if name == OURS else "bf16" if name == BF16 else "fp32"
    return Row(name, precision, list(seconds), worker.facts["first"], worker.peak)
