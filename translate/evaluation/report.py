"""What every report has: a printed table, a dict for JSON, and the columns and rows that tables are made of."""

__all__ = [
    "KERNEL_COLUMN", "KERNEL_SCALE", "MODEL", "NO_SCORE", "Column", "Report", "Row", "Section", "SectionedReport",
    "coverage_cell", "kernel_cell", "make_table", "number",
]  # fmt: skip

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

KERNEL_SCALE = 1000  # kernel distances are reported times this
NO_SCORE = "-"
MODEL = "this model"


@dataclass(frozen=True)
class Row:
    """Mean scores of one method over the test pictures; None where a score is not known."""

    name: str  # the method
    l1: float | None = None  # mean absolute difference to the truth, in levels of 0 to 255
    psnr: float | None = None  # dB to the truth
    ssim: float | None = None  # to the truth
    kernel: float | None = None  # kernel distance to the target domain, times 1000; lower is better
    kernel_error: float | None = None  # its standard error, times 1000
    subset_size: int | None = None  # pictures in each subset of the kernel distance
    edge_f1: float | None = None  # F1 of its lines against those of the drawing that it should follow
    coverage: float | None = None  # share of the known right answers that one of its answers comes near
    coverage_wide: float | None = None  # the same within twice the distance
    precision: float | None = None  # share of its answers near a right answer
    diversity: float | None = None  # mean distance between its answers over that between the right ones
    seam: float | None = None  # step across a hole's border over the picture's own step there


class Column(NamedTuple):
    """A column of a table."""

    title: str | Text  # its head
    cell: Callable[[Any], str | Text]  # writes the cell of a row; `NO_SCORE` where the row has none
    legend: str = ""  # a line that explains it
    justify: Literal["left", "right"] = "right"  # as rich has it
    no_wrap: bool = False  # as rich has it


def make_table(columns: Sequence[Column], rows: Iterable[Any] = (), **options: Any) -> Table:
    """Make a table of rows; options are those of `rich.table.Table`."""
    table = Table(**options)
    for column in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=column.no_wrap)
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    return table


def number(score: str, digits: int) -> Callable[[Any], str]:
    """Make a cell that shows the attribute `score` of a row with so many digits."""

    def cell(row: Any) -> str:
        value = getattr(row, score)
        return NO_SCORE if value is None else f"{value:.{digits}f}"

    return cell


def kernel_cell(row: Any) -> str:
    """Write the kernel distance with its standard error."""
    return NO_SCORE if row.kernel is None else f"{row.kernel:.1f} ± {row.kernel_error:.1f}"


def coverage_cell(row: Row) -> str:
    """Write the coverage, and in brackets that within twice the distance."""
    return NO_SCORE if row.coverage is None else f"{row.coverage:.2f} ({row.coverage_wide:.2f})"


KERNEL_COLUMN = Column(f"kernel distance x {KERNEL_SCALE}", kernel_cell)
METHOD_COLUMN = Column("pictures", lambda row: f"  {row.name}", justify="left", no_wrap=True)


@dataclass(frozen=True)
class Report(ABC):
    """All that an evaluation found; a subclass is a dataclass whose fields are the keys of the JSON file."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and finite numbers, ready for JSON."""
        return asdict(self)

    @abstractmethod
    def table(self) -> RenderableType:
        """Return the tables to print, each with the meaning of its numbers below it."""


class Section(Protocol):
    """Rows under one title, one per method."""

    @property
    def title(self) -> str: ...
    @property
    def rows(self) -> list[Row]: ...


@dataclass(frozen=True)
class SectionedReport(Report):
    """A report whose table has sections of `Row`s.

    Attributes:
        known_columns: the columns that the table may have; those without any score are left out.
    """

    known_columns: ClassVar[tuple[Column, ...]]

    @property
    @abstractmethod
    def sections(self) -> Sequence[Section]:
        """The sections, in the order of the table."""

    @abstractmethod
    def notes(self) -> list[str]:
        """Return what the numbers mean and were measured on, and what is missing: one line each."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and finite numbers; scores that no row has are left out."""
        scores = {field.name for field in fields(Row)}
        missing = {score for score in scores if all(getattr(row, score) is None for row in self.all_rows())}
        return asdict(self, dict_factory=lambda items: {key: value for key, value in items if key not in missing})

    def all_rows(self) -> list[Row]:
        """Return the rows of all sections."""
        return [row for part in self.sections for row in part.rows]

    def columns(self) -> list[Column]:
        """Return the columns in which some row has a score."""
        rows = self.all_rows()
        return [column for column in self.known_columns if any(column.cell(row) != NO_SCORE for row in rows)]

    def legends(self, features: str, seed: int) -> list[str]:
        """Explain the numbers in the columns, and name the features and seed of the kernel distance: one line each."""
        kernel = f"kernel distance: lower is better, 0 = same kind, ± standard error; features {features}, seed {seed}"
        return [kernel, *(column.legend for column in self.columns() if column.legend)]

    def table(self) -> Table:
        """Return the scores, section by section, with the notes below them."""
        columns = [METHOD_COLUMN, *self.columns()]
        table = make_table(columns, caption=Text("\n".join(self.notes())), caption_justify="left")
        for part in self.sections:
            table.add_row(Text(part.title), style="bold")  # names may hold brackets
            for row in part.rows:
                table.add_row(*(column.cell(row) for column in columns))
            table.add_section()
        return table
