"""The table of scores: what `evaluate` found, ready to print or to save."""

__all__ = ["KERNEL_SCALE", "DirectionScores", "Row", "Scores"]

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

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


@dataclass(frozen=True)
class Scores:
    """Scores of every direction that has test pictures.

    Attributes:
        directions: one or two.
        features: version of the features that the kernel distance was measured with.
        seed: of its random subsets.
        kernel_scale: what kernel distances were multiplied by.
    """

    directions: list[DirectionScores]
    features: str
    seed: int
    kernel_scale: int = KERNEL_SCALE

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and finite numbers, ready for JSON; scores that no row has are left out."""
        everything = asdict(self)
        rows = [row for part in everything["directions"] for row in part["rows"]]
        unknown = {key for key in (rows[0] if rows else {}) if all(row[key] is None for row in rows)}
        for row in rows:
            for key in unknown:
                del row[key]
        return everything

    def columns(self) -> list["Column"]:
        """The columns of the table: those that some row has a number in."""
        rows = [row for part in self.directions for row in part.rows]
        return [column for column in COLUMNS if any(getattr(row, column.score) is not None for row in rows)]

    def table(self) -> Table:
        """The scores as a table, one section per direction, with the notes below it."""
        columns = self.columns()
        table = Table(caption=Text("\n".join(self.notes())), caption_justify="left")
        table.add_column("pictures", no_wrap=True)
        for column in columns:
            table.add_column(column.title, justify="right")
        for part in self.directions:
            table.add_row(Text(f"{part.source} -> {part.target}"), style="bold")  # names may hold brackets
            for row in part.rows:
                table.add_row(f"  {row.name}", *(column.cell(row) for column in columns))
            table.add_section()
        return table

    def notes(self) -> list[str]:
        """What the numbers mean and were measured on, and what is missing: one line each."""
        legends = [column.legend for column in self.columns() if column.legend]
        versions = f"features {self.features}, seed {self.seed}"
        lines = [f"kernel distance: lower is better, 0 = same kind, ± standard error; {versions}", *legends]
        for part in self.directions:
            name, counts = f"{part.source} -> {part.target}", part.counts
            against = f"{counts['targets']} {part.targets} pictures of {part.target}"
            lines.append(f"{name}: {counts['pictures']} test pictures, against {against}")
            lines += [f"{name}: {note}" for note in part.notes]
        return lines


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


COLUMNS = (
    Column("l1", "L1", number("l1", 1), "L1: mean difference to the right answer, of 255; lower is better"),
    Column("psnr", "PSNR, dB", number("psnr", 2), "PSNR and SSIM: to the hidden truth, higher is better"),
    Column("ssim", "SSIM", number("ssim", 3)),
    Column("kernel", f"kernel distance x {KERNEL_SCALE}", kernel_cell),
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
