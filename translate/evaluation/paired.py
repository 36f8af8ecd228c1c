"""Scores of a model of pairs on test pairs, beside two baselines and, where it is known, another right answer.

L1, PSNR and SSIM compare with the one right answer at hand, which no model can guess where a sketch leaves the
colours open. So three more things are asked: whether the lines are kept (redrawn from the output, against the
source's), whether the outputs as a set look like the targets (kernel distance), and, of a model that gives many
answers, whether their looks are those that are known to be right.
"""

__all__ = ["PairedEvaluation"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.pair_set import PairSet, parts_map, right_answers
from translate.data.sources.run_data import run_pairs
from translate.evaluation.baselines import MeanPicture, NearestSource, resize_to
from translate.evaluation.cases import Method, PairedCase
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_translator
from translate.evaluation.reader import Reader, readable
from translate.evaluation.report import MODEL, Row
from translate.evaluation.tally import SEED, Tallies, Tally, kernel_row
from translate.evaluation.translation_report import FLOOR, DirectionScores, TranslationReport
from translate.images.grid import make_grid
from translate.images.io import read_rgb8
from translate.images.line_drawings import is_line_drawing
from translate.images.sketch_extraction import extract_sketch
from translate.metrics.dct_features import DctFeatures
from translate.utils.errors import UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

MAX_TRAIN = 2000  # training pairs that the baselines know
MAX_LOOKS = 50  # test pictures that get many answers: each costs a pass of the network
DRAWING_SAMPLES = 8  # test pairs that tell whether the sources are line drawings


@dataclass(frozen=True)
class PairedEvaluation(Evaluation):
    """Scores a model of pairs: the test pairs are scored, the training pairs feed the baselines.

    Attributes:
        translator: called as `translator(source)` with (H, W, 3) uint8 RGB, returns the same shape and type; where its
            attribute `random` is true also as `translator(source, count=16, seed=0)`, which returns a list.
        pairs: test and training pairs.
        count: answers to each source of which several right answers are known, from a random model.
    """

    purpose, unused, data_options = "translates", ("images", "features"), "--a and --b, or --data"
    translator: Callable[..., Any]
    pairs: PairSet
    count: int = field(default=16, kw_only=True)

    def __post_init__(self) -> None:
        check_minimum(1, count=self.count, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "PairedEvaluation":
        """Load the model and its pairs."""
        translator = load_translator(options)
        if translator.values:
            raise UserError("scores of pairs are for pictures of 8 bits, and this model was trained with --value-range")
        direction = translator.recipe.directions[0]
        pairs = run_pairs(options.model, options.a, options.b, options.data, direction)
        return cls(translator, pairs, count=options.count or cls.count, limit=options.limit or None)

    def score(self, bars: Progress) -> TranslationReport:
        """Go once over the test pairs with all methods."""
        if not self.pairs.test:
            raise UserError(
                f"{self.pairs.title} has too few pairs to hold any out; score on others: --a FOLDER --b FOLDER"
            )
        tests, reader = subsample(self.pairs.test, self.limit), Reader(bars, " -> ".join(self.pairs.names))

        # 1. learn the baselines, and choose the sources that get many answers
        training = TrainingSet(self.pairs.train, len(tests), reader)
        drawn = are_drawn(tests)
        several = [pair for pair in tests if len(right_answers(self.pairs, pair.name)) > 1]
        asked = set(subsample(several, MAX_LOOKS))

        # 2. run every method on every source
        tallies, refusals = PairedTallies(self.translator, self.count, training.methods()), []
        for pair, case in reader.read_all(tests, lambda pair: self.read_case(pair, drawn)):
            try:
                tallies.add_pair(case, many=pair in asked)
            except UserError as error:  # the model refuses the picture, before anything is counted
                refusals.append(str(error))
        if not tallies.targets.features:
            raise UserError(refusals[0] if refusals else f"none of the {len(tests)} test pairs can be read")

        # 3. report
        targets = tallies.targets.all_features()
        rows = tallies.rows(targets)
        if len(training.features) >= 2 and len(targets) >= 2:
            rows.append(kernel_row(FLOOR, training.features, targets))
        counts = {
            "pictures": len(targets),
            "truths": len(tallies.by_method[MODEL].scores["psnr"]),
            "targets": len(targets),
            "floor": len(training.features),
            "looks": len(tallies.many.scores.get("coverage", [])),
            "unreadable": len(reader.unreadable),
        }
        notes = ["lines are compared with " + ("the sketches" if drawn else "those drawn after the right answers")]
        notes += self.explain(rows, counts, tallies)
        if refusals:
            notes.append(f"{len(refusals)} were refused, the first with: {refusals[0]}")
        notes += reader.notes("files or pairs")
        part = DirectionScores(self.pairs.direction, *self.pairs.names, rows, counts, "test", notes)
        return TranslationReport([part], DctFeatures.version, SEED)

    def read_case(self, pair: Pair, drawn: bool) -> PairedCase:
        """Read a test pair and all that is known about it; a `drawn` source is itself the right lines."""
        source, target = read_pair(pair)
        truths = [read_rgb8(path) for path in right_answers(self.pairs, pair.name)]
        file = parts_map(self.pairs, pair.name)
        parts = None if file is None else read_rgb8(file)[..., 0]
        lines = source.min(axis=2) if drawn else extract_sketch(target)
        return PairedCase(source, target, lines, [truth for truth in truths if truth.shape == target.shape], parts)

    def explain(self, rows: list[Row], counts: dict[str, int], tallies: "PairedTallies") -> list[str]:
        """Return what many answers were measured on, which scores are missing, and why."""
        notes = []
        if tallies.random:
            notes.append("kernel distance of the many answers: of one to each picture, each drawn anew")
        if counts["looks"]:
            notes.append(f"{self.count} answers each to {counts['looks']} sketches whose right answers are known")
        elif tallies.random:
            notes.append("the model gives many answers, but no others are known to be right: no coverage")
        if len(tallies.methods) == 1:
            notes.append("no baselines: there are no training pairs")
        if all(row.kernel is None for row in rows):
            notes.append("no kernel distance: it needs 2 pictures on both sides")
        return notes

    def grid(self, columns: int = 6, answers: int = 4) -> np.ndarray:
        """Draw test pairs: sources, answers, random answers of a random model, truths.

        Pairs that cannot be read, and sources that the model refuses, are left out.

        Raises:
            UserError: no pair is left.
        """

        def column(pair: Pair) -> list[np.ndarray]:
            source, target = read_pair(pair)
            is_random = getattr(self.translator, "random", False)
            random = self.translator(source, count=answers, seed=SEED) if is_random else []
            return [source, self.translator(source), *random, target]

        shown = list(readable(subsample(self.pairs.test, columns), column))
        if not shown:
            raise UserError(f"{self.pairs.title} has no readable test pairs")
        return make_grid([list(row) for row in zip(*shown, strict=True)])


class TrainingSet:
    """What the baselines know about the training pairs; and the features (N, d) of `described` of the targets."""

    def __init__(self, train: list[Pair], described: int, reader: Reader) -> None:
        self.mean, self.sources, targets = MeanPicture(), NearestSource[Pair](), Tally()
        known = subsample(train, MAX_TRAIN)
        chosen = set(subsample(known, described))
        for pair, (source, target) in reader.read_all(known, read_pair):
            self.mean.add(target)
            self.sources.add(source, pair)
            if pair in chosen:
                targets.add(target)
        self.features = targets.all_features()

    def methods(self) -> dict[str, Method]:
        """Return the baselines by their names; none without training pairs."""
        if not self.mean.count:
            return {}
        return {"mean training image": self.mean, "nearest training source's photo": self.nearest}

    def nearest(self, picture: np.ndarray) -> np.ndarray:
        """Answer with the target whose source is nearest to `picture`."""
        return resize_to(read_pair(self.sources(picture))[1], picture.shape)


class PairedTallies(Tallies):
    """The tallies of all methods while test pairs come in."""

    def __init__(self, translator: Callable[..., Any], count: int, baselines: Mapping[str, Method]) -> None:
        super().__init__({MODEL: translator, **baselines})  # the model first, as it may refuse
        self.translator, self.count = translator, count
        self.random = bool(getattr(translator, "random", False))
        self.many = Tally()  # several answers to each source, of a random model
        self.other = Tally()  # another right answer
        self.targets = Tally()  # the right answers at hand

    def add_pair(self, case: PairedCase, *, many: bool) -> None:
        """Let every method answer one source; a random model also with several answers, if `many`."""
        self.add(case)
        if (truth := case.other_truth()) is not None:
            self.other.add(truth, **case.score_truth(truth))
        if self.random:  # another seed for each source, as answers in one look make no collection of photos
            (drawn,) = self.translator(case.source, count=1, seed=len(self.targets.features))
            self.many.add(drawn)
        self.targets.add(case.target)
        if self.random and many and case.has_looks:
            answers = self.translator(case.source, count=self.count, seed=SEED)
            self.many.note(**case.score_lines(answers[0]), **case.score_looks(answers))

    def rows(self, targets: Tensor) -> list[Row]:
        """Return a row for each method that has answered, given the features of the targets (M, d)."""
        model, *baselines = super().rows(targets)
        extra = {f"{MODEL}, {self.count} answers": self.many, "another right answer": self.other}
        return [*baselines, model, *(tally.row(name, targets) for name, tally in extra.items() if tally.features)]


def are_drawn(tests: list[Pair]) -> bool:
    """Return whether most sources, judged by a few of them, are line drawings."""
    drawings = list(readable(subsample(tests, DRAWING_SAMPLES), lambda pair: is_line_drawing(read_pair(pair)[0])))
    return sum(drawings) > len(drawings) / 2
