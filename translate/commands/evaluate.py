"""evaluate: the scores of a model."""

__all__ = ["Evaluate", "evaluate"]

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from translate.commands.options import PathWord, Words

if TYPE_CHECKING:
    import numpy as np

    from translate.metrics.report import Scores
    from translate.translator import Translator


WIDE = 132  # characters that the table of a model of pairs takes


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a model on held-out pictures, beside what costs nothing: the input itself, a mean picture, a look-up.

    Attributes:
        model: Run folder or model.safetensors.
        a: First domain, or the first pictures of pairs (default: what the run was trained on).
        b: Second domain, or the second pictures.
        data: In place of both: a folder with testA and testB or of combined pairs, or a data set of the catalog.
        limit: At most so many pictures of each domain; 0 = all.
        count: Answers to each sketch, of a model that gives many where several are known to be right.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        json: Write the table to this file as well.
        grid: Write a picture to this file: test pictures, their translations, and the truth where it is known.
        config: TOML file with any of these options; flags win over it.
    """

    model: PathWord
    a: Words = ""
    b: Words = ""
    data: Words = ""
    limit: int = 0
    count: int = 16
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    json: PathWord = ""
    grid: PathWord = ""
    config: PathWord = ""


def evaluate(options: Evaluate) -> int:
    """Print the table of scores."""
    from rich.console import Console

    from translate.images import Picture, atomic_write, write_picture
    from translate.tasks import TASKS
    from translate.translator import Translator

    translator = Translator.load(options.model, options.device, options.precision)
    paired = TASKS[translator.recipe.task].data == "paired"
    scores, grid = (score_pairs if paired else score_domains)(translator, options)
    # a narrow terminal folds long lines; a table squeezed into it would say nothing
    Console(width=max(Console().width, WIDE)).print(scores.table())
    if options.json:
        with atomic_write(options.json) as temporary:
            temporary.write_text(json.dumps(scores.to_dict(), indent=2) + "\n", encoding="utf-8")
    if grid is not None:
        write_picture(options.grid, Picture(grid), quality=88)
    return 0


def score_domains(translator: "Translator", options: Evaluate) -> tuple["Scores", "np.ndarray | None"]:
    """Score a model of two domains; make the contact sheet if it is wanted."""
    from translate.evaluate import contact_sheet, evaluate, trained_on

    a, b = trained_on(options.model, options.a, options.b, options.data)
    scores = evaluate(translator, a, b, limit=options.limit or None)
    return scores, contact_sheet(translator, a, b) if options.grid else None


def score_pairs(translator: "Translator", options: Evaluate) -> tuple["Scores", "np.ndarray | None"]:
    """Score a model of pairs, likewise."""
    from translate.evaluate_pairs import evaluate_pairs, pairs_sheet, trained_pairs

    direction = translator.recipe.directions[0]
    pairs = trained_pairs(options.model, options.a, options.b, options.data, direction)
    scores = evaluate_pairs(translator, pairs, count=options.count, limit=options.limit or None)
    return scores, pairs_sheet(translator, pairs) if options.grid else None
