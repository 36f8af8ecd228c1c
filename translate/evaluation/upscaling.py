"""Scores of a model of super-resolution, beside simple enlargements.

Held-out pictures are reduced as in training, and enlarged again. PSNR and SSIM prefer soft pictures, since sharp detail
at the wrong place costs more than none; so the set of answers is also compared with the originals (kernel distance).
"""

__all__ = ["UpscalingCase", "UpscalingEvaluation", "UpscalingReport"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import cv2
import numpy as np

from translate.data.datasets.reduced import limit_size
from translate.data.loading.degradation import degrade
from translate.data.loading.transforms import center_crop
from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.data.sources.run_data import run_images
from translate.evaluation.cases import Case, Method, Scores
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_rivals, load_translator
from translate.evaluation.panel import Panel, load_panel
from translate.evaluation.reader import Place, Reader, choose_places, readable
from translate.evaluation.report import KERNEL_SCALE, MODEL, Column, Row, SectionedReport, note_few, number
from translate.evaluation.tally import SEED, Tallies, Tally, panel_row
from translate.images.grid import make_grid
from translate.images.picture import to_gray_rgb
from translate.images.tensors import to_tensor
from translate.inference.enlargement import enlarge_plane
from translate.metrics.similarity import l1, psnr, ssim
from translate.utils.errors import UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

FLOOR = "other real pictures"
MAX_TRAIN = 1000  # training pictures to read
COLUMNS = (
    Column("L1", number("l1", 2), "L1: mean difference to the truth, of 255; lower is better"),
    Column("PSNR,\ndB", number("psnr", 2), "PSNR and SSIM: to the truth too, higher is better"),
    Column("SSIM", number("ssim", 3)),
    Column(
        "back", number("back", 3),
        "back: mean difference of the answer, averaged down, to the small picture, of 255; 0 with --consistent",
    ),
)  # fmt: skip


def enlarge_bicubic(picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge (H, W, C) uint8."""
    return np.dstack([enlarge_plane(picture[..., i], scale) for i in range(picture.shape[2])])


def enlarge_by(interpolation: int, picture: np.ndarray, scale: int) -> np.ndarray:
    """Enlarge (H, W, C) uint8 by an interpolation of OpenCV."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, (scale * width, scale * height), interpolation=interpolation)


ENLARGEMENTS: dict[str, Callable[..., np.ndarray]] = {
    "bicubic": enlarge_bicubic, "Lanczos": partial(enlarge_by, cv2.INTER_LANCZOS4),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class UpscalingCase(Case):
    """A picture and its reduced copy, both (H, W, 3) uint8 RGB."""

    small: np.ndarray
    truth: np.ndarray

    def apply(self, method: Method) -> np.ndarray:
        """Enlarge the copy."""
        result = method(self.small)
        assert result.shape == self.truth.shape and result.dtype == np.uint8
        return result

    @cached_property
    def target(self) -> Any:
        """The truth, (1, 3, H, W) in [-1, 1]."""
        return to_tensor(self.truth)

    def score(self, result: np.ndarray) -> Scores:
        """Score an enlargement by the truth, and by the copy that it was made from."""
        output, scale = to_tensor(result), self.truth.shape[0] // self.small.shape[0]
        back = np.abs(degrade(result, scale, "clean", np.random.default_rng(SEED)).astype(int) - self.small).mean()
        scores: Scores = {"back": float(back)}
        close = {"l1": l1(output, self.target), "psnr": psnr(output, self.target), "ssim": ssim(output, self.target)}
        return scores | {name: value.item() for name, value in close.items()}


@dataclass(frozen=True, kw_only=True)
class UpscalingSection:
    """The scores of all methods."""

    title: str
    rows: list[Row]


@dataclass(frozen=True, kw_only=True)
class UpscalingReport(SectionedReport):
    """All scores of a model of super-resolution."""

    known_columns = COLUMNS
    title: str  # of the set of pictures
    scale: int
    degrade: str  # what made small pictures small
    part: UpscalingSection
    pictures: int  # number of test pictures
    others: int  # number of training pictures for the floor
    size: int  # of the truths, px
    seed: int
    remarks: list[str]  # what is missing, and why
    kernel_scale: int = KERNEL_SCALE  # factor of the kernel distances

    @property
    def sections(self) -> Sequence[UpscalingSection]:
        """The one section."""
        return [self.part]

    def notes(self) -> list[str]:
        """Return the legend, the measured pictures and the remarks, one line each."""
        how = "means of blocks" if self.degrade == "clean" else "with random blur, noise and JPEG"
        return [
            *self.legends(self.seed),
            f"{self.pictures} test pictures of {self.title}, the middle {self.size} px, against themselves before they"
            f" were reduced ({how}); other real pictures: {self.others} training pictures",
            *self.remarks,
        ]


@dataclass(frozen=True, kw_only=True)
class UpscalingEvaluation(Evaluation):
    """Scores a model of the task `upscale` on held-out pictures.

    Attributes:
        translator: called with (H, W, 3) uint8 RGB, perhaps with `consistent=True`, returns the enlarged picture.
    """

    purpose, unused, data_options = "enlarges pictures", ("a", "b", "data", "pairs", "strength", "count"), "--images"
    translator: Callable[..., Any]
    images: ImageSet
    size: int  # of the truths, px, which are cropped and not resized
    scale: int
    degrade: str = "clean"
    gray: bool = False  # convert pictures for a gray model
    panel: Panel

    def __post_init__(self) -> None:
        check_minimum(1, limit=self.limit)

    @classmethod
    def load(cls, options: EvaluationOptions) -> "UpscalingEvaluation":
        """Load the model and its pictures."""
        translator = load_translator(options)
        recipe = translator.recipe
        return cls(
            translator=translator, images=run_images(options.model, options.images), size=recipe.size,
            scale=translator.scale, degrade=str(recipe.facts.get("degrade", "clean")),
            gray=recipe.channels["image"] == 1, panel=load_panel(options.features, recipe.features),
            limit=options.limit or None, rivals=load_rivals(options, load_translator),
        )  # fmt: skip

    def score(self, bars: Progress) -> UpscalingReport:
        """Enlarge the reduced copies of the held-out pictures by all methods."""
        # describe other real pictures
        places, reader = choose_places(self.images, self.limit), Reader(bars, self.images.title)
        train = subsample(self.images.train, self.limit or MAX_TRAIN)
        others = self.panel.describe_all((None, picture) for _, picture in reader.read_all(train, self.read))
        # enlarge
        simple = {name: partial(method, scale=self.scale) for name, method in ENLARGEMENTS.items()}
        consistent = {f"{MODEL}, consistent": partial(self.translator, consistent=True)}
        methods = Tallies({**simple, MODEL: self.translator, **consistent, **self.rivals}, self.panel)
        whole = Tally(self.panel)
        for _, case in reader.read_all(places, self.make_case):
            whole.add(case.truth)
            methods.add(case)
        if not whole.features:
            raise UserError(f"none of the {len(places)} held-out pictures of {self.images.title} can be used")
        # report
        targets = whole.all_features()
        rows = [*methods.rows(targets), panel_row(FLOOR, others, targets)]
        return UpscalingReport(
            title=self.images.title, scale=self.scale, degrade=self.degrade,
            part=UpscalingSection(title=f"{self.scale} times as wide and high", rows=rows),
            pictures=len(targets), others=len(others), size=self.size, features=self.panel.versions, seed=SEED,
            remarks=[*note_few(len(targets)), *self.panel.notes, *self.images.notes, *reader.notes()],
        )  # fmt: skip

    def read(self, source: LabelledImage) -> np.ndarray:
        """Read the middle of a picture at its own size: (size, size, 3) uint8; raise UserError if it is smaller."""
        picture = limit_size(source.read())
        if min(picture.shape[:2]) < self.size:
            raise UserError(f"{source.name}: is smaller than {self.size} px")
        crop = center_crop(picture, self.size)
        return to_gray_rgb(crop) if self.gray else crop

    def make_case(self, place: Place) -> UpscalingCase:
        """Read a picture, and reduce it as its index says."""
        index, source = place
        truth = self.read(source)
        return UpscalingCase(degrade(truth, self.scale, self.degrade, np.random.default_rng([SEED, 4, index])), truth)

    def grid(self, columns: int = 6) -> np.ndarray:
        """Draw bicubic enlargements, the model's, and the truths.

        Unreadable pictures are left out; raises UserError if none is left.
        """
        places = choose_places(self.images, columns)
        cases = list(readable(places, self.make_case))
        if not cases:
            raise UserError(f"none of the {len(places)} held-out pictures of {self.images.title} can be used")
        methods = (partial(enlarge_bicubic, scale=self.scale), self.translator)
        return make_grid([*([case.apply(method) for case in cases] for method in methods), [c.truth for c in cases]])
