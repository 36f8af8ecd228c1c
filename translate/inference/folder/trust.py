"""The trust file of a folder's translation: how unlike the training pictures each input is.

OUTPUT/trust.csv has a line for each picture: its name below the source; its p-value, which is 0.05 or less for one in
twenty pictures like those of the training, and for nearly all others; the spread of the answers of a model that has
several; and a note. Lines are appended as pictures are translated, so that a kill loses none of them, and put into the
order of the pictures at the end.
"""

__all__ = ["TrustFile", "TrustJudge", "find_calibration"]

import csv
import io
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from translate.checkpoints.calibrate import seen_pixels
from translate.checkpoints.calibration import FLAGGED, Calibration, PictureDescriber, load_calibrations
from translate.data.files.counted import Counted
from translate.data.files.worklist import Job, Worklist
from translate.images.picture import Picture, flatten_alpha
from translate.images.tensors import to_tensor
from translate.inference.folder.jobs import JobReader
from translate.inference.gigapixel import HugePicture
from translate.inference.preprocess import resize
from translate.inference.request import PreparedImage, Request
from translate.inference.translator import Translator
from translate.metrics.diversity import pairwise_spread
from translate.utils.concurrency import CpuSlots
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write, refusals_as_write_errors
from translate.utils.program import command_form
from translate.utils.terminal import printable

ANSWERS = 4  # whose spread is measured
HEADER = ("name", "p_value", "spread", "note")
UNLIKE = "unlike the training pictures"


class Trust(NamedTuple):
    """What is known of one input."""

    p_value: float | None = None  # None: the picture cannot be read
    spread: float | None = None  # None: the model has one answer for a picture
    note: str = ""

    def line(self, name: str) -> str:
        """Return the line of the trust file."""
        numbers = ("" if value is None else f"{value:.4f}" for value in (self.p_value, self.spread))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([printable(name), *numbers, printable(self.note)])
        return text.getvalue()


class TrustJudge:
    """Measures how far a model can be trusted on a picture; thread-safe."""

    def __init__(self, translator: Translator, request: Request, calibration: Calibration) -> None:
        self._calibration, self._describe = calibration, PictureDescriber.load()
        self._translator = translator.with_norm_statistics("exact")  # those of a film must see each frame once
        several = (
            translator.request(request.direction, count=ANSWERS, scale=request.scale) if translator.random else None
        )
        self._request = several

    def __call__(self, source: PreparedImage | HugePicture, slots: CpuSlots) -> Trust:
        """Measure a picture, a gigapixel one by its thumbnail; the networks wait for a slot."""
        picture = source.thumbnail() if isinstance(source, HugePicture) else source.picture
        p_value = self.p_value(picture)
        return Trust(p_value, self._spread(source, picture, slots), UNLIKE if p_value <= FLAGGED else "")

    def p_value(self, picture: Picture) -> float:
        """Return the p-value of a picture."""
        return self._calibration.p_value(self._describe(seen_pixels(picture)))

    def _spread(self, source: PreparedImage | HugePicture, picture: Picture, slots: CpuSlots) -> float | None:
        """Return the `pairwise_spread` of the answers for four seeds; without hints, those at the trained size."""
        if self._request is None:
            return None
        if isinstance(source, HugePicture) or source.hint is None:
            source = self._translator.prepare(shrink(picture, self._translator.recipe.size), self._request)
        with slots.acquire(exclusive=not self._translator.runner.takes_one_slot(source)):
            [answers] = self._translator.runner.run_batch([source], self._request)
        return pairwise_spread(torch.cat([to_tensor(answer.pixels) for answer in answers.pictures()]))


def shrink(picture: Picture, side: int) -> Picture:
    """Shrink a picture to a shorter side of `side` px, if it is longer; transparent parts become white."""
    height, width = picture.pixels.shape[:2]
    scale = min(1.0, side / min(height, width))
    pixels = resize(flatten_alpha(picture), (max(1, round(height * scale)), max(1, round(width * scale))))
    return replace(picture, pixels=pixels, alpha=None)


def find_calibration(translator: Translator, direction: str) -> Calibration:
    """Return the calibration of a model for a direction.

    Raises:
        OptionError: the model fills holes.
        UserError: it has none.
    """
    if translator.masked:
        raise OptionError("a model that fills holes keeps what is known of a picture; leave --trust out")
    found = load_calibrations(translator.file) if translator.file else {}
    if direction in found:
        return found[direction]
    remedy = f"calibrate it where its run is: {command_form('evaluate')} --model {translator.file or 'RUN'} --calibrate"
    raise UserError(f"{translator.file or 'the model'}: is not calibrated, as --trust needs; {remedy}")


class TrustFile:
    """The trust file of a worklist; for a single picture, what would be its line becomes a note."""

    def __init__(self, judge: TrustJudge, worklist: Worklist) -> None:
        self._judge, self._worklist, self._lock = judge, worklist, threading.Lock()
        self.file = None if worklist.single else worklist.output / f"trust{worklist.part}.csv"
        self._single = Trust()
        self._flagged, self._count = Counted(), 0

    def add(self, job: Job, source: PreparedImage | HugePicture, slots: CpuSlots) -> None:
        """Measure a picture and append its line; thread-safe."""
        try:
            trust = self._judge(source, slots)
        except UserError as error:  # the result is there; more answers for the spread may exceed the memory
            trust = Trust(note=str(error))
        if self.file is None:
            self._single = trust
            return
        with self._lock, refusals_as_write_errors(self.file):
            append_line(self.file, trust.line(self._name(job)))

    def finish(self, reader: JobReader, translator: Translator, request: Request) -> None:
        """Measure the pictures without a line, which were translated before or failed; put all lines into order."""
        if self.file is None:
            return
        slots = translator.runner.cpu_slots()
        with closing(sqlite3.connect("")) as rows, atomic_write(self.file) as temporary:
            # 1. read the lines so far, of which the last one of a name counts, into a temporary file of bounded cache
            rows.execute("CREATE TABLE rows (name TEXT PRIMARY KEY, line TEXT)")
            rows.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", read_lines(self.file))
            # 2. write those of this worklist, then those of other sources
            with temporary.open("w", encoding="utf-8") as stream:
                stream.write(",".join(HEADER) + "\n")
                for job in self._worklist:
                    name = printable(self._name(job))
                    found = rows.execute("DELETE FROM rows WHERE name = ? RETURNING line", (name,)).fetchone()
                    line = found[0] if found else self._measure(job, reader, translator, request, slots).line(name)
                    stream.write(line)
                    self._note(line)
                stream.writelines(line for (line,) in rows.execute("SELECT line FROM rows ORDER BY name"))

    def _measure(
        self, job: Job, reader: JobReader, translator: Translator, request: Request, slots: CpuSlots
    ) -> Trust:  # fmt: skip
        picture: Picture | HugePicture | None = None
        try:
            picture, layer = reader(job)
            if isinstance(picture, Picture):
                return self._judge(translator.prepare(picture, request, layer, str(job.path)), slots)
            return self._judge(picture, slots)
        except UserError as error:  # unreadable, or readable and refused by the model
            p_value = self._judge.p_value(picture) if isinstance(picture, Picture) else None
            return Trust(p_value, note=str(error).removeprefix(f"{job.path}: "))

    def _name(self, job: Job) -> str:
        return job.target.relative_to(self._worklist.output).as_posix()

    def _note(self, line: str) -> None:
        name, p_value, *_ = next(csv.reader([line]))
        self._count += bool(p_value)
        if p_value and float(p_value) <= FLAGGED:
            self._flagged.add(name)

    def notes(self) -> list[str]:
        """Return a line on the pictures that are unlike the training pictures."""
        if self.file is None:
            trust = self._single
            if trust.p_value is None:
                return [trust.note] if trust.note else []
            spread = "" if trust.spread is None else f", spread of its answers {trust.spread:.3f}"
            return [f"p-value of the picture {trust.p_value:.3f}{spread}{f': {trust.note}' * bool(trust.note)}"]
        if not self._flagged.count:
            return [f"{self.file}: none of {self._count} pictures is {UNLIKE}"]
        share = f"{self._flagged.count} of {self._count} pictures"
        return [f"{self.file}: {share} are {UNLIKE}, where {FLAGGED:.0%} would be chance: {self._flagged}"]


def append_line(file: Path, line: str) -> None:
    """Append a line, behind one that a kill may have cut off; a new file begins with the header."""
    with file.open("a+b") as stream:
        if not stream.tell():
            stream.write((",".join(HEADER) + "\n").encode())
        else:
            stream.seek(-1, io.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
        stream.write(line.encode())


def read_lines(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the line of each picture in a trust file, without lines that make no sense."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        for line in stream:
            cells = next(csv.reader([line]), [])
            if len(cells) == len(HEADER) and line.endswith("\n") and is_number(cells[1]):
                yield cells[0], line


def is_number(text: str) -> bool:
    """Whether a cell is empty or a number."""
    try:
        float(text or 0)
    except ValueError:
        return False
    return True
