"""The protocol of an evaluation: made from a model and its data, it runs, reports and draws a grid of pictures."""

__all__ = ["Evaluation", "EvaluationOptions", "check_minimum", "load_translator"]

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from translate.evaluation.report import Report
from translate.inference.translator import Translator
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import Progress, open_progress


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """What to score, and on what, as the options of the command `evaluate`; "" and 0 stand for the default."""

    model: str
    a: str = ""
    b: str = ""
    data: str = ""
    images: str = ""
    limit: int = 0
    count: int = 0
    features: str = ""
    device: str = "auto"
    precision: str = "auto"


@dataclass(frozen=True)
class Evaluation(ABC):
    """The scores of one model on held-out pictures, beside baselines.

    A subclass is a dataclass that holds the model, its data and its options, checks the options when it is made, and
    stands in `registry.EVALUATIONS`.

    Attributes:
        purpose: what its models do, in words.
        unused: the options that mean nothing to its models.
        data_options: the options that name what to score on, in words.
        limit: at most so many pictures of each set, evenly spread.
    """

    purpose: ClassVar[str]
    unused: ClassVar[tuple[str, ...]]
    data_options: ClassVar[str]
    limit: int | None = field(default=None, kw_only=True)

    @classmethod
    @abstractmethod
    def load(cls, options: EvaluationOptions) -> Self:
        """Load the model and its data.

        Raises:
            OptionError: an option is out of range, or nothing says what to score on.
            UserError: the model or the pictures cannot be used.
        """

    def run(self, *, progress: bool = True) -> Report:
        """Score the model and the baselines; raise a UserError without readable pictures, or without torchmetrics."""
        import_torchmetrics("image.kid")  # fail now, not after the first picture
        with open_progress("percent", progress, transient=True) as bars:
            return self.score(bars)

    @abstractmethod
    def score(self, bars: Progress) -> Report:
        """Score the model and the baselines."""

    @abstractmethod
    def grid(self) -> np.ndarray:
        """Draw a comparison of a few pictures: (H, W, 3) uint8."""


def check_minimum(minimum: int, reason: str = "", **options: int | None) -> None:
    """Raise an OptionError for an option below its minimum; its text ends with the reason."""
    for name, value in options.items():
        if value is not None and value < minimum:
            raise OptionError(f"--{name} {value} must be at least {minimum}{reason}")


def load_translator(options: EvaluationOptions) -> Translator:
    """Load a translator; raise a UserError if its pictures are neither gray nor RGB, which the scores are made for."""
    translator = Translator.load(options.model, options.device, options.precision)
    channels = [translator.recipe.channels.get(side, 3) for side in "ab"]
    if not {*channels} <= {1, 3}:
        raise UserError(f"scores are for gray and RGB, and this model turns {channels[0]} channels into {channels[1]}")
    return translator
