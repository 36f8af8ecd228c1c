"""Scores of a run when they are due: measured, logged, the best weights kept, and the run ended if none improves."""

__all__ = ["Scoring"]

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from translate.data.datasets import TrainingData
from translate.data.files.halves import MIN_HALF
from translate.tasks import Task
from translate.training.config import Config
from translate.training.ema import EMA
from translate.training.log import Log
from translate.training.planning.plan import Plan, Stretch
from translate.training.scores.advice import advise
from translate.training.scores.average_choice import CANDIDATES, Average, choose_average
from translate.training.scores.cost import choose_looks, time_pilot
from translate.training.scores.history import History
from translate.training.scores.power_ema import PowerAverages
from translate.training.scores.scorers import AT_ONCE, Scorer, scorer_of
from translate.training.start.messages import print_note
from translate.utils.errors import UserError
from translate.utils.terminal import console


class Scoring:
    """The scores of one run; only the main process measures, and changes the history.

    Attributes:
        why_none: Why the run has no scores, in words; "" if it has some.
        seconds: What they took so far in this process.
    """

    def __init__(
        self, config: Config, task: Task, ema: EMA, data: TrainingData, history: History, device: torch.device
    ) -> None:
        self.train, self.square, self.task, self.ema, self.data = config.train, config.data.square, task, ema, data
        self.history, self.device, self.at_once = history, device, min(AT_ONCE, config.data.batch_size)
        self.why_none = "" if config.train.evaluations else "--evaluations 0"
        self.why_none = self.why_none or explain_none(task, data)
        self.averages = len(CANDIDATES) if config.train.post_hoc else 0  # to score after the run
        self.average: Average | None = None  # the best of them
        self.scorer: Scorer | None = None
        self.seconds = 0.0

    def is_due(self, done: int, part: Stretch, plan: Plan) -> bool:
        """Whether a score is due after `done` steps, the last of which belongs to `part`; the last is at the end."""
        if self.why_none:
            return False
        looks = self.train.evaluations if plan.evaluations < 0 else min(plan.evaluations, self.train.evaluations)
        return part.passes(done, looks)

    def run(self, done: int, plan: Plan, log: Log) -> Plan:
        """Score the averaged networks after `done` steps; return the plan, with the measured cost or an earlier end."""
        began = time.monotonic()
        try:
            if plan.evaluations < 0:
                plan = self.measure_cost(done, plan, log)
            if self.is_due(done, plan.stretch_at(done - 1), plan):
                plan = self.score(done, plan, log)
        except UserError as error:  # unreadable pictures, or networks that refuse them
            print_note(f"step {done}: no scores while training: {error}")
            plan = replace(plan, evaluations=0)
        self.seconds += time.monotonic() - began
        return plan

    def measure_cost(self, done: int, plan: Plan, log: Log) -> Plan:
        """Return the plan with the numbers of scores and of pictures that the run affords on this machine."""
        share, available = self.train.evaluation_share, min(len(half.choosing) for half in self.data.halves())
        seconds = 60 * self.train.minutes or log.seconds / done * plan.steps
        pilot = time_pilot(partial(self.make_scorer, plan.size), self.ema.nets, self.device)
        budget = share * seconds - MIN_HALF * sum(pilot)
        looks, pictures = choose_looks(pilot, budget, self.train.evaluations, available, self.averages)
        if not looks:
            print_note(
                f"no scores while training: one look at {MIN_HALF} pictures takes {MIN_HALF * sum(pilot):.1f} s, more"
                f" than {share:.0%} of this run; a longer run, or a larger --train.evaluation_share, has room for some"
            )
        elif looks < self.train.evaluations or pictures < available:
            taken = MIN_HALF * sum(pilot) + pictures * (pilot.once + (looks + self.averages) * pilot.each)
            console.print(
                f"step {done}: scores while training: {looks} times, on {pictures} of {available} held-out pictures,"
                f" for {taken / seconds:.1%} of the time",
                soft_wrap=True,
            )
        return replace(plan, evaluations=looks, scored_pictures=pictures)

    def make_scorer(self, size: int, count: int) -> Scorer:
        """Read `count` pictures of the choosing half and describe the real ones."""
        pictures = self.data.read_choosing(count, size=size, square=self.square)
        return scorer_of(self.task)(self.task, pictures, self.device, self.at_once)

    def score(self, done: int, plan: Plan, log: Log) -> Plan:
        """Score, log and keep; return the plan, which ends here if the score has not improved for too long."""
        # measure
        if self.scorer is None:
            self.scorer = self.make_scorer(plan.size, plan.scored_pictures)
            if self.history.pictures != (key := hash_of(self.scorer.pictures)):
                if self.history.scored:
                    print_note("other held-out pictures: earlier scores do not compare, and the best is sought anew")
                self.history.clear(key)
        new = self.history.add(done, self.scorer(self.ema.nets), self.ema.nets if self.train.keep_best else None)
        # tell
        best = self.history.best
        place = ", the best so far" if best is new else f"; best: {best.score} at step {best.step}" if best else ""
        log.write_scores(done, new.score.numbers, f"{new.score}{place}")
        # stop
        if done < plan.steps and best and self.history.is_stale(done, self.train.patience):
            assert self.history.improved
            print_note(
                f"step {done}: --patience {self.train.patience:g}: the score has not improved by a standard error since"
                f" step {self.history.improved.step}, so the run ends here; --patience 0 goes on to step {plan.steps}"
            )
            return plan.end_at(done, self.train.patience)
        return plan

    def choose_average(self, step: int, averages: PowerAverages, log: Log) -> Average | None:
        """Score averages of several lengths after the last `step`, and log them; return the best, if there is any."""
        if self.scorer is None or self.history.at(step) is None:
            return None
        began = time.monotonic()
        found = choose_average(averages.profiles(), self.ema.nets, self.scorer)
        log.write_numbers(step, {f"score/average_{one.length:.2f}": one.score.numbers[one.score.kind] for one in found})
        self.seconds += time.monotonic() - began
        self.average = found[0] if found else None
        return self.average

    def conclude(self, step: int, log: Log) -> list[str]:
        """Return which weights to use after the last `step`, and what the scores took, a line each."""
        lines = [advise(self.history, step, self.average)]
        if self.seconds:
            lines.append(f"scores while training took {self.seconds / max(log.seconds, self.seconds):.1%} of the time")
        return [line for line in lines if line]


def explain_none(task: Task, data: TrainingData) -> str:
    """Return why a run has no scores, in words; "" if it has some."""
    if task.data == "images" and not task.from_latents:
        return "a task of its kind has none"
    pictures = {"a", "b", "image"} - set(data.facts.get("maps", ()))
    bands = [count for key, count in data.channels.items() if key in pictures and count not in (1, 3)]
    if bands:
        return f"scores are for gray and RGB, not for {bands[0]} channels"
    small = [half for half in data.halves() if not half.enough]
    return f"{small[0]}, and each needs {MIN_HALF}" if small else ""


def hash_of(pictures: Mapping[str, Tensor]) -> str:
    """Return a hash of pictures by batch key."""
    digest = hashlib.sha256()
    for key, x in sorted(pictures.items()):
        digest.update(f"{key}{tuple(x.shape)}".encode() + x.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
