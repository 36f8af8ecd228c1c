"""What is wrong with a finished run, in words, each with what to do about it."""

__all__ = ["findings_of"]

from collections.abc import Iterator

from translate.evaluation.generation_report import GenerationReport
from translate.evaluation.report import MODEL, Report, SectionedReport
from translate.reports.trained_run import TrainedRun

FACTOR_PREFIX = "lr_factor/"  # of logged numbers: factors on the learning rates of phases that diverged


def findings_of(run: TrainedRun, scores: Report | None = None) -> list[str]:
    """Return the findings, one line each; [] if nothing is known to be wrong."""
    return [*_of_training(run), *_of_pictures(run), *_of_scores(scores)]


def _of_training(run: TrainedRun) -> Iterator[str]:
    if not run.is_complete:
        yield f"the run has {run.recipe.steps} of {run.plan['steps']} steps: repeat its command"
    lowered = {name: line[name] for line in run.lines for name in line if name.startswith(FACTOR_PREFIX)}
    for name, factor in lowered.items():
        yield (
            f"training diverged and went back to a saved state; from then on {name.removeprefix(FACTOR_PREFIX)} learned"
            f" with {factor:g} times its rate: if it happens again, try half of --train.lr"
        )


def _of_pictures(run: TrainedRun) -> Iterator[str]:
    if run.verdict and not run.verdict.judged:
        yield f"{run.verdict}: train it for longer"
    for finding in run.verdict.findings if run.verdict else ():
        yield finding + ("; it is young, so a longer run may mend it" if run.verdict and run.verdict.young else "")


def _of_scores(scores: Report | None) -> Iterator[str]:
    if isinstance(scores, SectionedReport):
        for section in scores.sections:
            for row in section.rows:
                if row.name.startswith(MODEL) and row.better is False:
                    yield f"{section.title}: {row.name} is not better than the untouched input: train it for longer"
    if isinstance(scores, GenerationReport) and any(check.remembers for check in scores.memory.values()):
        yield "it seems to remember training pictures: give it more of them, or --augment-target 0.6"
