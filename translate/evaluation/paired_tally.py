"""The scores of one method on test pairs, of which more may be known than one right answer."""

__all__ = ["Case", "PairTally"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from translate.evaluation.tally import Method, Tally
from translate.images.tensors import to_tensor
from translate.metrics.edge_f1 import edge_f1
from translate.metrics.multimodal_coverage import (
    CoverageScore,
    leave_one_out,
    multimodal_coverage,
    palette_of,
    part_areas,
)
from translate.metrics.similarity import l1

TOLERANCE = 2 / 256  # of the shorter side: how far a line may be off


@dataclass(frozen=True)
class Case:
    """One test pair with all that is known of it.

    Attributes:
        source: (H, W, 3) uint8 RGB.
        target: the right answer at hand, of the same shape.
        lines: (H, W) uint8, dark on white: what the lines of an answer should be.
        truths: all known right answers, `target` among them, of the same shape; [] where no others are known.
        parts: (h, w) uint8, the parts whose colours make a look, or None.
    """

    source: np.ndarray
    target: np.ndarray
    lines: np.ndarray
    truths: Sequence[np.ndarray] = ()
    parts: np.ndarray | None = None

    @property
    def has_looks(self) -> bool:
        """Whether there are several right looks to compare answers with."""
        return len(self.truths) > 1 and self.parts is not None and bool(self.parts.any())

    def looks(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """The looks of answers: (N, P, 3)."""
        assert self.parts is not None
        return np.stack([palette_of(answer, self.parts) for answer in answers])

    @cached_property
    def true_looks(self) -> np.ndarray:
        """The looks of the right answers: (K, P, 3)."""
        return self.looks(self.truths)

    @cached_property
    def areas(self) -> np.ndarray:
        """The weights of the parts: (P,)."""
        assert self.parts is not None
        return part_areas(self.parts)

    def other_truth(self) -> np.ndarray | None:
        """A right answer that is not the one at hand, or None."""
        return next((truth for truth in self.truths if not np.array_equal(truth, self.target)), None)


class PairTally(Tally):
    """The scores of `Tally`, and L1, lines and looks.

    Args:
        method: what answers the sources.
        redraw: makes a line drawing, (H, W) uint8, of an answer.
    """

    def __init__(self, method: Method, redraw: Method) -> None:
        super().__init__(method)
        self.redraw = redraw

    def answer(self, case: Case) -> None:
        """Have one source answered, and score the answer."""
        result = self.method(case.source)
        assert result.shape == case.source.shape and result.dtype == np.uint8
        self.keep_pair(case, result)
        if case.has_looks:
            self.note_looks(multimodal_coverage(case.looks([result]), case.true_looks, case.areas))

    def keep_pair(self, case: Case, result: np.ndarray) -> None:
        """Score one answer by its pixels and lines."""
        self.keep(result, case.target)
        self.note(l1=l1(to_tensor(result), to_tensor(case.target)).item())
        self.note_lines(case, result)

    def keep_many(self, case: Case, answers: Sequence[np.ndarray]) -> None:
        """Score many answers to one source by their looks, and one of them by its lines."""
        self.note_lines(case, answers[0])
        self.note_looks(multimodal_coverage(case.looks(answers), case.true_looks, case.areas))

    def keep_other_truth(self, case: Case) -> None:
        """Score a right answer that is not the one at hand, where there is one."""
        truth = case.other_truth()
        if truth is not None:
            self.keep_pair(case, truth)
            if case.has_looks:
                self.note_looks(leave_one_out(case.true_looks, case.areas))

    def note_lines(self, case: Case, answer: np.ndarray) -> None:
        """Redraw an answer, and score its lines against those that they should be."""
        tolerance = max(1.5, TOLERANCE * min(answer.shape[:2]))  # a diagonal neighbour at least
        self.note(edge_f1=edge_f1(self.redraw(answer), case.lines, tolerance).f1)

    def note_looks(self, score: CoverageScore) -> None:
        """Keep the score of some looks."""
        self.note(**vars(score))
