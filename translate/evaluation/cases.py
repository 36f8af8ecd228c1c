"""Test cases: each holds an input and its truth, applies methods and scores their results."""

__all__ = ["Case", "InpaintingCase", "Method", "PairedCase", "Scores", "TranslationCase"]

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from translate.images.sketch_extraction import extract_sketch
from translate.images.tensors import to_tensor
from translate.metrics.edge_f1 import edge_f1
from translate.metrics.hallucination import Contents
from translate.metrics.inpainting import l1_inside, psnr_inside, seam, ssim_inside
from translate.metrics.multimodal_coverage import leave_one_out, multimodal_coverage, palette_of, part_areas
from translate.metrics.near_copies import is_near_copy
from translate.metrics.similarity import l1, psnr, ssim

LINE_TOLERANCE = 2 / 256  # allowed shift of a line, as a share of the shorter side
MIN_LINE_TOLERANCE_PX = 1.5  # so that a diagonal neighbour always counts
HOLE_LEVEL = 128  # pixels of a hole in the input of methods
Method = Callable[..., np.ndarray]  # maps (H, W, 3) uint8 RGB to the same shape and type
Scores = dict[str, float | None]  # by attribute of `Row`; None if unknown


class Case(ABC):
    """A test case."""

    @abstractmethod
    def apply(self, method: Method) -> np.ndarray:
        """Call a method; assert the shape and type of its result, (H, W, 3) uint8."""

    @abstractmethod
    def score(self, result: np.ndarray) -> Scores:
        """Score a result."""


@dataclass(frozen=True)
class TranslationCase(Case):
    """A picture to translate and its truth if known, both (H, W, 3) uint8 RGB."""

    source: np.ndarray
    target: np.ndarray | None
    contents: Contents | None = field(default=None, kw_only=True)  # of the target, if both of its states are known

    def apply(self, method: Method) -> np.ndarray:
        """Translate the picture."""
        result = method(self.source)
        assert result.shape == self.source.shape and result.dtype == np.uint8
        return result

    def score(self, result: np.ndarray) -> Scores:
        """Score a result by whether it is its input nearly unchanged, and by the truth, if known.

        That is by PSNR and SSIM, and by what it invents or loses, if both states of the truth are known.
        """
        output = to_tensor(result)
        copy: Scores = {"near_copies": float(is_near_copy(output, to_tensor(self.source)))}
        if self.target is None:
            return copy
        target = to_tensor(self.target)
        contents = self.contents.score(result) if self.contents else {}
        return copy | contents | {"psnr": psnr(output, target).item(), "ssim": ssim(output, target).item()}


@dataclass(frozen=True)
class PairedCase(TranslationCase):
    """A test pair, for which several right answers may be known."""

    target: np.ndarray  # the right answer of the pair
    lines: np.ndarray  # (H, W) uint8, dark on white: the lines that an answer should have
    truths: Sequence[np.ndarray] = ()  # all known right answers, of the same shape; () if only `target` is known
    parts: np.ndarray | None = None  # (h, w) uint8 index map of the parts whose mean colours are compared

    @property
    def has_palettes(self) -> bool:
        """Whether several right palettes are known to compare answers with."""
        return len(self.truths) > 1 and self.parts is not None and bool(self.parts.any())

    @cached_property
    def true_palettes(self) -> np.ndarray:
        """The palettes of the right answers: (K, P, 3) CIE Lab."""
        return self.palettes(self.truths)

    @cached_property
    def areas(self) -> np.ndarray:
        """The areas of the parts: (P,) px."""
        assert self.parts is not None
        return part_areas(self.parts)

    def palettes(self, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the palettes of answers: (N, P, 3) CIE Lab."""
        assert self.parts is not None
        return np.stack([palette_of(answer, self.parts) for answer in answers])

    def other_truth(self) -> np.ndarray | None:
        """Return a right answer other than the target, or None."""
        return next((truth for truth in self.truths if not np.array_equal(truth, self.target)), None)

    def score(self, result: np.ndarray) -> Scores:
        """Score an answer, (H, W, 3) uint8, by its pixels, lines and palette."""
        return self.score_pixels(result) | (self.score_palettes([result]) if self.has_palettes else {})

    def score_truth(self, truth: np.ndarray) -> Scores:
        """Score another right answer: by its pixels and lines, and by leave-one-out over the right palettes."""
        palettes = vars(leave_one_out(self.true_palettes, self.areas)) if self.has_palettes else {}
        return self.score_pixels(truth) | palettes

    def score_pixels(self, result: np.ndarray) -> Scores:
        """Score an answer by its pixels and lines."""
        distance = l1(to_tensor(result), to_tensor(self.target)).item()
        return super().score(result) | {"l1": distance} | self.score_lines(result)

    def score_lines(self, result: np.ndarray) -> Scores:
        """Score the extracted lines of an answer by edge F1."""
        tolerance = max(MIN_LINE_TOLERANCE_PX, LINE_TOLERANCE * min(result.shape[:2]))
        return {"edge_f1": edge_f1(extract_sketch(result), self.lines, tolerance).f1}

    def score_palettes(self, results: Sequence[np.ndarray]) -> Scores:
        """Score the palettes of answers against the right ones."""
        return vars(multimodal_coverage(self.palettes(results), self.true_palettes, self.areas))


@dataclass(frozen=True, eq=False)
class InpaintingCase(Case):
    """A picture with a hole."""

    truth: np.ndarray  # (H, W, 3) uint8 RGB
    hole: np.ndarray  # (H, W) bool, True for pixels to fill; neither empty nor full

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture with a gray hole, which hides the truth from methods: (H, W, 3) uint8."""
        picture = self.truth.copy()
        picture[self.hole] = HOLE_LEVEL
        return picture

    def apply(self, method: Method) -> np.ndarray:
        """Fill the hole; assert that the known pixels are unchanged."""
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
