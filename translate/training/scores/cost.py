"""How often, and on how many pictures, a run is scored, so that scores take a small share of its time."""

__all__ = ["Pilot", "choose_looks", "time_pilot"]

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from translate.data.files.halves import MIN_HALF
from translate.training.scores.scorers import Scorer

ENOUGH = 64  # pictures; with fewer, scores that are rarer but less noisy say more
FEW_LOOKS = 5  # from here on, fewer pictures are better than still fewer looks
MAX_PICTURES = 256  # the standard error hardly falls beyond


class Pilot(NamedTuple):
    """The times that a picture takes, s."""

    once: float  # before the first score: read, and described if it is real
    each: float  # in every score


def time_pilot(make_scorer: Callable[[int], Scorer], nets: nn.ModuleDict, device: torch.device) -> Pilot:
    """Time a score of `MIN_HALF` pictures."""
    began = time.monotonic()
    scorer = make_scorer(MIN_HALF)
    made = time.monotonic()
    if device.type == "cuda":  # the first pass chooses kernels
        scorer(nets)
    before = time.monotonic()
    scorer(nets)
    return Pilot((made - began) / MIN_HALF, (time.monotonic() - before) / MIN_HALF)


def choose_looks(pilot: Pilot, budget: float, wanted: int, available: int, more: int = 0) -> tuple[int, int]:
    """Return the number of scores over the run, at most `wanted`, and of pictures, that take `budget` seconds or less.

    >>> choose_looks(Pilot(once=0.0, each=0.01), budget=10.0, wanted=20, available=50)
    (20, 50)
    >>> choose_looks(Pilot(once=0.0, each=0.01), budget=6.4, wanted=20, available=500)
    (10, 64)

    The fewer pictures, the more does chance decide, so first there are fewer looks. (0, 0): not even one is affordable.
    `more` are further scores after the run.
    """
    for looks in range(wanted, 0, -1):
        pictures = min(int(budget / (pilot.once + (looks + more) * pilot.each)), available, MAX_PICTURES)
        if pictures >= (min(ENOUGH, available) if looks > FEW_LOOKS else MIN_HALF):
            return looks, pictures
    return 0, 0
