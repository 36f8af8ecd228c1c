"""The report of a model that changes labels: a row for each of them."""

__all__ = ["AttributeReport", "AttributeRow"]

from dataclasses import dataclass, field
from typing import Any

from rich.console import Group
from rich.text import Text

from translate.evaluation.report import Column, Report, make_table, number, percent


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """The scores of one label: each picture gets it or, of an attribute that it has, loses it; None if unknown."""

    name: str
    pictures: int
    change: float  # mean difference of answer and input, in levels of 0 to 255
    wished: float  # share of the answers of which the classifier says what was wished for
    wished_before: float  # the same of the inputs
    kept: float | None  # share of the answers with the other labels of their inputs; of the label where that is lowest
    accuracy: float  # of the classifier on real held-out pictures
    psnr: float | None = None  # of the answer to the truth, dB
    psnr_before: float | None = None  # of the input to the truth, dB
    outside: float | None = None  # mean difference of answer and input where the truth is the input, in levels
    wished_truth: float | None = None  # share of the truths of which the classifier says what was wished for


def pair(first: str, second: str, digits: int) -> Any:
    """Return a cell function for a score, and in brackets that of the input."""
    one, other = number(first, digits), number(second, digits)
    return lambda row: one(row) if getattr(row, first) is None else f"{one(row)} ({other(row)})"


def shares(row: AttributeRow) -> str:
    """Format the share of fulfilled wishes, and in brackets that of the inputs."""
    return f"{row.wished:.0%} ({row.wished_before:.0%})"


COLUMNS = (
    Column("label", lambda row: Text(row.name), justify="left"),  # names may hold brackets
    Column("pictures", lambda row: str(row.pictures)),
    Column(
        "PSNR, dB\n(input)", pair("psnr", "psnr_before", 2),
        "PSNR: to the true picture with this label changed, and in brackets that of the untouched input",
    ),
    Column(
        "outside", number("outside", 2),
        "outside: mean change, of 255, where the true picture is the input; change: of the whole picture",
    ),
    Column("change", number("change", 2)),
    Column(
        "wished\n(input)", shares,
        "wished: share of answers of which a classifier says what was wished for, and in brackets of the inputs; truth:"
        " of the true pictures",
    ),
    Column("truth", percent("wished_truth")),
    Column(
        "others\nkept", percent("kept"),
        "others kept: share of answers with the same other labels as their input, of the label where that is lowest",
    ),
    Column("classifier", percent("accuracy"), "classifier: share of real held-out pictures on which it is right"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AttributeReport(Report):
    """All scores of a model that changes labels."""

    title: str  # of the set of pictures
    rows: list[AttributeRow]
    size: int  # of the pictures, px
    learned: int  # training pictures of the classifier
    seed: int
    remarks: list[str] = field(default_factory=list)  # what is missing, and why

    def table(self) -> Group:
        """Return the table, and the notes."""
        columns = [column for column in COLUMNS if any(column.cell(row) != "-" for row in self.rows)]
        notes = [
            *(column.legend for column in columns if column.legend),
            f"held-out pictures of {self.title}, {self.size} px; the classifier has learned from {self.learned} others;"
            f" seed {self.seed}",
            *self.remarks,
        ]
        return Group(make_table(columns, self.rows), "", *map(Text, notes))
