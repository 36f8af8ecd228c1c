"""The report of a model that answers label maps: IoU and pixel accuracy, and the IoU of each class."""

__all__ = ["ClassScore", "LabelMapReport"]

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group
from rich.text import Text

from translate.evaluation.report import Column, SectionedReport, make_table, number, percent
from translate.evaluation.translation_report import DirectionScores

COLUMNS = (
    Column(
        "mean\nIoU", number("iou", 3),
        "mean IoU: intersection over union of answer and truth, the mean of all classes that the test maps have",
    ),
    Column("pixel\naccuracy", number("accuracy", 3), "pixel accuracy: share of the labelled pixels that are right"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    """One class in the answers of the model."""

    name: str
    share: float  # of the labelled pixels of the test maps
    iou: float | None  # None for a class that no test map has
    found: float | None  # share of its pixels that the model finds
    mistaken: str  # the class that it is taken for most often; "" if never


CLASS_COLUMNS = (
    Column("class", lambda row: Text(row.name), justify="left"),  # names may hold brackets
    Column("of all\npixels", lambda row: f"{row.share:.1%}"),
    Column("IoU", number("iou", 3)),
    Column("found", percent("found")),
    Column("else mostly\ntaken for", lambda row: Text(row.mistaken), justify="left"),
)


@dataclass(frozen=True)
class LabelMapReport(SectionedReport):
    """Scores of answered label maps."""

    known_columns = COLUMNS
    directions: list[DirectionScores]  # one
    classes: list[ClassScore]  # of the model with its last weights
    remarks: list[str] = field(default_factory=list)  # on the choice of the test pictures

    @property
    def sections(self) -> Sequence[DirectionScores]:
        """The direction."""
        return self.directions

    def table(self) -> Group:
        """Return the scores of all methods, those of each class, and the notes."""
        classes = make_table(CLASS_COLUMNS, self.classes)
        return Group(self.make_part(self.columns()), "", classes, "", *map(Text, self.notes()))

    def notes(self) -> list[str]:
        """Return the legend, the measured pictures and the notes, one line each."""
        lines = [column.legend for column in self.columns() if column.legend]
        for part in self.directions:
            lines.append(f"{part.title}: {part.counts['pictures']} test pictures")
            lines += [f"{part.title}: {note}" for note in part.notes]
        return [*lines, *self.remarks]
