"""The table of scores: what `evaluate` found, ready to print or to save."""

__all__ = ["KERNEL_SCALE", "DirectionScores", "Row", "Scores"]

from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

KERNEL_SCALE = 1000  # kernel distances are reported times this


@dataclass(frozen=True)
class Row:
    """Means over the test pictures of one method; None where a score could not be had.

    Attributes:
        name: the method.
        psnr: dB to the truth.
        ssim: to the truth.
        kernel: kernel distance to the target domain, times 1000; lower is better.
        kernel_error: its standard error, times 1000.
        subset_size: pictures in each subset of the kernel distance.
    """

    name: str
    psnr: float | None = None
    ssim: float | None = None
    kernel: float | None = None
    kernel_error: float | None = None
    subset_size: int | None = None


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
        """Everything as plain dicts, lists, strings and finite numbers, ready for JSON."""
        return asdict(self)

    def table(self) -> Table:
        """The scores as a table, one section per direction, with the notes below it."""
        has_truth = any(row.psnr is not None for part in self.directions for row in part.rows)
        table = Table(caption=Text("\n".join(self.notes())), caption_justify="left")
        table.add_column("pictures", no_wrap=True)
        truth_columns = ("PSNR, dB", "SSIM") if has_truth else ()
        for name in (*truth_columns, f"kernel distance x {self.kernel_scale}"):
            table.add_column(name, justify="right")
        for part in self.directions:
            table.add_row(Text(f"{part.source} -> {part.target}"), style="bold")  # names may hold brackets
            for row in part.rows:
                truth_cells = (cell(row.psnr, 2), cell(row.ssim, 3)) if has_truth else ()
                table.add_row(f"  {row.name}", *truth_cells, kernel_cell(row))
            table.add_section()
        return table

    def notes(self) -> list[str]:
        """What the numbers were measured on, and what is missing: one line each."""
        versions = f"features {self.features}, seed {self.seed}"
        lines = [f"kernel distance: lower is better, 0 = same kind, ± standard error; {versions}"]
        if any(part.counts["truths"] for part in self.directions):
            lines.append("PSNR and SSIM: to the hidden truth, higher is better")
        for part in self.directions:
            name, counts = f"{part.source} -> {part.target}", part.counts
            against = f"{counts['targets']} {part.targets} pictures of {part.target}"
            lines.append(f"{name}: {counts['pictures']} test pictures, against {against}")
            lines += [f"{name}: {note}" for note in part.notes]
        return lines


def cell(value: float | None, digits: int) -> str:
    """A number for the table, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def kernel_cell(row: Row) -> str:
    """The kernel distance with its standard error."""
    return "-" if row.kernel is None else f"{row.kernel:.1f} ± {row.kernel_error:.1f}"
