"""Whether training diverges: losses or weights that are not finite, losses that explode, a discriminator of no use."""

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
from translate.training.ema import EMA
from translate.training.findings import MIN_JUDGED_PICTURES, Finding
from translate.utils.errors import UserError

RATE_FACTOR = 0.5  # on the learning rate of a phase that diverged
MIN_STEPS_PER_READING = 10  # a single step says little: its losses are averaged with others'
WINDOW_READINGS = 50  # whose median is the usual loss
MIN_READINGS = 10  # before there is a usual loss
EXPLOSION_RATIO = 10.0  # of a loss to 1 + the usual one: a good adversarial loss is about 1
LARGEST_USUAL_LOSS = 1e5  # a run may be broken from its first step on
READINGS_TO_EXPLODE = 5  # in a row: a single bump passes
READINGS_TO_REPORT_D = 20  # in a row, since D may win for a while; in a short run a quarter of its readings,
MIN_READINGS_TO_REPORT_D = 3  # but not fewer than these
STRONG_D_LOSS = 0.02  # of the chance loss: D is never wrong
BLIND_D_DISTANCE = 0.002  # from the chance loss, relatively: D says the same of every picture
D_TERMS = ("gan", "fm")  # the terms of G that D computes


class Diverged(UserError):
    """Training on from here would be in vain.

    Attributes:
        phase: The phase whose networks diverged.
        step: Steps done when it showed.
        finding: What is wrong.
    """

    def __init__(self, phase: str, step: int, finding: Finding) -> None:
        super().__init__(f"{phase} went wrong at step {step}: {finding}")
        self.phase, self.step, self.finding = phase, step, finding


class DivergenceMonitor:
    """Watches the losses of a run, and keeps which phases learn at a lower rate since they diverged.

    Losses are summed on the device and read once per line of the log: reading makes the device wait. The attributes
    are part of the state of a run, so that a resumed run decides as an unbroken one.

    Attributes:
        lowered: By phase, its divergence, and `since` which step it learns at a lower rate.
        usual: By phase, the newest readings of its losses that were no explosion.
        high: By phase, how many readings in a row were.
        won: Readings in a row in which D was never wrong.
        blind: Readings in a row in which D said the same of every picture.
        count: Steps in `sums`, the terms since the last reading.
    """

    def __init__(self, task: Task, log_every: int, steps: int | None = None, batch_size: int = 1) -> None:
        """Watch a run of `steps` steps, or of many, that reads its losses every `log_every` steps."""
        self.phases, self.remedies = tuple(task.phases), task.remedies
        self.chance = chance_loss(getattr(task, "gan", None))
        self.every = log_every * math.ceil(MIN_STEPS_PER_READING / log_every)
        self.readings_to_report_d, self.first_reading = READINGS_TO_REPORT_D, 0
        if steps is not None:
            share = max(MIN_READINGS_TO_REPORT_D, steps // self.every // 4)
            self.readings_to_report_d = min(READINGS_TO_REPORT_D, share)
            self.first_reading = math.ceil(MIN_JUDGED_PICTURES / (self.every * batch_size))
        self.lowered: dict[str, dict[str, Any]] = {}
        self.usual: dict[str, list[float]] = {phase: [] for phase in self.phases}
        self.high = dict.fromkeys(self.phases, 0)
        self.won = self.blind = self.count = 0
        self.names: tuple[str, ...] = ()
        self.sums: Tensor | None = None
        self.first_bad: Tensor | None = None  # the first step at which each term was not finite, or infinity

    @property
    def no_spike(self) -> bool:
        """Whether nothing looks like the beginning of an explosion, which had better not be saved."""
        return not any(self.high.values())

    @property
    def factors(self) -> dict[str, float]:
        """The factors on the learning rates of phases that diverged."""
        return dict.fromkeys(self.lowered, RATE_FACTOR)

    def state_dict(self) -> dict[str, Any]:
        state = {name: getattr(self, name) for name in ("lowered", "usual", "high", "won", "blind", "count")}
        return state | {"sums": None if self.sums is None else self.sums.cpu()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def lower_rate(self, divergence: Diverged, since: int) -> str:
        """Halve the learning rate of the phase that diverged, from step `since` on; return a line that says so.

        Raises:
            Diverged: It is halved already.
        """
        phase, step, finding = divergence.phase, divergence.step, divergence.finding
        if before := self.lowered.get(phase):
            again = f"{finding.message}, though {phase} learns at half its rate since step {before['since']}"
            raise Diverged(phase, step, replace(finding, message=again))
        self.lowered[phase] = {"phase": phase, "step": step, "what": finding.message, "since": since}
        return f"{divergence}; back to step {since}, from where {phase} learns at half its rate"

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Add the terms, as "phase/term", of the step after `step` others."""
        self.names = tuple(terms)
        values = torch.stack([term.float() for term in terms.values()])
        bad = torch.where(values.isfinite(), math.inf, float(step + 1))
        self.first_bad = bad if self.first_bad is None else torch.minimum(self.first_bad, bad)
        self.sums = values.abs() if self.sums is None else self.sums.to(values) + values.abs()
        self.count += 1

    def check(self, done: int) -> list[Finding]:
        """Read the losses and, when enough steps are in `sums`, judge them; return what is wrong with D.

        Raises:
            Diverged: A term is not finite, or the losses of a phase have been exploding for a while.
        """
        if self.first_bad is None or self.sums is None:
            return []
        # terms that are not finite
        first_bad, sums = torch.stack([self.first_bad, self.sums]).tolist()
        if (step := min(first_bad)) < math.inf:
            bad = [name for name, first in zip(self.names, first_bad, strict=True) if first == step]
            phase = failing_phase(bad, self.names)
            name = next((name for name in bad if name.startswith(f"{phase}/")), bad[0])
            raise Diverged(phase, int(step), Finding.of("loss_not_finite", name=name))
        # a reading
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
        """Return, once, whether D is always right, or says the same of every picture, in this and earlier readings."""
        losses = [value for name, value in means.items() if name.startswith("D/gan")]
        if not losses or not self.chance:
            return []
        self.won = self.won + 1 if max(losses) < STRONG_D_LOSS * self.chance else 0
        self.blind = self.blind + 1 if any(abs(v / self.chance - 1) < BLIND_D_DISTANCE for v in losses) else 0
        counts = {"strong_d": self.won, "blind_d": self.blind}
        needed, first = self.readings_to_report_d, self.first_reading
        due = {kind for kind, n in counts.items() if n == needed and reading >= first}
        due |= {kind for kind, n in counts.items() if n > needed and reading == first}
        kinds = [kind for kind in counts if kind in due]
        return [Finding.of(kind, f"try {self.remedies[kind]}") for kind in kinds]


def check_finite(done: int, task: Task, ema: EMA, optimizers: Mapping[str, Optimizer]) -> None:
    """Check that all that is about to be saved after `done` steps is finite.

    Raises:
        Diverged: It is not.
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
    """Return the phase that broke, given which of all terms were the first, in one step, that were not finite.

    Where G's losses and D's broke at once, the weights of one of them had. Broken fakes spoil every term of G; a broken
    D spoils the terms that it computes, and its scores of real pictures.
    """
    phases = {name.partition("/")[0] for name in bad}
    if phases != {"G", "D"}:
        return bad[0].partition("/")[0]
    own = [name for name in names if name.startswith("G/") and not name[2:].startswith(D_TERMS)]
    if own:
        return "G" if any(name in bad for name in own) else "D"
    return "D" if "D/real" in bad else "G"


def chance_loss(gan: Any) -> float | None:
    """Return the least loss of a discriminator that says the same of every picture; None without a discriminator."""
    return None if gan is None else min(float(gan.d(x, x)) for x in (torch.zeros(1), torch.full((1,), 0.5)))
