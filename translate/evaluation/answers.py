"""The panel's scores of one set of answers, without a model: for comparisons of recipes and of other programs."""

__all__ = ["AnswerScores", "score_answers"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from translate.evaluation.cases import Scores, TranslationCase
from translate.evaluation.panel import Description, Panel
from translate.evaluation.report import MODEL, KernelScore
from translate.evaluation.tally import Tally, distances
from translate.evaluation.verdict import UNTOUCHED, explain_verdict
from translate.images.tensors import to_tensor
from translate.metrics.lattice import shared_part
from translate.metrics.similarity import l1


@dataclass(frozen=True, kw_only=True)
class AnswerScores:
    """What the panel says of a set of answers; None if unknown."""

    kernels: dict[str, KernelScore]  # distances to the real pictures, times 1000, by the titles of networks
    untouched: dict[str, KernelScore]  # the same for the sources; {} without them
    better: bool | None  # whether the answers beat the untouched sources, by all semantic features
    verdict: list[str]  # the same in plain lines, and what DCT features say
    l1: float | None  # mean difference to the truth, in levels of 0 to 255
    psnr: float | None  # dB to the truth
    ssim: float | None  # to the truth
    near_copies: float | None  # share of the answers that are their source nearly unchanged
    lattice: float | None  # of the answers, in levels, see `metrics.lattice`
    lattice_real: float | None  # of the real pictures


def score_answers(
    answers: Sequence[np.ndarray],
    real: Description,
    panel: Panel,
    *,
    sources: Sequence[np.ndarray] | None = None,
    truths: Sequence[np.ndarray] | None = None,
    target: str = "the target",
) -> AnswerScores:
    """Score answers, (H, W, 3) uint8 each.

    Args:
        answers: of a model to the sources, in their order; or samples.
        real: pictures of the target, as `panel.describe_all((key, picture) for ...)` describes them once.
        panel: as `load_panel` returns it for the networks that trained the model.
        sources: the inputs, one per answer and of its shape.
        truths: the right answers to the sources.
        target: the name of the target domain, for the verdict.
    """
    mine, untouched = Tally(panel), Tally(panel)
    for i, answer in enumerate(answers):
        scores: Scores = {}
        if sources:
            scores = TranslationCase(sources[i], truths[i] if truths else None).score(answer)
            untouched.add(sources[i])
        if truths:
            scores["l1"] = l1(to_tensor(answer), to_tensor(truths[i])).item()
        mine.add(answer, **scores)
    row = mine.row(MODEL, real, distances(untouched.all_features(), real))
    return AnswerScores(
        kernels=row.kernels,
        untouched=untouched.row(UNTOUCHED, real).kernels,
        better=row.better,
        verdict=explain_verdict(row, target),
        l1=row.l1,
        psnr=row.psnr,
        ssim=row.ssim,
        near_copies=row.near_copies,
        lattice=row.lattice,
        lattice_real=shared_part(real.phases).strength,
    )
