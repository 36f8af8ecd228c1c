"""A run that is started again: options that differ from those of its first start, and a larger length."""

__all__ = ["adapt_plan", "compare_options", "extended_steps", "lr_note"]

import json
import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from translate.training.config import LENGTHS, Config, TrainConfig, changed_options, describe_changes
from translate.training.optim import lr_at
from translate.training.planning.autotune import TRAINING_SHARE
from translate.training.planning.plan import Plan
from translate.utils.errors import OptionError

LENGTH_OPTIONS = tuple(f"train.{name}" for name in LENGTHS)
# A run with other values of these is the same run: at most, its device or kernels round differently.
FREE_OPTIONS = (
    "plugins", "train.device", "train.previews", "train.graph", "train.compile", "train.log_every",
    "train.save_minutes", "train.keep", "train.evaluations", "train.evaluation_share", "train.keep_best",
    "train.patience", "train.post_hoc",
)  # fmt: skip
ROUNDING_OPTIONS = {"train.device", "train.graph", "train.compile"}


def compare_options(config: Config, earlier: Mapping[str, Any], path: Path, *, extend: bool) -> tuple[bool, list[str]]:
    """Compare `config` with the configuration that the run in `path` had so far.

    Returns:
        Whether the run has to be extended, and notes on options that differ.

    Raises:
        OptionError: Options differ that the result depends on, or the length does without `extend`.
    """
    changes = changed_options(config, earlier)
    others = describe_changes({name: pair for name, pair in changes.items() if name not in FREE_OPTIONS})
    fixed = [name for name in changes if name not in (*FREE_OPTIONS, *LENGTH_OPTIONS)]
    longer = any(name in changes for name in LENGTH_OPTIONS)
    # options of another result
    if fixed or (longer and not extend):
        choice = f"choose another --out (and --init {path} to build on it)"
        if not fixed:
            choice = f"add --extend to train it on to a larger length, or {choice}"
        raise OptionError(
            f"{path} holds a run with other options: {', '.join(others)}; repeat the old ones to resume it, or {choice}"
        )
    # options of the same result
    free = {name: pair for name, pair in changes.items() if name in FREE_OPTIONS}
    notes = []
    if free:
        effect = "may change the last bits" if ROUNDING_OPTIONS & set(free) else "do not change what is learned"
        notes = [f"{', '.join(describe_changes(free))}: the run goes on; such options {effect}"]
    return longer, notes


def adapt_plan(plan: Plan, train: TrainConfig) -> Plan:
    """Return the plan with those of its values that may differ between two starts of a run."""
    switch = {"on": True, "off": False}
    if plan.ended_by and not 0 < train.patience <= plan.ended_by:
        plan = plan.resume_full()
    return replace(
        plan, log_every=train.log_every or plan.log_every, compile=switch.get(train.compile, plan.compile),
        graph=switch.get(train.graph, plan.graph),
    )  # fmt: skip


def extended_steps(plan: Plan, train: TrainConfig, epoch_steps: float, log: Path) -> int:
    """Return the number of steps of a longer run.

    Args:
        plan: Of the run so far.
        train: Has the new length.
        epoch_steps: Steps that show every picture once.
        log: The metrics.jsonl of the run, by which minutes become steps.

    Raises:
        OptionError: The new length is not larger.
    """
    if train.minutes:
        steps, taken = steps_in_minutes(train.minutes, log)
        done = f"{plan.steps} steps, of which {taken}"
    else:
        steps, done = train.steps or max(1, round(train.epochs * epoch_steps)), f"{plan.steps} steps"
    if steps <= plan.steps:
        raise OptionError(
            f"--extend: the run is planned for {done}, and the new length makes {steps}; "
            "give the new total, a larger one, of --steps, --epochs or --minutes"
        )
    return steps


def steps_in_minutes(minutes: float, log: Path) -> tuple[int, str]:
    """Return how many steps a run has taken after so many minutes in all, and how long it took so far, in words."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    timed = [(line["step"], line["seconds"]) for line in lines if "seconds" in line]
    if not timed:
        raise OptionError(f"--extend --minutes: {log} has no times to go by; give --steps")
    done, used = timed[-1][0], sum(seconds for _, seconds in timed)
    starts = [0, *(step for step, _ in timed)]
    pace = statistics.median(
        seconds / max(1, step - start) for start, (step, seconds) in zip(starts, timed, strict=False)
    )
    left = max(0.0, TRAINING_SHARE * minutes * 60 - used)
    return done + int(left / max(pace, 1e-9)), f"{done} took {used / 60:.1f} minutes"


def lr_note(plan: Plan, old: Plan, done: int, train: TrainConfig) -> str:
    """Describe the schedule of the part that `plan` adds to `old` after `done` steps."""
    rates = f"{lr_at(*plan.place_of(done), train):.3g} at step {done + 1}"
    if done:
        rates += f" (it was {lr_at(*old.place_of(done - 1), train):.3g} at step {done})"
    return (
        f"extended from {old.steps} to {plan.steps} steps: from here on, the learning rate and all else that changes "
        f"during a run are those of a run of {plan.steps} steps: {rates}, and "
        f"{lr_at(*plan.place_of(plan.steps - 1), train):.3g} at step {plan.steps}"
    )
