"""What a folder translation has to do: which picture goes where, and what is done already."""

__all__ = ["Job", "check_writable", "is_done", "make_worklist"]

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from translate.data.files import find_images, is_pattern, pattern_base
from translate.errors import OptionError, UserError
from translate.images import IMAGE_SUFFIXES, WriteError


class Job(NamedTuple):
    """One picture, and where its translation goes."""

    path: Path
    target: Path


def make_worklist(source: str, output: Path) -> tuple[list[Job], int]:
    """Return the pictures of `source` with their places below `output`, and how many other files it has.

    Args:
        source: a folder with its sub-folders, a glob pattern, a picture, or a text file that lists pictures.
        output: a folder; what lies in it is not taken as input where it lies inside `source`.

    Raises:
        OptionError: a translation would overwrite a picture of the source.
        UserError: there is nothing to translate.
    """
    found = find_images(source)
    root = _root(source, found)
    names = [_absolute(path).relative_to(root) for path in found]
    inside = _inside(output, root)
    jobs = [Job(path, output / name) for path, name in zip(found, names, strict=True) if not _starts(name, inside)]
    if not jobs:
        raise UserError(f"{source}: all its pictures lie in the output folder {output}; choose another")
    _check_no_overlap(jobs, root, output)
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


def _inside(output: Path, root: Path) -> tuple[str, ...] | None:
    """Return the parts of `output` below `root`, or None where it lies elsewhere."""
    real, below = output.expanduser().resolve(), root.resolve()
    if real == below:
        raise OptionError(f"{output}: is the folder of the input itself; choose another output folder")
    return real.relative_to(below).parts if real.is_relative_to(below) else None


def _starts(name: Path, parts: tuple[str, ...] | None) -> bool:
    return parts is not None and name.parts[: len(parts)] == parts


def _check_no_overlap(jobs: list[Job], root: Path, output: Path) -> None:
    """Refuse, where the input lies inside the output, a translation that would land on another input."""
    real = output.resolve()
    if not root.resolve().is_relative_to(real):
        return
    inputs = {job.path.resolve() for job in jobs}
    for job in jobs:
        if real / job.target.relative_to(output) in inputs:
            raise OptionError(
                f"{job.path}: its translation would overwrite the input {job.target}; choose another output folder"
            )


def _count_others(root: Path, inside: tuple[str, ...] | None) -> int:
    """Count the files below `root`, hidden ones and those of the output apart, that are no pictures."""
    count = 0
    for folder, folders, files in os.walk(root):
        name = Path(folder).relative_to(root)
        folders[:] = [f for f in folders if not f.startswith(".") and (name / f).parts != inside]
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


def is_done(job: Job, model: Path | None) -> bool:
    """Whether the translation is there, and newer than its picture and the model file."""
    try:
        written = job.target.stat().st_mtime_ns
        return all(written >= file.stat().st_mtime_ns for file in (job.path, model) if file is not None)
    except OSError:
        return False
