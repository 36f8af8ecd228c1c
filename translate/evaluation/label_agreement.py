"""Do samples show what was asked for, and as often as real pictures do? Classifiers trained on the spot judge."""

__all__ = ["Labelled", "score_factors", "score_labels"]

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from translate.evaluation.classifier import train_classifier, train_factor_classifier
from translate.evaluation.generation_report import ClassRow, FactorRow, LabelScores
from translate.metrics.diversity import thumbnail_spread
from translate.metrics.image_sets import array_thumbnails

MOST = 500  # pictures of a class whose distances are averaged
TINY = 1e-6
Words = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Labelled:
    """Pictures (N, H, W, 3) uint8 and their labels (N,) int64, -1 for none."""

    pictures: np.ndarray
    labels: np.ndarray

    def of(self, label: int) -> np.ndarray:
        """The pictures of one class."""
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
    """Train a classifier on labelled pictures and ask it what samples show.

    Args:
        samples: with the labels that were asked for.
        train: real pictures.
        held_out: other real pictures, at least one of them labelled.
        names: of the classes.
        seed: of the classifier.
        epochs: of its training, as in `train_classifier`.

    Raises:
        UserError: `train` has pictures of one class alone, or none.
    """
    judge = train_classifier(train.pictures, train.labels, classes=len(names), seed=seed, epochs=epochs)
    found, sure = judge.predict(samples.pictures)
    known = held_out.labels >= 0
    rows = [
        ClassRow(
            name=name,
            count=int((samples.labels == i).sum()),
            agreement=float((found[samples.labels == i] == i).mean()),
            mistaken=most_mistaken(found[samples.labels == i], i, names),
            variety=ratio_of_spreads(samples.of(i), train.of(i)),
        )
        for i, name in enumerate(names)
        if (samples.labels == i).any()
    ]
    return LabelScores(
        agreement=float((found == samples.labels).mean()),
        confidence=float(sure.mean()),
        accuracy=judge.accuracy(held_out.pictures[known], held_out.labels[known]),
        judged_on=int(known.sum()),
        trained_on=int((train.labels >= 0).sum()),
        classes=rows,
    )


def most_mistaken(found: np.ndarray, right: int, names: Sequence[str]) -> str:
    """Name the class that pictures of the class `right` are most often mistaken for; "" if they never are."""
    wrong = Counter(found[found != right].tolist())
    return names[wrong.most_common(1)[0][0]] if wrong else ""


def ratio_of_spreads(samples: np.ndarray, real: np.ndarray) -> float | None:
    """How far samples are apart over how far real pictures are, both (n, H, W, 3) uint8; None where one has no two."""
    if min(len(samples), len(real)) < 2:
        return None
    return spread_of(samples) / max(spread_of(real), TINY)


def spread_of(pictures: np.ndarray) -> float:
    """`pairwise_spread` of some of the pictures, (n, H, W, 3) uint8."""
    some = pictures[:: -(-len(pictures) // MOST)]
    return thumbnail_spread(array_thumbnails(some))


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
    """Train a classifier of all factors and compare how often it finds each word with how often there is one.

    Args:
        samples: (N, H, W, 3) uint8.
        train: (M, H, W, 3), real pictures.
        known: M words by factor.
        held_out: (K, H, W, 3), other real pictures, K of 1 or more.
        truth: K words by factor.
        seed: of the classifier.
        epochs: of its training, as in `train_factor_classifier`.
    """
    judge = train_factor_classifier(train, known, seed=seed, epochs=epochs)
    found, found_real, accuracy = judge.predict(samples), judge.predict(held_out), judge.accuracy(held_out, truth)
    rows = []
    for factor, words in judge.words.items():
        real = shares_of(known[factor], words)
        shares, shares_held = (shares_of(each[factor], words) for each in (found, found_real))
        rows.append(
            FactorRow(
                name=factor,
                away=total_variation(shares, real),
                away_real=total_variation(shares_held, real),
                accuracy=accuracy[factor],
                shares=shares,
                shares_real=real,
            )
        )
    return rows


def shares_of(found: Sequence[str], words: Sequence[str]) -> dict[str, float]:
    """Return how often each of `words` is met."""
    counts = Counter(found)
    return {word: counts[word] / len(found) for word in words}


def total_variation(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Half the sum of the differences between two distributions over the same words: 0 to 1."""
    return sum(abs(one[word] - other[word]) for word in other) / 2
