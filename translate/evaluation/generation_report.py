"""The report of a generative model: sets of pictures, labels, factors and memorization."""

__all__ = ["ClassRow", "FactorRow", "GenerationReport", "LabelScores", "SampleRow", "SetScore"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from translate.evaluation.memorization import MemoryCheck
from translate.evaluation.report import (
    KERNEL_SCALE,
    MODEL,
    Column,
    Report,
    break_title,
    format_kernel,
    kernel_title,
    make_table,
    number,
)

FACTOR_LEGEND = (
    "off: total variation distance between the shares of a factor's words in samples and in training pictures, 0 is"
    " right; in brackets: of held-out pictures\naccuracy: of the classifier that names the words, on held-out pictures"
)


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """The scores of a set of pictures against the held-out ones, by one kind of features."""

    kernel: float  # kernel distance, times 1000; lower is better
    kernel_error: float | None  # its standard error, times 1000; None for fewer than `MIN_TRUSTED` pictures
    density: float  # see `density_coverage`
    coverage: float  # see `density_coverage`


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """The scores of one set of pictures."""

    name: str  # origin of the pictures
    count: int  # number of pictures
    variety: float  # mean distance between them over that between the held-out pictures
    lattice: float | None  # strength, in levels, see `metrics.lattice`; None for baselines
    scores: dict[str, SetScore]  # by the titles of the networks


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class of a labelled model."""

    name: str  # of the class
    count: int  # samples of this label
    agreement: float  # share of these samples that the classifier assigns to this class
    mistaken: str  # most frequent other class assigned; "" if none
    variety: float | None  # mean pairwise distance over that of real pictures of the class; None for fewer than 2


@dataclass(frozen=True, kw_only=True)
class LabelScores:
    """Agreement of samples with their labels."""

    agreement: float  # share of samples that the classifier assigns to their label
    confidence: float  # mean probability of the assigned label, 0 to 1
    accuracy: float  # of the classifier on real held-out pictures, 0 to 1
    judged_on: int  # number of held-out pictures
    trained_on: int  # number of real pictures for training
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
    """Frequencies of the words of one factor."""

    name: str  # of the factor
    away: float  # total variation distance between the shares below, 0 to 1
    away_real: float  # the same for held-out pictures: the floor
    accuracy: float  # of the classifier on held-out pictures, 0 to 1
    shares: dict[str, float]  # of each word in the samples, by the classifier
    shares_real: dict[str, float]  # of each word in the training pictures

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
    """All scores of a generative model."""

    title: str  # of the set of pictures
    features: dict[str, str]  # versions of the features by the titles of the networks
    held_out: int  # number of held-out pictures
    rows: list[SampleRow]  # baselines, the model and the floor
    memory: dict[str, MemoryCheck]  # memorization by the compared features
    labels: LabelScores | None = None  # None if unknown
    factors: list[FactorRow] = field(default_factory=list)  # if factors are known
    notes: list[str] = field(default_factory=list)  # what is missing, and why
    seed: int = 0
    kernel_scale: int = KERNEL_SCALE  # factor of the kernel distances

    def table(self) -> Group:
        """Return the tables, each with a legend."""
        tables = [make_table(columns, self.rows) for columns in (self.kernel_columns(), self.neighbour_columns())]
        parts: list[RenderableType] = [*(each for table in tables for each in (table, "")), *map(Text, self.lines())]
        if self.labels:
            parts += [make_table(LABEL_COLUMNS, self.labels.classes), Text(self.labels.legend())]
        if self.factors:
            parts += [make_table(FACTOR_COLUMNS, self.factors), Text(FACTOR_LEGEND)]
        return Group(*parts)

    def kernel_columns(self) -> list[Column]:
        """Return the columns of the kernel distances and of the variety."""

        def cell(title: str) -> Callable[[Any], str]:
            return lambda row: format_kernel(row.scores[title].kernel, row.scores[title].kernel_error)

        kernels = [Column(kernel_title(title), cell(title)) for title in self.features]
        return [self.names(), *kernels, *(Column(score, number(score, 2)) for score in ("variety", "lattice"))]

    def neighbour_columns(self) -> list[Column]:
        """Return the columns of density and coverage."""

        def column(score: str, title: str) -> Column:
            cell = number(score, 2)
            return Column(f"{score},\n{break_title(title)}", lambda row: cell(row.scores[title]))

        return [self.names(), *(column(score, title) for title in self.features for score in ("density", "coverage"))]

    def names(self) -> Column:
        """Return the column of the names of the sets."""
        return Column(Text(self.title), lambda row: row.name, justify="left")

    def lines(self) -> list[str]:
        """Return the legend, the results on memorization, and the notes, one line each."""
        model = next(row for row in self.rows if row.name == MODEL)
        memory = [f"by {name}: {check.verdict()}" for name, check in self.memory.items()]
        return [
            f"{model.count} samples against {self.held_out} held-out pictures of {self.title}; seed {self.seed}",
            f"kernel distance x {KERNEL_SCALE}: lower is better, 0 = same kind, ± standard error; features"
            f" {', '.join(self.features.values())}",
            "density: about 1 is right, less is odd, more crowds into the usual; coverage: share of the kinds of real"
            " pictures that are met",
            "variety: how far pictures are apart, over the real ones: 1 is right, near 0 is a collapse",
            "lattice: what stands at the same place of every 8 x 8 px in all pictures, in levels",
            *memory,
            *self.notes,
        ]
