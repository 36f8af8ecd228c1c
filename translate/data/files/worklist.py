"""What a folder translation has to do: which picture goes where, and what is done already.

Nothing here grows with the number of pictures: a first walk counts them and makes every check, a second one gives them
out, and both hold no more than the names of a few folders.
"""

__all__ = ["Job", "Shard", "Survey", "Worklist", "as_suffix", "check_writable", "is_done", "note_options"]

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from translate.data.files.companions import Companions
from translate.data.files.counted import Counted
from translate.data.files.find import links_left_out, nothing_in, open_images
from translate.data.files.walk import Stems, is_picture, joined
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import OptionError, UserError, did_you_mean
from translate.utils.files import WriteError, atomic_write

_STAMP = ".translated.json"
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".gif", ".jp2")


class Job(NamedTuple):
    """One picture, where its one translation goes, how many it gets instead, and its hints or its mask, if any."""

    path: Path
    target: Path
    answers: int = 1
    layer: Path | None = None

    @property
    def targets(self) -> tuple[Path, ...]:
        """Return where its translations go: more than one are called NAME_1, NAME_2 and so on."""
        if self.answers == 1:
            return (self.target,)
        stem, suffix = self.target.stem, self.target.suffix
        return tuple(self.target.with_name(f"{stem}_{k}{suffix}") for k in range(1, self.answers + 1))


@dataclass(frozen=True)
class Shard:
    """One of several parts of a folder, each for another machine; which picture is in which, its name alone decides."""

    number: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read "2/5": the second of five parts.

        Raises:
            OptionError: it is none of these.
        """
        first, slash, last = text.partition("/")
        if not (slash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
            raise OptionError(f"shard {text!r} is no part of a whole; give I/N, such as 2/5 for the second of five")
        return cls(int(first), int(last))

    def has(self, name: str) -> bool:
        """Whether the picture of this name, below the source and with slashes, is in this part."""
        if self.parts == 1:
            return True
        digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.parts == self.number - 1

    @property
    def failures(self) -> str:
        """Return the name of the file that lists what failed."""
        return "failed.jsonl" if self.parts == 1 else f"failed-{self.number}of{self.parts}.jsonl"


_WHOLE = Shard()


@dataclass
class Survey:
    """What the first walk finds.

    Attributes:
        pictures: those of this shard. ignored: files that are no pictures. without: pictures of this shard for which
        there are no hints or no mask. lossy: pictures whose format changes all pixels a little. notes: what is
        worth a look, a line each.
    """

    pictures: int = 0
    ignored: int = 0
    without: int = 0
    lossy: Counted = field(default_factory=Counted)
    notes: list[str] = field(default_factory=list)


class Worklist:
    """The pictures of a source, with their places below the output, in order; made while it is walked.

    Attributes:
        output: the folder, or where `single`, the file.
        single: whether one picture goes to one file.
        shard: the part of the pictures that it gives.
        layers: the hints or masks, if any.
    """

    def __init__(
        self, source: str, output: Path, *, answers: int = 1, suffix: str = "", shard: Shard = _WHOLE,
        hints: str | Path | None = None, masks: str | Path | None = None,
    ) -> None:  # fmt: skip
        """Say what goes where.

        Args:
            source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
            output: a folder; what lies in it is not taken as input where it lies inside `source`. Or, for one picture,
                a file.
            answers: translations of each picture.
            suffix: that all translations get; "": each that of its picture.
            shard: the part of the pictures to give.
            hints: a folder of layers, or a pattern, which are no input; or one layer for all.
            masks: of holes, likewise; that of NAME may also be called NAME_mask or mask_NAME.

        Raises:
            OptionError: the output or the masks are the source, or the options contradict each other.
            UserError: there is no such source, or there are no hints or masks.
        """
        self.output, self.answers, self.suffix, self.shard = output, answers, suffix, shard
        self._spec, self._source = source, open_images(source)
        self._folder = Path(source).expanduser().is_dir()
        self._real, self._real_output = self._source.root.resolve(), output.expanduser().resolve()
        given = masks or hints
        self.layers = Companions(given, masks=bool(masks)) if given else None
        self.single = _is_one(Path(source).expanduser()) and is_picture(output.name) and not output.is_dir()
        if self.single:
            self._check_single()
        self._skip = self._inside()
        self._no_input = self.layers if self.layers and self.layers.folder() is None else None

    @property
    def failures(self) -> Path | None:
        """Return the file that lists what fails; None: beside a single file there is none."""
        return None if self.single else self.output / self.shard.failures

    @property
    def folder(self) -> Path:
        """Return the folder that the output is, or lies in."""
        return self.output.parent if self.single else self.output

    def __iter__(self) -> Iterator[Job]:
        """Yield the jobs of this shard."""
        return (self._job(name) for name in self._names() if self.shard.has(name))

    def survey(self) -> Survey:
        """Walk once to count, and to check all that can go wrong before it does.

        Raises:
            OptionError: a translation would overwrite a picture of the source.
            UserError: there is nothing to translate, no hints or masks fit, or two translations would be one file.
        """
        found, first, fits = Survey(), "", False
        for name in self._names():
            first = first or name
            job = self._job(name)
            self._check_target(name, job)
            fits = fits or job.layer is not None
            if not self.shard.has(name):
                continue
            found.pictures += 1
            found.without += job.layer is None
            if job.target.suffix.lower() in _LOSSY:
                found.lossy.add(job.path.name)
            if not found.notes and (twin := self._twin(name, job)):
                found.notes.append(twin)
        found.ignored = self._source.others if self._folder else 0
        if self._source.links:
            found.notes.append(f"{self._spec}: {links_left_out(self._source.links)}")
        self._check_found(first, fits)
        return found

    def strays(self) -> Counted:
        """Return the hints or masks that belong to no picture."""
        found = Counted()
        for path in self.layers.strays(self._stems) if self.layers else ():
            found.add(path)
        return found

    # ---- names

    def _names(self) -> Iterator[str]:
        names = self._source.walk(self._skip)
        return (name for name in names if not self._is_layer(name)) if self._no_input else names

    def _is_layer(self, name: str) -> bool:
        return self._no_input is not None and self._no_input.has(self._real / name)

    def _stems(self, folder: str) -> Stems:
        """Return the pictures of a folder of the source, as `Source.stems`."""
        stems = self._source.stems(folder)
        if not (self._skip or self._no_input):
            return stems
        return {stem: kept for stem, names in stems.items() if (kept := [n for n in names if self._is_in(folder, n)])}

    def _is_in(self, folder: str, name: str) -> bool:
        full = joined(folder, name)
        return full not in self._skip and not self._is_layer(full)

    def _job(self, name: str) -> Job:
        target = self.output if self.single else self._target(name)
        return Job(self._source.path(name), target, self.answers, self.layers.of(name) if self.layers else None)

    def _target(self, name: str) -> Path:
        target = self.output / name
        return target.with_suffix(self.suffix) if self.suffix else target

    def _inside(self) -> set[str]:
        """Return the names below the source of the output and of the hints or masks, as far as they lie there."""
        folder = self.layers.folder() if self.layers else None
        layers = folder.expanduser().resolve() if folder else None
        if self._real_output == self._real and not self.single:
            raise OptionError(f"{self.output}: is the folder of the input itself; choose another output folder")
        if self.layers and self.layers.masks and layers == self._real:
            raise OptionError(
                f"{self.layers.spec}: is the folder of the input itself; keep the masks in one of their own"
            )
        places = [place for place in (self._real_output, layers) if place and place != self._real]
        return {place.relative_to(self._real).as_posix() for place in places if place.is_relative_to(self._real)}

    # ---- checks

    def _check_single(self) -> None:
        """Refuse what has no meaning for one picture that goes to one file."""
        own = self.output.suffix.lower()
        if self.shard.parts > 1:
            raise OptionError("one picture has no shards; leave out --shard")
        if self.suffix and self.suffix != own:
            raise OptionError(f"{self.output}: has a format of its own; leave out --format {self.suffix[1:]}")
        path = self._source.path(next(self._source.walk()))
        if path.resolve() in [target.resolve() for target in Job(path, self.output, self.answers).targets]:
            raise OptionError(f"{self.output}: would overwrite the input itself; choose another output file")

    def _check_target(self, name: str, job: Job) -> None:
        """Refuse a translation that would land on another one, or, where the input lies in the output, on an input."""
        folder, _, own = name.rpartition("/")
        if self.suffix and len(same := self._stems(folder).get(own.rpartition(".")[0], ())) > 1:
            other = self._source.path(joined(folder, next(one for one in same if one != own)))
            raise UserError(f"{job.path} and {other} would both become {job.target}; rename one, or leave out --format")
        if self.single or not self._real.is_relative_to(self._real_output):
            return
        for target in job.targets:
            place = self._real_output / target.relative_to(self.output)
            if place.is_relative_to(self._real) and self._is_input(place.relative_to(self._real).as_posix()):
                raise OptionError(
                    f"{job.path}: its translation would overwrite the input {target}; choose another output folder"
                )

    def _is_input(self, name: str) -> bool:
        folder, _, own = name.rpartition("/")
        return own in self._stems(folder).get(own.rpartition(".")[0], ())

    def _twin(self, name: str, job: Job) -> str:
        """Tell of an answer that has the name which a single translation of another picture would have."""
        if self.answers == 1 or self.single:
            return ""
        folder = name.rpartition("/")[0]
        stems = self._stems(folder)
        for target in job.targets:
            for other in stems.get(target.stem, ()):
                if self._target(joined(folder, other)) == target:
                    return f"{target}: is an answer to {job.path.name}, not to {other}; rename one to tell them apart"
        return ""

    def _check_found(self, first: str, fits: bool) -> None:
        if not first:
            if next(self._source.walk(), None) is None:
                if links := self._source.links:
                    raise UserError(f"{self._spec}: {links_left_out(links)}")
                raise nothing_in(self._spec)
            raise UserError(f"{self._spec}: all its pictures lie in the output folder {self.output}; choose another")
        if self.layers and not fits:
            wanted = f"that of {self._source.path(first)} is {self.layers.place_of(first)}"
            kind = self.layers.kind.split()[0]
            raise UserError(f"{self.layers.spec}: none of its {kind}s is called like a picture; {wanted}")


def _is_one(source: Path) -> bool:
    return is_picture(source.name) and source.is_file()


def as_suffix(form: str) -> str:
    """Return the suffix that "png", ".png" or "PNG" stands for; "" for "".

    Raises:
        OptionError: no known format.
    """
    suffix = f".{form.lower().removeprefix('.')}" if form else ""
    if suffix and suffix not in IMAGE_SUFFIXES:
        known = [one[1:] for one in IMAGE_SUFFIXES]
        raise OptionError(f"format {form!r} is unknown{did_you_mean(form.lower(), known)}")
    return suffix


def check_writable(output: Path) -> None:
    """Make the output folder and try it, before any work is lost on it.

    Raises:
        WriteError: it cannot be made or written to.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        raise WriteError(f"{output}: cannot be written to ({error.strerror}); choose another folder") from error


def note_options(output: Path, options: Mapping[str, Any]) -> tuple[Path | None, bool]:
    """Note in the output folder what its translations are made with; return the note, and whether it changed.

    A translation that is older than the note was made otherwise. With no options, there is none unless there
    was one before. Shards that start together write the same note; what one of them finds there, it leaves.

    Raises:
        WriteError: the disk or the folder refuses.
    """
    file = output / _STAMP
    before = _noted(file)
    if before != options:
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(options, indent=2) + "\n", encoding="utf-8")
    return (file if file.exists() else None), before != options


def _noted(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):  # damaged: then nobody knows
        return None


def is_done(job: Job, *others: Path | None) -> bool:
    """Whether all translations are there, and newer than the picture, its hints or mask, and the `others`."""
    try:
        written = min(target.stat().st_mtime_ns for target in job.targets)
        used = (job.path, job.layer, *others)
        return all(written >= file.stat().st_mtime_ns for file in used if file is not None)
    except OSError:
        return False
