"""The report of an inpainting model: a section for each size of hole."""

__all__ = ["BandScores", "InpaintingReport"]

from collections.abc import Sequence
from dataclasses import dataclass

from translate.evaluation.report import KERNEL_SCALE, Column, Row, SectionedReport, number

COLUMNS = (
    Column("L1", number("l1", 1), "L1: mean difference to the truth inside the hole, of 255; lower is better"),
    Column("PSNR,\ndB", number("psnr", 2), "PSNR and SSIM: inside the hole too, higher is better"),
    Column("SSIM", number("ssim", 3)),
    Column(
        "seam", number("seam", 2),
        "seam: step across the hole's border over the picture's own there; 1 is right, more is seen, less is smeared",
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BandScores:
    """The scores on holes of one size."""

    low: float  # smallest share of a picture in its hole
    high: float  # largest share
    area: float  # mean share
    rows: list[Row]  # one per method
    apart: float | None = None  # mean difference of several results for a hole, in levels of 0 to 255

    @property
    def title(self) -> str:
        """The size of the holes in words."""
        return ("holes up to" if self.low < 0.1 else f"holes of {100 * self.low:.0f} to") + f" {100 * self.high:.0f} %"


@dataclass(frozen=True, kw_only=True)
class InpaintingReport(SectionedReport):
    """All scores of an inpainting model."""

    known_columns = COLUMNS
    title: str  # of the set of pictures
    bands: list[BandScores]  # small holes first
    pictures: int  # number of test pictures; each gets one hole of every size
    others: int  # number of training pictures for the floor
    size: int  # of all pictures, px
    seed: int  # of random subsets, holes and results
    remarks: list[str]  # what is missing, and why
    kernel_scale: int = KERNEL_SCALE  # factor of the kernel distances

    @property
    def sections(self) -> Sequence[BandScores]:
        """The bands."""
        return self.bands

    def notes(self) -> list[str]:
        """Return the legend, the measured pictures and the remarks, one line each."""
        areas = ", ".join(f"{100 * band.area:.0f} %" for band in self.bands)
        apart = [
            f"{band.title}: the answers to one hole are {band.apart:.1f} levels apart on average"
            for band in self.bands
            if band.apart is not None
        ]
        return [
            *self.legends(self.seed),
            f"{self.pictures} test pictures of {self.title}, {self.size} px, against themselves before they got holes;"
            f" other real pictures: {self.others} training pictures",
            f"each has one hole of every size, {areas} of it on average",
            *apart,
            *self.remarks,
        ]
