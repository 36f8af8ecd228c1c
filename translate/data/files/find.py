"""Pictures by folder, glob pattern, list file or single path: names only, nothing is decoded here."""

__all__ = [
    "find_images",
    "is_pattern",
    "left_out_notes",
    "list_folders",
    "skipped_links_note",
    "missing_path_error",
    "names_below",
    "no_picture_error",
    "open_images",
    "pattern_base",
    "remedies_in",
]

import contextlib
import difflib
import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from translate.data.files.counted import MAX_NAMES, list_names
from translate.data.files.left_out import describe_left_out, remedies
from translate.data.files.walk import FolderTree, ListedFiles, PictureTree, explain_os_errors, is_picture
from translate.images.foreign import remedy_for
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import OptionError, UserError, list_choices

_WILDCARDS = frozenset("*?[")
_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".xz", ".7z", ".rar"})


def find_images(spec: str) -> list[Path]:
    """Return the picture files that `spec` names, each once.

    Folders are read recursively, in sorted order, without hidden files; see `walk.FolderTree` for links. A broken file
    is reported when it is decoded.

    Args:
        spec: A folder, a glob pattern (`**` descends), a picture, or a text file with one path a line,
            relative to the list itself; lines that start with `#` are comments.

    Raises:
        UserError: `spec` does not exist or has no pictures, a list names missing files, or links lead out of the folder
            and `TRUST` does not allow them.
    """
    tree = open_images(spec)
    paths = [tree.path(name) for name in tree.walk()]
    if tree.links:
        raise UserError(f"{spec}: {skipped_links_note(tree.links)}, or remove them")
    if not paths:
        raise no_picture_error(spec)
    return paths


def open_images(spec: str) -> PictureTree:
    """Return the pictures that `spec` names as a tree, perhaps empty, without listing them; see `find_images`.

    Raises:
        UserError: `spec` does not exist, or a list names missing files.
    """
    path = Path(spec).expanduser()
    with explain_os_errors(spec):
        if not spec.strip():
            raise missing_path_error(spec)
        if path.is_dir():
            return FolderTree(path)
        if path.is_file():
            if remedy := remedy_for(path.suffix):
                raise UserError(f"'{path}': {path.suffix} files are not read; {remedy}")
            return ListedFiles([path] if is_picture(path.name) else _read_list(path), path.parent)
        if is_pattern(spec):
            base = pattern_base(path)
            return FolderTree(base, path.relative_to(base).parts) if base.is_dir() else ListedFiles([], base)
        if path.exists():
            raise UserError(f"'{spec}' is neither a folder nor a file but a pipe, a socket or a device; give a folder")
        raise missing_path_error(spec)


def left_out_notes(specs: Iterable[str]) -> list[str]:
    """Return a note for each folder or pattern in `specs` of which something is left out; other specs have none."""
    notes = []
    for spec in dict.fromkeys(specs):
        if not spec or not (Path(spec).expanduser().is_dir() or is_pattern(spec)):
            continue
        with contextlib.suppress(UserError):  # which is reported where the pictures are opened
            notes += describe_left_out(spec, _walk_through(spec))
    return notes


def remedies_in(spec: str) -> str:
    """Return what to do with the pictures in a folder or pattern that are not read; "" if there is none."""
    try:
        return remedies(_walk_through(spec))
    except UserError:
        return ""


def _walk_through(spec: str) -> Counter[str]:
    """Return the number of files that a walk leaves out, by suffix."""
    tree = open_images(spec)
    for _ in tree.walk():
        pass
    return tree.left_out


def missing_path_error(spec: str, known: Collection[str] = ()) -> UserError:
    """Return the error that `spec` does not exist, with a suggestion from its folder or from the names `known`."""
    if not spec.strip():
        return OptionError("an empty path was given; give a folder, a pattern, a list file or a catalog name")
    path = Path(spec).expanduser()
    message = f"no file or folder {spec!r}"
    if not path.parent.is_dir():
        return UserError(f"{message}: there is no folder '{path.parent}'")
    with explain_os_errors(spec):
        names = {entry.name: str(path.parent / entry.name) for entry in path.parent.iterdir()}
    names |= {name: name for name in known}
    if close := difflib.get_close_matches(path.name, names, 1):
        return UserError(f"{message}; did you mean {names[close[0]]!r}?")
    catalog = f", or a catalog name: {list_choices(known)}" if known else ""
    return UserError(f"{message}; give a folder of pictures{catalog}")


def no_picture_error(spec: str) -> UserError:
    """Return the error that a folder or a pattern has no picture."""
    path = Path(spec).expanduser()
    if path.is_dir():
        with explain_os_errors(spec):
            ways_out = remedies_in(spec) or "give a folder of pictures"
            return UserError(f"folder '{path}' {_describe_contents(path)}; {ways_out}")
    ways_out = remedies_in(spec) if is_pattern(spec) else ""
    return UserError(f"no picture matches {str(path)!r}; {ways_out or 'in a shell, put a pattern between quotes'}")


def skipped_links_note(count: int) -> str:
    """Return a note that `count` links were not followed, and the option that follows them."""
    return f"{count} link{'s lead' if count > 1 else ' leads'} out of the folder; say --follow-links to follow them"


def is_pattern(spec: str) -> bool:
    """Whether `spec` is a glob pattern and not the plain name of something that exists."""
    return bool(_WILDCARDS & set(spec)) and not Path(spec).expanduser().exists()


def pattern_base(pattern: Path) -> Path:
    """Return the longest leading folder of `pattern` without a wildcard."""
    first = next(i for i, part in enumerate(pattern.parts) if _WILDCARDS & set(part))
    return Path(*pattern.parts[:first])


def list_folders(folder: Path) -> str:
    """List the sub-folders of `folder` for a message."""
    return ", ".join(sorted(entry.name for entry in folder.iterdir() if entry.is_dir())) or "no folder"


def names_below(files: Iterable[Path], base: Path) -> list[str]:
    """Return the paths of `files` below `base`, with slashes, or the names alone of files that lie elsewhere."""
    start = "" if base == Path() else str(base).rstrip(os.sep) + os.sep
    texts = ((file, str(file)) for file in files)
    names = (text.removeprefix(start) if text.startswith(start) else file.name for file, text in texts)
    return [name.replace(os.sep, "/") for name in names]


def _describe_contents(folder: Path) -> str:
    """Describe a folder without pictures."""
    links = [entry for entry in folder.iterdir() if entry.is_symlink() and entry.is_dir()]
    if links:
        return f"has no image but links to other folders ('{links[0].name}'), which only --follow-links follows"
    kinds = Counter[str]()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        kinds.update(Path(place, name).suffix.lower() or "no suffix" for name in files if not name.startswith("."))
    if not kinds:
        return "is empty"
    named = ", ".join(f"{suffix} {count}" for suffix, count in kinds.most_common(MAX_NAMES))
    return f"has {kinds.total()} file{'s' * (kinds.total() > 1)} but no image ({named})"


def _read_list(file: Path) -> list[Path]:
    """Return the files that a list file names."""
    lines = [line.strip() for line in _read_text(file).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    paths = list(dict.fromkeys(file.parent / Path(name).expanduser() for name in names))
    if not paths:
        raise UserError(f"list file '{file}' names no picture; write one path a line")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"list file '{file}' names {len(missing)} missing file{'s' * (len(missing) > 1)}: {list_names(missing)};"
            " paths count from the list's own folder"
        )
    return paths


def _read_text(file: Path) -> str:
    refusal = f"'{file}' is neither a folder, a picture nor a text file of paths"
    with file.open("rb") as stream:
        if b"\0" in stream.read(4096):  # a film or an archive, which is not read to its end
            if file.suffix.lower() in _ARCHIVES:
                raise UserError(f"{refusal} but an archive; unpack it, and give the folder")
            raise UserError(f"{refusal}; pictures end in {', '.join(sorted(IMAGE_SUFFIXES))}")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{refusal}; lists are UTF-8") from None
