"""Scores of a model of pairs on test pairs, beside two baselines and, if known, another right answer.

L1, PSNR and SSIM compare with the target, whose colours no model can guess from a sketch. So three other properties are
scored: the lines (extracted from the output, by edge F1), the outputs as a set against the targets (kernel distance),
and the palettes of several answers against all right answers (coverage, precision, diversity).
"""

__all__ = ["PairedEvaluation"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from translate.data.sources.pair import Pair
from translate.data.sources.pair_set import PairSet, parts_map, right_answers
from translate.data.sources.run_data import run_pairs
from translate.evaluation.baselines import MeanPicture, NearestSource, resize_to
from translate.evaluation.cases import Method, PairedCase
from translate.evaluation.evaluation import (
    Evaluation,
    EvaluationOptions,
    at_strength,
    check_minimum,
    load_rivals,
    load_translator,
)
from translate.evaluation.labels.map_pairs import MapInput, MeanColours, ShownPairs
from translate.evaluation.panel import Description, Panel, load_panel
from translate.evaluation.reader import Reader, readable
from translate.evaluation.report import MODEL, Row, note_few
from translate.evaluation.tally import SEED, Tallies, Tally, panel_row
from translate.evaluation.translation_report import FLOOR, DirectionScores, TranslationReport
from translate.evaluation.verdict import UNTOUCHED, explain_verdict
from translate.images.grid import make_grid
from translate.images.io import read_rgb8
from translate.images.line_drawings import is_line_drawing
from translate.images.sketch_extraction import extract_sketch
from translate.inference.translator import Translator
from translate.metrics.lattice import shared_part
from translate.utils.errors import UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

MAX_TRAIN = 2000  # training pairs for the baselines
MAX_REPEATED = 50  # test pictures with several answers, each of which costs a forward pass
DRAWING_SAMPLES = 8  # test pairs to decide whether the sources are line drawings


@dataclass(frozen=True)
class PairedEvaluation(Evaluation):
    """Scores a model of pairs on test pairs.

    Attributes:
        translator: called as `translator(source)` with (H, W, 3) uint8 RGB, returns the same shape and type; if its
            attribute `random` is true, also as `translator(source, count=16, seed=0)`, which returns a list.
    """

    purpose, unused, data_options = "translates", ("images", "pairs"), "--a and --b, or --data"
    translator: Callable[..., Any]
    pairs: PairSet  # training pairs are for the baselines
    count: int = field(default=16, kw_only=True)  # answers of a random model per source with several right answers
    panel: Panel = field(default_factory=Panel, kw_only=True)
    read: ShownPairs = field(default_factory=ShownPairs, kw_only=True)  # how pairs are read

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
        panel = load_panel(options.features, translator.recipe.features)
        maps = {"a": classes} if (classes := translator.recipe.classes_of("a")) else {}
        return cls(
            as_method(translator, options), pairs, count=options.count or cls.count, limit=options.limit or None,
            panel=panel, rivals=load_rivals(options, load_method), read=ShownPairs(maps),
        )  # fmt: skip

    def score(self, bars: Progress) -> TranslationReport:
        """Apply all methods to the test pairs."""
        if not self.pairs.test:
            reasons = self.pairs.notes or [f"{self.pairs.title} has too few pairs to hold any out"]
            raise UserError(f"{'; '.join(reasons)}; score on others: --a FOLDER --b FOLDER")
        tests, reader = subsample(self.pairs.test, self.limit), Reader(bars, " -> ".join(self.pairs.names))

        # fit the baselines, and choose the sources for several answers
        training = TrainingSet(self.pairs.train, len(tests), reader, self.panel, self.read)
        drawn = are_drawn(tests, self.read)
        several = [pair for pair in tests if len(right_answers(self.pairs, pair.name)) > 1]
        repeated = set(subsample(several, MAX_REPEATED))

        # apply every method to every source
        tallies, refusals = PairedTallies(self.translator, self.count, self.rivals, training.methods(), self.panel), []
        for pair, case in reader.read_all(tests, lambda pair: self.read_case(pair, drawn)):
            try:
                tallies.add_pair(case, many=pair in repeated)
            except UserError as error:  # the model refused the picture, before any score was added
                refusals.append(str(error))
        if not tallies.targets.features:
            raise UserError(refusals[0] if refusals else f"none of the {len(tests)} test pairs can be read")

        # report
        targets = tallies.targets.all_features()
        rows = tallies.rows(targets)
        if len(training.described) >= 2 and len(targets) >= 2:
            rows.append(panel_row(FLOOR, training.described, targets))
        counts = {
            "pictures": len(targets),
            "truths": len(tallies.by_method[MODEL].scores["psnr"]),
            "targets": len(targets),
            "floor": len(training.described),
            "looks": len(tallies.many.scores.get("coverage", [])),
            "unreadable": len(reader.unreadable),
        }
        lines = "the sketches" if drawn else "those drawn after the right answers"
        target = self.pairs.names[1]
        notes = [line for row in rows if row.name.startswith(MODEL) for line in explain_verdict(row, target)]
        notes += [*note_few(counts["pictures"]), f"lines are compared with {lines}"]
        notes += self.explain(rows, counts, tallies)
        if refusals:
            notes.append(f"{len(refusals)} were refused, the first with: {refusals[0]}")
        notes += reader.notes("files or pairs")
        own = shared_part(targets.phases).strength
        part = DirectionScores(self.pairs.direction, *self.pairs.names, rows, counts, "test", notes, lattice=own)
        remarks = [*self.panel.notes, *self.pairs.notes]
        return TranslationReport(self.panel.versions, [part], SEED, remarks=remarks)

    def read_case(self, pair: Pair, drawn: bool) -> PairedCase:
        """Read a test pair and its right answers; a `drawn` source has the right lines itself."""
        source, target = self.read(pair)
        truths = [read_rgb8(path) for path in right_answers(self.pairs, pair.name)]
        file = parts_map(self.pairs, pair.name)
        parts = None if file is None else read_rgb8(file)[..., 0]
        lines = source.min(axis=2) if drawn else extract_sketch(target)
        return PairedCase(source, target, lines, [truth for truth in truths if truth.shape == target.shape], parts)

    def explain(self, rows: list[Row], counts: dict[str, int], tallies: "PairedTallies") -> list[str]:
        """Return notes on several answers, and on missing scores and the reasons."""
        notes = []
        if tallies.random:
            notes.append("kernel distance of the many answers: of one to each picture, each drawn anew")
        if counts["looks"]:
            notes.append(f"{self.count} answers each to {counts['looks']} sketches whose right answers are known")
        elif tallies.random:
            notes.append("the model gives many answers, but no others are known to be right: no coverage")
        if not tallies.baselines:
            notes.append("no baselines: there are no training pairs")
        if not any(row.kernels for row in rows):
            notes.append("no kernel distance: it needs 2 pictures on both sides")
        return notes

    def grid(self, columns: int = 6, answers: int = 4) -> np.ndarray:
        """Draw test pairs: sources, answers, random answers of a random model, truths.

        Unreadable pairs and sources refused by the model are left out; raises UserError if none is left.
        """

        def column(pair: Pair) -> list[np.ndarray]:
            source, target = self.read(pair)
            is_random = getattr(self.translator, "random", False)
            random = self.translator(source, count=answers, seed=SEED) if is_random else []
            return [source, self.translator(source), *random, target]

        columns_drawn = list(readable(subsample(self.pairs.test, columns), column))
        if not columns_drawn:
            raise UserError(f"{self.pairs.title} has no readable test pairs")
        return make_grid([list(row) for row in zip(*columns_drawn, strict=True)])


class TrainingSet:
    """The baselines fitted to training pairs, and the description of at most `count` targets."""

    def __init__(self, train: list[Pair], count: int, reader: Reader, panel: Panel, read: ShownPairs) -> None:
        self.mean, self.sources, targets, self.read = MeanPicture(), NearestSource[Pair](), Tally(panel), read
        self.colours = MeanColours(read.maps["a"]) if "a" in read.maps else None
        pairs = subsample(train, MAX_TRAIN)
        chosen = set(subsample(pairs, count))
        for pair, (source, target) in reader.read_all(pairs, read):
            self.mean.add(target)
            if self.colours:
                self.colours.add(source, target)
            self.sources.add(source, pair)
            if pair in chosen:
                targets.add(target)
        self.described = targets.all_features()

    def methods(self) -> dict[str, Method]:
        """Return the baselines by name; none without training pairs."""
        if not self.mean.count:
            return {}
        by_class: dict[str, Method] = {"mean colour of each class": self.colours} if self.colours else {}
        return {"mean training image": self.mean, **by_class, "nearest training source's photo": self.nearest}

    def nearest(self, picture: np.ndarray) -> np.ndarray:
        """Return the target of the nearest training source of `picture`, at its size."""
        return resize_to(self.read(self.sources(picture))[1], picture.shape)


class PairedTallies(Tallies):
    """Tallies of all methods, of several answers and of the right answers."""

    def __init__(
        self, translator: Callable[..., Any], count: int, rivals: Mapping[str, Method],
        baselines: Mapping[str, Method], panel: Panel,
    ) -> None:  # fmt: skip
        # the model is first, as it may refuse a case
        super().__init__({MODEL: translator, **rivals, UNTOUCHED: lambda source: source, **baselines}, panel)
        self.translator, self.count, self.baselines, self.models = translator, count, baselines, 1 + len(rivals)
        self.random = bool(getattr(translator, "random", False))
        self.many = Tally(panel)  # random answers of a random model
        self.other = Tally(panel)  # another right answer
        self.targets = Tally(panel)  # the targets

    def add_pair(self, case: PairedCase, *, many: bool) -> None:
        """Apply every method to a case; a random model also gives several answers, if `many`."""
        self.add(case)
        if (truth := case.other_truth()) is not None:
            self.other.add(truth, **case.score_truth(truth))
        if self.random:  # another seed for each source, as one palette for all would spoil the set
            (drawn,) = self.translator(case.source, count=1, seed=len(self.targets.features))
            self.many.add(drawn)
        self.targets.add(case.target)
        if self.random and many and case.has_palettes:
            answers = self.translator(case.source, count=self.count, seed=SEED)
            self.many.note(**case.score_lines(answers[0]), **case.score_palettes(answers))

    def rows(self, targets: Description) -> list[Row]:
        """Return a row for each method with answers, given the targets."""
        rows = super().rows(targets)
        models, baselines = rows[: self.models], rows[self.models :]
        untouched = self.untouched(targets)
        extra = {f"{MODEL}, {self.count} answers": self.many, "another right answer": self.other}
        others = [tally.row(name, targets, untouched) for name, tally in extra.items() if tally.features]
        return [*baselines, *models, *others]


def load_method(options: EvaluationOptions) -> Callable[..., Any]:
    """Load a translator as a method, see `as_method`."""
    return as_method(load_translator(options), options)


def as_method(translator: Translator, options: EvaluationOptions) -> Callable[..., Any]:
    """Return a translator with the strength of the options; label maps are given to it as they are shown."""
    method, classes = at_strength(translator, options.strength), translator.recipe.classes_of("a")
    return MapInput(method, classes) if classes else method


def are_drawn(tests: list[Pair], read: ShownPairs) -> bool:
    """Whether most sources, judged by a few, are line drawings."""
    drawings = list(readable(subsample(tests, DRAWING_SAMPLES), lambda pair: is_line_drawing(read(pair)[0])))
    return sum(drawings) > len(drawings) / 2
