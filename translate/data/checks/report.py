"""What a data check found, ready to print on one screen or to save."""

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
from translate.utils.terminal import printable

_NAMED = 3  # files that a line names
_MODES = 3


@dataclass(frozen=True)
class Finding:
    """Something that is worth a look.

    Attributes:
        kind: one word or two for programs, such as "near duplicates".
        words: what it is, without the files.
        files: that it is about.
        problem: whether it should be mended before training; else it may well be meant.
    """

    kind: str
    words: str
    files: Sequence[Path] = ()
    problem: bool = False

    def __str__(self) -> str:
        shown = ", ".join(str(path) for path in self.files[:_NAMED])
        more = f" and {len(self.files) - _NAMED} more" if len(self.files) > _NAMED else ""
        return printable(f"{self.words}{': ' if shown else ''}{shown}{more}")


@dataclass
class Part:
    """Pictures of one domain, to train on or to test on.

    Attributes:
        title: of the domain.
        side: "a" or "b"; "" of a single set, and of combined pairs.
        split: "train" or "test".
        pictures: what was measured of each.
    """

    title: str
    side: str
    split: str
    pictures: list[Measurement] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What lines call it."""
        return f"{self.title} ({self.split})"

    @property
    def good(self) -> list[Measurement]:
        """Those that can be read."""
        return [one for one in self.pictures if not one.problem]

    def to_dict(self) -> dict[str, Any]:
        """Return counts, sizes and modes as plain data."""
        good, sizes = self.good, Counter(one.size for one in self.good)
        return {
            "domain": self.title, "split": self.split, "pictures": len(self.pictures), "readable": len(good),
            "bytes": sum(one.length for one in good), "modes": dict(Counter(one.mode for one in good).most_common()),
            "sizes": [{"height": h, "width": w, "count": count} for (h, w), count in sizes.most_common()],
        }  # fmt: skip


@dataclass
class DataReport:
    """What a data check found.

    Attributes:
        parts: the pictures that were looked at.
        findings: problems first.
        seconds: that it took.
    """

    parts: list[Part]
    findings: list[Finding]
    seconds: float = 0.0

    @property
    def problems(self) -> int:
        """How many findings should be mended."""
        return sum(one.problem for one in self.findings)

    def table(self) -> Table:
        """Return the parts as a table to print."""
        table = Table(title="pictures")
        for column in ("set", "pictures", "width x height", "kinds", "MB"):
            table.add_column(column, justify="right" if column in ("pictures", "MB") else "left", overflow="fold")
        for part in self.parts:
            size = sum(one.length for one in part.good) / 1e6
            cells = (f"{len(part.pictures):,}", _sizes(part), _modes(part), f"{size:,.1f}")
            table.add_row(*(Text(printable(cell)) for cell in (part.name, *cells)))
        return table

    def lines(self) -> list[Text]:
        """Return a line for each finding, and one that sums up."""
        return [*map(_line, self.findings), Text(self.summary())]

    def summary(self) -> str:
        """Return the final line."""
        count = sum(len(part.pictures) for part in self.parts)
        notes = len(self.findings) - self.problems
        found = f"{self.problems} to mend, {notes} to look at" if self.findings else "nothing to mend"
        return f"{count:,} pictures checked in {self.seconds:.1f} s: {found}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with all files that the findings are about."""
        found = [
            {"kind": one.kind, "problem": one.problem, "words": one.words, "files": [str(path) for path in one.files]}
            for one in self.findings
        ]
        return {"parts": [part.to_dict() for part in self.parts], "findings": found, "seconds": round(self.seconds, 2)}


def _line(finding: Finding) -> Text:
    word, style = ("mend", "red") if finding.problem else ("look", "yellow")
    return Text.assemble((word, style), f"  {finding}")


def _sizes(part: Part) -> str:
    sizes = Counter(one.size for one in part.good)
    if not sizes:
        return "-"
    if len(sizes) == 1:
        height, width = next(iter(sizes))
        return f"{width} x {height}"
    height, width = (round(statistics.median(size[i] for size in sizes.elements())) for i in (0, 1))
    low, high = min(map(min, sizes)), max(map(max, sizes))
    return f"about {width} x {height}; {len(sizes)} sizes, sides {low} to {high}"


def _modes(part: Part) -> str:
    modes = Counter(one.mode for one in part.good).most_common()
    if len(modes) < 2:
        return modes[0][0] if modes else "-"
    return ", ".join(f"{mode} ({count:,})" for mode, count in modes[:_MODES]) + (" ..." if len(modes) > _MODES else "")
