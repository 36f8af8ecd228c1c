"""Pictures of a request through a model, by the functions of translate_folder: the same bytes for the same options."""

__all__ = ["Order", "Outcome", "name_uploads", "style_codes", "translate"]

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from translate.data.files.worklist import Job
from translate.data.sources.mask_files import read_mask
from translate.images.picture import Picture
from translate.inference.folder.jobs import JobReader
from translate.inference.folder.pipeline import FolderPipeline
from translate.inference.gigapixel import HugePicture
from translate.inference.inputs.masks import resize_mask
from translate.inference.options import FolderOptions, result_suffix
from translate.inference.request import Conditioning, Request
from translate.inference.translator import Translator
from translate.studio.worker import stop_if_cancelled
from translate.tasks import TASKS
from translate.utils.concurrency import CpuSlots
from translate.utils.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Order:
    """The pictures of a request, and what is to be done with them."""

    place: Path  # the folder of the request
    pictures: list[Path]  # in it
    layer: Path | None = None  # hints, or a mask whose hole is white, for all pictures
    options: FolderOptions = field(default_factory=FolderOptions)


@dataclass(frozen=True)
class Outcome:
    """The files of the answers to one picture, or why there are none."""

    name: str
    files: tuple[Path, ...] = ()
    reason: str = ""


def translate(translator: Translator, request: Request, order: Order, slots: CpuSlots) -> list[Outcome]:
    """Translate pictures one after the other, each to its own place; the error of the only one is raised."""
    options = order.options
    reader = _MaskReader(translator, options) if translator.masked else JobReader(translator, options, None)
    pipeline = FolderPipeline(translator, request, reader, None, None, options.quality, options.keep_metadata)
    suffix, outcomes = result_suffix(translator, options.format), []
    for path in order.pictures:
        job = Job(path, path.with_suffix(suffix or path.suffix), len(request.variants), order.layer)
        try:
            with name_uploads(order.place):
                pipeline.translate(job, slots)
            outcomes.append(Outcome(path.name, job.targets))
        except UserError as error:
            stop_if_cancelled()
            if len(order.pictures) == 1:
                raise
            outcomes.append(Outcome(path.name, reason=str(error)))
    return outcomes


class _MaskReader:
    """Reads a picture, and the mask of its hole, which is white: a folder's reader finds out by many masks."""

    def __init__(self, translator: Translator, options: FolderOptions) -> None:
        self._read, self._options = JobReader(translator, options, None), options

    def __call__(self, job: Job) -> tuple[Picture | HugePicture, Conditioning | None]:
        picture, _ = self._read(job._replace(layer=None))
        if job.layer is None or not isinstance(picture, Picture):
            return picture, None
        hole, _ = read_mask(job.layer, white_is_hole=not self._options.invert_masks)
        if self._options.resize_masks:
            hole = resize_mask(hole, picture.pixels.shape[:2])
        return picture, (hole, str(job.layer))


def style_codes(translator: Translator, request: Request) -> list[list[float] | None]:
    """Return the look z of every variant of a request; None for models without looks."""
    if "E" not in translator.nets:
        return [None] * len(request.variants)
    choose, nets = TASKS[translator.recipe.task].generator_for, translator.nets
    return [_as_list(choose(nets, request.direction, variant.z, variant.seed)[1]) for variant in request.variants]


def _as_list(z: Tensor | None) -> list[float] | None:
    return None if z is None else z.flatten().tolist()


@contextlib.contextmanager
def name_uploads(place: Path) -> Iterator[None]:
    """Let errors name uploads as the client does, without the temporary folder of the request."""
    try:
        yield
    except UserError as error:
        text = str(error)
        for folder in (*(path for path in place.iterdir() if path.is_dir()), place):
            text = text.replace(f"{folder}/", "")
        raise type(error)(text) from error
