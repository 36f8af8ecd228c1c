"""One test case with all that is known about it: it is put to every method, and scores the results."""

__all__ = ["Case", "InpaintingCase", "Method", "PairedCase", "Scores", "TranslationCase"]

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from translate.images.sketch_extraction import extract_sketch
from translate.images.tensors import to_tensor
from translate.metrics.edge_f1 import edge_f1
from translate.metrics.inpainting import l1_inside, psnr_inside, seam, ssim_inside
from translate.metrics.multimodal_coverage import leave_one_out, multimodal_coverage, palette_of, part_areas
from translate.metrics.similarity import l1, psnr, ssim

LINE_TOLERANCE = 2 / 256  # of the shorter side: how far a line may be off
MIN_LINE_TOLERANCE_PX = 1.5  # a diagonal neighbour always counts
HOLE_LEVEL = 128  # what a hole shows to the methods that fill it
Method = Callable[..., np.ndarray]  # called with (H, W, 3) uint8 RGB, returns the same shape and type
Scores = dict[str, float | None]  # named as the attributes of `Row`; None where a score is not known


class Case(ABC):
    """A test case: what methods are called with, and how their results are scored."""

    @abstractmethod
    def apply(self, method: Method) -> np.ndarray:
        """Call a method, and check that its result, (H, W, 3) uint8, has the right shape and type."""

    @abstractmethod
    def score(self, result: np.ndarray) -> Scores:
        """Score a result."""


@dataclass(frozen=True)
class TranslationCase(Case):
    """A picture to translate, and its truth where that is known, (H, W, 3) uint8 RGB both."""

    source: np.ndarray
    target: np.ndarray | None

    def apply(self, method: Method) -> np.ndarray:
        """Translate the picture."""
        result = method(self.source)
        assert result.shape == self.source.shape and result.dtype == np.uint8
        return result

    def score(self, result: np.ndarray) -> Scores:
        """Compare a result with the truth, by PSNR and SSIM."""
        if self.target is None:
            return {}
        output, target = to_tensor(result), to_tensor(self.target)
        return {"psnr": psnr(output, target).item(), "ssim": ssim(output, target).item()}


@dataclass(frozen=True)
class PairedCase(TranslationCase):
    """One test pair, of which more may be known than one right answer."""

    target: np.ndarray  # the right answer at hand
    lines: np.ndarray  # (H, W) uint8, dark on white: what the lines of an answer should be
    truths: Sequence[np.ndarray] = ()  # all known right answers, of the same shape; () where no others are known
    parts: np.ndarray | None = None  # (h, w) uint8, the parts whose colours make a look, or None

    @property
    def has_looks(self) -> bool:
        """Whether there are several right looks to compare answers with."""
        return len(self.truths) > 1 and self.parts is not None and bool(self.parts.any())

    @cached_property
    def true_looks(self) -> np.ndarray:
        """The looks of the right answers: (K, P, 3)."""
        return self.looks(self.truths)

    @cached_property
    def areas(self) -> np.ndarray:
        """The weights of the parts: (P,)."""
        assert self.parts is not None
        return part_areas(self.parts)

    def looks(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the looks of answers: (N, P, 3)."""
        assert self.parts is not None
        return np.stack([palette_of(each, self.parts) for each in answers])

    def other_truth(self) -> np.ndarray | None:
        """Return a right answer that is not the one at hand, or None."""
        return next((truth for truth in self.truths if not np.array_equal(truth, self.target)), None)

    def score(self, result: np.ndarray) -> Scores:
        """Score an answer, (H, W, 3) uint8, by its pixels, its lines and its look."""
        return self.score_pixels(result) | (self.score_looks([result]) if self.has_looks else {})

    def score_truth(self, truth: np.ndarray) -> Scores:
        """Score a right answer that is not the one at hand; its look by leaving each right look out."""
        looks = vars(leave_one_out(self.true_looks, self.areas)) if self.has_looks else {}
        return self.score_pixels(truth) | looks

    def score_pixels(self, result: np.ndarray) -> Scores:
        """Compare an answer with the right one at hand, pixel by pixel and by its lines."""
        distance = l1(to_tensor(result), to_tensor(self.target)).item()
        return super().score(result) | {"l1": distance} | self.score_lines(result)

    def score_lines(self, result: np.ndarray) -> Scores:
        """Redraw an answer, and compare its lines with those that it should have."""
        tolerance = max(MIN_LINE_TOLERANCE_PX, LINE_TOLERANCE * min(result.shape[:2]))
        return {"edge_f1": edge_f1(extract_sketch(result), self.lines, tolerance).f1}

    def score_looks(self, results: Sequence[np.ndarray]) -> Scores:
        """Compare the looks of answers with the right ones."""
        return vars(multimodal_coverage(self.looks(results), self.true_looks, self.areas))


@dataclass(frozen=True, eq=False)
class InpaintingCase(Case):
    """A picture with a hole."""

    truth: np.ndarray  # (H, W, 3) uint8 RGB
    hole: np.ndarray  # (H, W) bool, True where pixels are to be filled; neither empty nor full

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture with a grey hole, so that no method can see the truth: (H, W, 3) uint8."""
        picture = self.truth.copy()
        picture[self.hole] = HOLE_LEVEL
        return picture

    def apply(self, method: Method) -> np.ndarray:
        """Fill the hole; the known pixels must come back unchanged."""
        result = method(self.picture, mask=self.hole)
        assert result.shape == self.truth.shape and result.dtype == np.uint8
        assert np.array_equal(result[~self.hole], self.truth[~self.hole])
        return result

    def score(self, result: np.ndarray) -> Scores:
        """Score a filled picture, (H, W, 3) uint8, inside the hole and along its border."""
        return {
            "l1": l1_inside(result, self.truth, self.hole),
            "psnr": psnr_inside(result, self.truth, self.hole),
            "ssim": ssim_inside(result, self.truth, self.hole),
            "seam": seam(result, self.truth, self.hole),
        }
