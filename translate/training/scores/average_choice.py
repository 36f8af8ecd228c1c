"""Score averages of several lengths after a run, and choose the best."""

__all__ = ["CANDIDATES", "Average", "choose_average"]

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from translate.training.scores.least_squares import Profile, combine, exponent_of
from translate.training.scores.scorers import Score

CANDIDATES = (0.05, 0.10, 0.15, 0.20)  # lengths, relative to the run
Snapshots = Sequence[tuple[Profile, Mapping[str, Tensor]]]  # averages with their profiles
MAX_ERROR = 0.25  # of a profile: with a larger one, an average is of another length than it says


class Average(NamedTuple):
    """An average of the weights of a run."""

    step: int  # after which it was taken
    length: float  # relative to this step
    score: Score
    weights: dict[str, Tensor]  # as a model file names them


def choose_average(
    snapshots: Snapshots,
    nets: nn.ModuleDict,
    score: Callable[[nn.ModuleDict], Score],
) -> list[Average]:
    """Return the averages of the candidate lengths, the one with the best score first.

    Args:
        snapshots: The averages that were kept, the newest last.
        nets: The exported networks; what is not averaged is taken from them.
        score: Scores networks in eval mode.
    """
    step, averages = snapshots[-1][0].step, []
    nets = copy.deepcopy(nets)
    for length in CANDIDATES:
        profiles = [profile for profile, _ in snapshots]
        factors, error = combine(profiles, Profile(step, exponent_of(length)))
        if error <= MAX_ERROR:
            averages.append(Average(step, length, *scored_sum(snapshots, factors, nets, score)))
    return sorted((one for one in averages if math.isfinite(one.score.distance.value)), key=by_score)


def by_score(average: Average) -> float:
    """Return the number to sort by."""
    return average.score.distance.value


@torch.no_grad()
def scored_sum(
    snapshots: Snapshots, factors: Sequence[float], nets: nn.ModuleDict,
    score: Callable[[nn.ModuleDict], Score],
) -> tuple[Score, dict[str, Tensor]]:  # fmt: skip
    """Load the weighted sum of snapshots into `nets`; return its score and its weights, on the host."""
    weights = nets.state_dict()
    for name in snapshots[-1][1]:
        total = torch.zeros_like(weights[name], dtype=torch.float32)
        for (_, snapshot), factor in zip(snapshots, factors, strict=True):
            total += factor * snapshot[name].to(total)
        weights[name].copy_(total.clamp_min(0) if name.endswith("running_var") else total)
    return score(nets), {name: x.detach().cpu().clone() for name, x in weights.items()}
