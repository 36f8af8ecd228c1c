"""What a folder translation has to do: which picture goes where, and what is done already."""

__all__ = ["Job", "check_writable", "is_done", "make_worklist", "note_options"]

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from translate.data.files import find_images, is_pattern, pattern_base
from translate.errors import OptionError, UserError
from translate.images import IMAGE_SUFFIXES, WriteError, atomic_write

_STAMP = ".translated.json"


class Job(NamedTuple):
    """One picture, where its one translation goes, how many it gets instead, and its layer of hints, if any."""

    path: Path
    target: Path
    answers: int = 1
    hints: Path | None = None

    @property
    def targets(self) -> tuple[Path, ...]:
        """Return where its translations go: more than one are called NAME_1, NAME_2 and so on."""
        if self.answers == 1:
            return (self.target,)
        stem, suffix = self.target.stem, self.target.suffix
        return tuple(self.target.with_name(f"{stem}_{k}{suffix}") for k in range(1, self.answers + 1))


def make_worklist(
    source: str, output: Path, *, answers: int = 1, hints: str | Path | None = None
) -> tuple[list[Job], int]:
    """Return the pictures of `source` with their places below `output`, and how many other files it has.

    Args:
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder; what lies in it is not taken as input where it lies inside `source`.
        answers: translations of each picture.
        hints: a folder of layers, which are no input, or one layer for all.

    Raises:
        OptionError: a translation would overwrite a picture of the source.
        UserError: there is nothing to translate, or there are no hints that fit.
    """
    found = find_images(source)
    root = _root(source, found)
    names = [_absolute(path).relative_to(root) for path in found]
    inside = _inside(output, root, hints)
    jobs = [
        Job(path, output / name, answers)
        for path, name in zip(found, names, strict=True)
        if not any(name.parts[: len(parts)] == parts for parts in inside)
    ]
    if not jobs:
        raise UserError(f"{source}: all its pictures lie in the output folder {output}; choose another")
    _check_no_overlap(jobs, root, output)
    jobs = _with_hints(jobs, output, hints) if hints else jobs
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


def _inside(output: Path, root: Path, hints: str | Path | None) -> list[tuple[str, ...]]:
    """Return the parts below `root` of those of `output` and `hints` that lie there."""
    below = root.resolve()
    real = [Path(place).expanduser().resolve() for place in (output, hints) if place]
    if real[0] == below:
        raise OptionError(f"{output}: is the folder of the input itself; choose another output folder")
    return [path.relative_to(below).parts for path in real if path.is_relative_to(below) and path != below]


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


def _count_others(root: Path, inside: Sequence[tuple[str, ...]]) -> int:
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


def _with_hints(jobs: Sequence[Job], output: Path, hints: str | Path) -> list[Job]:
    """Give each job its layer of hints: that of the same name in the same sub-folder, whatever its suffix.

    Args:
        jobs: the pictures, with their places below `output`.
        output: the folder.
        hints: a folder of layers, or one layer for all.

    Raises:
        UserError: there are no layers, two for one picture, or none that fits any picture.
    """
    folder = Path(hints).expanduser()
    found = find_images(str(folder))
    if not folder.is_dir():
        return [job._replace(hints=found[0]) for job in jobs]
    layers: dict[Path, Path] = {}
    for path in found:
        stem = path.relative_to(folder).with_suffix("")
        if stem in layers:
            raise UserError(f"{path}: has the name of {layers[stem]}; keep one layer of hints for a picture")
        layers[stem] = path
    stems = [job.target.relative_to(output).with_suffix("") for job in jobs]
    if not any(stem in layers for stem in stems):
        example = folder / stems[0].with_suffix(".png")
        raise UserError(f"{hints}: none of its layers is called like a picture; that of {jobs[0].path} is {example}")
    return [job._replace(hints=layers.get(stem)) for job, stem in zip(jobs, stems, strict=True)]


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
    """Whether all translations are there, and newer than the picture, its hints, and the `others`."""
    try:
        written = min(target.stat().st_mtime_ns for target in job.targets)
        used = (job.path, job.hints, *others)
        return all(written >= file.stat().st_mtime_ns for file in used if file is not None)
    except OSError:
        return False
