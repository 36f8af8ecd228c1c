"""evaluate: the scores of a model."""

__all__ = ["Evaluate", "evaluate"]

import json
from dataclasses import dataclass, fields
from typing import Literal

from translate.cli.commands.options import PathText, Text, TrustOptions

MIN_TABLE_WIDTH = 132  # characters that the table of a model of pairs takes; in less, it would be squeezed to nothing


@dataclass(frozen=True, kw_only=True)
class Evaluate(TrustOptions):
    """Score a model on held-out pictures, beside what costs nothing: the input itself, a mean picture, a look-up.

    Attributes:
        model: Run folder or model.safetensors.
        a: First domain, or the first pictures of pairs (default: what the run was trained on).
        b: Second domain, or the second pictures.
        data: In place of both: a folder with testA and testB or of combined pairs, or a data set of the catalog.
        images: Of a model that makes pictures from nothing or fills holes: real ones (default: those that it was
            trained on).
        limit: At most so many pictures of each domain; 0 = all.
        count: Answers to each sketch, of a model that gives many where several are known to be right (0: 16);
            samples, of a model that makes pictures from nothing (0: 1000); or answers to each of some holes, to see
            how far they are apart (0: none).
        features: File of SqueezeNet 1.0 weights: samples are scored by its features as well.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "bf16" or "fp32".
        json: Write the table to this file as well.
        grid: Write a picture to this file: test pictures, their translations, and the truth where it is known;
            samples, below those of the last row the training picture nearest to each; or pictures with growing holes,
            what OpenCV (Telea) and the model fill them with, and the truth.
        config: TOML file with any of these options; flags win over it.
    """

    model: PathText
    a: Text = ""
    b: Text = ""
    data: Text = ""
    images: Text = ""
    limit: int = 0
    count: int = 0
    features: PathText = ""
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    json: PathText = ""
    grid: PathText = ""
    config: PathText = ""


def evaluate(options: Evaluate) -> int:
    """Print the table of scores; write them to a JSON file and draw the grid if asked to."""
    from rich.console import Console

    from translate.evaluation.evaluation import EvaluationOptions
    from translate.evaluation.registry import load_evaluation
    from translate.images.io import write_picture
    from translate.images.picture import Picture
    from translate.utils.files import atomic_write

    # 1. score
    chosen = {field.name: getattr(options, field.name) for field in fields(EvaluationOptions)}
    evaluation = load_evaluation(EvaluationOptions(**chosen))
    report = evaluation.run()
    grid = evaluation.grid() if options.grid else None

    # 2. print and write
    Console(width=max(Console().width, MIN_TABLE_WIDTH)).print(report.table())
    if options.json:
        with atomic_write(options.json) as temporary:
            temporary.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    if grid is not None:
        write_picture(options.grid, Picture(grid), quality=88)
    return 0
