"""Pictures by folder, glob pattern, list file or single path: names only, nothing is decoded here."""

__all__ = ["find_images", "is_pattern", "listed", "names_below", "pattern_base", "readable"]

import contextlib
import difflib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from translate.errors import OptionError, UserError
from translate.images import IMAGE_SUFFIXES

_MAGIC = frozenset("*?[")
_NAMED = 3  # how many names an error lists before it only counts


def find_images(spec: str, known: Collection[str] = ()) -> list[Path]:
    """Return the picture files that `spec` stands for, each once.

    Folders are read recursively, in sorted order, without hidden files. Links to files are followed; links to
    folders only where `spec` itself names or matches them, so that no walk can loop. Whether a file really
    decodes is found out later: a broken file is reported by whoever reads it.

    Args:
        spec: a folder, a glob pattern (`**` descends), a picture, or a text file with one path a line,
            relative to the list itself; lines that start with `#` are comments.
        known: names that would also have been valid, to suggest where `spec` does not exist.

    Raises:
        UserError: nothing of that name, an empty folder, a pattern without a match, a list with dead lines.
    """
    if not spec.strip():
        raise OptionError("an empty path was given; give a folder, a pattern, a list file or a catalog name")
    path = Path(spec).expanduser()
    with readable(spec):
        if path.is_dir():
            return _in_folder(path)
        if path.is_file():
            return [path] if _is_picture(path) else _in_list(path)
        if is_pattern(spec):
            return _in_pattern(path)
        raise UserError(f"no file or folder {spec!r}{_nearest(path, known)}")


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what the system refuses inside the block into one line about `what`."""
    try:
        yield
    except OSError as error:
        place = error.filename or what
        raise UserError(f"cannot read '{place}': {error.strerror or error}; check its permissions") from error


def is_pattern(spec: str) -> bool:
    """Whether `spec` is a glob pattern and not the plain name of something that exists."""
    return bool(_MAGIC & set(spec)) and not Path(spec).expanduser().exists()


def pattern_base(pattern: Path) -> Path:
    """Return the longest leading folder of `pattern` that holds no wildcard."""
    magic = next(i for i, part in enumerate(pattern.parts) if _MAGIC & set(part))
    return Path(*pattern.parts[:magic])


def listed(names: Collection[object]) -> str:
    """List the first few of `names`, and count the others."""
    shown = ", ".join(str(name) for name in list(names)[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown


def names_below(files: Iterable[Path], base: Path) -> list[str]:
    """Return the paths of `files` below `base`, with slashes; of those that lie elsewhere, their names alone."""
    start = "" if base == Path() else str(base).rstrip(os.sep) + os.sep
    texts = ((file, str(file)) for file in files)
    names = (text.removeprefix(start) if text.startswith(start) else file.name for file, text in texts)
    return [name.replace(os.sep, "/") for name in names]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield every file below `folder` that is not hidden; links to folders are not descended into."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif not entry.is_dir():
                yield entry


def _below(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures below `folder`, and all other files, both sorted folder by folder.

    What the listing tells of a file is enough to know that it is one; a dead link counts, so that its reader can
    report it.
    """
    pictures, others = list[Path](), list[Path]()
    for entry in sorted(_walk(str(folder)), key=lambda entry: entry.path.replace(os.sep, "\0")):
        regular, path = entry.is_file() or entry.is_symlink(), Path(entry.path)
        (pictures if regular and _is_picture(path) else others).append(path)
    return pictures, others


def _in_folder(folder: Path) -> list[Path]:
    pictures, others = _below(folder)
    if not pictures:
        raise UserError(f"folder '{folder}' {_contents(folder, others)}; give a folder of pictures")
    return pictures


def _contents(folder: Path, files: list[Path]) -> str:
    """Say what a folder without a picture has instead."""
    links = [entry for entry in folder.iterdir() if entry.is_symlink() and entry.is_dir()]
    if links:
        return f"has no image but links to other folders ('{links[0].name}'), which only a pattern follows"
    if not files:
        return "is empty"
    kinds = Counter(path.suffix.lower() or "no suffix" for path in files).most_common(_NAMED)
    listed = ", ".join(f"{suffix} {count}" for suffix, count in kinds)
    return f"has {len(files)} file{'s' * (len(files) > 1)} but no image ({listed})"


def _in_pattern(pattern: Path) -> list[Path]:
    base = pattern_base(pattern)
    found: dict[Path, None] = {}
    matches = base.glob(str(pattern.relative_to(base))) if base.is_dir() else iter(())
    for match in sorted(matches):
        if any(part.startswith(".") for part in match.relative_to(base).parts):
            continue
        if match.is_dir():
            found |= dict.fromkeys(_below(match)[0])
        elif _is_picture(match) and (match.is_file() or match.is_symlink()):
            found[match] = None
    if not found:
        raise UserError(f"no picture matches {str(pattern)!r}; in a shell, put a pattern between quotes")
    return list(found)


def _in_list(file: Path) -> list[Path]:
    lines = [line.strip() for line in _read_text(file).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    paths = list(dict.fromkeys(file.parent / Path(name).expanduser() for name in names))
    if not paths:
        raise UserError(f"list file '{file}' names no picture; write one path a line")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"list file '{file}' names {len(missing)} missing file{'s' * (len(missing) > 1)}: {listed(missing)};"
            " paths count from the list's own folder"
        )
    return paths


def _read_text(file: Path) -> str:
    refusal = f"'{file}' is neither a folder, a picture nor a text file of paths"
    with file.open("rb") as stream:
        if b"\0" in stream.read(4096):  # spares reading a film or an archive to its end
            raise UserError(f"{refusal}; pictures end in {', '.join(sorted(IMAGE_SUFFIXES))}")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{refusal}; lists are UTF-8") from None


def _nearest(path: Path, known: Collection[str]) -> str:
    """Suggest what exists beside `path`, or a name in `known`, that is spelt nearly like it."""
    parent = path.parent
    if not parent.is_dir():
        return f": there is no folder '{parent}'"
    beside = {entry.name: str(parent / entry.name) for entry in parent.iterdir()}
    names = {**beside, **{name: name for name in known}}
    close = difflib.get_close_matches(path.name, names, 1)
    if close:
        return f"; did you mean {names[close[0]]!r}?"
    catalog = ", ".join(sorted(known))
    return f"; give a folder of pictures{f', or a catalog name: {catalog}' if catalog else ''}"
