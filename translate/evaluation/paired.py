"""Scores of a model of pairs on test pairs, beside two baselines and, where it is known, another right answer.

L1, PSNR and SSIM compare with the one right answer at hand, which no model can guess where a sketch leaves the
colours open. So three more things are asked: whether the lines are kept (redrawn from the output, against the
source's), whether the outputs as a set look like the targets (kernel distance), and, of a model that gives many
answers, whether their looks are those that are known to be right.
"""

__all__ = ["evaluate_pairs", "pairs_sheet", "trained_pairs"]

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_set import PairSet, parts_map, resolve_pairs, right_answers
from translate.evaluation.paired_baselines import MeanPicture, NearestSource, brought_to
from translate.evaluation.paired_tally import Case, PairTally
from translate.evaluation.report import DirectionScores, Row, Scores
from translate.evaluation.tally import SEED, Method, kernel_row
from translate.evaluation.unpaired import Reader, named
from translate.images.grid import make_grid
from translate.images.io import read_rgb8
from translate.images.sketch_extraction import is_line_drawing, sketch_of
from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import open_progress
from translate.utils.sequences import subsample

MAX_TRAIN = 2000  # training pairs that the baselines know
MAX_LOOKS = 50  # test pictures that get many answers: each costs a pass of the network
SAMPLES = 8  # test pairs that tell whether the sources are line drawings


def evaluate_pairs(
    translator: Callable[..., Any], pairs: PairSet, *, count: int = 16, limit: int | None = None, progress: bool = True
) -> Scores:
    """Score a model of pairs.

    Args:
        translator: called as `translator(source)` with (H, W, 3) uint8 RGB, returns the same shape and type; where
            its attribute `random` is true also as `translator(source, count=16, seed=0)`, which returns a list.
        pairs: test pairs are scored, training pairs feed the baselines.
        count: answers to each source of which several right answers are known, from a model that varies.
        limit: at most this many test pairs, spread evenly over the set.
        progress: show a progress bar on standard error.

    Raises:
        OptionError: `count` or `limit` is below 1.
        UserError: there are no readable test pairs, or torchmetrics is not installed.
    """
    for option, value in (("count", count), ("limit", limit)):
        if value is not None and value < 1:
            raise OptionError(f"--{option} {value} must be at least 1")
    import_torchmetrics("image.kid")  # fail now, not after the first picture
    if not pairs.test:
        raise UserError(f"{pairs.title} has no test pairs: put some into testA and testB")
    with open_progress("percent", progress, transient=True) as bars:
        reader = Reader(bars, " -> ".join(pairs.names))
        part = PairedEvaluation(translator, pairs, count, reader).run(subsample(pairs.test, limit))
    return Scores([part], DctFeatures.version, SEED)


def trained_pairs(model: str | Path, a: str = "", b: str = "", data: str = "", direction: str = "ab") -> PairSet:
    """Return the pairs to score `model` on: those given, else those that its run was trained on.

    Raises:
        OptionError: Nothing is given, and `model` is no run folder that would tell.
        UserError: The pictures are not there, or are no pairs.
    """
    return resolve_pairs(*named(model, a, b, data), Path("data"), direction)


class TrainingSet:
    """What the baselines know of the training pairs.

    Attributes:
        mean: answers with the mean target.
        features: (N, d) of some of the targets.
        count: pairs that could be read.
    """

    def __init__(self, train: list[Pair], described: int, reader: Reader) -> None:
        self.mean, self.sources, describe = MeanPicture(), NearestSource[Pair](), DctFeatures()
        known = subsample(train, MAX_TRAIN)
        wanted, features = set(subsample(known, described)), [torch.empty(0, describe.num_features)]
        for pair, (source, target) in reader.each_with(known, read_pair):
            self.mean.add(target)
            self.sources.add(source, pair)
            if pair in wanted:
                features.append(describe(to_tensor(target)))
        self.features, self.count = torch.cat(features), self.mean.count

    def nearest(self, picture: np.ndarray) -> np.ndarray:
        """Answer with the target whose source is nearest to `picture`."""
        return brought_to(read_pair(self.sources(picture))[1], picture.shape)


class PairedEvaluation:
    """Goes once over the test pairs with all methods."""

    def __init__(self, translator: Callable[..., Any], pairs: PairSet, count: int, reader: Reader) -> None:
        self.translator, self.pairs, self.count, self.reader = translator, pairs, count, reader
        self.random = bool(getattr(translator, "random", False))
        self.mine, self.many, self.other = (PairTally(translator, sketch_of) for _ in range(3))
        self.baselines: dict[str, PairTally] = {}
        self.targets: list[Tensor] = []
        self.refused: list[str] = []

    def run(self, tests: list[Pair]) -> DirectionScores:
        """Score the methods on `tests`."""
        training = TrainingSet(self.pairs.train, len(tests), self.reader)
        if training.count:
            answers: dict[str, Method] = {
                "mean training image": training.mean,
                "nearest training source's photo": training.nearest,
            }
            self.baselines = {name: PairTally(method, sketch_of) for name, method in answers.items()}
        several = [pair for pair in tests if len(right_answers(self.pairs, pair.name)) > 1]
        asked, drawn = set(subsample(several, MAX_LOOKS)), are_drawn(tests)
        for pair, case in self.reader.each_with(tests, lambda pair: self.read_case(pair, drawn)):
            try:
                self.score(case, self.random and pair in asked)
            except UserError as error:  # the model refuses the picture, before anything is counted
                self.refused.append(str(error))
        if not self.targets:
            raise UserError(self.refused[0] if self.refused else f"none of the {len(tests)} test pairs can be read")
        return self.report(training, drawn)

    def read_case(self, pair: Pair, drawn: bool) -> Case:
        """Read a test pair and what is known of it."""
        source, target = read_pair(pair)
        truths = [read_rgb8(path) for path in right_answers(self.pairs, pair.name)]
        file = parts_map(self.pairs, pair.name)
        parts = None if file is None else read_rgb8(file)[..., 0]
        lines = source.min(axis=2) if drawn else sketch_of(target)
        return Case(source, target, lines, [truth for truth in truths if truth.shape == target.shape], parts)

    def score(self, case: Case, ask_many: bool) -> None:
        """Let every method answer one source; the model first, as it may refuse."""
        self.mine.answer(case)
        for tally in self.baselines.values():
            tally.answer(case)
        self.other.keep_other_truth(case)
        if self.random:  # answers in one look make no collection of photos: here each source gets another
            (drawn,) = self.translator(case.source, count=1, seed=len(self.targets))
            self.many.keep(drawn, None)
        self.targets.append(self.mine.describe(to_tensor(case.target)))
        if ask_many and case.has_looks:
            self.many.keep_many(case, self.translator(case.source, count=self.count, seed=SEED))

    def report(self, training: TrainingSet, drawn: bool) -> DirectionScores:
        """Put the rows together."""
        targets = torch.cat(self.targets)
        tallies = self.baselines | {
            "this model": self.mine,
            f"this model, {self.count} answers": self.many,
            "another right answer": self.other,
        }
        rows = [tally.row(name, targets) for name, tally in tallies.items() if tally.features]
        if len(training.features) >= 2 and len(targets) >= 2:
            rows.append(kernel_row("real pictures of the target (floor)", training.features, targets))
        counts = {
            "pictures": len(targets),
            "truths": len(self.mine.scores["psnr"]),
            "targets": len(targets),
            "floor": len(training.features),
            "looks": len(self.many.scores.get("coverage", [])),
            "unreadable": len(self.reader.unreadable),
        }
        source, target = self.pairs.names
        return DirectionScores(
            self.pairs.direction, source, target, rows, counts, "test", self.explain(rows, counts, drawn)
        )

    def explain(self, rows: list[Row], counts: dict[str, int], drawn: bool) -> list[str]:
        """What the scores were measured on, what is missing, and why."""
        notes = ["lines are compared with " + ("the sketches" if drawn else "those drawn after the right answers")]
        if self.random:
            notes.append("kernel distance of the many answers: of one to each picture, each drawn anew")
        if counts["looks"]:
            notes.append(f"{self.count} answers each to {counts['looks']} sketches whose right answers are known")
        elif self.random:
            notes.append("the model gives many answers, but no others are known to be right: no coverage")
        if not self.baselines:
            notes.append("no baselines: there are no training pairs")
        if all(row.kernel is None for row in rows):
            notes.append("no kernel distance: it needs 2 pictures on both sides")
        if self.refused:
            notes.append(f"{len(self.refused)} were refused, the first with: {self.refused[0]}")
        if counts["unreadable"]:
            notes.append(f"{counts['unreadable']} unreadable files or pairs were left out")
        return notes


def are_drawn(tests: list[Pair]) -> bool:
    """Whether most sources, by a few of them, are line drawings."""
    found = []
    for pair in subsample(tests, SAMPLES):
        with contextlib.suppress(UserError):
            found.append(is_line_drawing(read_pair(pair)[0]))
    return sum(found) > len(found) / 2


def pairs_sheet(translator: Callable[..., Any], pairs: PairSet, *, columns: int = 6, answers: int = 4) -> np.ndarray:
    """Lay test pairs out as (H, W, 3) uint8: sources, answers, random answers of a model that varies, truths.

    Pairs that cannot be read, and sources that the model refuses, are left out.

    Raises:
        UserError: there is no other pair.
    """
    found = []
    for pair in subsample(pairs.test, columns):
        with contextlib.suppress(UserError):
            source, target = read_pair(pair)
            varied = translator(source, count=answers, seed=SEED) if getattr(translator, "random", False) else []
            found.append([source, translator(source), *varied, target])
    if not found:
        raise UserError(f"{pairs.title} has no readable test pairs")
    return make_grid([list(row) for row in zip(*found, strict=True)])
