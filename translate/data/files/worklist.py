"""The jobs of translating a folder: each picture and its output files.

Memory does not grow with the number of pictures: a first walk counts and checks them, a second one yields the jobs, and
both hold no more than the names of a few folders.
"""

__all__ = ["Job", "Shard", "Survey", "Worklist", "as_suffix", "check_writable"]

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from os.path import lexists
from pathlib import Path
from typing import NamedTuple

from translate.data.files.companions import Companions
from translate.data.files.counted import Counted
from translate.data.files.find import left_out_notes, no_picture_error, open_images, skipped_links_note
from translate.data.files.left_out import describe_left_out
from translate.data.files.walk import Stems, is_picture, join_name
from translate.images.encode import FORMATS
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import OptionError, UserError, close_match, did_you_mean
from translate.utils.files import WriteError

_FILE_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,4}")  # unlike the .0 of a version
FORMAT_LIKENESS = 0.8  # from 0 to 1, of a misspelt suffix


class Job(NamedTuple):
    """One picture, the file of its result, the number of results, and its hints or mask."""

    path: Path
    target: Path
    answers: int = 1
    layer: Path | None = None

    @property
    def targets(self) -> tuple[Path, ...]:
        """Return the files of the results; several are called NAME_1, NAME_2 and so on."""
        if self.answers == 1:
            return (self.target,)
        return tuple(map(self.numbered, range(1, self.answers + 1)))

    def numbered(self, k: int) -> Path:
        """Return the file of result `k` of several, from 1 on."""
        return self.target.with_name(f"{self.target.stem}_{k}{self.target.suffix}")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a folder, each for one machine; the name of a picture alone decides on its part."""

    number: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Parse "2/5", the second of five parts; raise OptionError for other texts."""
        first, slash, last = text.partition("/")
        if not (slash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
            raise OptionError(f"shard {text!r} is no part of a whole; give I/N, such as 2/5 for the second of five")
        return cls(int(first), int(last))

    def has(self, name: str) -> bool:
        """Whether the picture `name`, a path below the source with slashes, is in this part."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.parts == self.number - 1


@dataclass
class Survey:
    """Counts of the pictures of one shard."""

    pictures: int = 0
    ignored: int = 0  # files that are not read as pictures
    lossy: Counted = field(default_factory=Counted)  # pictures whose format changes all pixels slightly
    notes: list[str] = field(default_factory=list)  # for the user


class Worklist:
    """The jobs of a source, ordered by the pictures' names and generated while the source is walked."""

    def __init__(
        self, source: str, output: Path, *, answers: int = 1, suffix: str = "", shard: Shard | None = None,
        hints: str | Path | None = None, masks: str | Path | None = None,
    ) -> None:  # fmt: skip
        """Open the source and the hints or masks.

        Args:
            source: as for `find_images`.
            output: a folder, which is not searched if it lies inside `source`; or, for one picture, a file.
            answers: results of each picture.
            suffix: of all results; "": each result has the suffix of its picture.
            shard: the part of the pictures to yield jobs for; None: all.
            hints: as for `Companions`; hints and masks are not translated.
            masks: as for `Companions`, in place of hints.

        Raises:
            OptionError: the output or the masks are the source, or the options contradict each other.
            UserError: the source does not exist, or there are no hints or masks.
        """
        self.output, self.answers, self.suffix, self.shard = output, answers, suffix, shard or Shard()
        self._spec, self._source, path = source, open_images(source), Path(source).expanduser()
        self._is_folder = path.is_dir()
        self._root, self._real_output = self._source.root.resolve(), output.expanduser().resolve()
        layers = masks or hints
        self.layers = Companions(layers, masks=bool(masks)) if layers else None
        self._one_picture = is_picture(path.name) and path.is_file()
        self.single = self._one_picture and is_picture(output.name) and not output.is_dir()  # to one file
        if self.single:
            self._check_single()
        self._skipped = self._find_skipped()
        self._mixed = self.layers if self.layers and self.layers.folder() is None else None  # among the pictures

    @property
    def root(self) -> Path:
        """Return the absolute folder of the pictures."""
        return self._source.root

    @property
    def part(self) -> str:
        """Return the name of this shard in a file name, such as "-2of5"; "" without shards."""
        return "" if self.shard.parts == 1 else f"-{self.shard.number}of{self.shard.parts}"

    @property
    def failures(self) -> Path | None:
        """Return the file that lists the failures of this shard, or None for a single output file."""
        return None if self.single else self.output / f"failed{self.part}.jsonl"

    @property
    def folder(self) -> Path:
        """Return the output folder, or the folder of the single output file."""
        return self.output.parent if self.single else self.output

    def __iter__(self) -> Iterator[Job]:
        """Yield the jobs of this shard."""
        return (self._job(name) for name in self._names() if self.shard.has(name))

    def survey(self) -> Survey:
        """Walk once: count the pictures, and check everything that can be checked before the work begins.

        Raises:
            OptionError: a result would overwrite a picture of the source; a new folder is named like a file.
            UserError: there is nothing to translate, no hints or masks match, or two results would be one file.
        """
        survey, first, matched, without_layer = Survey(), "", False, 0
        if not self.single and not self.output.exists():
            self._check_folder_name()

        # check every picture, and count those of this shard
        for name in self._names():
            first = first or name
            job = self._job(name)
            self._check_target(name, job)
            matched = matched or job.layer is not None
            if not self.shard.has(name):
                continue
            survey.pictures += 1
            without_layer += job.layer is None
            if (form := FORMATS.get(job.target.suffix.lower())) and form.lossy:
                survey.lossy.add(job.path.name)
            if not survey.notes and (clash := self._name_clash(name, job)):
                survey.notes.append(clash)
        self._check_found(first, matched)

        # report what was left out
        survey.ignored = self._source.left_out.total()
        survey.notes += describe_left_out(self._spec, self._source.left_out)
        survey.notes += left_out_notes([self.layers.spec] if self.layers else [])
        if self._source.links:
            survey.notes.append(f"{self._spec}: {skipped_links_note(self._source.links)}")
        if self.layers and not self.layers.masks and without_layer:
            missing = f"{without_layer} of {survey.pictures} pictures, which get no hints"
            survey.notes.append(f"{self.layers.spec}: has no layer for {missing}")
        return survey

    def strays(self) -> Counted:
        """Return the hints or masks that belong to no picture."""
        return self.layers.strays(self._stems) if self.layers else Counted()

    def leftovers(self, job: Job) -> Iterator[Path]:
        """Yield files beside the results of a job that bear its name, but not of this count nor of another picture."""
        if job.answers > 1 and self._is_leftover(job.target):
            yield job.target
        for k in count(1 if job.answers == 1 else job.answers + 1):
            if not self._is_leftover(job.numbered(k)):
                return
            yield job.numbered(k)

    def _is_leftover(self, path: Path) -> bool:
        """Whether `path` exists, and is the result of no picture of this run."""
        if not lexists(path):
            return False
        folder = path.parent.relative_to(self.output).as_posix()
        folder = "" if folder == "." else folder
        if self.answers == 1:
            pictures = self._stems(folder).get(path.stem, ())
            return not any(self._target(join_name(folder, name)) == path for name in pictures)
        stem, _, k = path.stem.rpartition("_")
        return not (k.isdecimal() and 1 <= int(k) <= self.answers and stem in self._stems(folder))

    # ---- names

    def _names(self) -> Iterator[str]:
        return (name for name in self._source.walk(self._skipped) if not self._is_layer(name))

    def _is_layer(self, name: str) -> bool:
        return self._mixed is not None and self._mixed.has(self._root / name)

    def _stems(self, folder: str) -> Stems:
        """Return the pictures of a folder of the source, as `PictureTree.stems`."""
        stems = self._source.stems(folder)
        if not (self._skipped or self._mixed):
            return stems

        def is_in(name: str) -> bool:
            full = join_name(folder, name)
            return full not in self._skipped and not self._is_layer(full)

        return {stem: kept for stem, names in stems.items() if (kept := [name for name in names if is_in(name)])}

    def _job(self, name: str) -> Job:
        target = self.output if self.single else self._target(name)
        return Job(self._source.path(name), target, self.answers, self.layers.of(name) if self.layers else None)

    def _target(self, name: str) -> Path:
        target = self.output / name
        return target.with_suffix(self.suffix) if self.suffix else target

    def _find_skipped(self) -> set[str]:
        """Return the folders, by name below the source, of the output and of the hints or masks."""
        folder = self.layers.folder() if self.layers else None
        layers = folder.expanduser().resolve() if folder else None
        if self._real_output == self._root and not self.single:
            raise OptionError(f"{self.output}: is the folder of the input itself; choose another output folder")
        if self.layers and self.layers.masks and layers == self._root:
            raise OptionError(
                f"{self.layers.spec}: is the folder of the input itself; keep the masks in one of their own"
            )
        places = [place for place in (self._real_output, layers) if place and place != self._root]
        return {place.relative_to(self._root).as_posix() for place in places if place.is_relative_to(self._root)}

    # ---- checks

    def _check_single(self) -> None:
        """Refuse options that make no sense for one picture and one file."""
        if self.shard.parts > 1:
            raise OptionError("one picture has no shards; leave out --shard")
        if self.suffix and self.suffix != self.output.suffix.lower():
            raise OptionError(f"{self.output}: has a format of its own; leave out --format {self.suffix[1:]}")
        path = self._source.path(next(self._source.walk()))
        if path.resolve() in [target.resolve() for target in Job(path, self.output, self.answers).targets]:
            raise OptionError(f"{self.output}: would overwrite the input itself; choose another output file")

    def _check_folder_name(self) -> None:
        """Refuse a new folder whose name is meant to be that of a file."""
        suffix = self.output.suffix.lower()
        known = [one[1:] for one in IMAGE_SUFFIXES]
        if self._one_picture and _FILE_SUFFIX.fullmatch(suffix):
            meant = did_you_mean(suffix[1:], known)
            raise OptionError(f"{self.output}: {suffix!r} is no format of images{meant}; a folder has to exist first")
        if is_picture(self.output.name) or close_match(suffix[1:], known, FORMAT_LIKENESS):
            raise OptionError(
                f"{self.output}: is named like a picture, but is to be the folder of the results; choose another name"
            )

    def _check_target(self, name: str, job: Job) -> None:
        """Refuse a result that would overwrite another result, or an input that lies below the output."""
        folder, _, own = name.rpartition("/")
        if self.suffix and len(same := self._same_stem(name)) > 1:
            other = self._source.path(join_name(folder, next(one for one in same if one != own)))
            raise UserError(f"{job.path} and {other} would both become {job.target}; rename one, or leave out --format")
        if self.single or not self._root.is_relative_to(self._real_output):
            return
        for target in job.targets:
            place = self._real_output / target.relative_to(self.output)
            if place.is_relative_to(self._root) and self._is_input(place.relative_to(self._root).as_posix()):
                raise OptionError(
                    f"{job.path}: its translation would overwrite the input {target}; choose another output folder"
                )

    def _same_stem(self, name: str) -> Sequence[str]:
        """Return the pictures in the folder of `name` that have its stem, `name` included."""
        folder, _, own = name.rpartition("/")
        return self._stems(folder).get(own.rpartition(".")[0], ())

    def _is_input(self, name: str) -> bool:
        return name.rpartition("/")[2] in self._same_stem(name)

    def _name_clash(self, name: str, job: Job) -> str:
        """Describe a numbered result that looks like the result of another picture; "" if there is none."""
        if self.answers == 1 or self.single:
            return ""
        folder = name.rpartition("/")[0]
        stems = self._stems(folder)
        for target in job.targets:
            for other in stems.get(target.stem, ()):
                if self._target(join_name(folder, other)) == target:
                    return f"{target}: is an answer to {job.path.name}, not to {other}; rename one to tell them apart"
        return ""

    def _check_found(self, first: str, matched: bool) -> None:
        """Refuse a source without pictures, and hints or masks of which none matches."""
        if not first:
            if next(self._source.walk(), None) is None:
                if links := self._source.links:
                    raise UserError(f"{self._spec}: {skipped_links_note(links)}")
                raise no_picture_error(self._spec)
            raise UserError(f"{self._spec}: all its pictures lie in the output folder {self.output}; choose another")
        if self.layers and not matched:
            wanted = f"that of {self._source.path(first)} is {self.layers.place_of(first)}"
            kind = self.layers.kind.split()[0]
            raise UserError(f"{self.layers.spec}: none of its {kind}s is called like a picture; {wanted}")


def as_suffix(form: str) -> str:
    """Return ".png" for the format "png", ".png" or "PNG", and "" for ""; raise OptionError for an unknown format."""
    suffix = f".{form.lower().removeprefix('.')}" if form else ""
    if suffix and suffix not in IMAGE_SUFFIXES:
        known = [one[1:] for one in IMAGE_SUFFIXES]
        raise OptionError(f"format {form!r} is unknown{did_you_mean(form.lower(), known)}")
    return suffix


def check_writable(output: Path) -> None:
    """Create the output folder and try to write to it before any work is lost; raise WriteError if that fails."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        raise WriteError(f"{output}: cannot be written to ({error.strerror}); choose another folder") from error
