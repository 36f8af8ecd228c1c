"""Precision, memory layout, compiling, crop and number of steps, chosen by timing the real step.

No rule of thumb holds across processors: bf16 convolutions run at twice the speed of fp32 on one CPU and at a fiftieth
on another; channels_last wins at some widths and loses at others; compiled networks are faster, or slower, than the
library's own kernels. So the candidates are run.
"""

__all__ = ["TRAINING_SHARE", "check_graph", "make_plan"]

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Protocol

import torch

from translate.training.config import Config, TrainConfig
from translate.training.planning.plan import Plan
from translate.utils import dist
from translate.utils.device import bf16_is_sound
from translate.utils.errors import OptionError, short_reason

Step = Callable[[], object]
MakeStep = Callable[["Plan"], Step]
LONG_RUN_SECONDS = {"cuda": 300.0, "cpu": 3600.0}  # in shorter runs, a minute or two of compiling is not repaid
LONG_RUN_STEPS = 1000  # in fewer steps, the trial of a compiled or captured step is not repaid
HOPELESS_RATIO = 1.5  # to the fastest first step; a slower plan is dropped, as its next step might cost a minute
PAYING_RATIO = 0.95  # to the plain step: compiling or capturing has to gain more than the noise of timing
NEAR_TIE_RATIO = 1.05  # to the fastest step: a smaller lead is the noise of timing, and the next trial may reverse it
ENOUGH_STEPS = 4000  # up to here more updates gain more than a larger crop does
CROP_STEP_PX = 16  # a multiple for every generator, but for deep U-Nets
MIN_LOG_LINES = 20  # of a short run, since the losses of every line are judged
TRAINING_SHARE = 0.96  # of a time budget; the rest is for previews and saves


class Memory(Protocol):
    """The outcomes of earlier trials: `training.planning.choices`."""

    def recall(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the outcome that is remembered for `question`."""

    def remember(self, question: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        """Keep an outcome."""

    def origin(self, question: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> str:
        """Describe where a choice comes from."""


def make_plan(
    config: Config, device: torch.device, size: int, epoch_steps: float, seconds_used: float, make_step: MakeStep,
    memory: Memory | None = None,
) -> Plan:  # fmt: skip
    """Decide all that the configuration leaves open for a run on `device`.

    `size` is the training resolution in px, `epoch_steps` the number of steps that show every picture once, and
    `seconds_used` the part of the time budget that is spent already. `make_step` builds, for a plan, a function that
    takes one step of the real run on scratch networks. A trial whose outcome is in `memory` is not repeated.
    """
    # whatever needs no timing
    train, began = config.train, time.monotonic()
    plan = untimed_plan(config, device, size, epoch_steps)
    plans = candidates(plan, device, train.precision, train.channels_last)
    long = bool(train.minutes) or plan.steps >= LONG_RUN_STEPS
    compiling = train.compile == "auto" and long
    capturing = train.graph == "auto" and long and device.type == "cuda" and dist.world_size() == 1
    if len(plans) == 1 and config.data.crop >= 0 and not train.minutes and not (compiling or capturing):
        return plans[0]
    # precision and layout, then the crop
    plan, seconds, tried = choose_layout(plans, make_step, memory, anew=bool(train.minutes))
    budget = train.minutes * 60 - seconds_used if train.minutes else None
    if config.data.crop < 0:
        whole = seconds * (size / plan.crop) ** 2
        plan = replace(plan, crop=affordable_crop(size, whole, budget, device))
        seconds = whole * (plan.crop / size) ** 2
    # compiling and CUDA graphs
    length = plan.steps * seconds if budget is None else budget
    changes = ["compile"] if compiling and length >= LONG_RUN_SECONDS.get(device.type, math.inf) else []
    for change in [*changes, *["graph"] * capturing]:
        plan, seconds, outcome = choose_change(change, plan, seconds, make_step, memory, anew=bool(train.minutes))
        tried = f"{tried}; {outcome}"
    # the number of steps, and of those between log lines
    if budget is not None:
        spent = time.monotonic() - began
        steps = max(1, int(TRAINING_SHARE * (budget - spent) / seconds))
        plan = replace(plan, steps=steps, spent=round(seconds_used + spent, 2))
    if not train.log_every:
        plan = replace(plan, log_every=max(1, min(100, round(5 / seconds), plan.steps // MIN_LOG_LINES)))
    return replace(plan, tried=tried)


def choose_layout(
    plans: Sequence[Plan], make_step: MakeStep, memory: Memory | None, *, anew: bool
) -> tuple[Plan, float, str]:
    """Choose one of `plans` as an earlier trial did, or else by a trial.

    Returns:
        The plan, its seconds, measured `anew` if the number of steps depends on them, and the times in words.
    """
    modes = [plan.mode for plan in plans]
    question = {"trial": "layout", "modes": modes, "size": plans[0].size, "crop": plans[0].crop}
    if memory is None or len(plans) == 1:
        return pick_fastest(plans, make_step)
    known = memory.recall(question)
    if known and known.get("mode") in modes:
        plan, seconds = plans[modes.index(known["mode"])], float(known["seconds"])
        if anew:
            seconds = pick_fastest([plan], make_step)[1]
        return plan, seconds, f"{known['tried']} ({memory.origin(question, known)})"
    plan, seconds, tried = pick_fastest(plans, make_step)
    memory.remember(question, {"mode": plan.mode, "seconds": seconds, "tried": tried})
    return plan, seconds, f"{tried} ({memory.origin(question, None)})"


def choose_change(
    change: str, plan: Plan, seconds: float, make_step: MakeStep, memory: Memory | None, *, anew: bool
) -> tuple[Plan, float, str]:
    """Choose whether to make a `change`, "compile" or "graph", as an earlier trial did, or else by `try_change`."""
    question = {"trial": change, "mode": plan.mode, "size": plan.size, "crop": plan.crop}
    known = memory.recall(question) if memory else None
    if memory is None or known is None:
        changed, later, outcome = try_change(change, plan, seconds, make_step)
        if memory and not outcome.startswith("not "):  # what failed may succeed another time
            memory.remember(question, {"pays": changed != plan, "seconds": later, "tried": outcome})
        return changed, later, outcome
    if known.get("pays"):
        plan = replace(plan, compile=True) if change == "compile" else replace(plan, graph=True)
        seconds = pick_fastest([plan], make_step)[1] if anew else float(known["seconds"])
    return plan, seconds, f"{known['tried']} ({memory.origin(question, known)})"


def untimed_plan(config: Config, device: torch.device, size: int, epoch_steps: float) -> Plan:
    """Return the plan as far as the configuration decides it, with provisional values elsewhere.

    Raises:
        OptionError: The device or the data cannot meet the configuration.
    """
    train, crop = config.train, config.data.crop
    check_graph(train, device)
    if crop > size:
        raise OptionError(f"--data.crop {crop} is larger than the pictures' {size} px; lower it")
    steps = train.steps or max(1, round(train.epochs * epoch_steps))
    return Plan(
        size=size, crop=half_crop(size) if crop < 0 else crop or size, steps=steps,
        log_every=train.log_every or max(1, min(50, steps // MIN_LOG_LINES)),
        precision="fp32", channels_last=False, compile=train.compile == "on", graph=train.graph == "on",
    )  # fmt: skip


def check_graph(train: TrainConfig, device: torch.device) -> None:
    """Check that `device` has CUDA graphs if they are demanded."""
    if train.graph == "on" and device.type != "cuda":
        raise OptionError(f"--train.graph on: CUDA graphs need an NVIDIA GPU, not {device}; leave it out")


def try_change(change: str, plan: Plan, seconds: float, make_step: MakeStep) -> tuple[Plan, float, str]:
    """Time the step of `plan`, about `seconds` long, with `change`: "compile" or "graph".

    The trial's compilation is not wasted: the run finds the kernels in the compiler's cache.

    Returns:
        The faster plan, the seconds of its step, and the outcome in words.
    """
    changed = replace(plan, compile=True) if change == "compile" else replace(plan, graph=True)
    try:
        first, later, seconds = time_alternately(changed, plan, seconds, make_step)
    except Exception as error:  # a compiler may be missing, a capture lack memory: both fail in any way
        failure = "not compiled" if change == "compile" else "not captured as a CUDA graph"
        return plan, seconds, f"{failure} ({type(error).__name__}: {short_reason(error)[:100]})"
    outcome = f"{'compiled' if change == 'compile' else 'as a CUDA graph'} {1000 * later:.0f} ms"
    if later > PAYING_RATIO * seconds:
        return plan, seconds, f"{outcome}, which would not pay"
    if change == "compile":
        repaid = math.ceil(first / (seconds - later))
        outcome += f", after {first:.0f} s of compiling, repaid within {repaid} steps"
    return changed, later, outcome


def time_alternately(plan: Plan, other: Plan, seconds: float, make_step: MakeStep) -> tuple[float, float, float]:
    """Return the seconds of the first step of `plan`, of its later steps, and of `other`'s, about `seconds` each."""
    step, other_step = make_step(plan), make_step(other)
    first, _ = time_step(step), time_step(other_step)
    times = [(time_step(step), time_step(other_step)) for _ in range(max(3, min(20, round(1 / seconds))))]
    later, others = map(statistics.median, zip(*times, strict=True))
    return first, later, others


def half_crop(size: int) -> int:
    """Return half of `size`, as a multiple of `CROP_STEP_PX`, and at least 32 px where the size allows."""
    return min(size, max(32, size // 2 // CROP_STEP_PX * CROP_STEP_PX))


def affordable_crop(size: int, seconds: float, budget: float | None, device: torch.device) -> int:
    """Return the largest crop, px, of which ENOUGH_STEPS fit into `budget` seconds; without a budget, half on a CPU.

    `seconds` is the time of a step on whole pictures of `size` px.
    """
    if budget is None:
        return half_crop(size) if device.type == "cpu" else size
    half = half_crop(size)
    sides = [size] + [s for s in (max(half, size * 3 // 4 // CROP_STEP_PX * CROP_STEP_PX), half) if s < size]
    return next((side for side in sides if seconds * (side / size) ** 2 * ENOUGH_STEPS <= budget), sides[-1])


def candidates(base: Plan, device: torch.device, precision: str, channels_last: str) -> list[Plan]:
    """List the precisions and layouts worth timing on `device`; a GPU needs no trial."""
    on_gpu = device.type == "cuda"
    precisions, layouts = [precision], [channels_last == "on"]
    if precision == "auto":
        sound = bf16_is_sound(device)
        precisions = ["bf16"] if sound and on_gpu else ["fp32", "bf16"] if sound else ["fp32"]
    if channels_last == "auto":
        layouts = [True] if on_gpu else [True, False]
    return [replace(base, precision=p, channels_last=c) for c, p in product(layouts, precisions)]


def pick_fastest(plans: Sequence[Plan], make_step: MakeStep) -> tuple[Plan, float, str]:
    """Time each plan's step, in turn so that a passing disturbance hits all plans.

    A plan whose first step is hopelessly slow is dropped, and its precision is not tried in another layout: where bf16
    is emulated, one more step would cost a minute.

    Returns:
        The fastest plan, or the first one nearly as fast; the seconds of its step; and the times of all plans in words.
    """
    # first steps, which allocate and compile
    steps: dict[Plan, Step] = {}
    first: dict[Plan, float] = {}
    for plan in plans:
        same_precision = [seconds for other, seconds in first.items() if other.precision == plan.precision]
        if not same_precision or min(same_precision) < HOPELESS_RATIO * min(first.values()):
            steps[plan] = make_step(plan)
            first[plan] = time_step(steps[plan])
    # two more steps; up to twenty if they are cheap, one if they are slow
    limit = HOPELESS_RATIO * min(first.values())
    times: dict[Plan, list[float]] = {plan: [] for plan in steps if first[plan] < limit}
    began = time.monotonic()
    for trial in range(20):
        spent = dist.max_over_ranks(time.monotonic() - began)
        if trial and (spent > 15 or (trial >= 2 and spent > 0.75)):
            break
        for plan, seconds in times.items():
            seconds.append(time_step(steps[plan]))
    # compare the shortest times, which other programs disturb least
    shortest = {plan: min(seconds) for plan, seconds in times.items()}
    fastest = min(shortest.values())
    best = next(plan for plan in shortest if shortest[plan] <= NEAR_TIE_RATIO * fastest)
    words = ", ".join(f"{plan.mode} {1000 * s:.0f} ms" for plan, s in (first | shortest).items())
    return best, shortest[best], words


def time_step(step: Step) -> float:
    """Return the seconds that `step` takes on the slowest rank, including the work on the device."""
    began = time.perf_counter()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return dist.max_over_ranks(time.perf_counter() - began)
