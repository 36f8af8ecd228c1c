"""CPU seconds a step, and the number of steps of a budget."""

__all__ = ["StepClock"]

import statistics
import time
from collections.abc import Callable

WARM_UP = 3  # steps, which allocate
MEASURED = 9  # steps whose median counts
FEWEST = 3  # of slow steps
SHARE = 0.05  # of the budget: slow steps are measured no longer than this, but for the fewest


class StepClock:
    """Times the steps of this process, with all that comes between them, in CPU seconds of all its threads.

    Attributes:
        start_up: CPU seconds of the process up to the end of the first step; 0 before.
    """

    def __init__(self, budget: float, clock: Callable[[], float] = time.process_time) -> None:
        self.budget, self.clock = budget, clock
        self.costs: list[float] = []
        self.start_up = self._last = 0.0

    def end_step(self) -> float | None:
        """Note the end of a step; return its CPU seconds, None for the first."""
        before, self._last = self._last, self.clock()
        if not self.start_up:
            self.start_up = self._last
            return None
        self.costs.append(self._last - before)
        return self.costs[-1]

    @property
    def measured(self) -> bool:
        """Whether enough steps were timed."""
        counted = self.costs[WARM_UP - 1 :]
        return len(counted) >= MEASURED or (len(counted) >= FEWEST and sum(self.costs) > SHARE * self.budget)

    @property
    def seconds(self) -> float:
        """The median CPU seconds of a step after warm-up; of all steps, if there are no others."""
        return statistics.median(self.costs[WARM_UP - 1 :] or self.costs or [self.start_up])

    @property
    def steps(self) -> int:
        """The number of steps that fill the budget, at least 1."""
        return max(1, round(self.budget / self.seconds))
