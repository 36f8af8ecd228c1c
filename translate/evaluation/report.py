"""The table of scores: what `evaluate` found, ready to print or to save."""

__all__ = [
    "KERNEL_COLUMN", "KERNEL_SCALE", "Column", "DirectionScores", "Row", "Scores", "Section", "Sections",
    "kernel_legend", "number",
]  # fmt: skip

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from rich.table import Table
from rich.text import Text

KERNEL_SCALE = 1000  # kernel distances are reported times this


@dataclass(frozen=True)
class Row:
    """Means over the test pictures of one method; None where a score could not be had.

    Attributes:
        name: the method.
        l1: mean absolute difference to the truth, in levels of 0 to 255.
        psnr: dB to the truth.
        ssim: to the truth.
        kernel: kernel distance to the target domain, times 1000; lower is better.
        kernel_error: its standard error, times 1000.
        subset_size: pictures in each subset of the kernel distance.
        edge_f1: agreement of its lines with the drawing that it should follow.
        coverage: share of the known right answers that one of its answers comes near.
        coverage_wide: the same with twice the reach.
        precision: share of its answers near a right answer.
        diversity: how far its answers are apart, over how far the right ones are.
        seam: how hard the step across a hole's border is, over the picture's own there.
    """

    name: str
    l1: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    kernel: float | None = None
    kernel_error: float | None = None
    subset_size: int | None = None
    edge_f1: float | None = None
    coverage: float | None = None
    coverage_wide: float | None = None
    precision: float | None = None
    diversity: float | None = None
    seam: float | None = None


class Section(Protocol):
    """Rows that stand under one title.

    Attributes:
        title: of the section.
        rows: one per method.
    """

    @property
    def title(self) -> str: ...
    @property
    def rows(self) -> list[Row]: ...


@dataclass(frozen=True)
class DirectionScores:
    """The rows of one direction, with what they were measured on.

    Attributes:
        direction: "ab" or "ba".
        source: name of the domain that was translated.
        target: name of the domain that the outputs should look like.
        rows: one per method.
        counts: "pictures" translated, those of them with a truth ("truths"), "targets" of the kernel
            distance, pictures set aside for its "floor", and files left out as "unreadable".
        targets: "test" or "train", the part of the target domain that the kernel distance uses.
        notes: what is missing, and why.
    """

    direction: str
    source: str
    target: str
    rows: list[Row]
    counts: dict[str, int]
    targets: str
    notes: list[str]

    @property
    def title(self) -> str:
        """The way it goes, in words."""
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True)
class Sections:
    """What tables of several sections share; a subclass holds the sections, and says what they were measured on.

    Attributes:
        SECTIONS: name of the attribute with the list of sections.
    """

    SECTIONS: ClassVar[str]

    @property
    def sections(self) -> Sequence[Section]:
        """The sections, in the order of the table."""
        return list[Section](getattr(self, self.SECTIONS))

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and finite numbers, ready for JSON; scores that no row has are left out."""
        everything = asdict(self)
        rows = [row for part in everything[self.SECTIONS] for row in part["rows"]]
        unknown = {key for key in (rows[0] if rows else {}) if all(row[key] is None for row in rows)}
        for row in rows:
            for key in unknown:
                del row[key]
        return everything

    def known_columns(self) -> tuple["Column", ...]:
        """The columns that the table may have."""
        return COLUMNS

    def columns(self) -> list["Column"]:
        """The columns of the table: those that some row has a number in."""
        rows = [row for part in self.sections for row in part.rows]
        return [
            column for column in self.known_columns() if any(getattr(row, column.score) is not None for row in rows)
        ]

    def table(self) -> Table:
        """The scores as a table, section by section, with the notes below it."""
        columns = self.columns()
        table = Table(caption=Text("\n".join(self.notes())), caption_justify="left")
        table.add_column("pictures", no_wrap=True)
        for column in columns:
            table.add_column(column.title, justify="right")
        for part in self.sections:
            table.add_row(Text(part.title), style="bold")  # names may hold brackets
            for row in part.rows:
                table.add_row(f"  {row.name}", *(column.cell(row) for column in columns))
            table.add_section()
        return table

    def legends(self) -> list[str]:
        """What the numbers in the columns mean: one line each."""
        return [column.legend for column in self.columns() if column.legend]

    def notes(self) -> list[str]:
        """What the numbers mean and were measured on, and what is missing: one line each."""
        raise NotImplementedError


@dataclass(frozen=True)
class Scores(Sections):
    """Scores of every direction that has test pictures.

    Attributes:
        directions: one or two.
        features: version of the features that the kernel distance was measured with.
        seed: of its random subsets.
        kernel_scale: what kernel distances were multiplied by.
    """

    SECTIONS = "directions"
    directions: list[DirectionScores]
    features: str
    seed: int
    kernel_scale: int = KERNEL_SCALE

    def notes(self) -> list[str]:
        """What the numbers mean and were measured on, and what is missing: one line each."""
        lines = [kernel_legend(self.features, self.seed), *self.legends()]
        for part in self.directions:
            counts = part.counts
            against = f"{counts['targets']} {part.targets} pictures of {part.target}"
            lines.append(f"{part.title}: {counts['pictures']} test pictures, against {against}")
            lines += [f"{part.title}: {note}" for note in part.notes]
        return lines


def kernel_legend(features: str, seed: int) -> str:
    """Say what the kernel distance means, and what it was measured with."""
    return f"kernel distance: lower is better, 0 = same kind, ± standard error; features {features}, seed {seed}"


class Column(NamedTuple):
    """A column of the table: the score of a row that it shows, how, and a line that explains it."""

    score: str
    title: str
    cell: Callable[[Row], str]
    legend: str = ""


def number(score: str, digits: int) -> Callable[[Row], str]:
    """Return what writes a score as a number with so many digits, or a dash."""

    def cell(row: Row) -> str:
        value = getattr(row, score)
        return "-" if value is None else f"{value:.{digits}f}"

    return cell


def kernel_cell(row: Row) -> str:
    """The kernel distance with its standard error."""
    return "-" if row.kernel is None else f"{row.kernel:.1f} ± {row.kernel_error:.1f}"


def coverage_cell(row: Row) -> str:
    """The coverage, and in brackets that with the wider reach."""
    return "-" if row.coverage is None else f"{row.coverage:.2f} ({row.coverage_wide:.2f})"


KERNEL_COLUMN = Column("kernel", f"kernel distance x {KERNEL_SCALE}", kernel_cell)
COLUMNS = (
    Column("l1", "L1", number("l1", 1), "L1: mean difference to the right answer, of 255; lower is better"),
    Column("psnr", "PSNR, dB", number("psnr", 2), "PSNR and SSIM: to the hidden truth, higher is better"),
    Column("ssim", "SSIM", number("ssim", 3)),
    KERNEL_COLUMN,
    Column(
        "edge_f1", "edge F1", number("edge_f1", 2),
        "edge F1: how well the lines redrawn from the output meet those they should follow; 1 = all",
    ),
    Column(
        "coverage", "coverage", coverage_cell,
        "coverage: share of the known right looks met, within 10 (20) CIEDE2000 a part",
    ),
    Column(
        "precision", "precision", number("precision", 2),
        "precision: share of the answers whose look is a right one, within 10",
    ),
    Column(
        "diversity", "diversity", number("diversity", 2),
        "diversity: how far the answers are apart, over the right ones; 1 is right, more is noise",
    ),
)  # fmt: skip
