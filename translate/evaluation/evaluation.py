"""The protocol of an evaluation: load a model and its data, score, report, draw a grid of pictures."""

__all__ = [
    "Evaluation", "EvaluationOptions", "at_strength", "check_minimum", "load_at_strength", "load_rivals",
    "load_translator",
]  # fmt: skip

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from translate.checkpoints.model_file import WEIGHTS, model_file, read_recipe
from translate.evaluation.report import Report
from translate.inference.request import strength_code
from translate.inference.translator import Translator
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import Progress, open_progress

M = TypeVar("M")


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Options of the command `evaluate` for the model and its data; the default of each means that it is not given."""

    model: str
    weights: str = "last"
    base: str = ""
    a: str = ""
    b: str = ""
    data: str = ""
    pairs: str = ""
    images: str = ""
    limit: int = 0
    count: int = 0
    strength: float | None = None
    features: str = ""
    device: str = "auto"
    precision: str = "auto"


@dataclass(frozen=True)
class Evaluation(ABC):
    """The scores of one model on held-out pictures, beside baselines.

    A subclass is a dataclass of the model, its data and its options, which its constructor checks; it is registered in
    `registry.EVALUATIONS`.
    """

    purpose: ClassVar[str]  # of its models, a predicate in words
    unused: ClassVar[tuple[str, ...]]  # options without a meaning for its models
    data_options: ClassVar[str]  # the options that name its data, in words
    limit: int | None = field(default=None, kw_only=True)  # of pictures of each set, evenly spaced
    # the model with other weights of its run, by the titles of their rows
    rivals: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @classmethod
    @abstractmethod
    def load(cls, options: EvaluationOptions) -> Self:
        """Load the model and its data.

        Raises:
            OptionError: an option is out of range, or no data are given.
            UserError: the model or the pictures cannot be used.
        """

    def run(self, *, progress: bool = True) -> Report:
        """Score the model and the baselines; raise UserError without readable pictures or without torchmetrics."""
        import_torchmetrics("image.kid")  # fails before any work if it is missing
        with open_progress("percent", progress, transient=True) as bars:
            return self.score(bars)

    @abstractmethod
    def score(self, bars: Progress) -> Report:
        """Score the model and the baselines."""

    @abstractmethod
    def grid(self) -> np.ndarray:
        """Draw a comparison of a few pictures: (H, W, 3) uint8."""


def check_minimum(minimum: int, reason: str = "", **options: int | None) -> None:
    """Raise OptionError for an option below its minimum; `reason` ends the message."""
    for name, value in options.items():
        if value is not None and value < minimum:
            raise OptionError(f"--{name} {value} must be at least {minimum}{reason}")


def load_translator(options: EvaluationOptions) -> Translator:
    """Load a translator; raise UserError if its pictures are neither gray nor RGB, as the scores need."""
    translator = Translator.load(
        options.model, options.device, options.precision, weights=options.weights, base=options.base
    )
    recipe = translator.recipe
    channels = [3 if recipe.classes_of(side) else recipe.channels.get(side, 3) for side in "ab"]
    if not {*channels} <= {1, 3}:
        raise UserError(f"scores are for gray and RGB, and this model turns {channels[0]} channels into {channels[1]}")
    return translator


def at_strength(translator: Translator, strength: float | None) -> Callable[..., Any]:
    """Return the translator with `strength` for every picture, or as it is for None.

    Raises:
        OptionError: a strength out of range, or a model without one.
    """
    if strength is None:
        return translator
    strength_code(strength, translator.strength)
    return partial(translator, strength=strength)


def load_at_strength(options: EvaluationOptions) -> Callable[..., Any]:
    """Load a translator with the strength of the options."""
    return at_strength(load_translator(options), options.strength)


def load_rivals(options: EvaluationOptions, load: Callable[[EvaluationOptions], M]) -> dict[str, M]:
    """Load the weights of the run beside the last, unless others are asked for, by the titles of their rows."""
    if options.weights != "last":
        return {}
    rivals, last = {}, read_recipe(model_file(options.model))
    for weights in WEIGHTS[1:]:
        with contextlib.suppress(UserError):  # a single file, or a run without scores
            recipe = read_recipe(model_file(options.model, weights))
            title = f"best weights, of step {recipe.steps}"
            if weights == "average":
                title = f"average over {recipe.scores.get('length', 0):.0%} of the run"
            elif recipe.steps == last.steps:
                continue
            rivals[title] = load(replace(options, weights=weights))
    return rivals
