"""The table of what `evaluate` found out about a model that fills holes: a section for each size of hole."""

__all__ = ["BandScores", "HoleScores"]

from dataclasses import dataclass

from translate.evaluation.report import KERNEL_COLUMN, KERNEL_SCALE, Column, Row, Sections, kernel_legend, number


@dataclass(frozen=True, kw_only=True)
class BandScores:
    """The scores on holes of one size.

    Attributes:
        low: the least share of a picture that the holes take.
        high: the largest share.
        area: the share that they take on average.
        rows: one per method.
        apart: how far several answers to one hole are apart, in levels of 0 to 255; None where none were asked for.
    """

    low: float
    high: float
    area: float
    rows: list[Row]
    apart: float | None = None

    @property
    def title(self) -> str:
        """The size of the holes, in words."""
        smallest = self.low < 0.1  # nothing lies below
        return ("holes up to" if smallest else f"holes of {100 * self.low:.0f} to") + f" {100 * self.high:.0f} %"


@dataclass(frozen=True, kw_only=True)
class HoleScores(Sections):
    """All scores of a model that fills holes.

    Attributes:
        title: of the pictures that it was measured on.
        bands: small holes first.
        pictures: test pictures; each gets one hole of every size.
        others: training pictures, whose kernel distance to the test pictures is told as well.
        size: of them all, px.
        features: version of the features that the kernel distance was measured with.
        seed: of its random subsets, the holes and the answers.
        remarks: what is missing, and why.
        kernel_scale: what kernel distances were multiplied by.
    """

    SECTIONS = "bands"
    title: str
    bands: list[BandScores]
    pictures: int
    others: int
    size: int
    features: str
    seed: int
    remarks: list[str]
    kernel_scale: int = KERNEL_SCALE

    def known_columns(self) -> tuple[Column, ...]:
        """The columns that the table may have."""
        return COLUMNS

    def notes(self) -> list[str]:
        """What the numbers mean and were measured on, and what is missing: one line each."""
        areas = ", ".join(f"{100 * band.area:.0f} %" for band in self.bands)
        apart = [
            f"{band.title}: the answers to one hole are {band.apart:.1f} levels apart on average"
            for band in self.bands
            if band.apart is not None
        ]
        return [
            kernel_legend(self.features, self.seed),
            *self.legends(),
            f"{self.pictures} test pictures of {self.title}, {self.size} px, against themselves before they got holes;"
            f" other real pictures: {self.others} training pictures",
            f"each has one hole of every size, {areas} of it on average",
            *apart,
            *self.remarks,
        ]


COLUMNS = (
    Column("l1", "L1", number("l1", 1), "L1: mean difference to the truth inside the hole, of 255; lower is better"),
    Column("psnr", "PSNR, dB", number("psnr", 2), "PSNR and SSIM: inside the hole too, higher is better"),
    Column("ssim", "SSIM", number("ssim", 3)),
    KERNEL_COLUMN,
    Column(
        "seam", "seam", number("seam", 2),
        "seam: step across the hole's border over the picture's own there; 1 is right, more is seen, less is smeared",
    ),
)  # fmt: skip
