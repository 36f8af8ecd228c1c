"""The scores of a model as a flat list of numbers, so that those of several models can be laid side by side."""

__all__ = ["Measure", "format_value", "measures_of", "variant_of"]

from collections.abc import Iterator
from dataclasses import dataclass

from translate.evaluation.generation_report import GenerationReport
from translate.evaluation.labels.attribute_report import AttributeReport
from translate.evaluation.report import KERNEL_SCALE, MODEL, Report, Row, SectionedReport

DISTANCE = f"kernel distance x {KERNEL_SCALE}, by"
NUMBERS = {  # of rows, by attribute
    "l1": "L1", "psnr": "PSNR, dB", "ssim": "SSIM", "near_copies": "near copies", "lattice": "lattice",
    "edge_f1": "edge F1", "coverage": "coverage", "precision": "precision", "diversity": "diversity", "seam": "seam",
    "invented": "invented", "lost": "lost", "iou": "mean IoU", "accuracy": "pixel accuracy",
    "back": "difference to the small picture",
}  # fmt: skip
LABEL_NUMBERS = {
    "psnr": "PSNR, dB", "outside": "change outside", "change": "change", "wished": "wished", "kept": "others kept",
}  # fmt: skip
# How the names of rows begin that score other weights of the run beside the last: at another step in each run
OTHER_WEIGHTS = {"best weights": "best weights", "average over": "average"}


@dataclass(frozen=True)
class Measure:
    """A score of a model."""

    part: str  # direction, size of the holes or kind of answers; "" if there is one only
    name: str  # what is measured, with its unit
    value: float
    error: float | None = None  # its standard error, if known

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of 95 % confidence, if the standard error is known; of equal values it is not."""
        return (self.value - 1.96 * self.error, self.value + 1.96 * self.error) if self.error else None


def measures_of(report: Report) -> list[Measure]:
    """Return the scores of the model in a report, and not those of the baselines."""
    if isinstance(report, SectionedReport):
        return list(_of_sections(report))
    if isinstance(report, AttributeReport):
        return list(_of_labels(report))
    return list(_of_samples(report)) if isinstance(report, GenerationReport) else []


def variant_of(name: str) -> str | None:
    """Return what a row scores of the model: "" for its answers, or other answers or weights; None for a baseline."""
    if name.startswith(MODEL):
        return name.removeprefix(MODEL).strip(", ")
    return next((kind for begin, kind in OTHER_WEIGHTS.items() if name.startswith(begin)), None)


def _of_sections(report: SectionedReport) -> Iterator[Measure]:
    for section in report.sections:
        for row in section.rows:
            if (variant := variant_of(row.name)) is not None:
                yield from _of_row(row, ", ".join(filter(None, (section.title, variant))))


def _of_row(row: Row, part: str) -> Iterator[Measure]:
    for title, score in row.kernels.items():
        yield Measure(part, f"{DISTANCE} {title}", score.value, score.error)
    for attribute, name in NUMBERS.items():
        if (value := getattr(row, attribute)) is not None:
            yield Measure(part, name, float(value), row.errors.get(attribute))


def _of_samples(report: GenerationReport) -> Iterator[Measure]:
    for row in report.rows:
        part = variant_of(row.name)
        if part is None:
            continue
        for title, score in row.scores.items():
            yield Measure(part, f"{DISTANCE} {title}", score.kernel, score.kernel_error)
            yield Measure(part, f"density, by {title}", score.density)
            yield Measure(part, f"coverage, by {title}", score.coverage)
        yield Measure(part, "variety", row.variety)
        if row.lattice is not None:
            yield Measure(part, "lattice", row.lattice)
    if report.labels:
        yield Measure("", "agreement with labels", report.labels.agreement)
    for kind, check in report.memory.items():
        yield Measure("", f"near copies of training pictures, by {kind}", check.copies)


def _of_labels(report: AttributeReport) -> Iterator[Measure]:
    for row in report.rows:
        for attribute, name in LABEL_NUMBERS.items():
            if (value := getattr(row, attribute)) is not None:
                yield Measure(row.name, name, value)


def format_value(value: float, error: float | None = None, *, like: float | None = None) -> str:
    """Format a number with three digits or more, and with its error if known; with the decimals of `like` if given."""
    scale = abs(float(value if like is None else like))
    digits = 0 if scale >= 100 or (scale.is_integer() and not error) else 2 if scale >= 1 else 3
    return f"{value:,.{digits}f}" + (f" ± {error:,.{digits}f}" if error is not None else "")
