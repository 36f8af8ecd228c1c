"""The findings of a data check, to print on one screen or to save."""

__all__ = ["DataReport", "Finding", "Part"]

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from translate.data.checks.measure import Measurement
from translate.data.files.counted import list_names
from translate.utils.terminal import printable

_MAX_MODES = 3  # in one line


@dataclass(frozen=True)
class Finding:
    """Something in a data set that deserves attention."""

    kind: str  # for programs, such as "near duplicates"
    words: str
    files: Sequence[Path] = ()
    problem: bool = False  # must be mended before training; else it may be intended

    def __str__(self) -> str:
        return printable(f"{self.words}: {list_names(self.files)}" if self.files else self.words)


@dataclass
class Part:
    """The measured pictures of one `FileSet`."""

    title: str
    side: str
    split: str
    pictures: list[Measurement] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.title} ({self.split})"

    @property
    def readable(self) -> list[Measurement]:
        return [one for one in self.pictures if not one.problem]

    def to_dict(self) -> dict[str, Any]:
        """Return counts, sizes and modes as plain data."""
        readable = self.readable
        sizes = Counter(one.size for one in readable)
        return {
            "domain": self.title, "split": self.split, "pictures": len(self.pictures), "readable": len(readable),
            "bytes": sum(one.length for one in readable),
            "modes": dict(Counter(one.mode for one in readable).most_common()),
            "sizes": [{"height": h, "width": w, "count": count} for (h, w), count in sizes.most_common()],
        }  # fmt: skip


@dataclass
class DataReport:
    """The result of a data check."""

    parts: list[Part]
    findings: list[Finding]  # problems first
    seconds: float = 0.0

    @property
    def problems(self) -> int:
        """The number of findings that must be mended."""
        return sum(one.problem for one in self.findings)

    def table(self) -> Table:
        """Return the parts as a table to print."""
        table = Table(title="pictures")
        for column in ("set", "pictures", "width x height", "kinds", "MB"):
            table.add_column(column, justify="right" if column in ("pictures", "MB") else "left", overflow="fold")
        for part in self.parts:
            size = sum(one.length for one in part.readable) / 1e6
            cells = (part.name, f"{len(part.pictures):,}", _describe_sizes(part), _describe_modes(part), f"{size:,.1f}")
            table.add_row(*(Text(printable(cell)) for cell in cells))
        return table

    def lines(self) -> list[Text]:
        """Return a line for each finding, and a summary."""
        styles = {True: ("mend", "red"), False: ("look", "yellow")}
        return [*(Text.assemble(styles[one.problem], f"  {one}") for one in self.findings), Text(self.summary())]

    def summary(self) -> str:
        """Return the final line."""
        count = sum(len(part.pictures) for part in self.parts)
        notes = len(self.findings) - self.problems
        result = f"{self.problems} to mend, {notes} to look at" if self.findings else "nothing to mend"
        return f"{count:,} pictures checked in {self.seconds:.1f} s: {result}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, with all files of the findings."""
        findings = [
            {"kind": one.kind, "problem": one.problem, "words": one.words, "files": [str(path) for path in one.files]}
            for one in self.findings
        ]
        parts = [part.to_dict() for part in self.parts]
        return {"parts": parts, "findings": findings, "seconds": round(self.seconds, 2)}


def _describe_sizes(part: Part) -> str:
    sizes = Counter(one.size for one in part.readable)
    if not sizes:
        return "-"
    if len(sizes) == 1:
        height, width = next(iter(sizes))
        return f"{width} x {height}"
    height, width = (round(statistics.median(size[i] for size in sizes.elements())) for i in (0, 1))
    low, high = min(map(min, sizes)), max(map(max, sizes))
    return f"about {width} x {height}; {len(sizes)} sizes, sides {low} to {high}"


def _describe_modes(part: Part) -> str:
    modes = Counter(one.mode for one in part.readable).most_common()
    if len(modes) < 2:
        return modes[0][0] if modes else "-"
    more = " ..." if len(modes) > _MAX_MODES else ""
    return ", ".join(f"{mode} ({count:,})" for mode, count in modes[:_MAX_MODES]) + more
