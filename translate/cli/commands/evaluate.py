"""evaluate: the scores of a model."""

__all__ = ["Evaluate", "evaluate"]

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from translate.cli.commands.options import PathWord, TrustOptions, Words

if TYPE_CHECKING:
    import numpy as np

    from translate.evaluation.generation_report import SampleScores
    from translate.evaluation.inpainting_report import HoleScores
    from translate.evaluation.report import Scores
    from translate.inference.translator import Translator


WIDE = 132  # characters that the table of a model of pairs takes
ANSWERS, SAMPLES = 16, 1000  # what --count 0 means
# kinds of models by the data that feeds them: what they do, the options that mean nothing to them, and those that say
# what to score them on
TRANSLATING = ("translates", ("images", "features"), "--a and --b, or --data")
KINDS = {
    "images": ("makes pictures from nothing", ("a", "b", "data"), "--images"),
    "masked": ("fills holes", ("a", "b", "data", "features"), "--images"),
    "paired": TRANSLATING,
    "unpaired": TRANSLATING,
}


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

    model: PathWord
    a: Words = ""
    b: Words = ""
    data: Words = ""
    images: Words = ""
    limit: int = 0
    count: int = 0
    features: PathWord = ""
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    json: PathWord = ""
    grid: PathWord = ""
    config: PathWord = ""


def evaluate(options: Evaluate) -> int:
    """Print the table of scores."""
    from rich.console import Console

    from translate.checkpoints.model_file import model_file, read_recipe
    from translate.images.io import write_picture
    from translate.images.picture import Picture
    from translate.tasks import TASKS
    from translate.utils.files import atomic_write

    kind = TASKS[read_recipe(model_file(options.model)).task].data
    refuse_others(options, kind)
    scores, grid = score_samples(options) if kind == "images" else score_translator(options, kind)
    # a narrow terminal folds long lines; a table squeezed into it would say nothing
    Console(width=max(Console().width, WIDE)).print(scores.table())
    if options.json:
        with atomic_write(options.json) as temporary:
            temporary.write_text(json.dumps(scores.to_dict(), indent=2) + "\n", encoding="utf-8")
    if grid is not None:
        write_picture(options.grid, Picture(grid), quality=88)
    return 0


def refuse_others(options: Evaluate, kind: str) -> None:
    """Refuse options that mean nothing to a model of this kind, one of `KINDS`.

    Raises:
        OptionError: one of them is given.
    """
    from translate.utils.errors import OptionError

    model, others, instead = KINDS[kind]
    for name in others:
        if getattr(options, name):
            raise OptionError(f"--{name} means nothing to a model that {model}; say what to score it on with {instead}")


def score_samples(options: Evaluate) -> tuple["SampleScores", "np.ndarray | None"]:
    """Score a model that makes pictures from nothing; make the contact sheet if it is wanted."""
    from translate.evaluation.generation import evaluate_samples, samples_sheet, trained_images
    from translate.inference.sampler import Sampler

    sampler = Sampler.load(options.model, options.device, options.precision)
    images = trained_images(options.model, options.images, labelled=bool(sampler.classes))
    limit, weights = options.limit or None, options.features or None
    scores = evaluate_samples(sampler, images, count=options.count or SAMPLES, limit=limit, weights=weights)
    return scores, samples_sheet(sampler, images) if options.grid else None


def score_translator(options: Evaluate, kind: str) -> tuple["Scores | HoleScores", "np.ndarray | None"]:
    """Score a model that makes pictures of pictures, likewise."""
    from translate.inference.translator import Translator

    translator = Translator.load(options.model, options.device, options.precision)
    refuse_bands(translator, kind)
    if kind == "masked":
        return score_holes(translator, options)
    return (score_pairs if kind == "paired" else score_domains)(translator, options)


def refuse_bands(translator: "Translator", kind: str) -> None:
    """Refuse a model of pictures that the scores, made for gray and RGB in 8 bits, say nothing of.

    Raises:
        UserError: says why.
    """
    from translate.utils.errors import UserError

    counts = [translator.recipe.channels.get(side, 3) for side in "ab"]
    if not {*counts} <= {1, 3}:
        raise UserError(f"scores are for gray and RGB, and this model turns {counts[0]} channels into {counts[1]}")
    if translator.values and kind == "paired":
        raise UserError("scores of pairs are for pictures of 8 bits, and this model was trained with --value-range")


def score_holes(translator: "Translator", options: Evaluate) -> tuple["HoleScores", "np.ndarray | None"]:
    """Score a model that fills holes, likewise."""
    from translate.evaluation.generation import trained_images
    from translate.evaluation.inpainting import evaluate_holes, holes_sheet

    images = trained_images(options.model, options.images)
    size, gray = translator.recipe.size, translator.recipe.channels["image"] == 1
    limit = options.limit or None
    scores = evaluate_holes(translator, images, size, gray=gray, count=options.count, limit=limit)
    return scores, holes_sheet(translator, images, size, gray=gray) if options.grid else None


def score_domains(translator: "Translator", options: Evaluate) -> tuple["Scores", "np.ndarray | None"]:
    """Score a model of two domains; make the contact sheet if it is wanted."""
    from translate.evaluation.unpaired import contact_sheet, evaluate, trained_on

    a, b = trained_on(options.model, options.a, options.b, options.data)
    scores = evaluate(translator, a, b, limit=options.limit or None, values=translator.values)
    return scores, contact_sheet(translator, a, b, values=translator.values) if options.grid else None


def score_pairs(translator: "Translator", options: Evaluate) -> tuple["Scores", "np.ndarray | None"]:
    """Score a model of pairs, likewise."""
    from translate.evaluation.paired import evaluate_pairs, pairs_sheet, trained_pairs

    direction = translator.recipe.directions[0]
    pairs = trained_pairs(options.model, options.a, options.b, options.data, direction)
    scores = evaluate_pairs(translator, pairs, count=options.count or ANSWERS, limit=options.limit or None)
    return scores, pairs_sheet(translator, pairs) if options.grid else None
