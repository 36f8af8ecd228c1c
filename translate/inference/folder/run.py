"""Folder in, folder out: pictures are decoded ahead of the network, encoded behind it, and a rerun goes on.

Every picture keeps its name, sub-folder, size and kind. What is there already, newer than its picture and the
model, is not made again: the same command continues a run that was cut off. Another seed, look, direction or scale
makes all of it again, as do other masks; they are noted in the output folder. Jobs are made while pictures are
translated, so that a run takes as much memory for a million of them as for a hundred.
"""

__all__ = ["FolderReport", "Masks", "translate_folder"]

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from translate.data.files.companions import Companions
from translate.data.files.worklist import (
    Job,
    Shard,
    Survey,
    Worklist,
    as_suffix,
    check_writable,
    is_done,
    note_options,
)
from translate.data.sources.mask_files import MaskFiles, judge_masks, read_mask
from translate.images.io import read_picture
from translate.images.picture import Picture
from translate.inference.folder.pipeline import FolderPipeline
from translate.inference.folder.report import Failures, FolderReport
from translate.inference.gigapixel import HugePicture
from translate.inference.inpainting import resized_hole
from translate.inference.request import Request, blend
from translate.inference.translator import Conditioning, Translator
from translate.utils.errors import OptionError
from translate.utils.files import remove_stale_temporaries
from translate.utils.progress import counting_spinner, show_folder_bar

_JUDGED = 300  # masks from which the colour of all holes is told
_SWEPT = 1024  # folders in which no leftovers are looked for again


@dataclass(frozen=True, kw_only=True)
class Masks:
    """Masks of the holes of a folder's pictures.

    Attributes:
        spec: a folder or a pattern of masks with the names of the pictures, also as NAME_mask or mask_NAME; or one for
            all. Which colour is the hole is told by all of them together; of very many, by some.
        invert: whether it is the other colour.
        resize: whether a mask may have another size than its picture.
    """

    spec: str | Path
    invert: bool = False
    resize: bool = False


def translate_folder(
    translator: Translator, source: str | Path, output: str | Path, *, direction: str | None = None,
    count: int | None = None, seed: int | None = None, looks: Sequence[str | Path] = (),
    hints: str | Path | None = None, masks: Masks | None = None, scale: str = "fit", format: str = "",
    shard: str = "", overwrite: bool = False, quality: int = 95, workers: int | None = None, progress: bool = True,
) -> FolderReport:  # fmt: skip
    """Translate every picture of `source` to the same place below `output`.

    Args:
        translator: what translates, by the statistics that it was loaded with or `Translator.steadied` gave it.
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder, made where it is missing; inside `source` it is no part of it. For one picture, it may be
            a file: its suffix names the format, and it is always made anew.
        direction: "ab" or "ba"; None: the model's usual one.
        count: answers to each picture; more than one are called NAME_1, NAME_2 and so on.
        seed: of the answers; without `count` and `seed`, each picture gets the one answer without chance.
        looks: pictures of the target domain: the look of one for all; or two, and `count` steps from one to the other.
        hints: a folder of layers of strokes, with the names of the pictures that they belong to; or one for all.
        masks: for a model that fills holes; pictures without one have their hole where they are transparent.
        scale: "fit" or "native", as `Translator.__call__`.
        format: of all translations, such as "png"; "": each has the format of its picture.
        shard: "2/5": only the second of five parts, for as many machines that share the work and the folders.
        overwrite: make again what is there already.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        workers: threads that decode, and as many that encode; None: two, or for a GPU one for each core.
        progress: show a bar on the terminal, and failures as they happen.

    Raises:
        OptionError: an option that is wrong or that this model does not have; an output that would hit its input.
        UserError: there is nothing to translate, or no hints or masks that fit; two translations would be one file; a
            look cannot be read.
        WriteError: the output's disk or folder refuses; what was written before stays.
    """
    began = time.perf_counter()
    _check_quality(quality)
    wish = _wish(translator, direction, count, seed, looks, scale)
    _check_film(translator, shard)
    translator.check_layer(hints=hints is not None, mask=masks is not None)
    work = Worklist(
        str(source), Path(output), answers=len(wish.answers), suffix=as_suffix(format),
        shard=Shard.parse(shard or "1/1"), hints=hints, masks=masks.spec if masks else None,
    )  # fmt: skip
    with counting_spinner(progress):
        survey = work.survey()
    read = JobReader.of(translator, masks, work.layers)
    check_writable(work.folder)
    options = _options(translator, wish, count, seed, looks, hints, masks)
    todo = PendingJobs.of(work, options, [translator.file, *map(Path, looks)], overwrite=overwrite)
    report = FolderReport(ignored=survey.ignored, answers=work.answers)
    with show_folder_bar(survey.pictures, progress) as bar:
        translator.watch = bar.show_large
        flow = FolderPipeline(translator, wish, quality, report, bar, read, Failures(work.failures))
        flow.work_off(todo.jobs(flow.skip), workers or _usual_workers(translator))
    report.notes = [*todo.notes(), *_notes(survey, hints), *read.notes(survey, work), *flow.notes()]
    report.seconds = time.perf_counter() - began
    return report


def _usual_workers(translator: Translator) -> int:
    return 2 if translator.device.type == "cpu" else os.cpu_count() or 2


def _check_quality(quality: int) -> None:
    if not 1 <= quality <= 100:
        raise OptionError(f"quality {quality} is out of range; choose 1 to 100")


def _check_film(translator: Translator, shard: str) -> None:
    if shard and translator.statistics.kind == "smooth":
        raise OptionError("frames that follow each other stay together; leave out --shard, or say --stats frozen")


def _wish(
    translator: Translator, direction: str | None, count: int | None, seed: int | None,
    looks: Sequence[str | Path], scale: str,
) -> Request:  # fmt: skip
    """Return what is asked of the translator: its own answers, the look of one picture, or a way between two looks."""
    wish = translator.wish(direction, count=count, seed=seed, scale=scale)
    if not looks:
        return wish
    if seed is not None:
        raise OptionError("a look says which answer is meant; leave out --look or --seed")
    if len(looks) > 2 or (len(looks) == 1) != (count is None):
        raise OptionError("give one --look, without --count, or two with --count N: the steps from one to the other")
    first, last = translator.look(looks[0]), translator.look(looks[-1])
    z = first if count is None else blend(first, last, count)
    return translator.wish(direction, z=z, scale=scale)


def _options(
    translator: Translator, wish: Request, count: int | None, seed: int | None,
    looks: Sequence[str | Path], hints: str | Path | None, masks: Masks | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what sets the translations apart from those of a plain run, which has none of it."""
    said: dict[str, Any] = {"values": translator.values} if translator.values else {}
    if wish.direction != translator.check_direction(None):
        said["direction"] = wish.direction
    if wish.scale != "fit":
        said["scale"] = wish.scale
    if translator.statistics.kind != "exact":
        said["stats"] = translator.statistics.said
    if looks:
        said |= {"looks": [str(Path(path).resolve()) for path in looks], "count": count}
    elif count is not None or seed is not None:
        said["seed"] = seed or 0  # the count is seen from the names
    if hints:
        said["hints"] = str(Path(hints).resolve())
    if masks:
        said |= {"masks": str(Path(masks.spec).resolve()), "invert": masks.invert, "resize": masks.resize}
    return said


@dataclass
class PendingJobs:
    """Gives out the jobs that are not done yet.

    Attributes:
        work: all jobs.
        used: files that a translation must be newer than.
        again: whether all is to be made again, whatever is there.
        changed: whether that is because the options have changed.
    """

    work: Worklist
    used: Sequence[Path | None]
    again: bool
    changed: bool
    _told: bool = False

    @classmethod
    def of(
        cls, work: Worklist, options: dict[str, Any], used: Sequence[Path | None], *, overwrite: bool
    ) -> "PendingJobs":
        """Compare the options with those of earlier runs, which are noted in the output folder."""
        if work.single:
            return cls(work, used, again=True, changed=False)
        note, changed = note_options(work.output, options)
        return cls(work, [note, *used], overwrite or changed, changed and not overwrite)

    def jobs(self, skipped: Callable[[], None]) -> Iterator[Job]:
        """Yield them; in the folders that they go to, remove what a killed run left behind."""
        sweep = lru_cache(maxsize=_SWEPT)(remove_stale_temporaries)
        sweep(self.work.folder)
        for job in self.work:
            sweep(job.target.parent)
            if not self.again and is_done(job, *self.used):
                skipped()
                continue
            if self.changed and not self._told:
                self._told = any(target.exists() for target in job.targets)
            yield job

    def notes(self) -> list[str]:
        """Tell that what was there was made again."""
        told = f"{self.work.output}: what is there was made with other options, and is made again"
        return [told] if self._told else []


@dataclass(frozen=True)
class JobReader:
    """Reads a picture, and its strokes or its hole."""

    translator: Translator
    masks: MaskFiles | None = None
    resize: bool = False
    judged: str = ""

    @classmethod
    def of(cls, translator: Translator, masks: Masks | None, layers: Companions | None) -> "JobReader":
        """Look at some of the masks, evenly spread, for which of their colours is the hole."""
        if not (masks and layers):
            return cls(translator)
        source = layers.source
        count = sum(1 for _ in source.walk())
        some = [source.path(name) for name in islice(source.walk(), 0, None, -(-count // _JUDGED))]
        judged = f"masks: {len(some)} of {count} were looked at, evenly spread" if len(some) < count else ""
        return cls(translator, judge_masks(some, invert=masks.invert), masks.resize, judged)

    def __call__(self, job: Job) -> tuple[Picture | HugePicture, Conditioning | None]:
        if job.layer is None:
            return self.translator.open_huge(job.path) or read_picture(job.path, self.translator.values), None
        picture = read_picture(job.path, self.translator.values)
        if self.masks is None:
            return picture, (read_picture(job.layer), str(job.layer))
        hole, _ = read_mask(job.layer, white_is_hole=self.masks.white_is_hole)
        if self.resize:
            hole = resized_hole(hole, picture.pixels.shape[:2])
        return picture, (hole, str(job.layer))

    def notes(self, survey: Survey, work: Worklist) -> list[str]:
        """Return what the user should know of the masks and of what happens to known pixels, a line each."""
        lines = [*([self.judged] if self.judged else []), *(self.masks.notes if self.masks else ())]
        if self.masks and (unused := work.strays()).count:
            lines.append(f"masks: {unused.count} belong to no picture: {unused}")
        if self.translator.masked and survey.lossy.count:
            why = "compressed anew, so known pixels change slightly; those of PNG and TIFF files stay bit for bit"
            lines.append(f"{survey.lossy}: {why}")
        return lines


def _notes(survey: Survey, hints: str | Path | None) -> list[str]:
    lines = list(survey.notes)
    if hints and survey.without:
        lines.append(f"{hints}: has no layer for {survey.without} of {survey.pictures} pictures, which get no hints")
    return lines
