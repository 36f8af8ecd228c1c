"""The tables of what `evaluate` found out about a model that makes pictures from nothing."""

__all__ = ["MODEL", "ClassRow", "FactorRow", "LabelScores", "SampleRow", "SampleScores", "SetScore"]

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from translate.evaluation.memorization import MemoryCheck
from translate.evaluation.report import KERNEL_SCALE

MODEL = "this model"


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """How like the held-out pictures a set of pictures is, by one kind of features.

    Attributes:
        kernel: kernel distance, times 1000; lower is better.
        kernel_error: its standard error, times 1000.
        density: see `density_coverage`.
        coverage: likewise.
    """

    kernel: float
    kernel_error: float
    density: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """The scores of one set of pictures.

    Attributes:
        name: says where they come from.
        count: how many they are.
        variety: how far they are apart, over how far the held-out pictures are.
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
        count: samples that were asked for with this label.
        agreement: share of them that the classifier takes for this class.
        mistaken: the class that it takes most of the others for; "" where it agrees with all.
        variety: how far they are apart, over how far real pictures of the class are; None where there are no two.
    """

    name: str
    count: int
    agreement: float
    mistaken: str
    variety: float | None


@dataclass(frozen=True, kw_only=True)
class LabelScores:
    """Whether samples show what was asked for.

    Attributes:
        agreement: share of all samples that the classifier takes for what was asked for.
        confidence: how sure it is on average, 0 to 1.
        accuracy: share of the real held-out pictures that it names rightly.
        judged_on: how many those are.
        trained_on: real pictures that it learned from.
        classes: a row of each.
    """

    agreement: float
    confidence: float
    accuracy: float
    judged_on: int
    trained_on: int
    classes: list[ClassRow]


@dataclass(frozen=True, kw_only=True)
class FactorRow:
    """How often the words of one factor are met.

    Attributes:
        name: of the factor.
        away: total variation distance between the shares of its words in samples and in training pictures: 0 is right,
            1 is all wrong. The samples are named by the classifier.
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
        """The word whose share is farthest off, in words."""
        word = max(self.shares_real, key=lambda each: abs(self.shares[each] - self.shares_real[each]))
        return f"{word}: {self.shares[word]:.0%}, should be {self.shares_real[word]:.0%}"


@dataclass(frozen=True, kw_only=True)
class SampleScores:
    """All scores of a model that makes pictures from nothing.

    Attributes:
        title: of the pictures that it was measured on.
        held_out: how many of them were compared with.
        rows: the model among baselines, and the floor.
        memory: whether it remembers training pictures, by what they were compared.
        labels: whether samples show what was asked for; None where that is not known.
        factors: of a set with known factors.
        notes: what is missing, and why.
        seed: of all that is random.
        kernel_scale: what kernel distances were multiplied by.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and finite numbers, ready for JSON."""
        return asdict(self)

    def table(self) -> Group:
        """The tables, each with what its numbers mean below it."""
        parts: list[RenderableType] = [self.table_of_sets(), *map(Text, self.lines())]
        if self.labels:
            parts += [table_of_labels(self.labels), Text(legend_of_labels(self.labels))]
        if self.factors:
            parts += [table_of_factors(self.factors), Text(FACTOR_LEGEND)]
        return Group(*parts)

    def table_of_sets(self) -> Table:
        """The model, the baselines and the floor."""
        table = Table()
        table.add_column(Text(self.title), no_wrap=True)  # names may hold brackets
        kinds = list(self.rows[0].scores)
        for kind in kinds:
            table.add_column(f"kernel distance ({kind}) x {KERNEL_SCALE}", justify="right")
            table.add_column("density", justify="right")
            table.add_column("coverage", justify="right")
        table.add_column("variety", justify="right")
        for row in self.rows:
            cells = [cell for kind in kinds for cell in cells_of(row.scores[kind])]
            table.add_row(row.name, *cells, f"{row.variety:.2f}")
        return table

    def lines(self) -> list[str]:
        """What the numbers mean, what was found in words, and what is missing: one line each."""
        mine = next(row for row in self.rows if row.name == MODEL)
        memory = [f"by {name}: {check.verdict()}" for name, check in self.memory.items()]
        return [
            f"{mine.count} samples against {self.held_out} held-out pictures of {self.title}; seed {self.seed}",
            "kernel distance: lower is better, 0 = same kind, ± standard error; comparable with the same features only",
            "density: about 1 is right, less is odd, more crowds into the usual; coverage: share of the kinds of real"
            " pictures that are met",
            "variety: how far pictures are apart, over the real ones: 1 is right, near 0 is a collapse",
            *memory,
            *self.notes,
        ]


def cells_of(score: SetScore) -> list[str]:
    """Write a score in three cells."""
    kernel = f"{score.kernel:.1f} ± {score.kernel_error:.1f}"
    return [kernel, f"{score.density:.2f}", f"{score.coverage:.2f}"]


def table_of_labels(labels: LabelScores) -> Table:
    """The classes, one a row."""
    table = Table()
    for title in ("label", "samples", "agreement", "most others taken for", "variety"):
        table.add_column(title, justify="left" if title == "label" else "right")
    for row in labels.classes:
        variety = "-" if row.variety is None else f"{row.variety:.2f}"
        table.add_row(Text(row.name), str(row.count), f"{row.agreement:.1%}", Text(row.mistaken), variety)
    return table


def legend_of_labels(labels: LabelScores) -> str:
    """Say what the numbers of the classes mean."""
    return (
        f"agreement: a classifier takes {labels.agreement:.1%} of the samples for the label asked for, and is sure of"
        f" {labels.confidence:.0%}; itself it is right on {labels.accuracy:.1%} of {labels.judged_on} held-out pictures"
        f" after learning from {labels.trained_on}\nvariety: over that of real pictures with the label"
    )


FACTOR_LEGEND = (
    "off: total variation distance between the shares of a factor's words in samples and in training pictures, 0 is"
    " right; in brackets: of held-out pictures\naccuracy: of the classifier that names the words, on held-out pictures"
)


def table_of_factors(factors: list[FactorRow]) -> Table:
    """The factors, one a row."""
    table = Table()
    for title in ("factor", "off", "accuracy", "farthest off"):
        table.add_column(title, justify="right" if title in ("off", "accuracy") else "left")
    for row in factors:
        cells = (f"{row.away:.2f} ({row.away_real:.2f})", f"{row.accuracy:.1%}", Text(row.worst()))
        table.add_row(Text(row.name), *cells)
    return table
