"""The report of a model that generates images: sets of pictures, labels, factors and memorization."""

__all__ = ["ClassRow", "FactorRow", "GenerationReport", "LabelScores", "SampleRow", "SetScore"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from translate.evaluation.memorization import MemoryCheck
from translate.evaluation.report import KERNEL_SCALE, MODEL, Column, Report, kernel_cell, make_table, number

FACTOR_LEGEND = (
    "off: total variation distance between the shares of a factor's words in samples and in training pictures, 0 is"
    " right; in brackets: of held-out pictures\naccuracy: of the classifier that names the words, on held-out pictures"
)


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """The scores of a set of pictures against the held-out ones, by one kind of features.

    Attributes:
        kernel: kernel distance, times 1000; lower is better.
        kernel_error: its standard error, times 1000.
        density: see `density_coverage`.
        coverage: see `density_coverage`.
    """

    kernel: float
    kernel_error: float
    density: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """The scores of one set of pictures.

    Attributes:
        name: where they come from.
        count: number of pictures.
        variety: mean distance between them over that between the held-out pictures.
        scores: by the version of the features.
    """

    name: str
    count: int
    variety: float
    scores: dict[str, SetScore]


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class of a labelled model.

    Attributes:
        name: of the class.
        count: samples of this label.
        agreement: share of them that the classifier takes for this class.
        mistaken: the class that it takes most of the others for; "" where it agrees with all.
        variety: mean distance between them over that between real pictures of the class; None with fewer than two.
    """

    name: str
    count: int
    agreement: float
    mistaken: str
    variety: float | None


@dataclass(frozen=True, kw_only=True)
class LabelScores:
    """Agreement of samples with their labels.

    Attributes:
        agreement: share of all samples that the classifier takes for their label.
        confidence: its mean probability for the label that it names, 0 to 1.
        accuracy: share of the real held-out pictures that it names rightly.
        judged_on: number of those.
        trained_on: real pictures that it learned from.
        classes: one row each.
    """

    agreement: float
    confidence: float
    accuracy: float
    judged_on: int
    trained_on: int
    classes: list[ClassRow]

    def legend(self) -> str:
        """Explain the table of the classes."""
        return (
            f"agreement: a classifier takes {self.agreement:.1%} of the samples for the label asked for, and is sure of"
            f" {self.confidence:.0%}; itself it is right on {self.accuracy:.1%} of {self.judged_on} held-out pictures"
            f" after learning from {self.trained_on}\nvariety: over that of real pictures with the label"
        )


@dataclass(frozen=True, kw_only=True)
class FactorRow:
    """Frequencies of the words of one factor.

    Attributes:
        name: of the factor.
        away: total variation distance between the shares of its words in samples, as the classifier names them, and in
            training pictures: 0 is right, 1 is all wrong.
        away_real: the same for held-out pictures, also named by the classifier: the floor.
        accuracy: share of the held-out pictures that the classifier names rightly.
        shares: of each word in the samples.
        shares_real: of each word in the training pictures.
    """

    name: str
    away: float
    away_real: float
    accuracy: float
    shares: dict[str, float]
    shares_real: dict[str, float]

    def worst(self) -> str:
        """Name the word whose share is farthest off, with both shares."""
        word = max(self.shares_real, key=lambda each: abs(self.shares[each] - self.shares_real[each]))
        return f"{word}: {self.shares[word]:.0%}, should be {self.shares_real[word]:.0%}"


LABEL_COLUMNS = (
    Column("label", lambda row: Text(row.name), justify="left"),  # names may hold brackets
    Column("samples", lambda row: str(row.count)),
    Column("agreement", lambda row: f"{row.agreement:.1%}"),
    Column("most others taken for", lambda row: Text(row.mistaken)),
    Column("variety", number("variety", 2)),
)
FACTOR_COLUMNS = (
    Column("factor", lambda row: Text(row.name), justify="left"),
    Column("off", lambda row: f"{row.away:.2f} ({row.away_real:.2f})"),
    Column("accuracy", lambda row: f"{row.accuracy:.1%}"),
    Column("farthest off", lambda row: Text(row.worst()), justify="left"),
)


@dataclass(frozen=True, kw_only=True)
class GenerationReport(Report):
    """All scores of a model that generates images.

    Attributes:
        title: of the pictures that it was measured on.
        held_out: number of those.
        rows: the model among baselines, and the floor.
        memory: whether it remembers training pictures, by what they were compared.
        labels: agreement of samples with their labels; None where it is not known.
        factors: of a set with known factors.
        notes: what is missing, and why.
        seed: of everything random.
        kernel_scale: factor of the kernel distances.
    """

    title: str
    held_out: int
    rows: list[SampleRow]
    memory: dict[str, MemoryCheck]
    labels: LabelScores | None = None
    factors: list[FactorRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seed: int = 0
    kernel_scale: int = KERNEL_SCALE

    def table(self) -> Group:
        """Return the tables, each with the meaning of its numbers below it."""
        parts: list[RenderableType] = [make_table(self.columns(), self.rows), *map(Text, self.lines())]
        if self.labels:
            parts += [make_table(LABEL_COLUMNS, self.labels.classes), Text(self.labels.legend())]
        if self.factors:
            parts += [make_table(FACTOR_COLUMNS, self.factors), Text(FACTOR_LEGEND)]
        return Group(*parts)

    def columns(self) -> list[Column]:
        """Return the columns of the sets: three for each kind of features."""
        names = Column(Text(self.title), lambda row: row.name, justify="left", no_wrap=True)
        scores = [column for kind in self.rows[0].scores for column in score_columns(kind)]
        return [names, *scores, Column("variety", number("variety", 2))]

    def lines(self) -> list[str]:
        """Return what the numbers mean, whether the model remembers, and what is missing: one line each."""
        model = next(row for row in self.rows if row.name == MODEL)
        memory = [f"by {name}: {check.verdict()}" for name, check in self.memory.items()]
        return [
            f"{model.count} samples against {self.held_out} held-out pictures of {self.title}; seed {self.seed}",
            "kernel distance: lower is better, 0 = same kind, ± standard error; comparable with the same features only",
            "density: about 1 is right, less is odd, more crowds into the usual; coverage: share of the kinds of real"
            " pictures that are met",
            "variety: how far pictures are apart, over the real ones: 1 is right, near 0 is a collapse",
            *memory,
            *self.notes,
        ]


def score_columns(kind: str) -> list[Column]:
    """Return the columns of a `SetScore` by one kind of features."""

    def score(cell: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda row: cell(row.scores[kind])

    return [
        Column(f"kernel distance ({kind}) x {KERNEL_SCALE}", score(kernel_cell)),
        Column("density", score(number("density", 2))),
        Column("coverage", score(number("coverage", 2))),
    ]
