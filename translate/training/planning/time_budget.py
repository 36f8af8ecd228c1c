"""A run of --minutes keeps to its time: its number of steps and of threads follow the load of the machine.

Every correction is a stretch of the plan, in config.toml: the schedule goes on from where it is, at another pace, and a
resumed run takes the same steps as the run before it. On a machine without other programs there is little to correct.
"""

__all__ = ["OtherPrograms", "TimeBudget", "restore_threads", "set_threads", "use_free_threads"]

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

from translate.training.config import TrainConfig
from translate.training.planning.plan import Plan
from translate.training.start.messages import print_note
from translate.utils import dist

REVIEW_SHARE = 0.02  # of the minutes: time between two reviews
MIN_REVIEW_SECONDS = 5.0
MIN_WATCH_SECONDS = 0.5  # in which the load of the machine is measured; the system counts hundredths of a second
CLOSING_SHARE = 0.02  # of the minutes, for the last preview and the last save
MIN_CHANGE = 0.05  # of the remaining steps: less is the noise of timing
MIN_CHANGE_OF_ALL = 0.02  # of all steps: less is not worth a correction
REPORTED_CHANGE = 0.25  # of all steps


class OtherPrograms:
    """The cores that other programs keep busy, since this object was made or last asked."""

    def __init__(self) -> None:
        self.cores = psutil.cpu_count() or 1
        self._seen = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float]:
        """Return the time, and the CPU seconds of all programs and of this process."""
        used = psutil.cpu_times()
        idle = used.idle + getattr(used, "iowait", 0.0)
        guests = getattr(used, "guest", 0.0) + getattr(used, "guest_nice", 0.0)  # counted under user and nice as well
        return time.monotonic(), sum(used) - idle - guests, time.process_time()

    def busy_cores(self) -> float:
        """Return the mean number of cores that other programs have used; watch for a moment if need be."""
        time.sleep(max(0.0, MIN_WATCH_SECONDS - (time.monotonic() - self._seen[0])))
        then, self._seen = self._seen, self._read()
        seconds, used, own = (now - before for now, before in zip(self._seen, then, strict=True))
        return max(0.0, used - own) / seconds

    def free_threads(self, most: int) -> int:
        """Return how many of `most` threads, at least 1, have a core to themselves.

        A step takes as long as its slowest thread, and threads that wait for it spin: one that has to share its core
        slows down all others.
        """
        return max(1, min(most, round(self.cores - self.busy_cores())))


class TimeBudget:
    """The time of a run of `minutes`, 0 = of any time, and the reviews of whether it will keep to it."""

    def __init__(
        self, minutes: float, plan: Plan, device: torch.device, others: OtherPrograms | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`plan` is the one with which this process starts."""
        self.seconds = 60 * minutes or math.inf
        self.reported = plan.steps  # number of steps that the user has been told
        self.pace = 0.0  # s a step, previews and saves included; 0 = unknown
        self._others, self._clock = others or OtherPrograms(), clock
        self._most = 0 if plan.compile else changeable_threads(device)
        self._since, self._step = clock(), -1  # of the last review

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next review."""
        return self._clock() - self._since > max(MIN_REVIEW_SECONDS, REVIEW_SHARE * self.seconds)

    def review(self, plan: Plan, done: int, used: float) -> Plan:
        """Return the plan, corrected if the run would miss its time, or if its threads lack cores.

        Args:
            plan: The plan so far.
            done: Steps taken.
            used: Seconds used, by all processes of this run.
        """
        # measure
        now, threads = self._clock(), plan.stretch_at(done).threads
        if self._step >= 0:
            pace = (now - self._since) / (done - self._step)
            self.pace = (self.pace + pace) / 2 if self.pace else pace
        self._since, self._step = now, done
        # threads, at whose number the pace is unknown at first
        wanted = self._others.free_threads(self._most) % self._most if self._most else threads
        if wanted != threads:
            self.pace = 0.0
            return plan.correct(plan.steps, done, wanted)
        # steps
        left = self.seconds * (1 - CLOSING_SHARE) - used
        steps = done + max(1, int(left / self.pace)) if self.pace else plan.steps
        if abs(steps - plan.steps) <= max(MIN_CHANGE * (plan.steps - done), MIN_CHANGE_OF_ALL * plan.steps):
            return plan
        return plan.correct(steps, done, threads)

    def describe(self, plan: Plan, old: Plan, done: int) -> str:
        """Describe a correction of the `old` plan after `done` steps; return "" if it is small."""
        threads, before = (p.stretch_at(done).threads or self._most for p in (plan, old))
        words = []
        if threads != before:
            words.append(f"computing with {threads} thread(s) instead of {before}, as other programs use the cores")
        if abs(plan.steps - self.reported) > REPORTED_CHANGE * self.reported:
            words.append(f"{plan.steps} steps instead of {self.reported} fill --minutes {self.seconds / 60:g}")
            self.reported = plan.steps
        return "; ".join(words)


def changeable_threads(device: torch.device) -> int:
    """Return the number of threads if a run on `device` may compute with fewer; else 0: several ranks share cores."""
    threads = torch.get_num_threads()
    return threads if device.type == "cpu" and dist.world_size() == 1 and threads > 1 else 0


@contextmanager
def use_free_threads(train: TrainConfig, device: torch.device, others: OtherPrograms) -> Iterator[int]:
    """Compute with the threads that have a core to themselves, in a run of --minutes; yield their number, 0 = all."""
    with restore_threads() as most:
        threads = 0
        if train.minutes and train.compile != "on" and changeable_threads(device):
            threads = others.free_threads(most) % most
            set_threads(threads, most)
        if threads:
            print_note(f"other programs use the cores: computing with {threads} thread(s) instead of {most}")
        yield threads


def set_threads(count: int, most: int) -> None:
    """Let PyTorch compute with `count` threads; 0 = `most`."""
    if (count or most) != torch.get_num_threads():
        torch.set_num_threads(count or most)


@contextmanager
def restore_threads() -> Iterator[int]:
    """Yield the number of threads, and set it again in the end."""
    most = torch.get_num_threads()
    try:
        yield most
    finally:
        torch.set_num_threads(most)
