"""Scores of an inpainting model, beside baselines: a mean colour and the two methods of OpenCV.

Held-out pictures get fixed holes of three sizes. In a large hole the truth is one of many right answers, and their
blurred mean has the best L1 and PSNR; so the set of completed pictures is also compared with the whole pictures (kernel
distance), and the border of the hole is checked for a seam. As both sets share their known pixels, the kernel distance
falls below 0 for small holes.
"""

__all__ = ["FLOOR", "InpaintingEvaluation"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from translate.data.loading.random_masks import BANDS, evaluation_mask
from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.data.sources.run_data import run_images
from translate.evaluation.baselines import FILLS
from translate.evaluation.cases import InpaintingCase, Method
from translate.evaluation.evaluation import Evaluation, EvaluationOptions, check_minimum, load_rivals, load_translator
from translate.evaluation.inpainting_report import BandScores, InpaintingReport
from translate.evaluation.panel import Description, Panel, load_panel
from translate.evaluation.reader import Place, Reader, choose_places, readable
from translate.evaluation.report import MODEL, Row, note_few
from translate.evaluation.tally import SEED, Tallies, Tally, panel_row
from translate.images.grid import make_grid
from translate.images.picture import to_gray_rgb
from translate.inference.latent.neighbours import square_crop
from translate.metrics.inpainting import pairwise_l1_inside
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import Progress
from translate.utils.sequences import subsample

FLOOR = "other real pictures"
MAX_TRAIN = 1000  # training pictures to read
MAX_REPEATED = 20  # test pictures with several results per hole, each of which costs a forward pass


@dataclass(frozen=True)
class InpaintingEvaluation(Evaluation):
    """Scores a model of the task `inpaint` on held-out pictures with holes.

    Attributes:
        translator: called as `translator(picture, mask=hole)` with (H, W, 3) uint8 RGB and (H, W) bool, returns the
            completed picture of the same shape and type; if its attribute `random` is true, also with `count=4,
            seed=0`, which returns a list.
    """

    purpose, unused, data_options = "fills holes", ("a", "b", "data", "pairs", "strength"), "--images"
    translator: Callable[..., Any]
    images: ImageSet  # held-out pictures get holes; training pictures are the floor
    size: int  # training resolution, to which pictures are resized, px
    gray: bool = field(default=False, kw_only=True)  # convert pictures for a gray model
    count: int = field(default=0, kw_only=True)  # results for each of some holes, to report their mean difference
    panel: Panel = field(default_factory=Panel, kw_only=True)

    def __post_init__(self) -> None:
        check_minimum(1, limit=self.limit)
        if self.count:
            check_minimum(2, ": it says how far answers are apart; or leave it out", count=self.count)
            if not getattr(self.translator, "random", False):
                raise OptionError(f"--count {self.count}: this model has one answer to each hole; leave --count out")

    @classmethod
    def load(cls, options: EvaluationOptions) -> "InpaintingEvaluation":
        """Load the model and its pictures."""
        translator = load_translator(options)
        size, gray = translator.recipe.size, translator.recipe.channels["image"] == 1
        images = run_images(options.model, options.images)
        panel = load_panel(options.features, translator.recipe.features)
        return cls(
            translator, images, size, gray=gray, count=options.count, limit=options.limit or None, panel=panel,
            rivals=load_rivals(options, load_translator),
        )  # fmt: skip

    def score(self, bars: Progress) -> InpaintingReport:
        """Apply all methods to holes of every size in the held-out pictures."""
        # describe other real pictures
        places, reader = choose_places(self.images, self.limit), Reader(bars, self.images.title)
        train = subsample(self.images.train, self.limit or MAX_TRAIN)
        others = self.panel.describe_all((None, picture) for _, picture in reader.read_all(train, self.read))

        # fill the holes of every picture
        bands = [
            Band({**FILLS, MODEL: self.translator, **self.rivals}, self.panel, number) for number in range(len(BANDS))
        ]
        repeated = {place for place, _ in subsample(places, MAX_REPEATED)} if self.count else set()
        whole = Tally(self.panel)
        for (place, _), picture in reader.read_all(places, lambda each: self.read(each[1])):
            whole.add(picture)
            for band in bands:
                case = self.make_hole(picture, band.number, place)
                band.add(case)
                band.areas.append(float(case.hole.mean()))
                if place in repeated:
                    answers = self.translator(case.picture, mask=case.hole, count=self.count, seed=SEED)
                    band.apart.append(pairwise_l1_inside(answers, case.hole))
        if not whole.features:
            raise UserError(f"none of the {len(places)} held-out pictures of {self.images.title} can be read")

        # report
        targets = whole.all_features()
        floor = panel_row(FLOOR, others, targets)
        remarks = note_few(len(targets))
        if self.count:
            remarks.append(f"several answers: {self.count} to each of the holes of {len(bands[0].apart)} pictures")
        if not floor.kernels:
            remarks.append("no kernel distance: it needs 2 test pictures and 2 training pictures")
        return InpaintingReport(
            title=self.images.title,
            bands=[band.scores(targets, floor) for band in bands],
            pictures=len(targets),
            others=len(others),
            size=self.size,
            features=self.panel.versions,
            seed=SEED,
            remarks=[*remarks, *self.panel.notes, *self.images.notes, *reader.notes()],
        )

    def read(self, source: LabelledImage) -> np.ndarray:
        """Read a picture with the crop of training: (size, size, 3) uint8."""
        picture = square_crop(source.read(), self.size)
        return to_gray_rgb(picture) if self.gray else picture

    def make_hole(self, picture: np.ndarray, band: int, place: int) -> InpaintingCase:
        """Make the fixed hole of one size, an index in `BANDS`, for the picture with the index `place`."""
        return InpaintingCase(picture, evaluation_mask(self.size, self.size, band, place, SEED))

    def grid(self, columns: int = 6) -> np.ndarray:
        """Draw pictures with growing holes, filled by OpenCV (Telea) and by the model, and the truths.

        Unreadable pictures are left out; raises UserError if none is left.
        """
        places = choose_places(self.images, columns)

        def case_of(each: tuple[int, Place]) -> InpaintingCase:
            number, (place, source) = each
            return self.make_hole(self.read(source), number * len(BANDS) // len(places), place)

        cases = list(readable(enumerate(places), case_of))
        if not cases:
            raise UserError(f"none of the {len(places)} held-out pictures of {self.images.title} can be read")
        methods = (FILLS["OpenCV, Telea"], self.translator)
        filled = [[method(case.picture, mask=case.hole) for case in cases] for method in methods]
        return make_grid([[case.picture for case in cases], *filled, [case.truth for case in cases]])


class Band(Tallies):
    """Tallies of all methods on holes of one size, an index in `BANDS`."""

    def __init__(self, methods: dict[str, Method], panel: Panel, number: int) -> None:
        super().__init__(methods, panel)
        self.number = number
        self.areas: list[float] = []  # share of each picture in the hole
        self.apart: list[float] = []  # mean difference of several results for a hole, in levels

    def scores(self, targets: Description, floor: Row) -> BandScores:
        """Return the rows, given the whole pictures."""
        low, high = BANDS[self.number]
        apart = float(np.mean(self.apart)) if self.apart else None
        area = float(np.mean(self.areas))
        return BandScores(low=low, high=high, area=area, rows=[*self.rows(targets), floor], apart=apart)
