"""Pictures by folder, glob pattern, list file or single path: names only, nothing is decoded here."""

__all__ = [
    "find_images",
    "is_pattern",
    "links_left_out",
    "listed",
    "names_below",
    "nothing_in",
    "open_images",
    "pattern_base",
    "readable",
]

import difflib
import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from translate.data.files.walk import FolderTree, ListedFiles, PictureTree, is_picture, readable
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import OptionError, UserError

_MAGIC = frozenset("*?[")
_NAMED = 3  # how many names an error lists before it only counts


def find_images(spec: str, known: Collection[str] = ()) -> list[Path]:
    """Return the picture files that `spec` stands for, each once.

    Folders are read recursively, in sorted order, without hidden files; see `walk.FolderTree` for links.
    Whether a file really decodes is found out later: a broken file is reported by whoever reads it.

    Args:
        spec: a folder, a glob pattern (`**` descends), a picture, or a text file with one path a line,
            relative to the list itself; lines that start with `#` are comments.
        known: names that would also have been valid, to suggest where `spec` does not exist.

    Raises:
        UserError: nothing of that name, an empty folder, a pattern without a match, a list with dead lines; links that
            lead out of the folder, unless `TRUST` has it that they are followed.
    """
    source = open_images(spec, known)
    found = [source.path(name) for name in source.walk()]
    if source.links:
        raise UserError(f"{spec}: {links_left_out(source.links)}, or remove them")
    if not found:
        raise nothing_in(spec)
    return found


def open_images(spec: str, known: Collection[str] = ()) -> PictureTree:
    """Return the pictures that `spec` stands for as what can be walked, without a list of them; see `find_images`.

    Raises:
        UserError: nothing of that name, a list with dead lines; `nothing_in` is for the caller who finds none.
    """
    if not spec.strip():
        raise OptionError("an empty path was given; give a folder, a pattern, a list file or a catalog name")
    path = Path(spec).expanduser()
    with readable(spec):
        if path.is_dir():
            return FolderTree(path)
        if path.is_file():
            return ListedFiles([path] if is_picture(path.name) else _in_list(path), path.parent)
        if is_pattern(spec):
            base = pattern_base(path)
            return FolderTree(base, path.relative_to(base).parts) if base.is_dir() else ListedFiles([], base)
        raise UserError(f"no file or folder {spec!r}{_nearest(path, known)}")


def nothing_in(spec: str) -> UserError:
    """Return the error that a folder or a pattern has no picture."""
    path = Path(spec).expanduser()
    if path.is_dir():
        with readable(spec):
            return UserError(f"folder '{path}' {_contents(path)}; give a folder of pictures")
    return UserError(f"no picture matches {str(path)!r}; in a shell, put a pattern between quotes")


def links_left_out(count: int) -> str:
    """Say that so many links were not followed, and how they would be."""
    return f"{count} link{'s lead' if count > 1 else ' leads'} out of the folder; say --follow-links to follow them"


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


def _contents(folder: Path) -> str:
    """Say what a folder without a picture has instead."""
    links = [entry for entry in folder.iterdir() if entry.is_symlink() and entry.is_dir()]
    if links:
        return f"has no image but links to other folders ('{links[0].name}'), which only --follow-links follows"
    kinds = Counter[str]()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        kinds.update(Path(place, name).suffix.lower() or "no suffix" for name in files if not name.startswith("."))
    if not kinds:
        return "is empty"
    named = ", ".join(f"{suffix} {count}" for suffix, count in kinds.most_common(_NAMED))
    return f"has {kinds.total()} file{'s' * (kinds.total() > 1)} but no image ({named})"


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
