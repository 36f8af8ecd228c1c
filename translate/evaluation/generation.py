"""Scores of a generative model, beside simple baselines and a floor.

Samples have no right answers, so sets are compared with held-out pictures: fidelity (kernel distance, density),
diversity (coverage, variety), memorization, and agreement with labels.
"""

__all__ = ["GenerationEvaluation"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from torch import Tensor

from translate.data.sources.factors import factors_of
from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.data.sources.run_data import run_images
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_rivals
from translate.evaluation.generation_report import FactorRow, GenerationReport, LabelScores, SampleRow, SetScore
from translate.evaluation.labels.label_agreement import Labelled, score_factors, score_labels
from translate.evaluation.memorization import MemoryCheck, check_memory
from translate.evaluation.panel import Panel, load_panel
from translate.evaluation.reader import Reader
from translate.evaluation.report import KERNEL_SCALE, MIN_TRUSTED, MODEL, note_few
from translate.evaluation.tally import SEED
from translate.images.grid import make_grid
from translate.inference.latent.neighbours import TrainingImageIndex, square_crop
from translate.inference.sampler import Sampler
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
from translate.metrics.lattice import shared_part
from translate.utils.errors import UserError
from translate.utils.progress import Bar, Progress
from translate.utils.sequences import subsample

FLOOR = "real training pictures (floor)"
MAX_TRAIN = 10_000  # training pictures to read
MAX_LEARNED = 5000  # training pictures for classifiers
BATCH = 64  # samples drawn at a time
MIN_PICTURES = 8  # of each set: scores of fewer say little, and density needs 6
MIN_SPREAD = 1e-6  # avoids division by zero for a set of identical pictures


@dataclass(frozen=True)
class GenerationEvaluation(Evaluation):
    """Scores a model of the task `generate` on a set of pictures."""

    purpose, unused, data_options = "makes pictures from nothing", ("a", "b", "data", "pairs", "strength"), "--images"
    sampler: Sampler
    images: ImageSet  # held-out pictures to compare with; training pictures for baselines and classifiers
    count: int = field(default=1000, kw_only=True)  # samples, of seeds 0 to count - 1, with classes in turn
    panel: Panel = field(default_factory=Panel, kw_only=True)

    def __post_init__(self) -> None:
        check_minimum(MIN_PICTURES, "; fewer pictures say nothing about a set", count=self.count, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "GenerationEvaluation":
        """Load the model and its pictures."""
        sampler = load_sampler(options)
        images = run_images(options.model, options.images, labelled=bool(sampler.classes))
        count, limit = options.count or cls.count, options.limit or None
        panel = load_panel(options.features, sampler.recipe.features)
        return cls(sampler, images, count=count, limit=limit, panel=panel, rivals=load_rivals(options, load_sampler))

    def score(self, bars: Progress) -> GenerationReport:
        """Read, draw and compare."""
        # read the pictures
        reader, size = Reader(bars, self.images.title), self.sampler.size
        tests = subsample(self.images.test, min(self.count, self.limit or self.count))
        held_out = RealPictures(tests, size, len(tests), reader, "held-out")
        chosen = subsample(self.images.train, self.limit or MAX_TRAIN)
        training = RealPictures(chosen, size, len(held_out.some), reader, "training")

        # compute the features of one set at a time, to limit memory
        describe = partial(DescribedSet.of, describers={judge.title: judge for judge in self.panel.judges})
        samples, floor = describe(self.draw(bars, self.sampler)), describe(training.some)
        targets = describe(held_out.some)
        described = {
            "mean training picture with noise": describe(training.noisy_means()),
            "training pictures averaged in pairs": describe(average_in_pairs(training.some)),
            MODEL: samples,
            **{name: describe(self.draw(bars, rival)) for name, rival in self.rivals.items()},
            FLOOR: floor,
        }

        # compare
        labels, notes = self.score_labels(samples.small, training, held_out)
        return GenerationReport(
            title=self.images.title,
            features=self.panel.versions,
            held_out=len(held_out.some),
            rows=[score_set(name, pictures, targets) for name, pictures in described.items()],
            memory=check_memories(samples, floor, targets, training),
            labels=labels,
            factors=compare_factors(samples.small, training, held_out),
            notes=[*note_few(len(held_out.some)), *self.panel.notes, *notes, *self.images.notes, *reader.notes()],
            seed=SEED,
        )

    def draw(self, bars: Progress, sampler: Sampler) -> np.ndarray:
        """Draw the samples of a model: (count, size, size, 3) uint8."""
        bar, parts = Bar(bars, "drawing", self.count), []
        for start in range(0, self.count, BATCH):
            parts.append(sampler(seeds=range(start, min(start + BATCH, self.count))))
            bar.advance(len(parts[-1]))
        return np.concatenate(parts)

    def score_labels(
        self, samples: np.ndarray, training: "RealPictures", held_out: "RealPictures"
    ) -> tuple[LabelScores | None, list[str]]:
        """Score agreement of samples with labels by a classifier; without one, return None and a note on why."""
        names, known = self.sampler.classes, self.images.classes
        if not names:
            return None, []
        if missing := [name for name in names if name not in known]:
            return None, [f"agreement with labels is not known: no picture is labelled {', '.join(missing[:5])}"]
        number = dict(enumerate(names.index(name) if name in names else -1 for name in known))
        train, test = ([number.get(source.label, -1) for source in part.sources] for part in (training, held_out))
        if max(test) < 0:
            return None, ["agreement with labels is not known: no held-out picture is labelled"]
        drawn = Labelled(samples, np.arange(len(samples)) % len(names))
        return score_labels(drawn, training.labelled(train), held_out.labelled(test), names, seed=SEED), []

    def grid(self, columns: int = 10, rows: int = 4) -> np.ndarray:
        """Draw samples, and below the last row the nearest training picture of each."""
        samples = [self.sampler(seeds=range(row * columns, (row + 1) * columns)) for row in range(rows)]
        index = TrainingImageIndex(subsample(self.images.train, MAX_TRAIN), self.sampler.size)
        nearest = index.nearest(samples[-1], 1).pictures[:, 0]
        return make_grid([list(row) for row in (*samples, nearest)])


def load_sampler(options: EvaluationOptions) -> Sampler:
    """Load a sampler."""
    return Sampler.load(options.model, options.device, options.precision, options.weights, options.base)


class RealPictures:
    """Held-out or training pictures: M readable ones, and N of them at full size, evenly spaced.

    Attributes:
        small: all, (M, h, w, 3) uint8, of at most 64 px.
        some: the N, (N, size, size, 3) uint8.
        learned: indices of those of the M for training or testing classifiers.
    """

    def __init__(self, chosen: Sequence[LabelledImage], size: int, some: int, reader: Reader, kind: str) -> None:
        self.sources: list[LabelledImage] = []
        self.moments = PixelStatistics()
        small, kept, wanted = [], [], set(subsample(chosen, some))
        for source, picture in reader.read_all(chosen, lambda each: square_crop(each.read(), size)):
            self.sources.append(source)
            self.moments.add(picture)
            small.append(shrink(picture[None])[0])
            if source in wanted:
                kept.append(picture)
        if len(kept) < MIN_PICTURES:
            raise UserError(
                f"{len(kept)} {kind} pictures can be used; scores need {MIN_PICTURES}; name a larger set with --images"
            )
        self.small, self.some = np.stack(small), np.stack(kept)
        self.learned = subsample(range(len(self.sources)), MAX_LEARNED)

    def noisy_means(self) -> np.ndarray:
        """Draw N pictures with independent pixels from their means and deviations."""
        gray = bool((self.some == self.some[..., :1]).all())
        return self.moments.noisy_means(len(self.some), gray=gray, seed=SEED)

    def labelled(self, labels: Sequence[int]) -> Labelled:
        """Return the `learned` pictures with their labels, given the labels of all M."""
        return Labelled(self.small[self.learned], np.array(labels)[self.learned])


def score_set(name: str, pictures: DescribedSet, targets: DescribedSet) -> SampleRow:
    """Score a set of pictures against the held-out ones."""
    return SampleRow(
        name=name,
        count=len(pictures.thumbnails),
        variety=pictures.spread() / max(targets.spread(), MIN_SPREAD),
        lattice=shared_part(pictures.phases).strength if name in (MODEL, FLOOR) else None,
        scores={kind: score_features(pictures.features[kind], targets.features[kind]) for kind in targets.features},
    )


def score_features(samples: Tensor, targets: Tensor) -> SetScore:
    """Score the features of samples, (N, d), against targets, (M, d)."""
    distance, size = kernel_distance(samples, targets, seed=SEED), min(len(samples), len(targets))
    some, others = (rows[subsample(range(len(rows)), size)] for rows in (samples, targets))
    score = density_coverage(some, others)
    return SetScore(
        kernel=distance.value * KERNEL_SCALE,
        kernel_error=distance.error * KERNEL_SCALE if size >= MIN_TRUSTED else None,
        density=score.density,
        coverage=score.coverage,
    )


def check_memories(
    samples: DescribedSet, floor: DescribedSet, targets: DescribedSet, training: RealPictures
) -> dict[str, MemoryCheck]:
    """Check for memorization: by pixels of all training pictures, by features of some."""
    thumbnails = array_thumbnails(training.small)
    checks = {"pixels": check_memory(samples.thumbnails, thumbnails, targets.thumbnails, mirror_thumbnails)}
    for kind in targets.features:
        checks[kind] = check_memory(samples.features[kind], floor.features[kind], targets.features[kind])
    return checks


def compare_factors(samples: np.ndarray, training: RealPictures, held_out: RealPictures) -> list[FactorRow]:
    """Compare the shares of factors, if they are known from a table beside the pictures."""
    known, truth = factors_of(training.sources), factors_of(held_out.sources)
    shared = [factor for factor in known if factor in truth]
    if not shared:
        return []
    words = {factor: [known[factor][i] for i in training.learned] for factor in shared}
    return score_factors(samples, training.small[training.learned], words, held_out.small, truth, seed=SEED)
