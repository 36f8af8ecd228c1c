"""The scores of a run, its best weights, and whether it still improves; part of its state."""

__all__ = ["History", "Scored"]

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from translate.metrics.kernel_distance import KernelDistance
from translate.training.scores.scorers import Score

MIN_LEAD = 1.0  # standard errors of the paired difference, from which on a score counts as better
PATIENT_LOOKS = 3  # scores without improvement, at least, before a run ends


class Scored(NamedTuple):
    """The score of the averaged networks after a step."""

    step: int
    score: Score

    def lead(self, other: "Scored") -> float:
        """Return how much better this score is than `other`, in standard errors of the paired difference."""
        return self.score.distance.lead(other.score.distance)


class History:
    """The scores of a run so far, on the same pictures.

    Attributes:
        scored: All scores, in the order of their steps.
        best: The best of them.
        weights: Of the networks at `best`, on the host; None if they are not kept.
        improved: The last score that was better than the one before it in this place by a standard error.
        pictures: Hash of the pictures.
    """

    def __init__(self) -> None:
        self.clear("")

    def clear(self, pictures: str) -> None:
        """Begin anew, on other pictures."""
        self.pictures = pictures
        self.scored: list[Scored] = []
        self.best: Scored | None = None
        self.improved: Scored | None = None
        self.weights: dict[str, Tensor] | None = None

    def add(self, step: int, score: Score, nets: nn.ModuleDict | None) -> Scored:
        """Add the score of a step; keep the weights of `nets`, if given and the best so far."""
        new = Scored(step, score)
        self.scored.append(new)
        if not math.isfinite(score.distance.value):
            return new
        if self.best is None or score.distance.value < self.best.score.distance.value:
            self.best, self.weights = new, None
            if nets is not None:
                self.weights = {name: x.detach().cpu().clone() for name, x in nets.state_dict().items()}
        if self.improved is None or new.lead(self.improved) >= MIN_LEAD:
            self.improved = new
        return new

    def at(self, step: int) -> Scored | None:
        """Return the score of a step, if it has one."""
        return next((one for one in self.scored if one.step == step), None)

    def is_stale(self, step: int, patience: float) -> bool:
        """Whether no score has improved by a standard error over the share `patience` of the first `step` steps."""
        if not (patience and self.improved):
            return False
        waited = sum(one.step > self.improved.step for one in self.scored)
        return waited >= PATIENT_LOOKS and step - self.improved.step >= patience * step

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        """Return plain containers and tensors."""
        return {
            "pictures": self.pictures,
            "scored": [
                (one.step, [*vars(one.score.distance).values()], dict(one.score.others), one.score.kind)
                for one in self.scored
            ],
            "best": self.best.step if self.best else -1,
            "improved": self.improved.step if self.improved else -1,
            "weights": self.weights or {},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load what `state_dict` returned."""
        self.clear(state["pictures"])
        for step, (value, error, size, subsets), others, *kind in state["scored"]:  # older states have no kind
            self.scored.append(Scored(step, Score(KernelDistance(value, error, size, tuple(subsets)), others, *kind)))
        self.best, self.improved = self.at(state["best"]), self.at(state["improved"])
        self.weights = {name: x.cpu() for name, x in state["weights"].items()} or None
