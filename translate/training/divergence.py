"""Whether training goes wrong: losses and weights that are no numbers any more, losses that explode, a useless D."""

__all__ = ["Diverged", "Trouble", "DivergenceMonitor", "check_finite"]

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from translate.tasks import Task
from translate.training.ema import EMA
from translate.utils.errors import UserError

LOWER = 0.5  # the part of its learning rate that a phase keeps after it went wrong
SMOOTH = 10  # steps, at least, whose mean makes a reading of the losses
WINDOW = 50  # readings that tell what is usual
ENOUGH = 10  # readings before anything is unusual
EXPLODED = 10.0  # times the median, plus 1: a good adversarial loss is about 1
LARGE = 1e5  # and whatever was usual, ten times this is too much
LONG = 5  # readings one after the other that are so large, before it counts as an explosion
SURE = 20  # readings one after the other before a discriminator is called useless
WON = 0.02  # of what guessing costs: a discriminator that is never wrong
BLIND = 0.002  # how near to what guessing costs, relatively: one that says the same of every picture
JUDGED = ("gan", "fm")  # the terms of a generator that its discriminator computes


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What went wrong.

    Attributes:
        phase: Whose networks did.
        step: Steps done when it was first seen.
        what: In words.
    """

    phase: str
    step: int
    what: str


class Diverged(UserError):
    """The run went wrong: training on from here would be in vain."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"{trouble.phase} went wrong at step {trouble.step}: {trouble.what}")
        self.trouble = trouble


class DivergenceMonitor:
    """Watches the losses of a run, and remembers which phase learns at a lower rate since it went wrong.

    What steps return is added up on the device and read when a line of the log is written: reading makes the device
    wait. All of it is part of the state of a run, so that a resumed run decides what an unbroken one does.

    Attributes:
        lowered: By phase, what went wrong, and `since` which step it learns at a lower rate.
    """

    def __init__(self, task: Task, log_every: int) -> None:
        """Watch a run that reads its losses every `log_every` steps."""
        self.phases, self.cures = tuple(task.phases), task.cures
        self.chance = chance_loss(getattr(task, "gan", None))
        self.every = log_every * math.ceil(SMOOTH / log_every)
        self.lowered: dict[str, dict[str, Any]] = {}
        self.usual: dict[str, list[float]] = {phase: [] for phase in self.phases}
        self.high = dict.fromkeys(self.phases, 0)
        self.won = self.blind = self.count = 0
        self.names: tuple[str, ...] = ()
        self.sums: Tensor | None = None
        self.first: Tensor | None = None

    @property
    def calm(self) -> bool:
        """Whether nothing looks like the beginning of an explosion, which had better not be saved."""
        return not any(self.high.values())

    @property
    def factors(self) -> dict[str, float]:
        """The parts of their learning rates at which phases learn that went wrong."""
        return dict.fromkeys(self.lowered, LOWER)

    def state_dict(self) -> dict[str, Any]:
        """Return all that later decisions depend on."""
        told = {name: getattr(self, name) for name in ("lowered", "usual", "high", "won", "blind", "count")}
        return told | {"sums": None if self.sums is None else self.sums.cpu()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""
        for name, value in state.items():
            setattr(self, name, value)

    def lower(self, trouble: Trouble, since: int) -> str:
        """Give the phase that went wrong a lower learning rate from step `since` on, and return a line that says so.

        Raises:
            Diverged: It has one already.
        """
        phase = trouble.phase
        if before := self.lowered.get(phase):
            again = f"{trouble.what}, though {phase} learns at half its rate since step {before['since']}"
            raise Diverged(Trouble(phase=phase, step=trouble.step, what=again))
        self.lowered[phase] = asdict(trouble) | {"since": since}
        return f"{Diverged(trouble)}; back to step {since}, from where {phase} learns at half its rate"

    def add(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Note the terms, as "phase/term", of the step after `step` others."""
        self.names = tuple(terms)
        values = torch.stack([term.float() for term in terms.values()])
        first = torch.where(values.isfinite(), math.inf, float(step + 1))
        self.first = first if self.first is None else torch.minimum(self.first, first)
        self.sums = values.abs() if self.sums is None else self.sums.to(values) + values.abs()
        self.count += 1

    def check(self, done: int) -> list[str]:
        """Read what was added and, where that is due after `done` steps, judge it; return what is to be said.

        Raises:
            Diverged: A term is not finite, or the losses of a phase have been exploding for a while.
        """
        if self.first is None or self.sums is None:
            return []
        first, sums = torch.stack([self.first, self.sums]).tolist()
        if (step := min(first)) < math.inf:
            bad = [name for name, at in zip(self.names, first, strict=True) if at == step]
            phase = failing_phase(bad, self.names)
            name = next((name for name in bad if name.startswith(f"{phase}/")), bad[0])
            raise Diverged(Trouble(phase=phase, step=int(step), what=f"the loss {name} is not a finite number"))
        if done % self.every:
            return []
        means = {name: total / self.count for name, total in zip(self.names, sums, strict=True)}
        self.sums, self.first, self.count = None, None, 0
        self._look_for_explosion(done, means)
        return self._judge_discriminator(means)

    def _look_for_explosion(self, done: int, means: Mapping[str, float]) -> None:
        heights = {}
        for phase in self.phases:
            total, usual = sum(v for name, v in means.items() if name.startswith(f"{phase}/")), self.usual[phase]
            height = total / min(statistics.median(usual) + 1 if len(usual) >= ENOUGH else LARGE, LARGE)
            if height < EXPLODED:
                self.usual[phase], self.high[phase] = [*usual, total][-WINDOW:], 0
            else:
                self.high[phase] += 1
                heights[phase] = height
        if max(self.high.values()) >= LONG:
            phase = max(heights, key=lambda phase: (self.high[phase], heights[phase]))
            began = done - (LONG - 1) * self.every
            what = f"its losses rose to {heights[phase]:.3g} times what is usual"
            raise Diverged(Trouble(phase=phase, step=began, what=what))

    def _judge_discriminator(self, means: Mapping[str, float]) -> list[str]:
        """Return what is to be said, once, of a discriminator that is always right, or that sees nothing."""
        found = [value for name, value in means.items() if name.startswith("D/gan")]
        if not found or not self.chance:
            return []
        self.won = self.won + 1 if max(found) < WON * self.chance else 0
        self.blind = self.blind + 1 if any(abs(v / self.chance - 1) < BLIND for v in found) else 0
        told = []
        if self.won == SURE:
            told.append(f"D TELLS EVERY PICTURE APART, so that G learns little from it: try {self.cures['won']}")
        if self.blind == SURE:
            told.append(f"D COLLAPSED and says the same of every picture: try {self.cures['blind']}")
        return told


def check_finite(done: int, task: Task, ema: EMA, optimizers: Mapping[str, Optimizer]) -> None:
    """Look at everything that is about to be saved after `done` steps.

    Raises:
        Diverged: Not all of it is finite.
    """
    for phase, optimizer in optimizers.items():
        nets: list[nn.Module] = [task.get_submodule(name) for name in task.phases[phase]]
        nets += [ema.nets[name] for name in task.phases[phase] if name in ema.nets]
        moments = [x for state in optimizer.state.values() for name, x in state.items() if name.startswith("exp_avg")]
        if not finite([*(x for net in nets for x in (*net.parameters(), *net.buffers())), *moments]):
            raise Diverged(
                Trouble(phase=phase, step=done, what="its weights or their moments are not all finite numbers")
            )


def finite(tensors: Iterable[Tensor]) -> bool:
    """Whether all numbers are finite; the device is waited for once."""
    floats = [x.detach() for x in tensors if x.is_floating_point() and x.numel()]
    return bool(torch.stack(torch._foreach_norm(floats, math.inf)).isfinite().all())


def failing_phase(bad: Sequence[str], names: Sequence[str]) -> str:
    """Return the phase that broke, given which of all terms were the first, in one step, that were not finite.

    Where G's losses and D's broke at once, the weights of one of them had. Broken fakes spoil every term of G; a broken
    D spoils those that it computes, and what it says of real pictures.
    """
    phases = {name.partition("/")[0] for name in bad}
    if phases != {"G", "D"}:
        return bad[0].partition("/")[0]
    own = [name for name in names if name.startswith("G/") and not name[2:].startswith(JUDGED)]
    if own:
        return "G" if any(name in bad for name in own) else "D"
    return "D" if "D/real" in bad else "G"


def chance_loss(gan: Any) -> float | None:
    """Return the least loss of a discriminator that says the same of every picture; None where there is no game."""
    return None if gan is None else min(float(gan.d(x, x)) for x in (torch.zeros(1), torch.full((1,), 0.5)))
