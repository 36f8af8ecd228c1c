"""Scores of a model of pairs that answers label maps, beside three baselines: IoU and pixel accuracy."""

__all__ = ["LabelMapEvaluation"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from translate.data.sources.mapped_pair import read_mapped_pair
from translate.data.sources.pair import Pair
from translate.data.sources.pair_set import PairSet
from translate.data.sources.run_data import run_pairs
from translate.evaluation.baselines import NearestSource
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_rivals, load_translator
from translate.evaluation.labels.label_map_report import ClassScore, LabelMapReport
from translate.evaluation.labels.map_pairs import MapInput
from translate.evaluation.reader import Reader, readable
from translate.evaluation.report import MIN_TRUSTED, MODEL, Row, note_few
from translate.evaluation.translation_report import DirectionScores
from translate.images.grid import make_grid
from translate.images.label_maps import UNLABELLED, Classes
from translate.images.picture import Picture
from translate.inference.translator import Translator
from translate.metrics.class_overlap import Overlap, count_classes
from translate.utils.errors import UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

MAX_TRAIN = 2000  # training pairs for the baselines
PLACES = 64  # along each side, at which the most frequent class is found
Answer = Callable[[np.ndarray], np.ndarray]  # maps (H, W, 3) uint8 to class numbers (H, W) uint8


@dataclass(frozen=True)
class LabelMapEvaluation(Evaluation):
    """Scores a model that answers label maps on test pairs.

    Attributes:
        answer: the model.
        maps: the classes of the target, "b", and perhaps of the source, "a".
    """

    purpose, data_options = "answers label maps", "--a and --b, or --data"
    unused = ("images", "count", "features", "strength")
    answer: Answer
    pairs: PairSet  # training pairs are for the baselines
    maps: Mapping[str, Classes]

    def __post_init__(self) -> None:
        check_minimum(1, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "LabelMapEvaluation":
        """Load the model and its pairs."""
        translator = load_translator(options)
        recipe = translator.recipe
        pairs = run_pairs(options.model, options.a, options.b, options.data, recipe.directions[0])
        maps = {side: classes for side in "ab" if (classes := recipe.classes_of(side))}
        rivals = load_rivals(options, load_answer)
        return cls(as_answer(translator), pairs, maps, limit=options.limit or None, rivals=rivals)

    @property
    def classes(self) -> Classes:
        """The classes of the target."""
        return self.maps["b"]

    def score(self, bars: Progress) -> LabelMapReport:
        """Apply all methods to the test pairs."""
        if not self.pairs.test:
            reasons = self.pairs.notes or [f"{self.pairs.title} has too few pairs to hold any out"]
            raise UserError(f"{'; '.join(reasons)}; score on others: --a FOLDER --b FOLDER")
        tests, reader = subsample(self.pairs.test, self.limit), Reader(bars, " -> ".join(self.pairs.names))
        # fit the baselines
        baselines = Baselines(self.pairs.train, reader, self.read, len(self.classes))
        methods = {**baselines.methods(), MODEL: self.answer, **self.rivals}
        # apply every method to every source
        counts: dict[str, list[np.ndarray]] = {name: [] for name in methods}
        confusion, refusals = np.zeros((len(self.classes),) * 2, np.int64), list[str]()
        unlabelled = total = 0
        for _, (source, truth) in reader.read_all(tests, self.read):
            try:
                answers = {name: method(source) for name, method in methods.items()}
            except UserError as error:  # the model refused the picture
                refusals.append(str(error))
                continue
            for name, answer in answers.items():
                counts[name].append(count_classes(answer, truth, len(self.classes)))
            confusion += count_pairs(answers[MODEL], truth, len(self.classes))
            unlabelled, total = unlabelled + int((truth == UNLABELLED).sum()), total + truth.size
        if not counts[MODEL]:
            raise UserError(refusals[0] if refusals else f"none of the {len(tests)} test pairs can be read")
        # report
        overlaps = {name: Overlap.of(each) for name, each in counts.items()}
        rows = [row_of(name, overlap) for name, overlap in overlaps.items()]
        notes = [*self.verdict(rows), *note_few(len(counts[MODEL]))]
        if unlabelled:
            notes.append(f"{unlabelled / total:.1%} of the pixels are unlabelled, or of no class of training: left out")
        if refusals:
            notes.append(f"{len(refusals)} were refused, the first with: {refusals[0]}")
        numbers = {"pictures": len(counts[MODEL]), "unreadable": len(reader.unreadable)}
        notes += reader.notes("files or pairs")
        part = DirectionScores(self.pairs.direction, *self.pairs.names, rows, numbers, "test", notes)
        classes = class_scores(self.classes, overlaps[MODEL], confusion)
        return LabelMapReport({}, [part], classes, list(self.pairs.notes))

    def verdict(self, rows: list[Row]) -> list[str]:
        """Compare the model with the best baseline, in a line."""
        model = next(row for row in rows if row.name == MODEL)
        others = [row for row in rows if row.name in BASELINES and row.iou is not None]
        if model.iou is None or not others:
            return ["no baselines: there are no training pairs"] if not others else []
        best = max(others, key=lambda row: row.iou or 0.0)
        word = "better than" if model.iou > (best.iou or 0.0) else "NOT better than"
        return [f"{MODEL} is {word} the best baseline: mean IoU {model.iou:.3f} against {best.iou:.3f}, {best.name}"]

    def read(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Read a pair: the source (H, W, 3) uint8, maps in the colours of their classes; the target's class numbers."""
        source, target = read_mapped_pair(pair, self.maps)
        return self.maps["a"].show(source[..., 0]) if "a" in self.maps else source, target[..., 0]

    def grid(self, columns: int = 6) -> np.ndarray:
        """Draw test pairs: sources, answers, truths; raise UserError if none can be read."""

        def column(pair: Pair) -> list[np.ndarray]:
            source, truth = self.read(pair)
            return [source, self.classes.show(self.answer(source)), self.classes.show(truth)]

        drawn = list(readable(subsample(self.pairs.test, columns), column))
        if not drawn:
            raise UserError(f"{self.pairs.title} has no readable test pairs")
        return make_grid([list(row) for row in zip(*drawn, strict=True)])


def load_answer(options: EvaluationOptions) -> Answer:
    """Load a model as a function from a source to class numbers."""
    return as_answer(load_translator(options))


def as_answer(translator: Translator) -> Answer:
    """Return a translator as a function from a source to class numbers."""
    source, request = translator.recipe.classes_of("a"), translator.request()
    as_stored = MapInput(translator, source).as_stored if source else None

    def answer(picture: np.ndarray) -> np.ndarray:
        given = as_stored(picture) if as_stored else picture
        gray = given.ndim == 2
        pixels = given[..., None].repeat(3, axis=2) if gray else given
        label_map = translator.translate_all(Picture(pixels, gray=gray), request)[0].label_map
        assert label_map is not None and label_map.numbers is not None
        return label_map.numbers

    return answer


BASELINES = ("most frequent class", "most frequent class of each place", "nearest training source's map")


class Baselines:
    """What training pairs alone tell of a map."""

    def __init__(
        self, train: list[Pair], reader: Reader, read: Callable[[Pair], tuple[np.ndarray, np.ndarray]], classes: int
    ) -> None:
        self.read, self.sources = read, NearestSource[Pair]()
        self.places = np.zeros((classes, PLACES, PLACES), np.int64)
        self.counts = np.zeros(classes, np.int64)
        for pair, (source, truth) in reader.read_all(subsample(train, MAX_TRAIN), read):
            self.sources.add(source, pair)
            self.counts += np.bincount(truth.ravel(), minlength=256)[:classes]
            small = cv2.resize(truth, (PLACES, PLACES), interpolation=cv2.INTER_NEAREST_EXACT)
            self.places += small == np.arange(classes)[:, None, None]

    def methods(self) -> dict[str, Answer]:
        """Return the baselines by name; none without training pairs."""
        if not self.counts.any():
            return {}
        whole, place = (np.uint8(self.counts.argmax()), self.places.argmax(axis=0).astype(np.uint8))
        found: tuple[Any, ...] = (
            lambda source: np.full(source.shape[:2], whole),
            lambda source: _resize(place, source),
            partial(self.nearest),
        )
        return dict(zip(BASELINES, found, strict=True))

    def nearest(self, source: np.ndarray) -> np.ndarray:
        """Return the map of the nearest training source, at the size of `source`."""
        return _resize(self.read(self.sources(source))[1], source)


def _resize(numbers: np.ndarray, source: np.ndarray) -> np.ndarray:
    return cv2.resize(numbers, source.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def row_of(name: str, overlap: Overlap) -> Row:
    """Return the scores of a method, with standard errors if there are enough pictures."""
    errors = {}
    if len(overlap.counts) >= MIN_TRUSTED:
        errors = dict(zip(("iou", "accuracy"), overlap.errors(), strict=True))
    iou, accuracy = (None if np.isnan(value) else value for value in (overlap.mean_iou, overlap.accuracy))
    return Row(name, iou=iou, accuracy=accuracy, errors=errors)


def count_pairs(answer: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Count the pixels of each class (rows) that an answer takes for each class (columns): (K, K)."""
    known = truth < classes
    codes = truth[known].astype(np.int64) * classes + answer[known]
    return np.bincount(codes, minlength=classes**2).reshape(classes, classes)


def class_scores(classes: Classes, overlap: Overlap, confusion: np.ndarray) -> list[ClassScore]:
    """Return the score of each class, and what it is taken for."""
    found = []
    for i, (name, share, iou) in enumerate(zip(classes.names, overlap.shares, overlap.ious, strict=True)):
        wrong = confusion[i].copy()
        wrong[i] = 0
        total = confusion[i].sum()
        found.append(
            ClassScore(
                name=name, share=float(share), iou=None if np.isnan(iou) else float(iou),
                found=float(confusion[i, i] / total) if total else None,
                mistaken=classes.names[int(wrong.argmax())] if wrong.any() else "",
            )
        )  # fmt: skip
    return found
