"""Scores of a model that changes labels: by the true pictures where they are known, and by a small classifier.

The true picture of test/NAME with one label changed is truth/LABEL/NAME, as `synthetic.faces.attributes` draws it.
"""

__all__ = ["AttributeEvaluation"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from translate.data.sources.attributes import LabelledSet
from translate.data.sources.labelled_image import LabelledImage
from translate.data.sources.run_data import run_labelled
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_translator
from translate.evaluation.labels.attribute_report import AttributeReport, AttributeRow
from translate.evaluation.labels.classifier import FactorClassifier, train_factor_classifier
from translate.evaluation.reader import Reader, choose_places, readable
from translate.evaluation.report import note_few
from translate.evaluation.tally import SEED
from translate.images.grid import make_grid
from translate.images.io import read_rgb8
from translate.images.picture import to_gray_rgb
from translate.images.tensors import to_tensor
from translate.inference.inputs.wishes import label_names
from translate.inference.latent.neighbours import square_crop
from translate.metrics.image_sets import shrink
from translate.metrics.similarity import psnr
from translate.utils.errors import UserError
from translate.utils.progress import Bar, Progress
from translate.utils.sequences import subsample

MAX_LEARNED = 4000  # training pictures of the classifier
CLASS = "class"  # the one question to the classifier about classes
BATCH = 64  # pictures that are translated in one call
Read = tuple[LabelledImage, np.ndarray]
Words = dict[str, list[str]]  # of pictures, by the question to the classifier


@dataclass(frozen=True, kw_only=True)
class AttributeEvaluation(Evaluation):
    """Scores a model of the task `stargan` on held-out pictures.

    Attributes:
        translator: called with a list of pictures (H, W, 3) uint8 RGB and `to`, returns the list of answers.
    """

    purpose, data_options = "changes labels", "--images"
    unused = ("a", "b", "data", "pairs", "strength", "count", "features")
    translator: Callable[..., Any]
    labelled: LabelledSet
    size: int  # of all pictures, px
    gray: bool = False  # convert pictures for a gray model
    epochs: int | None = None  # of the classifier; None: its default

    def __post_init__(self) -> None:
        check_minimum(1, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "AttributeEvaluation":
        """Load the model and its pictures."""
        translator = load_translator(options)
        names = label_names(translator.recipe)
        return cls(
            translator=translator, labelled=run_labelled(options.model, options.images, names),
            size=translator.recipe.size, gray=translator.recipe.channels["image"] == 1, limit=options.limit or None,
        )  # fmt: skip

    def score(self, bars: Progress) -> AttributeReport:
        """Train the classifier, change every label of the held-out pictures, and score the answers."""
        # read
        images, reader = self.labelled.images, Reader(bars, self.labelled.images.title)
        tests = list(reader.read_all(self.choose(self.limit), self.read))
        train = list(reader.read_all(subsample(images.train, MAX_LEARNED), self.read))
        if not tests or not train:
            raise UserError(f"none of the pictures of {images.title} can be read")
        # learn to name labels
        known = self.words([source for source, _ in train])
        classifier = train_factor_classifier(shrink(stack(train)), known, seed=SEED, epochs=self.epochs)
        accuracy = classifier.accuracy(shrink(stack(tests)), self.words([source for source, _ in tests]))
        before = classifier.predict(shrink(stack(tests)))
        # change one label after the other
        bar, rows = Bar(bars, "changing labels", len(self.labelled.names)), []
        for k in range(len(self.labelled.names)):
            chosen = [i for i, (source, _) in enumerate(tests) if self.is_changeable(source, k)]
            if chosen:
                own = {question: [words[i] for i in chosen] for question, words in before.items()}
                rows.append(self.score_label(k, [tests[i] for i in chosen], own, classifier, accuracy))
            bar.advance()
        return AttributeReport(
            title=images.title, rows=rows, size=self.size, learned=len(train), seed=SEED,
            remarks=[*note_few(len(tests)), *images.notes, *reader.notes()],
        )  # fmt: skip

    def score_label(
        self, k: int, tests: Sequence[Read], before: Words, classifier: FactorClassifier, accuracy: dict[str, float]
    ) -> AttributeRow:
        """Change label `k` of pictures, of which the classifier has said `before`, and score the answers."""
        name = self.labelled.names[k]
        question = CLASS if self.labelled.exclusive else name
        answers = self.change(k, tests)
        after, wished = classifier.predict(shrink(answers)), [self.wish(source, k)[1] for source, _ in tests]
        others = [label for label in before if label != question]
        kept = [share(after[label], before[label]) for label in others]
        row = AttributeRow(
            name=name, pictures=len(tests), change=float(np.abs(answers.astype(int) - stack(tests)).mean()),
            wished=share(after[question], wished), wished_before=share(before[question], wished),
            kept=min(kept, default=None), accuracy=accuracy[question],
        )  # fmt: skip
        truths = [self.find_truth(source, name) for source, _ in tests]
        triples = [
            (picture, answer, truth) for (_, picture), answer, truth in zip(tests, answers, truths, strict=True)
            if truth is not None
        ]  # fmt: skip
        if not triples:
            return row
        right = [word for word, truth in zip(wished, truths, strict=True) if truth is not None]
        named = classifier.predict(shrink(np.stack([truth for *_, truth in triples])))[question]
        return AttributeRow(**vars(row) | score_truths(triples) | {"wished_truth": share(named, right)})

    def change(self, k: int, tests: Sequence[Read]) -> np.ndarray:
        """Return the answers of the model to pictures whose label `k` changes, (n, size, size, 3) uint8."""
        answers: list[np.ndarray | None] = [None] * len(tests)
        for to in dict.fromkeys(self.wish(source, k)[0] for source, _ in tests):
            places = [i for i, (source, _) in enumerate(tests) if self.wish(source, k)[0] == to]
            for start in range(0, len(places), BATCH):
                part = places[start : start + BATCH]
                for i, answer in zip(part, self.translator([tests[i][1] for i in part], to=to), strict=True):
                    answers[i] = answer
        return np.stack([answer for answer in answers if answer is not None])

    def wish(self, source: LabelledImage, k: int) -> tuple[str, str]:
        """Return what the model is told for another label `k`, and what the classifier should say then."""
        name, has = self.labelled.names[k], self.labelled.rows[source][k]
        if self.labelled.exclusive:
            return name, name
        return (f"-{name}", "no") if has else (name, "yes")

    def is_changeable(self, source: LabelledImage, k: int) -> bool:
        """Whether label `k` of a picture can be another one: a class that it has cannot be taken away."""
        return not (self.labelled.exclusive and self.labelled.rows[source][k])

    def words(self, sources: Sequence[LabelledImage]) -> Words:
        """Return the labels of pictures as the classifier names them."""
        names, values = self.labelled.names, self.labelled.values(sources)
        if self.labelled.exclusive:
            return {CLASS: [names[k] for k in values.argmax(1)]}
        return {name: ["yes" if has else "no" for has in values[:, k]] for k, name in enumerate(names)}

    def choose(self, count: int | None) -> list[LabelledImage]:
        """Return at most `count` held-out pictures, evenly spaced; raise UserError if there are none."""
        return [source for _, source in choose_places(self.labelled.images, count)]

    def read(self, source: LabelledImage) -> np.ndarray:
        """Read a picture at the training size, (size, size, 3) uint8."""
        return self.fit(source.read())

    def fit(self, picture: np.ndarray) -> np.ndarray:
        """Bring (H, W, 3) uint8 to the training size."""
        crop = square_crop(picture, self.size)
        return to_gray_rgb(crop) if self.gray else crop

    def find_truth(self, source: LabelledImage, name: str) -> np.ndarray | None:
        """Return the true picture with the label `name` changed, if it is known."""
        folder = source.file.parent
        file = folder.parent / "truth" / name / source.file.name
        return self.fit(read_rgb8(file)) if folder.name == "test" and file.is_file() else None

    def grid(self, rows: int = 8) -> np.ndarray:
        """Draw a row for each of some held-out pictures: the picture, and with each label changed in turn."""
        tests = list(readable(self.choose(rows), lambda source: (source, self.read(source))))
        if not tests:
            raise UserError(f"none of the held-out pictures of {self.labelled.images.title} can be read")
        columns = [self.change(k, tests) for k in range(len(self.labelled.names))]
        return make_grid([[picture, *(column[i] for column in columns)] for i, (_, picture) in enumerate(tests)])


def score_truths(triples: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Score pictures, answers and truths, all (H, W, 3) uint8, by attributes of `AttributeRow`."""
    outside = []
    for picture, answer, truth in triples:
        same = (picture == truth).all(2)
        if same.any():
            outside.append(float(np.abs(answer[same].astype(int) - picture[same]).mean()))
    return {
        "psnr": fmean(psnr(to_tensor(answer), to_tensor(truth)).item() for _, answer, truth in triples),
        "psnr_before": fmean(psnr(to_tensor(picture), to_tensor(truth)).item() for picture, _, truth in triples),
        **({"outside": fmean(outside)} if outside else {}),
    }


def stack(tests: Sequence[Read]) -> np.ndarray:
    """Return pictures as one array, (n, size, size, 3) uint8."""
    return np.stack([picture for _, picture in tests])


def share(words: Sequence[str], right: Sequence[str]) -> float:
    """Return the share of words that are right."""
    return fmean(one == other for one, other in zip(words, right, strict=True))
