"""The base of reports: a printed table, a dict for JSON, and the columns and rows of tables."""

__all__ = [
    "KERNEL_COLUMN", "KERNEL_SCALE", "MIN_TRUSTED", "MODEL", "NO_SCORE", "Column", "Report", "Row", "Section",
    "SectionedReport", "coverage_cell", "kernel_cell", "make_table", "note_few", "number",
]  # fmt: skip

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

KERNEL_SCALE = 1000  # factor of reported kernel distances, which are small
NO_SCORE = "-"
MODEL = "this model"
MIN_TRUSTED = 10  # test pictures; scores of fewer depend on which these are, and their standard error is not known


@dataclass(frozen=True)
class Row:
    """Mean scores of one method over the test pictures; None if unknown."""

    name: str  # the method
    l1: float | None = None  # mean absolute difference to the truth, in levels of 0 to 255
    psnr: float | None = None  # dB to the truth
    ssim: float | None = None  # to the truth
    kernel: float | None = None  # kernel distance to the target domain, times 1000; lower is better
    kernel_error: float | None = None  # its standard error, times 1000; None for fewer than `MIN_TRUSTED` pictures
    subset_size: int | None = None  # pictures in each subset of the kernel distance
    edge_f1: float | None = None  # see `edge_f1`
    coverage: float | None = None  # see `CoverageScore`, as for the next three
    coverage_wide: float | None = None
    precision: float | None = None
    diversity: float | None = None
    seam: float | None = None  # see `metrics.inpainting.seam`


class Column(NamedTuple):
    """A column of a table."""

    title: str | Text
    cell: Callable[[Any], str | Text]  # formats the cell of a row; `NO_SCORE` without a value
    legend: str = ""  # a line of explanation
    justify: Literal["left", "right"] = "right"  # an option of rich
    no_wrap: bool = False  # an option of rich


def make_table(columns: Sequence[Column], rows: Iterable[Any] = (), **options: Any) -> Table:
    """Build a table of rows; `options` are those of `rich.table.Table`."""
    table = Table(**options)
    for column in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=column.no_wrap)
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    return table


def number(score: str, digits: int) -> Callable[[Any], str]:
    """Return a cell function for the attribute `score` of a row, with `digits` decimals."""

    def cell(row: Any) -> str:
        value = getattr(row, score)
        return NO_SCORE if value is None else f"{value:.{digits}f}"

    return cell


def kernel_cell(row: Any) -> str:
    """Format the kernel distance with its standard error, if known."""
    if row.kernel is None:
        return NO_SCORE
    return f"{row.kernel:.1f}" if row.kernel_error is None else f"{row.kernel:.1f} ± {row.kernel_error:.1f}"


def coverage_cell(row: Row) -> str:
    """Format the coverage, and in brackets that within twice the distance."""
    return NO_SCORE if row.coverage is None else f"{row.coverage:.2f} ({row.coverage_wide:.2f})"


def note_few(count: int, pictures: str = "test picture") -> list[str]:
    """Return a warning if scores are of only `count` pictures."""
    words = f"only {count} {pictures}{'s' * (count != 1)}: do not trust these scores"
    return [words] if count < MIN_TRUSTED else []


KERNEL_COLUMN = Column(f"kernel distance x {KERNEL_SCALE}", kernel_cell)
METHOD_COLUMN = Column("pictures", lambda row: f"  {row.name}", justify="left", no_wrap=True)


@dataclass(frozen=True)
class Report(ABC):
    """The results of an evaluation; the fields of a subclass, a dataclass, are the keys of the JSON file."""

    def to_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and finite numbers, ready for JSON."""
        return asdict(self)

    @abstractmethod
    def table(self) -> RenderableType:
        """Return the tables to print, each with a legend."""


class Section(Protocol):
    """Rows under one title, one per method."""

    @property
    def title(self) -> str: ...
    @property
    def rows(self) -> list[Row]: ...


@dataclass(frozen=True)
class SectionedReport(Report):
    """A report whose table has sections of `Row`s."""

    known_columns: ClassVar[tuple[Column, ...]]  # columns without any score are left out of the table

    @property
    @abstractmethod
    def sections(self) -> Sequence[Section]:
        """The sections, in the order of the table."""

    @abstractmethod
    def notes(self) -> list[str]:
        """Return the legend and notes below the table, one line each."""

    def to_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and finite numbers; scores without any value are left out."""
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
        """Return the legends of the columns and of the kernel distance, one line each."""
        error = ", ± standard error" if any(row.kernel_error is not None for row in self.all_rows()) else ""
        kernel = f"kernel distance: lower is better, 0 = same kind{error}; features {features}, seed {seed}"
        return [kernel, *(column.legend for column in self.columns() if column.legend)]

    def table(self) -> Table:
        """Return the table of scores by section, with the notes below."""
        columns = [METHOD_COLUMN, *self.columns()]
        table = make_table(columns, caption=Text("\n".join(self.notes())), caption_justify="left")
        for part in self.sections:
            table.add_row(Text(part.title), style="bold")  # names may hold brackets
            for row in part.rows:
                table.add_row(*(column.cell(row) for column in columns))
            table.add_section()
        return table
