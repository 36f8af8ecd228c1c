"""One picture through a model, by the functions of translate_folder: the same bytes for the same options."""

__all__ = ["Order", "Outcome", "translate", "without_place"]

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from translate.data.files.companions import Companions
from translate.data.files.worklist import Job
from translate.inference.folder.jobs import JobReader
from translate.inference.folder.pipeline import FolderPipeline
from translate.inference.options import FolderOptions
from translate.inference.request import Request
from translate.inference.translator import Translator
from translate.studio.worker import stop_if_cancelled
from translate.utils.concurrency import CpuSlots
from translate.utils.errors import UserError


@dataclass(frozen=True)
class Order:
    """The pictures of a request, and what is to be done with them."""

    request: Request
    pictures: list[Path]
    place: Path  # the folder of the request
    options: FolderOptions = field(default_factory=FolderOptions)


@dataclass(frozen=True)
class Outcome:
    """The files of the answers to one picture, or why there are none."""

    name: str
    files: tuple[Path, ...] = ()
    reason: str = ""


def translate(translator: Translator, order: Order, slots: CpuSlots) -> list[Outcome]:
    """Translate the pictures of an order one after the other; raise the error of the only one."""
    layer = order.options.masks or order.options.hints
    layers = Companions(layer, masks=bool(order.options.masks)) if layer else None
    reader = JobReader(translator, order.options, layers)
    pipeline = FolderPipeline(translator, order.request, reader, None, None, order.options.quality)
    outcomes = []
    for i, path in enumerate(order.pictures):
        target = order.place / "out" / str(i) / path.name
        job = Job(path, target, len(order.request.variants), layers.one if layers else None)
        try:
            with without_place(order.place):
                pipeline.translate(job, slots)
            outcomes.append(Outcome(path.name, job.targets))
        except UserError as error:
            stop_if_cancelled()
            if len(order.pictures) == 1:
                raise
            outcomes.append(Outcome(path.name, reason=str(error)))
    return outcomes


@contextlib.contextmanager
def without_place(place: Path) -> Iterator[None]:
    """Let errors name uploads by their own names, without the temporary folder."""
    try:
        yield
    except UserError as error:
        text = str(error)
        for folder in sorted({path.parent for path in place.rglob("*")} | {place}, key=lambda p: -len(str(p))):
            text = text.replace(f"{folder}/", "")
        if text == str(error):
            raise
        raise type(error)(text) from error
