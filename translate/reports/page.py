"""The page of a run: one HTML file that needs nothing else, for the run's owner and for those who are shown it."""

__all__ = ["PageOptions", "RunReport", "make_report", "render_page"]

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from translate.evaluation.report import Report
from translate.images.io import read_rgb8
from translate.reports.answers import RankedAnswers, rank_answers
from translate.reports.curves import plots_of
from translate.reports.data_facts import SourceFacts, source_facts
from translate.reports.embedded_pictures import EmbeddedPicture, PictureBudget
from translate.reports.findings import findings_of
from translate.reports.line_plot import line_plot
from translate.reports.measures import format_value, measures_of, variant_of
from translate.reports.rich_blocks import to_blocks
from translate.reports.scores import ScoreOptions, keep_scores
from translate.reports.trained_run import TrainedRun
from translate.utils.errors import UserError
from translate.utils.files import format_bytes
from translate.utils.sequences import spread

MAX_GRIDS = 12  # sample grids, evenly spaced from the first to the last
MAX_ANSWERED = 48  # held-out pictures of each direction whose answers are ordered
SHOWN_ANSWERS = 4  # of the best, and of the worst
GRID_SIDE_PX, ANSWER_SIDE_PX = 1280, 256  # longer side of embedded pictures
TEMPLATE = "page.html.jinja"


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """How a page is made."""

    scores: ScoreOptions = field(default_factory=ScoreOptions)
    picture_bytes: int = 12_000_000  # most bytes of all pictures, as they stand in the page


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """All that a page says of a run."""

    run: TrainedRun
    sources: list[SourceFacts]
    scores: Report | None  # None if the run cannot be scored
    problem: str  # why it cannot be scored; "" if it can
    answers: list[RankedAnswers]

    def to_dict(self) -> dict[str, Any]:
        """Return the facts and scores, ready for JSON; the scores are those of the command `evaluate`."""
        run = self.run
        return {
            "run": str(run.folder),
            "recipe": asdict(run.recipe),
            "config": run.config,
            "plan": run.plan,
            "complete": run.is_complete,
            "parameters": run.parameters,
            "seconds": run.seconds,
            "pictures": [{"domain": d, "part": p, "count": n} for (d, p), n in run.counts().items()],
            "sources": [asdict(source) for source in self.sources],
            "findings": findings_of(run, self.scores),
            "resources": [asdict(each) for each in run.resources],
            "files": run.file_sizes(),
            "scores": self.scores.to_dict() if self.scores else None,
            "problem": self.problem,
            "answers": [
                {
                    "title": ranked.title, "measure": ranked.measure,
                    "scores": [{"name": answer.example.name, "score": answer.score} for answer in ranked.answers],
                }
                for ranked in self.answers
            ],
        }  # fmt: skip


def make_report(run: TrainedRun, options: PageOptions) -> RunReport:
    """Score a run and order its answers; a run that cannot be scored is reported without, and the reason."""
    report, problem, answers = None, "", list[RankedAnswers]()
    try:
        evaluation = options.scores.load(run.folder)
        report = evaluation.run()
        keep_scores(run.folder, options.scores, report)
        answers = list(rank_answers(evaluation, MAX_ANSWERED))
    except UserError as error:
        problem = str(error)
    return RunReport(run=run, sources=source_facts(run), scores=report, problem=problem, answers=answers)


def render_page(report: RunReport, options: PageOptions, commands: Sequence[tuple[str, str]]) -> str:
    """Return the HTML text of a page.

    Args:
        report: of the run.
        options: of the page.
        commands: to train the same and to use the model: what each is for, and its words.
    """
    budget = PictureBudget(options.picture_bytes)
    run = report.run
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"bytes": format_bytes, "duration": format_duration, "short": format_value}
    environment.globals |= {"sha256": script_hash, "is_model": lambda name: variant_of(name) is not None}
    # pictures that say the most come first, as there may not be room for all
    answers = [embed_answers(ranked, budget) for ranked in report.answers]
    grids = embed_grids(run, budget)
    plots = [
        (plot.title, plot.over, Markup(line_plot(plot.series, plot.title, dots=plot.dots)), list(plot.series))
        for plot in plots_of(run.lines)
    ]
    return environment.get_template(TEMPLATE).render(
        run=run,
        recipe=run.recipe,
        report=report,
        findings=findings_of(run, report.scores),
        commands=commands,
        plots=plots,
        grids=grids,
        grids_made=len(run.samples()),
        measures=[measure for measure in measures_of(report.scores) if measure.interval] if report.scores else [],
        blocks=list(to_blocks(report.scores.table())) if report.scores else [],
        answers=answers,
        left_out=budget.left_out,
        made=f"{datetime.now():%Y-%m-%d %H:%M}",
    )


@dataclass(frozen=True)
class ShownAnswer:
    """An answer on a page."""

    name: str
    score: float
    pictures: dict[str, EmbeddedPicture]  # by what they are


@dataclass(frozen=True)
class ShownAnswers:
    """The best and the worst answers of one direction or kind."""

    title: str
    measure: str
    count: int  # of all that were ordered
    best: list[ShownAnswer]
    worst: list[ShownAnswer]  # the worst first


def embed_answers(ranked: RankedAnswers, budget: PictureBudget) -> ShownAnswers:
    """Embed the best and the worst answers, each with its input and its truth; none is both."""
    shown = []
    number = min(SHOWN_ANSWERS, len(ranked.answers) // 2)
    for answer in [*ranked.answers[:number], *ranked.answers[::-1][:number]]:
        arrays = {"input": answer.example.source, "answer": answer.picture, "truth": answer.example.truth}
        embedded = {
            what: budget.embed(array, f"{answer.example.name}, {what}", ANSWER_SIDE_PX)
            for what, array in arrays.items()
            if array is not None
        }
        pictures = {what: picture for what, picture in embedded.items() if picture}
        shown.append(ShownAnswer(answer.example.name, answer.score, pictures))
    return ShownAnswers(ranked.title, ranked.measure, len(ranked.answers), shown[:number], shown[number:])


def embed_grids(run: TrainedRun, budget: PictureBudget) -> list[tuple[int, EmbeddedPicture]]:
    """Embed sample grids, the last first if there is not room for all; return them with their steps, by step."""
    found = []
    for path in spread(run.samples(), MAX_GRIDS)[::-1]:
        try:
            picture = budget.embed(read_rgb8(path), path.name, GRID_SIDE_PX)
        except UserError:  # cut short
            continue
        if picture:
            found.append((int(path.stem.removeprefix("step_")), picture))
    return found[::-1]


def script_hash(script: str) -> str:
    """Return the hash by which a content security policy allows a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def format_duration(seconds: float) -> str:
    """Format seconds in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
