"""The plan of a run: all that its configuration leaves open, and the schedule of its steps."""

__all__ = ["Plan", "Stretch"]

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple


class Stretch(NamedTuple):
    """Steps of a run that follow one schedule at one pace, up to the next stretch."""

    start: int  # the first step
    position: float  # of the first step in the schedule
    total: int  # length of the schedule
    end: int  # number of steps after which the schedule is complete
    threads: int = 0  # of a CPU; 0 = all

    def position_at(self, step: int) -> float:
        """Return the position in the schedule before `step`, from 0 to `total`; the step itself unless corrected."""
        if (self.position, self.total) == (self.start, self.end):
            return step
        if step >= self.end:
            return self.total
        return self.position + (step - self.start) * (self.total - self.position) / (self.end - self.start)

    def passes(self, done: int, times: int) -> bool:
        """Whether, after `done` steps, one of `times` events is due that are evenly spaced, the last at the end."""
        before, after = (int(self.position_at(step) * times / self.total) for step in (done - 1, done))
        return after > before


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The values that a configuration leaves open; kept in config.toml, so that a resumed run has the same."""

    size: int  # training resolution, px
    crop: int  # side of the square training crop, px
    steps: int  # updates
    precision: str  # "bf16" or "fp32"
    channels_last: bool  # memory layout of weights and pictures
    compile: bool  # the networks
    log_every: int  # steps between log lines
    graph: bool = False  # capture the step as a CUDA graph
    tried: str = ""  # the measured times, in words
    spent: float = 0.0  # part of --minutes that was spent before the first step, s
    evaluations: int = -1  # scores over the run; -1 = their cost is not measured yet
    scored_pictures: int = 0  # in each of them, of each domain
    ended_by: float = 0.0  # the --patience that ended the run before its last step; 0 = none did
    stretches: tuple[Stretch, ...] = ()  # of a run that was extended, or corrected to keep to --minutes

    @property
    def mode(self) -> str:
        """Precision, layout and compilation, in words."""
        words = [self.precision] + ["channels_last"] * self.channels_last
        return " ".join(words + ["compiled"] * self.compile + ["as a CUDA graph"] * self.graph)

    @property
    def _parts(self) -> tuple[Stretch, ...]:
        """The stretches, of which every plan has one."""
        return self.stretches or (Stretch(0, 0, self.steps, self.steps),)

    def stretch_at(self, step: int) -> Stretch:
        """Return the stretch that `step` belongs to."""
        return next(part for part in reversed(self._parts) if part.start <= step or part.start == 0)

    def place_of(self, step: int) -> tuple[float, int]:
        """Return the position of `step` in the schedule, and the length of the schedule."""
        part = self.stretch_at(step)
        return part.position_at(step), part.total

    def progress_at(self, step: int, *, monotone: bool = False) -> float:
        """Return the completed part of the run before `step`, from 0 to below 1.

        It falls at an extension, unless it has to be `monotone`.
        """
        position, total = self.place_of(step)
        reached = [
            before.position_at(after.start - 1) / before.total
            for before, after in pairwise(self._parts)
            if after.start <= step
        ]
        return max([position / total, *reached]) if monotone else position / total

    def extend(self, steps: int, done: int) -> "Plan":
        """Return the plan of a run that is made longer, to `steps`, after `done` steps; these keep their schedule."""
        return self._go_on(Stretch(done, done, steps, steps, self.stretch_at(done).threads))

    def correct(self, steps: int, done: int, threads: int = 0) -> "Plan":
        """Return the plan in which the steps from `done` to `steps` follow the rest of the schedule."""
        part = self.stretch_at(done)
        return self._go_on(Stretch(done, part.position_at(done), part.total, steps, threads))

    def end_at(self, done: int, patience: float) -> "Plan":
        """Return the plan of a run that `patience` ends after `done` steps; these keep their schedule."""
        return replace(self, steps=done, ended_by=patience, stretches=self._parts)

    def resume_full(self) -> "Plan":
        """Return the plan of a run that goes on to the end of its schedule, though patience has ended it."""
        return replace(self, steps=self._parts[-1].end, ended_by=0.0)

    def _go_on(self, part: Stretch) -> "Plan":
        """Return the plan that follows `part` from its start."""
        before = tuple(other for other in self._parts if other.start < part.start)
        return replace(self, steps=part.end, ended_by=0.0, stretches=(*before, part) if before or part.threads else ())
