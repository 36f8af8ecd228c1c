"""The curves of a run: its losses by phase, its scores and its speed over the steps."""

__all__ = ["SCORE_PREFIX", "Plot", "plots_of"]

from collections.abc import Sequence
from dataclasses import dataclass

from translate.reports.line_plot import Series
from translate.reports.trained_run import Line

SCORE_PREFIX = "score/"  # of the names of scores that a run logs while it trains
AVERAGE_PREFIX = f"{SCORE_PREFIX}average_"  # of scores of averages that are made after the run
ERROR_SUFFIX = "_error"
HEALTH_PREFIX = "health/"
NOT_LOSSES = ("step", "lr", "images_per_second", "waiting", "seconds")


@dataclass(frozen=True)
class Plot:
    """Curves that share their axes."""

    title: str
    series: dict[str, Series]  # by name
    dots: bool = False  # whether each point is a measurement of its own
    over: str = "the steps"


def plots_of(lines: Sequence[Line]) -> list[Plot]:
    """Return the plots of a log: a plot for each score, for the losses of each phase, and for the rest."""
    names = list(dict.fromkeys(name for line in lines for name in line if name not in NOT_LOSSES))
    scores = [name for name in names if name.startswith(SCORE_PREFIX)]
    losses = [
        name for name in names if "/" in name and not name.startswith((SCORE_PREFIX, HEALTH_PREFIX, "lr_factor/"))
    ]
    averages = [name for name in scores if name.startswith(AVERAGE_PREFIX)]
    errors = [name for name in scores if name.endswith(ERROR_SUFFIX)]  # the table of scores has intervals
    plots = [
        Plot(f"score on the choosing half, {_short(name)}", _series(lines, [name]), dots=True)
        for name in scores
        if name not in {*averages, *errors}
    ]
    plots.append(_plot_of_averages(lines, averages))
    for phase in dict.fromkeys(name.partition("/")[0] for name in losses):
        plots.append(
            Plot(f"losses of {phase}", _series(lines, [name for name in losses if name.startswith(f"{phase}/")]))
        )
    if health := [name for name in names if name.startswith(HEALTH_PREFIX)]:
        plots.append(Plot("variety of the samples", _series(lines, health), dots=True))
    others = [name for name in names if name not in {*scores, *losses, *health}]
    plots += [Plot(name, _series(lines, [name])) for name in ("lr", *others)]
    return [plot for plot in plots if plot.series]


def _plot_of_averages(lines: Sequence[Line], names: Sequence[str]) -> Plot:
    """Return the plot of the scores of averages, whose names end with their length, as a fraction of the run."""
    points = [
        (100 * float(name.removeprefix(AVERAGE_PREFIX)), line[name]) for line in lines for name in names if name in line
    ]
    iou = any(f"{SCORE_PREFIX}iou" in line for line in lines)
    title, name = ("mean IoU", "iou") if iou else ("kernel distance", "kernel")
    return Plot(
        f"{title} on the choosing half",
        {name: sorted(points)} if points else {},
        dots=True,
        over="the averaged last part, % of the run",
    )


def _series(lines: Sequence[Line], names: Sequence[str]) -> dict[str, Series]:
    """Return the points (step, value) by the short names of series that have any."""
    found = {_short(name): [(line["step"], line[name]) for line in lines if name in line] for name in names}
    return {name: points for name, points in found.items() if points}


def _short(name: str) -> str:
    return name.partition("/")[2] or name
