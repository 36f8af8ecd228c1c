"""What "auto" comes to: precision, memory layout, compiling, crop and number of steps, chosen by timing the real step.

No rule of thumb holds across processors: bf16 convolutions run at twice the speed of fp32 on one CPU and at a fiftieth
on another; channels_last wins at some widths and loses at others; compiled networks are faster, or slower, than the
library's own kernels. So the candidates are run.
"""

__all__ = ["Plan", "make_plan"]

import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product

import torch

from translate.training.config import Config
from translate.utils import dist
from translate.utils.device import bf16_is_sound
from translate.utils.errors import OptionError

Step = Callable[[], object]
MakeStep = Callable[["Plan"], Step]
LONG = {"cuda": 300.0, "cpu": 3600.0}  # seconds of a run in which a minute or two of compiling may be tried
SOME_STEPS = 1000  # with fewer, nothing is compiled unasked
FAR_BEHIND = 1.5  # times the seconds of another plan
FASTER = 0.95  # of the seconds of the plain step: what is compiled or captured should take no more
ENOUGH_STEPS = 4000  # with fewer updates than this, larger crops gain less than more updates do


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settled facts of a run; written to config.toml, so that a resumed run has the same.

    Attributes:
        size: Resolution that is trained at, px.
        crop: Side of the square a step sees, px.
        steps: Number of updates.
        precision: "bf16" or "fp32".
        channels_last: Memory layout of weights and pictures.
        compile: Whether networks are compiled.
        graph: Whether the step is captured as a CUDA graph.
        log_every: Steps between log lines.
        tried: What was timed, and what it came to.
    """

    size: int
    crop: int
    steps: int
    precision: str
    channels_last: bool
    compile: bool
    log_every: int
    graph: bool = False
    tried: str = ""

    @property
    def manner(self) -> str:
        """How a step computes, in words."""
        words = [self.precision] + ["channels_last"] * self.channels_last
        return " ".join(words + ["compiled"] * self.compile + ["as a CUDA graph"] * self.graph)


def make_plan(
    config: Config,
    device: torch.device,
    size: int,
    epoch_steps: float,
    seconds_used: float,
    make_step: MakeStep,
) -> Plan:
    """Settle all that the configuration leaves open.

    Args:
        config: The configuration.
        device: Where the run will be.
        size: Resolution that the data was brought to, px.
        epoch_steps: Steps that show every picture once.
        seconds_used: What is already gone of the time budget.
        make_step: Builds, for a plan, a function that performs one step of the real run on scratch networks.
    """
    train = config.train
    if train.graph == "on" and device.type != "cuda":
        raise OptionError(f"--train.graph on: CUDA graphs need an NVIDIA GPU, not {device}; leave it out")
    if config.data.crop > size:
        raise OptionError(f"--data.crop {config.data.crop} is larger than the pictures' {size} px; lower it")
    base = Plan(
        size=size,
        crop=size if config.data.crop == 0 else config.data.crop if config.data.crop > 0 else half(size),
        steps=train.steps or max(1, round(train.epochs * epoch_steps)),
        precision="fp32",
        channels_last=False,
        compile=train.compile == "on",
        graph=train.graph == "on",
        log_every=train.log_every or 50,
    )
    began = time.monotonic()
    plans = candidates(base, device, train.precision, train.channels_last)
    long = bool(train.minutes) or base.steps >= SOME_STEPS
    compiling = train.compile == "auto" and long
    capturing = train.graph == "auto" and long and device.type == "cuda" and dist.is_single_process()
    if len(plans) == 1 and config.data.crop >= 0 and not train.minutes and not (compiling or capturing):
        return plans[0]  # nothing is left open that time could decide
    plan, seconds, tried = fastest(plans, make_step)
    whole = seconds * (size / plan.crop) ** 2
    if config.data.crop < 0:
        left = train.minutes * 60 - seconds_used if train.minutes else None
        plan = replace(plan, crop=affordable_crop(size, whole, left, device))
        seconds = whole * (plan.crop / size) ** 2
    length = train.minutes * 60 - seconds_used or plan.steps * seconds
    if compiling and length >= LONG.get(device.type, math.inf):
        plan, seconds, outcome = try_compiled(plan, seconds, make_step)
        tried = f"{tried}; {outcome}"
    if capturing:
        plan, seconds, outcome = try_captured(plan, seconds, make_step)
        tried = f"{tried}; {outcome}"
    if train.minutes:
        left = train.minutes * 60 - seconds_used - (time.monotonic() - began)
        plan = replace(plan, steps=max(1, int(0.96 * left / seconds)))  # the rest is for previews and saves
    if not train.log_every:
        plan = replace(plan, log_every=max(1, min(100, round(5 / seconds))))
    return replace(plan, tried=tried)


def try_compiled(plan: Plan, seconds: float, make_step: MakeStep) -> tuple[Plan, float, str]:
    """Compile the step of `plan`, which takes so many seconds as it is; keep what is faster, and say what it was.

    Compiling is paid for by then: the run itself finds the kernels in the compiler's cache.
    """
    compiled = replace(plan, compile=True)
    try:
        first, again, seconds = in_turn(compiled, plan, seconds, make_step)
    except Exception as error:  # the compiler is a stranger: it may be missing, or fail in any way
        return plan, seconds, f"not compiled ({in_short(error)})"
    outcome = f"compiled {1000 * again:.0f} ms"
    if again > FASTER * seconds:
        return plan, seconds, f"{outcome}, which would not pay"
    repaid = math.ceil(first / (seconds - again))
    return compiled, again, f"{outcome}, after {first:.0f} s of compiling, repaid within {repaid} steps"


def try_captured(plan: Plan, seconds: float, make_step: MakeStep) -> tuple[Plan, float, str]:
    """Take the step of `plan`, of so many seconds, as a CUDA graph; keep that where it is faster; say what it was."""
    captured = replace(plan, graph=True)
    try:
        _, again, seconds = in_turn(captured, plan, seconds, make_step)
    except Exception as error:  # what cannot be captured shows in any way, a lack of memory among them
        return plan, seconds, f"not captured as a CUDA graph ({in_short(error)})"
    outcome = f"as a CUDA graph {1000 * again:.0f} ms"
    return (
        (captured, again, outcome) if again <= FASTER * seconds else (plan, seconds, f"{outcome}, which would not pay")
    )


def in_turn(plan: Plan, other: Plan, seconds: float, make_step: MakeStep) -> tuple[float, float, float]:
    """Return the seconds of the first step of `plan`, of a later one, and of one of `other`, of about `seconds`."""
    step, usual = make_step(plan), make_step(other)
    first, _ = timed(step), timed(usual)
    times = [(timed(step), timed(usual)) for _ in range(max(3, min(20, round(1 / seconds))))]
    again, beside = map(statistics.median, zip(*times, strict=True))
    return first, again, beside


def in_short(error: Exception) -> str:
    """Return an error's name and the beginning of what it says."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:100]}"


def half(size: int) -> int:
    """Return the crop of half the size, a multiple of 4, and at least 32 px where the size allows it."""
    return min(size, max(32, size // 8 * 4))


def affordable_crop(size: int, whole: float, left: float | None, device: torch.device) -> int:
    """Return the largest crop of which ENOUGH_STEPS fit into the time; without a budget, half on a CPU.

    Args:
        size: The resolution, px.
        whole: Seconds of a step on whole pictures.
        left: Seconds of the budget, or None.
        device: Where the run is.
    """
    if left is None:
        return half(size) if device.type == "cpu" else size
    sides = [size] + [s for s in (size * 3 // 16 * 4, half(size)) if s < size]
    fitting = [side for side in sides if whole * (side / size) ** 2 * ENOUGH_STEPS <= left]
    return fitting[0] if fitting else sides[-1]


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


def fastest(plans: Iterable[Plan], make_step: MakeStep) -> tuple[Plan, float, str]:
    """Time each plan's step, in turn so that a passing disturbance hits all alike.

    What is far behind after its first step is left there, and its precision is not tried in another layout: where bf16
    is emulated, one more step of it would cost a minute.

    Returns:
        The best, its seconds, and all of their times in words.
    """
    steps: dict[Plan, Step] = {}
    first: dict[Plan, float] = {}  # allocates, compiles; counted for what is left behind alone
    for plan in plans:
        alike = [seconds for other, seconds in first.items() if other.precision == plan.precision]
        if not alike or min(alike) < FAR_BEHIND * min(first.values()):
            steps[plan] = make_step(plan)
            first[plan] = timed(steps[plan])
    least = min(first.values())
    times: dict[Plan, list[float]] = {plan: [] for plan in steps if first[plan] < FAR_BEHIND * least}
    began = time.monotonic()
    for trial in range(20):  # two trials, more where they are cheap, fewer where they are dear
        spent = dist.max_over_ranks(time.monotonic() - began)
        if trial and (spent > 15 or (trial >= 2 and spent > 0.75)):
            break
        for plan, found in times.items():
            found.append(timed(steps[plan]))
    medians = {plan: statistics.median(seconds) for plan, seconds in times.items()}
    best = min(medians, key=medians.__getitem__)
    told = ", ".join(f"{plan.manner} {1000 * s:.0f} ms" for plan, s in (first | medians).items())
    return best, medians[best], told


def timed(step: Step) -> float:
    """Return the seconds that `step` takes, the device's work included: those of the slowest process."""
    began = time.perf_counter()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return dist.max_over_ranks(time.perf_counter() - began)
