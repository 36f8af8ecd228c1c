"""Held-out pictures of each kind of evaluation as examples, which any model of the same kind can answer."""

__all__ = ["Example", "ExampleSet", "answer_to", "examples_of"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import numpy as np

from translate.data.loading.random_masks import BANDS
from translate.data.sources.labelled_image import LabelledImage
from translate.data.sources.pair import Pair
from translate.evaluation.evaluation import Evaluation
from translate.evaluation.generation import GenerationEvaluation
from translate.evaluation.inpainting import InpaintingEvaluation
from translate.evaluation.labels.attributes import AttributeEvaluation
from translate.evaluation.labels.label_maps import LabelMapEvaluation
from translate.evaluation.paired import PairedEvaluation
from translate.evaluation.panel import Description, Panel
from translate.evaluation.reader import Place, choose_places, readable
from translate.evaluation.unpaired import DirectionFiles, UnpairedEvaluation, find_truths
from translate.evaluation.upscaling import UpscalingEvaluation
from translate.inference.latent.neighbours import square_crop
from translate.utils.sequences import subsample

MAX_TARGETS = 200  # real pictures that a single answer is compared with
MAX_LABELS = 6  # of a model that changes labels: those whose examples are shown
BAND = len(BANDS) // 2  # the size of the holes of examples


@dataclass(frozen=True, kw_only=True)
class Example:
    """A held-out picture, or a seed, that a model answers."""

    name: str
    source: np.ndarray | None = None  # (H, W, 3) uint8; None for a model that makes pictures from nothing
    truth: np.ndarray | None = None  # the right answer, if known
    options: Mapping[str, Any] = field(default_factory=dict)  # of the call of the model


@dataclass(frozen=True, kw_only=True)
class ExampleSet:
    """The examples of one direction or kind."""

    title: str
    examples: Sequence[Example]
    target: str  # name of the real pictures that answers should look like
    describe_targets: Callable[[], Description]  # describes some of these


def answer_to(evaluation: Evaluation, example: Example) -> np.ndarray:
    """Return the answer of the model of an evaluation: (H, W, 3) uint8; raise UserError if it refuses."""
    if isinstance(evaluation, GenerationEvaluation):
        return evaluation.sampler(**example.options)[0]
    if isinstance(evaluation, LabelMapEvaluation):
        assert example.source is not None
        return evaluation.classes.show(evaluation.answer(example.source))
    return evaluation.translator(example.source, **example.options)  # type: ignore[attr-defined]


@singledispatch
def examples_of(evaluation: Evaluation, count: int) -> Iterator[ExampleSet]:
    """Yield sets of at most `count` evenly spaced held-out pictures each; unreadable ones are left out."""
    return iter(())


@examples_of.register
def _(evaluation: UnpairedEvaluation, count: int) -> Iterator[ExampleSet]:
    for direction, source, target in evaluation.ways():
        truths = find_truths(source.truth)

        def read(path: Any, truths: Any = truths, direction: str = direction) -> Example:
            picture = evaluation.read(path)
            truth = evaluation.read(truths[path.stem]) if path.stem in truths else None
            known = truth if truth is not None and truth.shape == picture.shape else None
            return Example(name=path.name, source=picture, truth=known, options={"direction": direction})

        def describe(source: Any = source, target: Any = target) -> Description:
            files = subsample(DirectionFiles.choose(source, target, evaluation.limit).targets, MAX_TARGETS)
            pictures = readable(files, lambda path: (path, evaluation.read(path)))
            return evaluation.panel.describe_all(pictures)

        examples = list(readable(subsample(source.test, count), read))
        yield ExampleSet(
            title=f"{source.name} -> {target.name}", examples=examples, target=target.name, describe_targets=describe
        )


@examples_of.register
def _(evaluation: PairedEvaluation, count: int) -> Iterator[ExampleSet]:
    def read(pair: Pair) -> Example:
        source, target = evaluation.read(pair)
        return Example(name=pair.name, source=source, truth=target)

    def describe() -> Description:
        pairs = subsample(evaluation.pairs.test, MAX_TARGETS)
        return evaluation.panel.describe_all(readable(pairs, lambda pair: (None, evaluation.read(pair)[1])))

    source, target = evaluation.pairs.names
    examples = list(readable(subsample(evaluation.pairs.test, count), read))
    yield ExampleSet(title=f"{source} -> {target}", examples=examples, target=target, describe_targets=describe)


@examples_of.register
def _(evaluation: LabelMapEvaluation, count: int) -> Iterator[ExampleSet]:
    def read(pair: Pair) -> Example:
        source, truth = evaluation.read(pair)
        return Example(name=pair.name, source=source, truth=evaluation.classes.show(truth))

    source, target = evaluation.pairs.names
    examples = list(readable(subsample(evaluation.pairs.test, count), read))
    yield ExampleSet(
        title=f"{source} -> {target}", examples=examples, target=target, describe_targets=lambda: Panel().join([])
    )


@examples_of.register
def _(evaluation: InpaintingEvaluation, count: int) -> Iterator[ExampleSet]:
    def read(place: Place) -> Example:
        index, image = place
        case = evaluation.make_hole(evaluation.read(image), BAND, index)
        return Example(name=f"picture {index}", source=case.picture, truth=case.truth, options={"mask": case.hole})

    def describe() -> Description:
        places = choose_places(evaluation.images, MAX_TARGETS)
        return evaluation.panel.describe_all(readable(places, lambda place: (None, evaluation.read(place[1]))))

    low, high = BANDS[BAND]
    yield ExampleSet(
        title=f"holes of {100 * low:.0f} to {100 * high:.0f} %",
        examples=list(readable(choose_places(evaluation.images, count), read)),
        target=evaluation.images.title,
        describe_targets=describe,
    )


@examples_of.register
def _(evaluation: UpscalingEvaluation, count: int) -> Iterator[ExampleSet]:
    def read(place: Place) -> Example:
        case = evaluation.make_case(place)
        return Example(name=place[1].name, source=case.small, truth=case.truth)

    def describe() -> Description:
        places = choose_places(evaluation.images, MAX_TARGETS)
        return evaluation.panel.describe_all(readable(places, lambda place: (None, evaluation.read(place[1]))))

    title = f"{evaluation.scale} times as wide and high"
    examples = list(readable(choose_places(evaluation.images, count), read))
    yield ExampleSet(title=title, examples=examples, target=evaluation.images.title, describe_targets=describe)


@examples_of.register
def _(evaluation: AttributeEvaluation, count: int) -> Iterator[ExampleSet]:
    for k, name in enumerate(evaluation.labelled.names[:MAX_LABELS]):

        def read(source: LabelledImage, k: int = k, name: str = name) -> Example:
            to, _ = evaluation.wish(source, k)
            truth = evaluation.find_truth(source, name)
            return Example(name=source.name, source=evaluation.read(source), truth=truth, options={"to": to})

        chosen = [source for source in evaluation.choose(None) if evaluation.is_changeable(source, k)]
        examples = list(readable(subsample(chosen, count), read))
        yield ExampleSet(title=name, examples=examples, target=name, describe_targets=lambda: Panel().join([]))


@examples_of.register
def _(evaluation: GenerationEvaluation, count: int) -> Iterator[ExampleSet]:
    def describe() -> Description:
        size, images = evaluation.sampler.size, subsample(evaluation.images.test, MAX_TARGETS)
        return evaluation.panel.describe_all(readable(images, lambda image: (None, square_crop(image.read(), size))))

    examples = [Example(name=f"seed {seed}", options={"seeds": [seed]}) for seed in range(count)]
    title = evaluation.images.title
    yield ExampleSet(title="samples", examples=examples, target=title, describe_targets=describe)
