"""A sheet of the answers of several models to the same held-out pictures."""

__all__ = ["comparison_grid"]

from functools import partial

import numpy as np

from translate.evaluation.reader import readable
from translate.images.grid import make_grid
from translate.reports.comparison import Comparison
from translate.reports.examples import answer_to, examples_of
from translate.reports.scores import ScoreOptions
from translate.utils.errors import UserError

COLUMNS = 6


def comparison_grid(
    comparison: Comparison, options: ScoreOptions, columns: int = COLUMNS
) -> tuple[np.ndarray, list[str]]:
    """Draw, for each direction, held-out pictures, a row of answers of each run that was scored, and the truths.

    Returns:
        (H, W, 3) uint8, and what each row shows, from the top.

    Raises:
        UserError: no run was scored, or no picture can be read.
    """
    runs = [each for each in comparison.runs if each.measures]
    if not runs:
        raise UserError("none of these runs has been scored, so there is no picture to compare them by")
    evaluations = [options.load(each.run.folder) for each in runs]
    rows, titles = list[list[np.ndarray]](), list[str]()
    for found in examples_of(evaluations[0], columns):
        examples = found.examples
        if sources := [example.source for example in examples if example.source is not None]:
            rows.append(sources)
            titles.append(f"{found.title}: input")
        for each, evaluation in zip(runs, evaluations, strict=True):
            rows.append(list(readable(examples, partial(answer_to, evaluation))))
            titles.append(f"{found.title}: {each.name}")
        if truths := [example.truth for example in examples if example.truth is not None]:
            rows.append(truths)
            titles.append(f"{found.title}: truth")
    if not any(rows):
        raise UserError("none of the held-out pictures can be read")
    return make_grid(rows), titles
