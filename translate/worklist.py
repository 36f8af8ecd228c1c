"""What a folder translation has to do: which picture goes where, and what is done already."""

__all__ = ["Job", "check_writable", "is_done", "make_worklist", "note_options", "unused_layers"]

import json
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from translate.data.files import find_images, is_pattern, pattern_base
from translate.errors import OptionError, UserError
from translate.images import IMAGE_SUFFIXES, WriteError, atomic_write

_STAMP = ".translated.json"


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


def make_worklist(
    source: str, output: Path, *, answers: int = 1, hints: str | Path | None = None, masks: str | Path | None = None
) -> tuple[list[Job], int]:
    """Return the pictures of `source` with their places below `output`, and how many other files it has.

    Args:
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder; what lies in it is not taken as input where it lies inside `source`.
        answers: translations of each picture.
        hints: a folder of layers, or a pattern, which are no input; or one layer for all.
        masks: of holes, likewise; that of NAME may also be called NAME_mask or mask_NAME.

    Raises:
        OptionError: a translation would overwrite a picture of the source, or the masks are the source.
        UserError: there is nothing to translate, or there are no hints or masks that fit.
    """
    found = find_images(source)
    root = _root(source, found)
    names = [_absolute(path).relative_to(root) for path in found]
    layers = _Layers.find(hints, masks)
    inside = _inside(output, root, layers)
    jobs = [
        Job(path, output / name, answers)
        for path, name in zip(found, names, strict=True)
        if not any(name.parts[:depth] in inside for depth in range(1, len(name.parts) + 1))
    ]
    if not jobs:
        raise UserError(f"{source}: all its pictures lie in the output folder {output}; choose another")
    _check_no_overlap(jobs, root, output)
    jobs = layers.given_to(jobs, output) if layers else jobs
    return jobs, _count_others(root, inside) if Path(source).expanduser().is_dir() else 0


def _absolute(path: Path) -> Path:
    """Make absolute without following links: a picture keeps the place that it was named by."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _root(source: str, found: list[Path]) -> Path:
    """Return the folder from which the sub-folders of `source` count."""
    path = Path(source).expanduser()
    if path.is_dir():
        return _absolute(path)
    if is_pattern(source):
        return _absolute(pattern_base(path))
    folder = _absolute(path).parent  # of the picture or the list
    parents = [_absolute(file).parent for file in found]
    return folder if all(p.is_relative_to(folder) for p in parents) else Path(os.path.commonpath(parents))


def _inside(output: Path, root: Path, layers: "_Layers | None") -> set[tuple[str, ...]]:
    """Return the parts below `root` of those of `output` and `layers` that lie there."""
    below = root.resolve()
    real = [place.expanduser().resolve() for place in (output, *(layers.places() if layers else ()))]
    if real[0] == below:
        raise OptionError(f"{output}: is the folder of the input itself; choose another output folder")
    if layers and layers.kind == "mask" and below in real[1:]:
        raise OptionError(f"{layers.spec}: is the folder of the input itself; keep the masks in one of their own")
    return {path.relative_to(below).parts for path in real if path.is_relative_to(below) and path != below}


def _check_no_overlap(jobs: list[Job], root: Path, output: Path) -> None:
    """Refuse, where the input lies inside the output, a translation that would land on another input."""
    real = output.resolve()
    if not root.resolve().is_relative_to(real):
        return
    inputs = {job.path.resolve() for job in jobs}
    for job in jobs:
        for target in job.targets:
            if real / target.relative_to(output) in inputs:
                raise OptionError(
                    f"{job.path}: its translation would overwrite the input {target}; choose another output folder"
                )


def _count_others(root: Path, inside: Collection[tuple[str, ...]]) -> int:
    """Count the files below `root`, hidden ones and those of the folders `inside` apart, that are no pictures."""
    count = 0
    for folder, folders, files in os.walk(root):
        name = Path(folder).relative_to(root)
        folders[:] = [f for f in folders if not f.startswith(".") and (name / f).parts not in inside]
        count += sum(not f.startswith(".") and Path(f).suffix.lower() not in IMAGE_SUFFIXES for f in files)
    return count


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


class _Layers(NamedTuple):
    """Files of which each belongs to the picture of its name: hints, or masks."""

    spec: str
    kind: str  # how errors call one
    forms: tuple[str, ...]  # of the name
    files: list[Path]

    @classmethod
    def find(cls, hints: str | Path | None, masks: str | Path | None) -> "_Layers | None":
        """Find what is given, if anything is."""
        if masks:
            return cls(str(masks), "mask", ("{}", "{}_mask", "mask_{}"), find_images(str(masks)))
        return cls(str(hints), "layer of hints", ("{}",), find_images(str(hints))) if hints else None

    def places(self) -> list[Path]:
        """Return the folder, or the files where they were named otherwise."""
        folder = Path(self.spec).expanduser()
        return [folder] if folder.is_dir() else self.files

    def given_to(self, jobs: Sequence[Job], output: Path) -> list[Job]:
        """Give each job its file: that of its name in the same sub-folder, whatever the suffix; or the one for all.

        Raises:
            UserError: two files have one name, or none has that of a picture.
        """
        if Path(self.spec).expanduser().is_file() and len(self.files) == 1:
            return [job._replace(layer=self.files[0]) for job in jobs]
        named = self._by_name()
        stems = [job.target.relative_to(output).with_suffix("") for job in jobs]
        found = [self._of(stem, named) for stem in stems]
        if not any(found):
            example = _root(self.spec, self.files) / stems[0].with_suffix(".png")
            wanted = f"that of {jobs[0].path} is {example}"
            raise UserError(f"{self.spec}: none of its {self.kind.split()[0]}s is called like a picture; {wanted}")
        return [job._replace(layer=file) for job, file in zip(jobs, found, strict=True)]

    def _by_name(self) -> dict[Path, Path]:
        root, named = _root(self.spec, self.files), dict[Path, Path]()
        for path in self.files:
            stem = _absolute(path).relative_to(root).with_suffix("")
            if stem in named:
                raise UserError(f"{path}: has the name of {named[stem]}; keep one {self.kind} for a picture")
            named[stem] = path
        return named

    def _of(self, stem: Path, named: Mapping[Path, Path]) -> Path | None:
        names = (stem.with_name(form.format(stem.name)) for form in self.forms)
        return next((named[name] for name in names if name in named), None)


def unused_layers(jobs: Sequence[Job], files: Sequence[Path]) -> list[Path]:
    """Return those of `files`, masks or hints, that belong to no picture."""
    used = {job.layer for job in jobs}
    return [path for path in files if path not in used]


def note_options(output: Path, options: Mapping[str, Any]) -> tuple[Path | None, bool]:
    """Note in the output folder what its translations are made with; return the note, and whether it changed.

    A translation that is older than the note was made otherwise. With no options, there is none unless there
    was one before.

    Raises:
        WriteError: the disk or the folder refuses.
    """
    file = output / _STAMP
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        before = {}
    except (OSError, ValueError):  # damaged: then nobody knows
        before = None
    if before != options:
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(options, indent=2) + "\n", encoding="utf-8")
    return (file if file.exists() else None), before != options


def is_done(job: Job, *others: Path | None) -> bool:
    """Whether all translations are there, and newer than the picture, its hints or mask, and the `others`."""
    try:
        written = min(target.stat().st_mtime_ns for target in job.targets)
        used = (job.path, job.layer, *others)
        return all(written >= file.stat().st_mtime_ns for file in used if file is not None)
    except OSError:
        return False
