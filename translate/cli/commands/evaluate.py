"""evaluate: the scores of a model."""

__all__ = ["Evaluate", "evaluate"]

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from translate.cli.commands.options import (
    Flag,
    PathText,
    PluginOptions,
    Precision,
    RootOptions,
    Text,
    TrustOptions,
    Weights,
    flag_name,
    given_options,
)

if TYPE_CHECKING:
    from translate.evaluation.report import Report

OTHER_DATA = frozenset({"a", "b", "data", "images", "strength"})  # options whose scores are not those of the run
SCORING_OPTIONS = frozenset({"base", "images", "limit", "count", "features", "json", "grid"})
MIN_TABLE_WIDTH = 100  # characters of the widest table; in a narrower console, rich would cut off its cells


@dataclass(frozen=True, kw_only=True)
class Evaluate(TrustOptions, RootOptions, PluginOptions):
    """Score a model on held-out pictures, beside baselines: the input itself, a mean picture, a look-up."""

    model: PathText  # Run folder, model.safetensors, or hf://user/name[@revision] on the Hub.
    # Of a run folder: "last"; "best", those with the best score while training; or "average", of several steps. With
    # "last", the others stand beside it.
    weights: Weights = "last"
    base: PathText = ""  # Of an adapter: the model that it corrects (default: where it was, or beside the adapter).
    a: Text = ""  # First domain, or the first pictures of pairs (default: those of the run).
    b: Text = ""  # Second domain, or the second pictures.
    data: Text = ""  # Instead of both: a folder with testA and testB or of combined pairs, or a catalog data set.
    # For two domains without pairs: true pairs whose test part, or a tenth, is scored, too (default: those of the run).
    pairs: Text = ""
    # For generation and inpainting: real pictures (default: those that the model was trained on).
    images: Text = ""
    limit: int = 0  # At most this many pictures of each domain; 0 = all.
    # Results for each sketch, if the model gives several and the right ones are known (0: 16); samples, for generation
    # (0: 1000); or results for each of some holes, to measure how much they differ (0: none).
    count: int = 0
    # How far a model of train-drift goes: from 0, near the picture, to 1, all of the look (default: the model's own).
    strength: Annotated[float | None, arg(metavar="0..1", help_behavior_hint="")] = None
    # File of weights of SqueezeNet 1.0, VGG-16, EfficientNet-Lite0 or DINOv2, whose features compare pictures as well.
    features: PathText = ""
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1" or "mps".
    precision: Precision = "auto"  # "auto", "bf16" or "fp32".
    json: PathText = ""  # Also write the table to this file.
    # Write a picture to this file: test pictures, their translations, and the truth if known; samples, below those of
    # the last row the nearest training picture of each; or pictures with growing holes, filled by OpenCV (Telea) and
    # by the model, and the truth.
    grid: PathText = ""
    # Score nothing, but store in the model file how its training pictures look, which translate-folder --trust needs;
    # a run does so at its end.
    calibrate: Flag = False
    config: PathText = ""  # TOML file with any of these options; flags win over it.


def evaluate(options: Evaluate) -> int:
    """Print the table of scores; write the JSON file and the grid if they are requested."""
    if options.calibrate:
        return calibrate(options)
    from translate.data.files.find import left_out_notes
    from translate.data.sources.run_data import named_sets
    from translate.evaluation.evaluation import EvaluationOptions
    from translate.evaluation.registry import load_evaluation
    from translate.images.io import write_picture
    from translate.images.picture import Picture
    from translate.utils.files import write_json
    from translate.utils.terminal import result_console, say

    shared = {field.name: getattr(options, field.name) for field in fields(EvaluationOptions)}
    evaluation = load_evaluation(EvaluationOptions(**shared))
    for note in left_out_notes(named_sets(options.model, options.a, options.b, options.data, options.images)):
        say(note)
    report = evaluation.run()
    keep(options, report)
    grid = evaluation.grid() if options.grid else None
    result_console(MIN_TABLE_WIDTH).print(report.table())
    if options.json:
        write_json(options.json, report.to_dict())
    if grid is not None:
        write_picture(options.grid, Picture(grid), quality=88)
    return 0


def keep(options: Evaluate, report: "Report") -> None:
    """Keep the scores of a run on its own held-out pictures in its folder, for its card and for compare."""
    from translate.reports.scores import ScoreOptions, keep_scores

    run = Path(options.model).expanduser()
    if (run / "config.toml").is_file() and options.weights == "last" and not given_options(options) & OTHER_DATA:
        keep_scores(
            run, ScoreOptions(**{each.name: getattr(options, each.name) for each in fields(ScoreOptions)}), report
        )


def calibrate(options: Evaluate) -> int:
    """Store the calibration in the model file, and print what it says of other pictures."""
    from translate.checkpoints.calibrate import calibrate_model
    from translate.utils.errors import OptionError
    from translate.utils.terminal import say

    if unused := sorted(given_options(options) & SCORING_OPTIONS):
        raise OptionError(f"{flag_name(unused[0])} is for scores, and --calibrate computes none; leave one of them out")
    for line in calibrate_model(options.model, options.a, options.b, options.data, progress=True):
        say(line)
    return 0
