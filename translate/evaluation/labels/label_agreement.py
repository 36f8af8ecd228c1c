"""Agreement of samples with their labels, and of factor frequencies with real pictures, by small classifiers."""

__all__ = ["Labelled", "score_factors", "score_labels"]

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from translate.evaluation.generation_report import ClassRow, FactorRow, LabelScores
from translate.evaluation.labels.classifier import train_classifier, train_factor_classifier
from translate.metrics.diversity import thumbnail_spread
from translate.metrics.image_sets import array_thumbnails

MAX_COMPARED = 500  # pictures of a class, as the number of distances grows with the square
MIN_SPREAD = 1e-6  # avoids division by zero for identical pictures
Words = Mapping[str, Sequence[str]]  # one word per picture, by factor


@dataclass(frozen=True)
class Labelled:
    """Pictures (N, H, W, 3) uint8 and their labels (N,) int64, -1 for none."""

    pictures: np.ndarray
    labels: np.ndarray

    def of(self, label: int) -> np.ndarray:
        """Return the pictures of one class."""
        return self.pictures[self.labels == label]


def score_labels(
    samples: Labelled,
    train: Labelled,
    held_out: Labelled,
    names: Sequence[str],
    *,
    seed: int = 0,
    epochs: int | None = None,
) -> LabelScores:
    """Train a classifier on real pictures, and compare its predictions for samples with their labels.

    At least one picture of `held_out` is labelled; `seed` and `epochs` are as in `train_classifier`.

    Raises:
        UserError: `train` has pictures of fewer than two classes.
    """
    classifier = train_classifier(train.pictures, train.labels, classes=len(names), seed=seed, epochs=epochs)
    predicted, confidence = classifier.predict(samples.pictures)
    known = held_out.labels >= 0
    rows = [
        ClassRow(
            name=name,
            count=int((samples.labels == i).sum()),
            agreement=float((predicted[samples.labels == i] == i).mean()),
            mistaken=most_mistaken(predicted[samples.labels == i], i, names),
            variety=spread_ratio(samples.of(i), train.of(i)),
        )
        for i, name in enumerate(names)
        if (samples.labels == i).any()
    ]
    return LabelScores(
        agreement=float((predicted == samples.labels).mean()),
        confidence=float(confidence.mean()),
        accuracy=classifier.accuracy(held_out.pictures[known], held_out.labels[known]),
        judged_on=int(known.sum()),
        trained_on=int((train.labels >= 0).sum()),
        classes=rows,
    )


def most_mistaken(predicted: np.ndarray, label: int, names: Sequence[str]) -> str:
    """Return the most frequent wrong class predicted for pictures of class `label`, or ""."""
    wrong = Counter(predicted[predicted != label].tolist())
    return names[wrong.most_common(1)[0][0]] if wrong else ""


def spread_ratio(samples: np.ndarray, real: np.ndarray) -> float | None:
    """Divide the mean distances of samples and of real pictures, (n, H, W, 3) uint8; None with fewer than 2 of one."""
    if min(len(samples), len(real)) < 2:
        return None
    some = (pictures[:: -(-len(pictures) // MAX_COMPARED)] for pictures in (samples, real))
    spread, real_spread = (thumbnail_spread(array_thumbnails(pictures)) for pictures in some)
    return spread / max(real_spread, MIN_SPREAD)


def score_factors(
    samples: np.ndarray,
    train: np.ndarray,
    known: Words,
    held_out: np.ndarray,
    truth: Words,
    *,
    seed: int = 0,
    epochs: int | None = None,
) -> list[FactorRow]:
    """Train a classifier of all factors, and compare the shares of its predicted words with the real ones.

    Pictures are (N, H, W, 3) uint8; `known` are the words of `train`, `truth` those of `held_out`; `seed` and `epochs`
    are as in `train_factor_classifier`.
    """
    classifier = train_factor_classifier(train, known, seed=seed, epochs=epochs)
    named, named_real = classifier.predict(samples), classifier.predict(held_out)
    accuracy, rows = classifier.accuracy(held_out, truth), []
    for factor, words in classifier.words.items():
        shares, shares_held_out, real = (shares_of(each[factor], words) for each in (named, named_real, known))
        rows.append(
            FactorRow(
                name=factor,
                away=total_variation(shares, real),
                away_real=total_variation(shares_held_out, real),
                accuracy=accuracy[factor],
                shares=shares,
                shares_real=real,
            )
        )
    return rows


def shares_of(named: Sequence[str], words: Sequence[str]) -> dict[str, float]:
    """Return the share of each of `words`."""
    counts = Counter(named)
    return {word: counts[word] / len(named) for word in words}


def total_variation(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return half the sum of the differences between two distributions over the same words: 0 to 1."""
    return sum(abs(one[word] - other[word]) for word in other) / 2
