"""Divergence of a run: losses or weights that are not finite, losses that explode, a discriminator that is useless."""

__all__ = ["Diverged", "DivergenceMonitor", "check_finite"]

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from translate.tasks import Task
from translate.tasks.losses.adversarial import chance_loss
from translate.training.ema import EMA
from translate.training.monitors.findings import MIN_JUDGED_PICTURES, Finding
from translate.utils.errors import UserError

RATE_FACTOR = 0.5  # on the learning rate of a phase that diverged
MIN_STEPS_PER_READING = 10  # the losses of a single step say little, so a reading is their mean
WINDOW_READINGS = 50  # the usual loss is the median of these
MIN_READINGS = 10  # with fewer, no loss is usual
EXPLOSION_RATIO = 10.0  # of a loss to 1 + the usual one: a good adversarial loss is about 1
LARGEST_USUAL_LOSS = 1e5  # a run may be broken from its first step on
READINGS_TO_EXPLODE = 5  # in a row: a single spike is harmless
READINGS_TO_REPORT_D = 20  # in a row, since D may win for a while; in a short run, a quarter of its readings,
MIN_READINGS_TO_REPORT_D = 3  # but no fewer than these
STRONG_D_LOSS = 0.02  # of the chance loss: below, D is never wrong
BLIND_D_DISTANCE = 0.002  # from the chance loss, relative: within, D gives every picture the same score
CHANCE_SHARE = 0.95  # of the chance loss: a D that stays above tells nothing apart
SMOOTHING = 0.1  # of a reading in the smoothed loss: D's loss on single pictures is noisy
D_TERMS = ("gan", "fm", "projected")  # the terms of G that D computes

STATE = ("lowered", "usual", "high", "won", "blind", "levels", "idle", "count")  # of a monitor, but for its sums


class Diverged(UserError):
    """The networks of `phase` have diverged after `step` steps; further training is futile."""

    def __init__(self, phase: str, step: int, finding: Finding) -> None:
        super().__init__(f"{phase} went wrong at step {step}: {finding}")
        self.phase, self.step, self.finding = phase, step, finding


class DivergenceMonitor:
    """A monitor of the losses of a run, which also holds the phases whose learning rate was lowered.

    Losses are summed on the device and read once per line of the log, every `log_every` steps: reading makes the host
    wait. The monitor is part of the state of a run, so that a resumed run decides as an uninterrupted one.
    """

    def __init__(self, task: Task, log_every: int, steps: int | None = None, batch_size: int = 1) -> None:
        """Without `steps`, the length of the run, D is judged as in a long run."""
        self.phases, self.remedies = tuple(task.phases), task.remedies
        self.chance = chance_loss(getattr(task, "gan", None))
        self.every = log_every * math.ceil(MIN_STEPS_PER_READING / log_every)
        self.quarter = READINGS_TO_REPORT_D  # of the run, in readings
        self.first_reading = 0  # the first that may report D
        if steps is not None:
            self.quarter = max(MIN_READINGS_TO_REPORT_D, steps // self.every // 4)
            self.first_reading = math.ceil(MIN_JUDGED_PICTURES / (self.every * batch_size))
        self.lowered: dict[str, dict[str, Any]] = {}  # by phase, its divergence and the step of the lower rate
        self.usual: dict[str, list[float]] = {phase: [] for phase in self.phases}  # the newest readings without spikes
        self.high = dict.fromkeys(self.phases, 0)  # spikes in a row, by phase
        self.won = 0  # readings in a row in which D is never wrong
        self.blind = 0  # readings in a row in which D gives every picture the same score
        self.levels: dict[str, float] = {}  # the smoothed loss of each D over the chance loss
        self.idle = 0  # readings in a row in which every D tells nothing apart
        self.names: tuple[str, ...] = ()  # of the terms
        self.sums: Tensor | None = None  # of the terms since the last reading
        self.count = 0  # steps in `sums`
        self.first_bad: Tensor | None = None  # the first step at which each term was not finite, or infinity

    @property
    def no_spike(self) -> bool:
        """Whether the last readings show no spike, which might be an explosion and should not be saved."""
        return not any(self.high.values())

    @property
    def at_chance(self) -> bool:
        """Whether no D has told real pictures from fakes for the last quarter of the run."""
        return self.idle >= self.quarter

    @property
    def factors(self) -> dict[str, float]:
        """The factors on the learning rates, by phase that diverged."""
        return dict.fromkeys(self.lowered, RATE_FACTOR)

    def state_dict(self) -> dict[str, Any]:
        state = {name: getattr(self, name) for name in STATE}
        return state | {"sums": None if self.sums is None else self.sums.cpu()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def lower_rate(self, divergence: Diverged, since: int) -> str:
        """Halve the learning rate of the phase that diverged, from step `since` on; return a note on that.

        Raises:
            Diverged: The rate is halved already.
        """
        phase, step, finding = divergence.phase, divergence.step, divergence.finding
        if before := self.lowered.get(phase):
            again = f"{finding.message}, though {phase} learns at half its rate since step {before['since']}"
            raise Diverged(phase, step, replace(finding, message=again))
        self.lowered[phase] = {"phase": phase, "step": step, "what": finding.message, "since": since}
        return f"{divergence}; back to step {since}, from where {phase} learns at half its rate"

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Add the terms, by "phase/term", of the step after `step` steps."""
        self.names = tuple(terms)
        values = torch.stack([term.float() for term in terms.values()])
        bad = torch.where(values.isfinite(), math.inf, float(step + 1))
        self.first_bad = bad if self.first_bad is None else torch.minimum(self.first_bad, bad)
        self.sums = values.abs() if self.sums is None else self.sums.to(values) + values.abs()
        self.count += 1

    def check(self, done: int) -> list[Finding]:
        """Read the losses after `done` steps and, if enough steps are in `sums`, judge them; return faults of D.

        Raises:
            Diverged: A term is not finite, or the losses of a phase have been exploding for a while.
        """
        if self.first_bad is None or self.sums is None:
            return []
        # find terms that are not finite
        first_bad, sums = torch.stack([self.first_bad, self.sums]).tolist()
        if (step := min(first_bad)) < math.inf:
            bad = [name for name, first in zip(self.names, first_bad, strict=True) if first == step]
            phase = failing_phase(bad, self.names)
            name = next((name for name in bad if name.startswith(f"{phase}/")), bad[0])
            raise Diverged(phase, int(step), Finding.of("loss_not_finite", name=name))
        # judge the means of a reading
        if done % self.every:
            return []
        means = {name: total / self.count for name, total in zip(self.names, sums, strict=True)}
        self.sums, self.first_bad, self.count = None, None, 0
        self._check_explosion(done, means)
        return self._check_discriminator(done // self.every, means)

    def _check_explosion(self, done: int, means: Mapping[str, float]) -> None:
        ratios = {}
        for phase in self.phases:
            total, usual = sum(v for name, v in means.items() if name.startswith(f"{phase}/")), self.usual[phase]
            enough = len(usual) >= MIN_READINGS
            ratio = total / min(statistics.median(usual) + 1 if enough else LARGEST_USUAL_LOSS, LARGEST_USUAL_LOSS)
            if ratio < EXPLOSION_RATIO:
                self.usual[phase], self.high[phase] = [*usual, total][-WINDOW_READINGS:], 0
            else:
                self.high[phase] += 1
                ratios[phase] = ratio
        if max(self.high.values()) >= READINGS_TO_EXPLODE:
            phase = max(ratios, key=lambda phase: (self.high[phase], ratios[phase]))
            began = done - (READINGS_TO_EXPLODE - 1) * self.every
            raise Diverged(phase, began, Finding.of("explosion", ratio=ratios[phase]))

    def _check_discriminator(self, reading: int, means: Mapping[str, float]) -> list[Finding]:
        """Return, once, the finding that D is always right, or that it gives every picture the same score."""
        by_name = {name: value for name, value in means.items() if name.startswith("D/gan")}
        if not by_name or not self.chance:
            return []
        losses = by_name.values()
        for name, loss in by_name.items():
            self.levels[name] = (1 - SMOOTHING) * self.levels.get(name, 1.0) + SMOOTHING * loss / self.chance
        self.idle = self.idle + 1 if min(self.levels.values()) > CHANCE_SHARE else 0
        self.won = self.won + 1 if max(losses) < STRONG_D_LOSS * self.chance else 0
        self.blind = self.blind + 1 if any(abs(v / self.chance - 1) < BLIND_D_DISTANCE for v in losses) else 0
        counts = {"strong_d": self.won, "blind_d": self.blind}
        needed, first = min(READINGS_TO_REPORT_D, self.quarter), self.first_reading
        due = {kind for kind, n in counts.items() if n == needed and reading >= first}
        due |= {kind for kind, n in counts.items() if n > needed and reading == first}
        kinds = [kind for kind in counts if kind in due]
        return [Finding.of(kind, f"try {self.remedies[kind]}") for kind in kinds]


def check_finite(done: int, task: Task, ema: EMA, optimizers: Mapping[str, Optimizer]) -> None:
    """Check that the weights, averages and moments to be saved after `done` steps are finite.

    Raises:
        Diverged: A value is not.
    """
    for phase, optimizer in optimizers.items():
        nets: list[nn.Module] = [task.get_submodule(name) for name in task.phases[phase]]
        nets += [ema.nets[name] for name in task.phases[phase] if name in ema.nets]
        moments = [x for state in optimizer.state.values() for name, x in state.items() if name.startswith("exp_avg")]
        tensors = [*(x for net in nets for x in (*net.parameters(), *net.buffers())), *moments]
        floats = [x.detach() for x in tensors if x.is_floating_point() and x.numel()]
        if not torch.stack(torch._foreach_norm(floats, math.inf)).isfinite().all():  # waits for the device once
            raise Diverged(phase, done, Finding.of("weights_not_finite"))


def failing_phase(bad: Sequence[str], names: Sequence[str]) -> str:
    """Return the phase that broke: of all terms `names`, the terms `bad` were the first that were not finite.

    If terms of G and D broke in the same step, the weights of one of the two had broken. Broken fakes spoil every term
    of G; a broken D spoils the terms that it computes, and its scores of real pictures.
    """
    phases = {name.partition("/")[0] for name in bad}
    if phases != {"G", "D"}:
        return bad[0].partition("/")[0]
    own = [name for name in names if name.startswith("G/") and not name[2:].startswith(D_TERMS)]
    if own:
        return "G" if any(name in bad for name in own) else "D"
    return "D" if "D/real" in bad else "G"
