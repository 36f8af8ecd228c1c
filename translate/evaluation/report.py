"""The base of reports: a printed table, a dict for JSON, and the columns and rows of tables."""

__all__ = [
    "KERNEL_SCALE", "MIN_TRUSTED", "MODEL", "NO_SCORE", "Column", "KernelScore", "Report", "Row", "Section",
    "SectionedReport", "break_title", "coverage_cell", "format_kernel", "kernel_title", "make_table", "note_few",
    "number", "percent",
]  # fmt: skip

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from translate.metrics.kernel_distance import KERNEL_SCALE

NO_SCORE = "-"
MODEL = "this model"
MIN_TRUSTED = 10  # test pictures; scores of fewer depend on which these are, and their standard error is not known


@dataclass(frozen=True, kw_only=True)
class KernelScore:
    """A kernel distance of a set of pictures to the target domain, by the features of one network."""

    value: float  # times 1000; lower is better
    error: float | None = None  # its standard error, times 1000; None for fewer than `MIN_TRUSTED` pictures
    subset_size: int | None = None  # pictures in each subset
    lead: float | None = None  # how much nearer than the untouched input, in standard errors of the difference


@dataclass(frozen=True)
class Row:
    """Mean scores of one method over the test pictures; None if unknown."""

    name: str  # the method
    l1: float | None = None  # mean absolute difference to the truth, in levels of 0 to 255
    psnr: float | None = None  # dB to the truth
    ssim: float | None = None  # to the truth
    kernels: dict[str, KernelScore] = field(default_factory=dict)  # by the titles of networks; {} if unknown
    better: bool | None = None  # than the untouched input, see `is_better`
    near_copies: float | None = None  # share of results that are their input nearly unchanged
    lattice: float | None = None  # strength, in levels, see `metrics.lattice`
    edge_f1: float | None = None  # see `edge_f1`
    coverage: float | None = None  # see `CoverageScore`, as for the next three
    coverage_wide: float | None = None
    precision: float | None = None
    diversity: float | None = None
    invented: float | None = None  # share of the places without a part where the result shows one, see `Contents`
    lost: float | None = None  # share of the places with a part where the result shows none
    iou: float | None = None  # mean IoU of answered label maps, see `metrics.class_overlap`
    accuracy: float | None = None  # share of their pixels that are right
    back: float | None = None  # difference of an enlarged picture, averaged down, to the small one, in levels
    seam: float | None = None  # see `metrics.inpainting.seam`
    errors: dict[str, float] = field(default_factory=dict)  # standard errors of the means above, by name; {} if few


class Column(NamedTuple):
    """A column of a table."""

    title: str | Text
    cell: Callable[[Any], str | Text]  # formats the cell of a row; `NO_SCORE` without a value
    legend: str = ""  # a line of explanation
    justify: Literal["left", "right"] = "right"  # an option of rich
    second: bool = False  # whether it belongs to the second of two tables, for lack of room


def make_table(columns: Sequence[Column], rows: Iterable[Any] = ()) -> Table:
    """Build a table of rows, of whose columns only those with words to the left wrap."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=column.justify == "right", vertical="bottom")
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    return table


def number(score: str, digits: int) -> Callable[[Any], str]:
    """Return a cell function for the attribute `score` of a row, with `digits` decimals."""

    def cell(row: Any) -> str:
        value = getattr(row, score)
        return NO_SCORE if value is None else f"{value:.{digits}f}"

    return cell


def kernel_column(title: str) -> Column:
    """Return the column of the kernel distances by one network."""
    return Column(kernel_title(title), lambda row: kernel_cell(row, title))


def kernel_title(title: str) -> str:
    """Return the title of a column of kernel distances, narrow by line breaks."""
    return f"kernel\ndistance,\n{break_title(title)}"


def break_title(title: str) -> str:
    """Break the title of a network, as a long word would widen a table."""
    return title.replace("-", "-\n")


def kernel_cell(row: Any, title: str) -> str:
    """Format the kernel distance of a row by one network."""
    return format_kernel(row.kernels[title].value, row.kernels[title].error) if title in row.kernels else NO_SCORE


def percent(score: str) -> Callable[[Any], str]:
    """Return a cell function for the attribute `score` of a row, a share."""

    def cell(row: Any) -> str:
        value = getattr(row, score)
        return NO_SCORE if value is None else f"{value:.0%}"

    return cell


def format_kernel(value: float, error: float | None) -> str:
    """Format a kernel distance with its standard error, if known."""
    digits = 0 if abs(value) >= 100 else 1
    return f"{value:.{digits}f}" if error is None else f"{value:.{digits}f} ± {error:.{digits}f}"


def coverage_cell(row: Row) -> str:
    """Format the coverage, and in brackets that within twice the distance."""
    return NO_SCORE if row.coverage is None else f"{row.coverage:.2f} ({row.coverage_wide:.2f})"


def note_few(count: int, pictures: str = "test picture") -> list[str]:
    """Return a warning if scores are of only `count` pictures."""
    words = f"only {count} {pictures}{'s' * (count != 1)}: do not trust these scores"
    return [words] if count < MIN_TRUSTED else []


METHOD_COLUMN = Column("pictures", lambda row: Text(row.name), justify="left")


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
    features: dict[str, str]  # versions of the features of the kernel distances, by the titles of networks

    @property
    @abstractmethod
    def sections(self) -> Sequence[Section]:
        """The sections, in the order of the table."""

    @abstractmethod
    def notes(self) -> list[str]:
        """Return the legend and notes below the table, one line each."""

    def to_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and finite numbers; scores without any value are left out."""
        missing = {each.name for each in fields(Row) if all(empty(getattr(row, each.name)) for row in self.all_rows())}
        return asdict(self, dict_factory=lambda items: {key: value for key, value in items if key not in missing})

    def all_rows(self) -> list[Row]:
        """Return the rows of all sections."""
        return [row for part in self.sections for row in part.rows]

    def columns(self) -> list[Column]:
        """Return the columns in which some row has a score; the kernel distances stand behind those to the truth."""
        kernels = [kernel_column(title) for title in self.features]
        known = [column for column in self.known_columns if not column.second]
        columns = [*known[:3], *kernels, *known[3:], *(column for column in self.known_columns if column.second)]
        rows = self.all_rows()
        return [column for column in columns if any(column.cell(row) != NO_SCORE for row in rows)]

    def legends(self, seed: int) -> list[str]:
        """Return the legends of the columns and of the kernel distance, one line each."""
        known = any(score.error is not None for row in self.all_rows() for score in row.kernels.values())
        kernel = f"kernel distance x {KERNEL_SCALE}: lower is better, 0 = same kind" + ", ± standard error" * known
        kernel += f"; features {', '.join(self.features.values())}; seed {seed}"
        return [kernel, *(column.legend for column in self.columns() if column.legend)]

    def table(self) -> Group:
        """Return one or two tables of scores by section, and the notes."""
        columns = self.columns()
        parts = [[column for column in columns if column.second == second] for second in (False, True)]
        tables = [self.make_part(part) for part in parts if part]
        return Group(*(each for table in tables for each in (table, "")), *map(Text, self.notes()))

    def make_part(self, columns: Sequence[Column]) -> Table:
        """Return a table of some scores by section."""
        table = make_table([METHOD_COLUMN, *columns])
        for part in self.sections:
            table.add_row(Text(part.title), style="bold")  # names may hold brackets
            for row in part.rows:
                cells = [column.cell(row) for column in columns]
                if {*cells} != {NO_SCORE}:
                    table.add_row(Padding(Text(row.name), (0, 0, 0, 2)), *cells)
            table.add_section()
        return table


def empty(score: Any) -> bool:
    """Whether a score of a row is unknown."""
    return score is None or score == {}
