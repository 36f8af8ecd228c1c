"""Scores of a model that makes pictures from nothing, beside baselines that cost nothing and a floor.

No sample has a right answer, so sets are compared: are samples where real pictures are (kernel distance, density), is
no kind of picture left out (coverage, variety), are they new (the check for remembered pictures), and do they show the
label that was asked for? All of it against pictures that training never saw.
"""

__all__ = ["evaluate_samples", "samples_sheet", "trained_images"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from translate.data.sources.factors import factors_of
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.data.sources.labelled_image import LabelledImage
from translate.evaluation.generation_report import MODEL, FactorRow, LabelScores, SampleRow, SampleScores, SetScore
from translate.evaluation.label_agreement import Labelled, score_factors, score_labels
from translate.evaluation.memorization import MemoryCheck, check_memory, thinned
from translate.evaluation.report import KERNEL_SCALE
from translate.evaluation.tally import SEED
from translate.evaluation.unpaired import Reader
from translate.images.grid import make_grid
from translate.inference.latent.neighbours import TrainingImageIndex, square_crop
from translate.metrics.dct_features import DctFeatures
from translate.metrics.density_coverage import density_coverage
from translate.metrics.image_sets import (
    DescribedSet,
    PixelStatistics,
    array_thumbnails,
    average_in_pairs,
    mirror_thumbnails,
    shrink,
)
from translate.metrics.kernel_distance import kernel_distance
from translate.metrics.squeezenet_features import SqueezeNetFeatures
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.training.run_folder import data_of
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import Bar, open_progress
from translate.utils.sequences import subsample

COUNT = 1000
MAX_TRAIN = 10_000  # training pictures that are looked at
MAX_TAUGHT = 5000  # of them, those that classifiers learn from
DRAWN = 64  # samples at a time
FEWEST = 8  # pictures of each part: with less nothing can be said, and density needs 6
TINY = 1e-6


class Draws(Protocol):
    """What is asked of a model: see `translate.inference.sampler.Sampler`."""

    classes: tuple[str, ...]
    size: int

    def __call__(self, count: int = 1, *, seeds: Sequence[int] | None = None) -> np.ndarray:
        """Draw (n, size, size, 3) uint8 RGB; with labels, the class number seed modulo K."""
        ...


def evaluate_samples(
    sampler: Draws,
    images: ImageSet,
    *,
    count: int = COUNT,
    limit: int | None = None,
    weights: str | Path | None = None,
    progress: bool = True,
) -> SampleScores:
    """Score a model of the task `generate`.

    Args:
        sampler: the model.
        images: real pictures; the held-out ones are compared with, those of training feed baselines and classifiers.
        count: samples, of the seeds 0 to count - 1; a labelled model draws its classes in turn.
        limit: at most so many held-out and training pictures, evenly spread; by default `count` and 10,000.
        weights: file of SqueezeNet 1.0 weights, for the same scores by its features as well.
        progress: show a progress bar on standard error.

    Raises:
        OptionError: `count` or `limit` is below 8.
        UserError: there are too few readable pictures, `weights` cannot be used, or torchmetrics is not installed.
    """
    for option, value in (("count", count), ("limit", limit)):
        if value is not None and value < FEWEST:
            raise OptionError(f"--{option} {value} must be at least {FEWEST}; fewer pictures say nothing about a set")
    import_torchmetrics("image.kid")  # fail now, not after the first picture
    describers: dict[str, Callable[[Tensor], Tensor]] = {DctFeatures.version: DctFeatures()}
    if weights:
        describers["SqueezeNet features"] = SqueezeNetFeatures(weights)
    with open_progress("percent", progress, transient=True) as bars:
        return GenerationEvaluation(sampler, images, describers, Reader(bars, images.title)).run(count, limit)


def trained_images(model: str | Path, images: str = "", *, labelled: bool = False) -> ImageSet:
    """Return the pictures to score `model` on: those given, else those that its run was trained on.

    Args:
        model: run folder or model file.
        images: as --images; "" for those of the run.
        labelled: whether the model has labels: then those of `images` are looked for.

    Raises:
        OptionError: nothing is given, and `model` is no run folder that would tell.
        UserError: the pictures are not there.
    """
    wanted = data_of(model)
    trained = str(wanted.get("images", ""))
    if not (images or trained):
        raise OptionError(f"{model} lies in no run folder; say what to score it on: --images X")
    if images in ("", trained):
        return resolve_images(trained, str(wanted.get("classes", "")), Path("data"))
    if labelled:
        try:
            return resolve_images(images, "auto", Path("data"))
        except OptionError:  # they have no labels
            pass
    return resolve_images(images, "", Path("data"))


class RealPictures:
    """Held-out or training pictures.

    Attributes:
        sources: those that could be read.
        small: (M, h, w, 3) uint8, of 64 px at most.
        some: (N, size, size, 3) uint8, N of them evenly spread.
        moments: of all M.
    """

    def __init__(self, chosen: Sequence[LabelledImage], size: int, some: int, reader: Reader, kind: str) -> None:
        self.sources: list[LabelledImage] = []
        self.moments = PixelStatistics()
        small, kept, wanted = [], [], set(part_of(chosen, some))
        for source, picture in reader.each_with(list[Any](chosen), lambda each: square_crop(each.read(), size)):
            self.sources.append(source)
            self.moments.add(picture)
            small.append(shrink(picture[None])[0])
            if source in wanted:
                kept.append(picture)
        if len(kept) < FEWEST:
            raise UserError(
                f"{len(kept)} {kind} pictures can be used; scores need {FEWEST}; name a larger set with --images"
            )
        self.small, self.some = np.stack(small), np.stack(kept)

    def noisy_means(self) -> np.ndarray:
        """Draw as many pictures as `some`, each pixel for itself."""
        gray = bool((self.some == self.some[..., :1]).all())
        return self.moments.noisy_means(len(self.some), gray=gray, seed=SEED)

    def taught(self, labels: Sequence[int]) -> Labelled:
        """Return what classifiers learn from or are tested on, with the labels of the M pictures."""
        chosen = subsample(list(range(len(self.sources))), MAX_TAUGHT)
        return Labelled(self.small[chosen], np.array(labels)[chosen])


def part_of(sources: Sequence[LabelledImage], most: int) -> list[Any]:
    """Take at most so many of the pictures, evenly spread; they are hashable, which `LabelledImage` does not say."""
    return subsample(list[Any](sources), most)


class GenerationEvaluation:
    """Scores a model on a set of pictures."""

    def __init__(
        self, sampler: Draws, images: ImageSet, describers: dict[str, Callable[[Tensor], Tensor]], reader: Reader
    ) -> None:
        self.sampler, self.images, self.describers, self.reader = sampler, images, describers, reader
        self.notes: list[str] = []

    def run(self, count: int, limit: int | None) -> SampleScores:
        """Read, draw and compare."""
        tests = part_of(self.images.test, min(count, limit or count))
        held_out = RealPictures(tests, self.sampler.size, len(tests), self.reader, "held-out")
        chosen = part_of(self.images.train, limit or MAX_TRAIN)
        training = RealPictures(chosen, self.sampler.size, len(held_out.some), self.reader, "training")
        mine, floor = self.describe(self.draw(count)), self.describe(training.some)
        described = {
            "mean training picture with noise": self.describe(training.noisy_means()),
            "training pictures averaged in pairs": self.describe(average_in_pairs(training.some)),
            MODEL: mine,
            "real training pictures (floor)": floor,
        }
        targets = self.describe(held_out.some)
        rows = [self.row(name, pictures, targets) for name, pictures in described.items()]
        memory = self.memory(mine, floor, targets, training)
        labels = self.labels(mine.small, training, held_out)
        factors = self.factors(mine.small, training, held_out)
        if self.reader.unreadable:
            self.notes.append(f"{len(self.reader.unreadable)} unreadable files were left out")
        return SampleScores(
            title=self.images.title, rows=rows, memory=memory, labels=labels, factors=factors,
            notes=self.notes, seed=SEED, held_out=len(held_out.some),
        )  # fmt: skip

    def draw(self, count: int) -> np.ndarray:
        """Draw the samples: (count, size, size, 3) uint8."""
        bar = Bar(self.reader.bars, "drawing", count)
        parts = []
        for start in range(0, count, DRAWN):
            parts.append(self.sampler(seeds=range(start, min(start + DRAWN, count))))
            bar.advance(len(parts[-1]))
        return np.concatenate(parts)

    def describe(self, pictures: np.ndarray) -> DescribedSet:
        """Describe (N, size, size, 3) uint8."""
        return DescribedSet.of(pictures, self.describers)

    def row(self, name: str, pictures: DescribedSet, targets: DescribedSet) -> SampleRow:
        """Score a set of pictures against the held-out ones."""
        return SampleRow(
            name=name,
            count=len(pictures.thumbnails),
            variety=pictures.spread() / max(targets.spread(), TINY),
            scores={kind: score(pictures.features[kind], targets.features[kind]) for kind in self.describers},
        )

    def memory(
        self, samples: DescribedSet, floor: DescribedSet, targets: DescribedSet, training: RealPictures
    ) -> dict[str, MemoryCheck]:
        """Look for remembered pictures: by pixels among all training pictures, by features among some."""
        checks = {
            "pixels": check_memory(
                samples.thumbnails, array_thumbnails(training.small), targets.thumbnails, mirror_thumbnails
            )
        }
        for kind in self.describers:
            checks[kind] = check_memory(samples.features[kind], floor.features[kind], targets.features[kind])
        return checks

    def labels(self, samples: np.ndarray, training: RealPictures, held_out: RealPictures) -> LabelScores | None:
        """Let a classifier say whether samples show the label asked for."""
        names, known = self.sampler.classes, self.images.classes
        if not names:
            return None
        if missing := [name for name in names if name not in known]:
            self.notes.append(f"agreement with labels is not known: no picture is labelled {', '.join(missing[:5])}")
            return None
        number = dict(enumerate(names.index(name) if name in names else -1 for name in known))
        parts = [[number.get(source.label, -1) for source in part.sources] for part in (training, held_out)]
        if max(parts[1]) < 0:
            self.notes.append("agreement with labels is not known: no held-out picture is labelled")
            return None
        asked = Labelled(samples, np.arange(len(samples)) % len(names))
        return score_labels(asked, training.taught(parts[0]), held_out.taught(parts[1]), names, seed=SEED)

    def factors(self, samples: np.ndarray, training: RealPictures, held_out: RealPictures) -> list[FactorRow]:
        """Compare the shares of known factors, if a table of them lies beside the pictures."""
        known, truth = factors_of(training.sources), factors_of(held_out.sources)
        shared = [factor for factor in known if factor in truth]
        if not shared:
            return []
        chosen = subsample(list(range(len(training.sources))), MAX_TAUGHT)
        taught = {factor: [known[factor][i] for i in chosen] for factor in shared}
        return score_factors(samples, training.small[chosen], taught, held_out.small, truth, seed=SEED)


def score(samples: Tensor, targets: Tensor) -> SetScore:
    """Compare the features of two sets, (N, d) and (M, d)."""
    distance, size = kernel_distance(samples, targets, seed=SEED), min(len(samples), len(targets))
    found = density_coverage(thinned(samples, size), thinned(targets, size))
    return SetScore(
        kernel=distance.value * KERNEL_SCALE,
        kernel_error=distance.error * KERNEL_SCALE,
        density=found.density,
        coverage=found.coverage,
    )


def samples_sheet(sampler: Draws, images: ImageSet, *, columns: int = 10, rows: int = 4) -> np.ndarray:
    """Lay samples out as (H, W, 3) uint8; below those of the last row, the training picture nearest to each.

    Raises:
        UserError: there are no two readable training pictures.
    """
    samples = [sampler(seeds=range(row * columns, (row + 1) * columns)) for row in range(rows)]
    bank = TrainingImageIndex(part_of(images.train, MAX_TRAIN), sampler.size)
    nearest = bank.nearest(samples[-1], 1).pictures[:, 0]
    return make_grid([list(row) for row in (*samples, nearest)])
