"""Scores of a model that fills holes, beside what costs nothing: a mean colour, and OpenCV's two methods.

Held-out pictures get holes that are always the same, in three sizes. Inside a large hole the truth is one of many right
answers, and the mean of them all has the best L1 and PSNR without looking like any; so the completed pictures are also
compared, as a set, with the whole ones (kernel distance), and a hole's border is looked at for a seam. Sets that share
their pictures are nearer than two sets of one kind: the kernel distance falls below 0 where nearly nothing is changed.
"""

__all__ = ["evaluate_holes", "holes_sheet"]

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.random_masks import BANDS, evaluation_mask
from translate.data.sources.image_set import ImageSet
from translate.data.sources.labelled_image import LabelledImage
from translate.evaluation.inpainting_report import BandScores, HoleScores
from translate.evaluation.inpainting_tally import FILLS, Fill, Holed, HoleTally, apart_inside
from translate.evaluation.report import Row
from translate.evaluation.tally import SEED, Tally, kernel_row
from translate.evaluation.unpaired import MAX_TRAIN, Reader
from translate.images.grid import make_grid
from translate.images.picture import to_gray
from translate.images.tensors import to_tensor
from translate.inference.latent.neighbours import square_crop
from translate.metrics.dct_features import DctFeatures
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import open_progress
from translate.utils.sequences import subsample

MODEL, FLOOR = "this model", "other real pictures"
MAX_ASKED = 20  # test pictures whose holes get several answers: each costs a pass of the network
Place = tuple[int, LabelledImage]  # a test picture, by its place among all of them, which says where its holes are


def evaluate_holes(
    translator: Callable[..., Any],
    images: ImageSet,
    size: int,
    *,
    gray: bool = False,
    count: int = 0,
    limit: int | None = None,
    progress: bool = True,
) -> HoleScores:
    """Score a model of the task `inpaint`.

    Args:
        translator: called as `translator(picture, mask=hole)` with (H, W, 3) uint8 RGB and (H, W) bool, returns the
            completed picture, of the same shape and type; where its attribute `random` is true also with `count=4,
            seed=0`, which returns a list.
        images: held-out pictures get holes; those of training tell how far other real pictures are from them.
        size: px that the pictures are brought to: what the model was trained at.
        gray: whether they are made gray: what a model of gray pictures has learned.
        count: answers to each of some holes, to see how far they are apart; 0: none.
        limit: at most so many held-out and training pictures, evenly spread; by default all and 1000.
        progress: show a progress bar on standard error.

    Raises:
        OptionError: `count` or `limit` is out of range, or the model has one answer to each hole alone.
        UserError: there are no readable held-out pictures, or torchmetrics is not installed.
    """
    if limit is not None and limit < 1:
        raise OptionError(f"--limit {limit} must be at least 1")
    check_count(translator, count)
    import_torchmetrics("image.kid")  # fail now, not after the first picture
    places = places_of(images, limit)
    with open_progress("percent", progress, transient=True) as bars:
        scoring = InpaintingEvaluation(translator, Prepared(size, gray), count, Reader(bars, images.title))
        return scoring.run(images, places, limit)


def check_count(translator: Callable[..., Any], count: int) -> None:
    """Raise OptionError for a `count` of answers that cannot be had, or of which none differs from another."""
    if count and count < 2:
        raise OptionError(f"--count {count} must be at least 2: it says how far answers are apart; or leave it out")
    if count and not getattr(translator, "random", False):
        raise OptionError(f"--count {count}: this model has one answer to each hole; leave --count out")


def places_of(images: ImageSet, most: int | None) -> list[Place]:
    """Return some of the held-out pictures, evenly spread.

    Raises:
        UserError: there are none.
    """
    if not images.test:
        raise UserError(f"{images.title} has no held-out pictures; give more pictures, or some in a folder test")
    return subsample(list(enumerate(images.test)), most)


class Prepared:
    """Brings pictures to what the model was trained with."""

    def __init__(self, size: int, gray: bool) -> None:
        self.size, self.gray = size, gray

    def read(self, source: LabelledImage) -> np.ndarray:
        """Read a picture: (size, size, 3) uint8.

        Raises:
            UserError: it cannot be read.
        """
        picture = square_crop(source.read(), self.size)
        return np.repeat(to_gray(picture)[..., None], 3, axis=2) if self.gray else picture

    def holed(self, picture: np.ndarray, band: int, place: int) -> Holed:
        """Make the hole of a size, by its number in `BANDS`, that a picture at this place always gets."""
        return Holed(picture, evaluation_mask(self.size, self.size, band, place, SEED))


class Band:
    """The scores on holes of one size while pictures come in."""

    def __init__(self, translator: Fill, number: int) -> None:
        self.low, self.high = BANDS[number]
        self.tallies = {name: HoleTally(fill) for name, fill in (FILLS | {MODEL: translator}).items()}
        self.areas: list[float] = []
        self.apart: list[float] = []

    def complete(self, case: Holed) -> None:
        """Let every method fill a hole."""
        for tally in self.tallies.values():
            tally.complete(case)
        self.areas.append(float(case.hole.mean()))

    def scores(self, targets: Tensor, floor: Row) -> BandScores:
        """Put the rows together, given the features of the pictures before they got holes, (M, d)."""
        rows = [tally.row(name, targets) for name, tally in self.tallies.items()]
        apart = float(np.mean(self.apart)) if self.apart else None
        area = float(np.mean(self.areas))
        return BandScores(low=self.low, high=self.high, area=area, rows=[*rows, floor], apart=apart)


class InpaintingEvaluation:
    """Goes once over the held-out pictures with all methods and holes of every size."""

    def __init__(self, translator: Callable[..., Any], prepared: Prepared, count: int, reader: Reader) -> None:
        self.translator, self.prepared, self.count, self.reader = translator, prepared, count, reader
        self.bands = [Band(translator, number) for number in range(len(BANDS))]
        self.whole = Tally(lambda picture: picture)

    def run(self, images: ImageSet, places: list[Place], limit: int | None) -> HoleScores:
        """Score the methods on the pictures at `places`."""
        others = self.read_others(subsample(list[Any](images.train), limit or MAX_TRAIN))
        asked = {place for place, _ in subsample(places, MAX_ASKED)} if self.count else set()
        for (place, _), picture in self.reader.each_with(places, lambda each: self.prepared.read(each[1])):
            self.score(picture, place, several=place in asked)
        if not self.whole.features:
            raise UserError(f"none of the {len(places)} held-out pictures of {images.title} can be read")
        targets = torch.cat(self.whole.features)
        floor = kernel_row(FLOOR, others, targets)
        return HoleScores(
            title=images.title,
            bands=[band.scores(targets, floor) for band in self.bands],
            pictures=len(self.whole.features),
            others=len(others),
            size=self.prepared.size,
            features=DctFeatures.version,
            seed=SEED,
            remarks=self.explain(floor),
        )

    def read_others(self, train: list[Any]) -> Tensor:
        """Describe other real pictures: (M, d)."""
        describe = DctFeatures()
        found = [describe(to_tensor(picture)) for _, picture in self.reader.each_with(train, self.prepared.read)]
        return torch.cat(found) if found else torch.empty(0, describe.num_features)

    def score(self, picture: np.ndarray, place: int, *, several: bool) -> None:
        """Make the holes of one picture, and have them filled."""
        self.whole.keep(picture, None)
        for number, band in enumerate(self.bands):
            case = self.prepared.holed(picture, number, place)
            band.complete(case)
            if several:
                answers = self.translator(case.picture, mask=case.hole, count=self.count, seed=SEED)
                band.apart.append(apart_inside(answers, case.hole))

    def explain(self, floor: Row) -> list[str]:
        """What is missing, and why."""
        remarks = []
        if self.count:
            asked = len(self.bands[0].apart)
            remarks.append(f"several answers: {self.count} to each of the holes of {asked} pictures")
        if floor.kernel is None:
            remarks.append("no kernel distance: it needs 2 test pictures and 2 training pictures")
        if self.reader.unreadable:
            remarks.append(f"{len(self.reader.unreadable)} unreadable files were left out")
        return remarks


def holes_sheet(
    translator: Callable[..., Any], images: ImageSet, size: int, *, gray: bool = False, columns: int = 6
) -> np.ndarray:
    """Lay test pictures out as (H, W, 3) uint8, each with a hole, filled by OpenCV (Telea), by the model, and whole.

    The holes grow from left to right. Pictures that cannot be read are left out.

    Raises:
        UserError: there is no other picture.
    """
    prepared, places = Prepared(size, gray), places_of(images, columns)
    found: list[Holed] = []
    for i, (place, source) in enumerate(places):
        with contextlib.suppress(UserError):
            found.append(prepared.holed(prepared.read(source), i * len(BANDS) // len(places), place))
    if not found:
        raise UserError(f"none of the {len(places)} held-out pictures of {images.title} can be read")
    fills = (FILLS["OpenCV, Telea"], translator)
    filled = [[fill(case.picture, mask=case.hole) for case in found] for fill in fills]
    return make_grid([[case.picture for case in found], *filled, [case.truth for case in found]])
