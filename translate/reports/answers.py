"""The answers of a model to single held-out pictures, from the best to the worst."""

__all__ = ["Answer", "RankedAnswers", "rank_answers"]

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from translate.evaluation.evaluation import Evaluation
from translate.evaluation.labels.label_maps import LabelMapEvaluation
from translate.evaluation.report import KERNEL_SCALE
from translate.images.tensors import to_tensor
from translate.metrics.inpainting import l1_inside
from translate.metrics.kernel_distance import distance_of_each
from translate.metrics.similarity import l1
from translate.reports.examples import Example, ExampleSet, answer_to, examples_of
from translate.utils.errors import UserError


@dataclass(frozen=True)
class Answer:
    """An answer of a model."""

    example: Example
    picture: np.ndarray  # (H, W, 3) uint8
    score: float  # lower is better


@dataclass(frozen=True)
class RankedAnswers:
    """Answers of one direction or kind, the best first."""

    title: str
    measure: str  # of the scores, in words
    answers: list[Answer]


def rank_answers(evaluation: Evaluation, count: int) -> Iterator[RankedAnswers]:
    """Score the answers to at most `count` held-out pictures of each direction; yield them, the best first.

    The score is the mean difference to the truth if it is known for all pictures, inside the hole if there is one; of
    label maps the share of wrong pixels; else the kernel distance of the one picture to real pictures of the target,
    by the last network of the panel.
    """
    for found in examples_of(evaluation, count):
        answered: list[tuple[Example, np.ndarray]] = []
        for example in found.examples:
            with contextlib.suppress(UserError):  # the model refuses the picture
                answered.append((example, answer_to(evaluation, example)))
        if answered:
            measure, scores = _score(evaluation, found, answered)
            answers = [Answer(*each, score) for each, score in zip(answered, scores, strict=True)]
            yield RankedAnswers(found.title, measure, sorted(answers, key=lambda answer: answer.score))


def _score(
    evaluation: Evaluation, found: ExampleSet, answered: Sequence[tuple[Example, np.ndarray]]
) -> tuple[str, list[float]]:
    """Return what is measured, in words, and the score of each answer."""
    if isinstance(evaluation, LabelMapEvaluation):
        return "share of pixels of a wrong class", [_wrong_share(*each) for each in answered]
    if all(example.truth is not None for example, _ in answered):
        where = " in the hole" * ("mask" in answered[0][0].options)
        scores = [_difference(example, picture) for example, picture in answered]
        return f"mean difference to the truth{where}, in levels of 255", scores
    panel = evaluation.panel  # type: ignore[attr-defined]
    judge = panel.judges[-1].title
    pictures = panel.describe_all((None, picture) for _, picture in answered).features[judge]
    distances = KERNEL_SCALE * distance_of_each(pictures, found.describe_targets().features[judge])
    measure = f"kernel distance x {KERNEL_SCALE} of the one picture to {found.target}, by {judge} features"
    return measure, distances.tolist()


def _wrong_share(example: Example, picture: np.ndarray) -> float:
    """Return the share of the pixels that differ from the truth; unlabelled ones do."""
    return float((picture != example.truth).any(axis=2).mean())


def _difference(example: Example, picture: np.ndarray) -> float:
    """Return the mean difference of an answer to its truth, in levels."""
    assert example.truth is not None
    if (hole := example.options.get("mask")) is not None:
        return float(l1_inside(picture, example.truth, hole))
    return float(l1(to_tensor(picture), to_tensor(example.truth)))
