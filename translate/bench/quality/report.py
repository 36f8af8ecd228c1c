"""The report of a benchmark of recipes: a section for every set and direction, a row for every recipe."""

__all__ = ["QualityReport", "make_report"]

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from translate.bench.quality.job import Job
from translate.bench.quality.picture_set import Pictures, Question
from translate.bench.quality.sheet import write_sheet
from translate.evaluation.answers import score_answers
from translate.evaluation.panel import Description, Panel
from translate.evaluation.report import KERNEL_SCALE, NO_SCORE, Column, make_table
from translate.evaluation.verdict import UNTOUCHED, is_better
from translate.utils.files import write_json
from translate.utils.terminal import console, escape

FLOOR = "other real pictures"
SCORES = (  # key, title, decimals, unit; the distances of the panel come first
    ("psnr", "PSNR, dB", 1, 1), ("lattice", "lattice", 2, 1), ("near_copies", "near-copies, %", 0, 0.01),
    ("better", "better", 0, 1),
)  # fmt: skip
COSTS = (  # keys of the facts of a job
    ("cpu_seconds", "CPU s", 0, 1), ("steps", "steps", 0, 1), ("start_up", "start-up, CPU s", 1, 1),
    ("peak", "peak, GB", 2, 1e9), ("model_bytes", "model, MB", 1, 1e6), ("parameters", "parameters, M", 2, 1e6),
)  # fmt: skip
LEGEND = (
    "lattice: what stands at the same place of every 8 x 8 px cell, in levels",
    "near-copies: answers that are their input nearly unchanged",
    "better: seeds whose answers beat the untouched input by all semantic features, beyond chance",
    "numbers are medians over the seeds (lowest to highest)",
)


@dataclass(frozen=True)
class Row:
    """One recipe, or a baseline."""

    name: str
    seeds: int  # 0: a baseline
    values: dict[str, list[float]]  # by the key of a column, one number a seed

    def cell(self, key: str, digits: int, unit: float = 1) -> str:
        """Format a column."""
        found = [value / unit for value in self.values.get(key, [])]
        if not found:
            return NO_SCORE
        if key == "better":
            return f"{sum(found):.0f} of {len(found)}"
        middle, low, high = (f"{value:.{digits}f}" for value in (statistics.median(found), min(found), max(found)))
        return middle if low == high else f"{middle} ({low} to {high})"


@dataclass(frozen=True)
class Section:
    """A set in one direction."""

    title: str
    sheet: str  # file of the contact sheet
    rows: list[Row]


@dataclass(frozen=True)
class QualityReport:
    """The scores of all recipes."""

    cpu_seconds: float
    sections: list[Section]
    features: dict[str, str]  # versions of the networks that judge, by title
    notes: list[str]
    failed: list[str]  # runs, and why

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: every number of every seed."""
        return asdict(self)

    def columns(self) -> list[Column]:
        """Return the columns that some row has a number in; those of costs are `second`."""
        known = [*((title, title, 0, 1) for title in self.features), *SCORES, *COSTS]
        used = {key for section in self.sections for row in section.rows for key, found in row.values.items() if found}
        second = {key for key, *_ in COSTS}
        return [
            Column(title, partial(Row.cell, key=key, digits=digits, unit=unit), second=key in second)
            for key, title, digits, unit in known
            if key in used
        ]

    def tables(self) -> list[Table]:
        """Return two tables to print for every section, of the scores and of what they cost."""
        name, columns, tables = Column("recipe", lambda row: row.name, justify="left"), self.columns(), list[Table]()
        for section in self.sections:
            scores = make_table([name, *(column for column in columns if not column.second)], section.rows)
            scores.title, scores.title_justify = section.title, "left"
            costs = [name, *(column for column in columns if column.second)]
            tables += [scores, make_table(costs, [row for row in section.rows if row.seeds])]
        return tables

    def markdown(self) -> str:
        """Return all sections as a page of Markdown."""
        columns, lines = self.columns(), [f"Recipes at {self.cpu_seconds:g} CPU seconds of training steps.", ""]
        for section in self.sections:
            lines += [f"## {section.title}", "", f"| recipe | {' | '.join(str(c.title) for c in columns)} |"]
            lines.append(f"|---|{'--:|' * len(columns)}")
            lines += [f"| {row.name} | {' | '.join(str(c.cell(row)) for c in columns)} |" for row in section.rows]
            lines += ["", f"![{section.title}]({section.sheet})", ""]
        return "\n".join([*lines, *(f"- {line}" for line in self.remarks()), ""])

    def remarks(self) -> list[str]:
        """Return the legend, the notes and the failures, one line each."""
        judges = ", ".join(f"{title} ({version})" for title, version in self.features.items())
        kernel = f"{judges}: kernel distance x {KERNEL_SCALE} of the answers to real pictures; lower is better"
        return [kernel, *LEGEND, *self.notes, *self.failed]


def make_report(jobs: Sequence[Job], panel: Panel, out: Path, failures: Sequence[str]) -> QualityReport:
    """Score the answers of finished jobs, and write a contact sheet for every set and direction into `out`."""
    sections, notes, groups = list[Section](), [*panel.notes], dict[tuple[str, str], list[Job]]()
    for job in jobs:  # those of a group answer the same questions
        groups.setdefault((job.pictures.name, job.kind), []).append(job)
        used = [title for title in (job.result() or {}).get("trained_with", ()) if title in panel.versions]
        notes += [f"{job.title}: no distance by {title}, whose features took part in its training" for title in used]
    for group in groups.values():
        console.print(escape(f"{group[0].pictures.name}: scoring the answers ..."), soft_wrap=True)
        sections += [make_section(group, question, panel, out) for question in group[0].questions()]
    return QualityReport(jobs[0].cpu_seconds if jobs else 0.0, sections, panel.versions, notes, [*failures])


def make_section(jobs: Sequence[Job], question: Question, panel: Panel, out: Path) -> Section:
    """Score the baselines and all answers to a question."""
    real = panel.describe_all((None, picture) for picture in question.real)
    rows = [baseline(UNTOUCHED, question.sources, question, real, panel)] if question.sources else []
    rows += [baseline(FLOOR, question.others, question, real, panel)] if len(question.others) >= 2 else []
    by_recipe: dict[str, list[Job]] = {}
    for job in jobs:
        if job.answers(question):
            by_recipe.setdefault(job.recipe, []).append(job)
    for name, same in by_recipe.items():
        every = [numbers(score_job(job, question, real, panel), job.result() or {}) for job in same]
        keys = {key for one in every for key in one}
        rows.append(Row(name, len(same), {key: [one[key] for one in every if key in one] for key in keys}))
    name = f"{jobs[0].pictures.name}{'_holes' * bool(question.holes)}{f'_{question.key}' * bool(question.key)}"
    write_sheet(out / f"{name}.png", question, {recipe: same[0] for recipe, same in by_recipe.items()})
    return Section(f"{jobs[0].pictures.name}: {question.title}", f"{name}.png", rows)


def baseline(name: str, pictures: Pictures, question: Question, real: Description, panel: Panel) -> Row:
    """Score pictures that no model has made."""
    given: Any = {"sources": question.sources, "truths": question.truths} if name == UNTOUCHED else {}
    found = numbers(asdict(score_answers(pictures, real, panel, **given)), {})
    return Row(name, 0, {key: [value] for key, value in found.items() if key not in ("near_copies", "better")})


def score_job(job: Job, question: Question, real: Description, panel: Panel) -> dict[str, Any]:
    """Return the fields of `AnswerScores` of a job's answers, from its folder if the same panel has scored them."""
    file = job.folder / f"scores{question.key}.json"
    if file.exists() and (known := json.loads(file.read_text(encoding="utf-8")))["panel"] == panel.versions:
        return known["scores"]
    given: Any = {"sources": question.sources, "truths": question.truths}
    scores = asdict(score_answers(job.read_answers(question), real, panel, **given, target=question.target))
    write_json(file, {"panel": panel.versions, "scores": scores})
    return scores


def numbers(scores: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row from scores and the facts of a job; a network that trained it is no judge."""
    kernels = {title: k for title, k in scores["kernels"].items() if title not in facts.get("trained_with", ())}
    leads = {title: kernel["lead"] for title, kernel in kernels.items() if kernel["lead"] is not None}
    found = {title: kernel["value"] for title, kernel in kernels.items()} | {"better": is_better(leads)}
    found |= {key: scores[key] for key in ("psnr", "lattice", "near_copies")}
    found |= {key: facts.get(key) for key, *_ in COSTS}
    return {key: float(value) for key, value in found.items() if value is not None}
