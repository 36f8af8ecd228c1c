"""Which weights to use after a run, and why, in a line."""

__all__ = ["advise"]

from translate.training.scores.average_choice import Average
from translate.training.scores.history import MIN_LEAD, History


def advise(history: History, step: int, average: Average | None = None) -> str:
    """Compare the last weights, of `step`, with the best and an average; return "" if the last or best has no score."""
    best, last = history.best, history.at(step)
    if best is None or last is None:
        return ""
    # an average
    chosen = best if best.lead(last) >= MIN_LEAD else last
    if average and average.score.distance.lead(chosen.score.distance) >= MIN_LEAD:
        return (
            f"use the average over {average.length:.0%} of the run, with --weights average: {average.score}, against"
            f" {best.score} of the best single step, {best.step}"
        )
    # a step
    if best is last:
        return f"use the last weights: they score best, {last.score}"
    if chosen is last:
        return (
            f"use the last weights, {last.score}: those of step {best.step} scored best, {best.score}, but within a"
            " standard error of the difference"
        )
    how = "with --weights best" if history.weights is not None else "which --keep-best false did not keep"
    return f"use the best weights, of step {best.step}, {how}: {best.score}, against {last.score} of the last"
