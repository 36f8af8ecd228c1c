"""What is wrong with a finished run, in words, each with what to do about it."""

__all__ = ["findings_of"]

from translate.reports.trained_run import TrainedRun

FACTOR_PREFIX = "lr_factor/"  # of logged numbers: factors on the learning rates of phases that diverged


def findings_of(run: TrainedRun) -> list[str]:
    """Return the findings, one line each; [] if nothing is known to be wrong."""
    found = (
        [] if run.is_complete else [f"the run has {run.recipe.steps} of {run.plan['steps']} steps: repeat its command"]
    )
    lowered = {name: line for line in run.lines for name in line if name.startswith(FACTOR_PREFIX)}
    for name, line in lowered.items():
        phase = name.removeprefix(FACTOR_PREFIX)
        found.append(
            f"training diverged and went back to a saved state; from then on {phase} learned with"
            f" {line[name]:g} times its rate: if it happens again, try half of --train.lr"
        )
    if run.verdict and not run.verdict.judged:
        found.append(f"{run.verdict}: train it for longer")
    more = "; it is young, so a longer run may mend it" if run.verdict and run.verdict.young else ""
    return found + [f"{finding}{more}" for finding in (run.verdict.findings if run.verdict else ())]
