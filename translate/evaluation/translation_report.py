"""The report of a model that translates pictures: a section for each direction."""

__all__ = ["FLOOR", "DirectionScores", "TranslationReport"]

from collections.abc import Sequence
from dataclasses import dataclass, field

from translate.evaluation.report import (
    KERNEL_SCALE,
    MODEL,
    Column,
    Row,
    SectionedReport,
    coverage_cell,
    number,
    percent,
)

FLOOR = "other real pictures (floor)"
COLUMNS = (
    Column("L1", number("l1", 1), "L1: mean difference to the right answer, of 255; lower is better"),
    Column("PSNR,\ndB", number("psnr", 2), "PSNR and SSIM: to the hidden truth, higher is better"),
    Column("SSIM", number("ssim", 3)),
    Column(
        "near\ncopies", percent("near_copies"), "near copies: share of answers that are their input nearly unchanged"
    ),
    Column(
        "lattice", number("lattice", 2),
        "lattice: what stands at the same place of every 8 x 8 px in all pictures, in levels; real ones have little",
    ),
    Column(
        "in-\nvented", percent("invented"),
        "invented, lost: share of the places where the result shows a part that its truth lacks, or lacks what it has",
    ),
    Column("lost", percent("lost")),
    Column(
        "edge F1", number("edge_f1", 2), second=True,
        legend="edge F1: how well the lines redrawn from the output meet those they should follow; 1 = all",
    ),
    Column(
        "coverage", coverage_cell, second=True,
        legend="coverage: share of the known right looks met, within 10 (20) CIEDE2000 a part",
    ),
    Column(
        "precision", number("precision", 2), second=True,
        legend="precision: share of the answers whose look is a right one, within 10",
    ),
    Column(
        "diversity", number("diversity", 2), second=True,
        legend="diversity: how far the answers are apart, over the right ones; 1 is right, more is noise",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class DirectionScores:
    """The scores of one direction, and the data that they were measured on."""

    direction: str  # "ab" or "ba"
    source: str  # name of the source domain
    target: str  # name of the target domain
    rows: list[Row]  # one per method
    # numbers of "pictures" translated, "truths" among them, "targets" of the kernel distance, pictures of its "floor",
    # and "unreadable" files
    counts: dict[str, int]
    targets: str  # "test" or "train", the part of the target domain that the kernel distance uses
    notes: list[str]  # verdicts; what is missing, and why
    lattice: float | None = None  # of the targets, as `Row.lattice`

    @property
    def title(self) -> str:
        """The direction in words."""
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True)
class TranslationReport(SectionedReport):
    """Scores of every direction that has test pictures."""

    known_columns = COLUMNS
    directions: list[DirectionScores]  # one or two
    seed: int  # of random subsets
    kernel_scale: int = KERNEL_SCALE  # factor of the kernel distances
    remarks: list[str] = field(default_factory=list)  # on the choice of the test pictures
    strength: float | None = None  # of the model's translations, 0 to 1; None: it has none

    @property
    def sections(self) -> Sequence[DirectionScores]:
        """The directions."""
        return self.directions

    def notes(self) -> list[str]:
        """Return the legend, the measured pictures and the notes, one line each."""
        lines = self.legends(self.seed)
        for part in self.directions:
            counts = part.counts
            against = f"{counts['targets']} {part.targets} pictures of {part.target}"
            lines.append(f"{part.title}: {counts['pictures']} test pictures, against {against}")
            if part.lattice is not None:
                lines.append(f"{part.title}: lattice of these {against.split()[0]} real pictures: {part.lattice:.2f}")
            lines += [f"{part.title}: {note}" for note in part.notes]
        if self.strength is not None:
            lines.append(f"{MODEL}: at strength {self.strength:g}")
        return [*lines, *self.remarks]
