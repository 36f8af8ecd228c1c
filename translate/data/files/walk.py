"""Pictures below a folder, one at a time and in order, with the names of only a few folders in memory."""

__all__ = [
    "FolderTree",
    "ListedFiles",
    "PictureTree",
    "Stems",
    "make_absolute",
    "is_picture",
    "join_name",
    "explain_os_errors",
    "resolve_folders",
    "suffix_of",
]

import contextlib
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import UserError
from translate.utils.trust import TRUST

_CACHED_FOLDERS = 8  # whose names stay in memory
_IDX_FILE = re.compile(r"idx\d")
States = frozenset[int]  # numbers of pattern parts that a path may have matched; ** matches any number of folders
Stems = Mapping[str, Sequence[str]]  # names of files by their names without suffix


class PictureTree(Protocol):
    """The pictures that one option names; the name of each is its path below `root`, with slashes."""

    root: Path  # absolute
    left_out: Counter[str]  # files of the last walk that are not read as pictures, by suffix
    links: int  # symbolic links out of the folder that the last walk skipped

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        """Yield the names of the pictures, except those in `skip` or in a folder in `skip`."""
        ...

    def path(self, name: str) -> Path:
        """Return the path of a picture, as the user would write it."""
        ...

    def stems(self, folder: str) -> Stems:
        """Return the names of the pictures directly in `folder` ("": the root), without the folder, by stem."""
        ...


class FolderTree:
    """The pictures below a folder, or those that a glob pattern matches, without hidden files; sorted by folder.

    Links are followed if they lead to a file inside the folder, or to a folder inside it that the pattern matches, so
    that no walk can loop. With `TRUST.follow_links` all links are followed, except loops.
    """

    def __init__(self, base: Path, pattern: Sequence[str] = ()) -> None:
        self.base, self.root, self.left_out, self.links = base, make_absolute(base), Counter[str](), 0
        self._pattern = tuple(pattern)
        self._start = self._skip_stars(frozenset({0}))
        self.stems = lru_cache(maxsize=_CACHED_FOLDERS)(self._stems)

    def path(self, name: str) -> Path:
        return self.base / name

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        self.left_out, self.links = Counter(), 0
        with explain_os_errors(str(self.base)):
            yield from self._walk("", self._start, skip)

    def _walk(self, folder: str, states: States, skip: Collection[str]) -> Iterator[str]:
        pictures, folders, left_out, links = self._list_folder(folder, states, skip)
        self.left_out.update(left_out)
        self.links += links
        for name in sorted([*pictures, *folders]):
            if name in folders:
                yield from self._walk(join_name(folder, name), folders[name], skip)
            else:
                yield join_name(folder, name)

    def _list_folder(
        self, folder: str, states: States, skip: Collection[str] = ()
    ) -> tuple[list[str], dict[str, States], list[str], int]:
        """Return the pictures of a folder, its sub-folders with their states, suffixes left out, and a count of links.

        A dead link that stays inside counts as a picture, so that its reader reports it.
        """
        pictures, folders, left_out, links = list[str](), dict[str, States](), list[str](), 0
        with os.scandir(self.base / folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or (skip and join_name(folder, entry.name) in skip):
                    continue
                link = entry.is_symlink()
                if entry.is_dir():
                    after = self._enter(states, entry.name, link=link)
                    if after and link and not self._may_follow(folder, entry.path):
                        links += 1
                    elif after:
                        folders[entry.name] = after
                elif self._matches(states, entry.name):
                    if not (is_picture(entry.name) and (link or entry.is_file())):
                        left_out += [] if _is_part_of_layout(entry.name) else [suffix_of(entry.name)]
                    elif link and not self._may_follow(folder, entry.path):
                        links += 1
                    else:
                        pictures.append(entry.name)
        return pictures, folders, left_out, links

    def _may_follow(self, folder: str, link: str) -> bool:
        """Whether a link in `folder` leads below the root or, if all links are trusted, closes no loop."""
        real = os.path.realpath(link)
        if not TRUST.follow_links:
            return Path(real).is_relative_to(os.path.realpath(self.root))
        return real not in (os.path.realpath(place) for place in (self.base / folder, *(self.base / folder).parents))

    def _stems(self, folder: str) -> Stems:
        # enter the folder part by part
        states, above, place = self._start, "", self.base
        for part in folder.split("/") if folder else ():
            place = place / part
            link = place.is_symlink()
            states = self._enter(states, part, link=link)
            if link and not self._may_follow(above, str(place)):
                return {}
            above = join_name(above, part)

        # group its pictures by stem
        groups: dict[str, list[str]] = {}
        if states and place.is_dir():
            with explain_os_errors(str(place)):
                for name in sorted(self._list_folder(folder, states)[0]):
                    groups.setdefault(name.rpartition(".")[0], []).append(name)
        return groups

    # ---- the pattern as a state machine

    def _enter(self, states: States, name: str, *, link: bool) -> States:
        """Return the states of a sub-folder, given those of its folder; none if the pattern excludes it."""
        matched = self._match_part(states, name)
        if not link or TRUST.follow_links:  # below the whole pattern, and in a **, one more folder changes nothing
            matched |= {i for i in states if i == len(self._pattern) or self._pattern[i] == "**"}
        return self._skip_stars(matched)

    def _matches(self, states: States, name: str) -> bool:
        return len(self._pattern) in states or len(self._pattern) in self._match_part(states, name)

    def _match_part(self, states: States, name: str) -> States:
        parts = self._pattern
        return frozenset(i + 1 for i in states if i < len(parts) and parts[i] != "**" and fnmatchcase(name, parts[i]))

    def _skip_stars(self, states: States) -> States:
        """Add the states in which ** matches no folder."""
        result = set(states)
        for i, part in enumerate(self._pattern):
            if i in result and part == "**":
                result.add(i + 1)
        return frozenset(result)


class ListedFiles:
    """Pictures named one by one, in the order given; the root is `folder` if it holds all, else their common folder."""

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        places = [make_absolute(path) for path in paths]
        parents = {place.parent for place in places}
        self.root, self.left_out, self.links = make_absolute(folder), Counter[str](), 0
        if not all(parent.is_relative_to(self.root) for parent in parents):
            self.root = Path(os.path.commonpath(parents))
        self._paths = {place.relative_to(self.root).as_posix(): path for place, path in zip(places, paths, strict=True)}
        self._folders: dict[str, dict[str, list[str]]] = {}
        for name in self._paths:
            folder_name, _, own = name.rpartition("/")
            self._folders.setdefault(folder_name, {}).setdefault(own.rpartition(".")[0], []).append(own)

    def path(self, name: str) -> Path:
        return self._paths[name]

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        for name in self._paths:
            parts = name.split("/")
            if not (skip and any("/".join(parts[:depth]) in skip for depth in range(1, len(parts) + 1))):
                yield name

    def stems(self, folder: str) -> Stems:
        return self._folders.get(folder, {})


@contextlib.contextmanager
def explain_os_errors(what: str) -> Iterator[None]:
    """Turn an `OSError` in the block into one line about `what`."""
    try:
        yield
    except OSError as error:
        place = error.filename or what
        raise UserError(f"cannot read '{place}': {error.strerror or error}; check its permissions") from error


def make_absolute(path: Path) -> Path:
    """Make absolute without following links, so that a picture stays where the user named it."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def resolve_folders(paths: Iterable[Path]) -> list[str]:
    """Resolve the links in the folders of files, so that a path through a link equals the direct one."""
    real = lru_cache(None)(os.path.realpath)
    return [os.path.join(real(folder), name) for folder, name in map(os.path.split, paths)]  # noqa: PTH118


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture, by its suffix."""
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in IMAGE_SUFFIXES


def suffix_of(name: str) -> str:
    """Return the suffix of a file in lower case, or "no suffix"."""
    stem, _, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if stem else "no suffix"


def _is_part_of_layout(name: str) -> bool:
    """Whether a file tells of the pictures around it: a table of them, an IDX file, or our own list of failures."""
    low = name.lower()
    return low.endswith(".csv") or bool(_IDX_FILE.search(low)) or (low.startswith("failed") and low.endswith(".jsonl"))


def join_name(folder: str, name: str) -> str:
    """Join a folder below the root ("": the root itself) and a name in it."""
    return f"{folder}/{name}" if folder else name
