"""Pictures below a folder, one at a time and in order: no more is held in memory than the names of a few folders."""

__all__ = [
    "ListedFiles",
    "PictureTree",
    "Stems",
    "FolderTree",
    "absolute",
    "is_inside",
    "is_picture",
    "joined",
    "readable",
]

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import UserError
from translate.utils.trust import TRUST

_KEPT = 8  # folders whose names are at hand
States = frozenset[int]  # how many parts of a pattern a path has met; ** may stand for any number of folders
Stems = Mapping[str, Sequence[str]]  # names of files by their names without suffix


class PictureTree(Protocol):
    """Pictures that a user named in one word, each called by its path below `root`, with slashes.

    Attributes:
        root: the folder, absolute, from which sub-folders count.
        others: files that the last walk met and that are no pictures.
        links: symbolic links that it left out, as they lead out of the folder.
    """

    root: Path
    others: int
    links: int

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        """Yield the names of the pictures, without those that are in `skip` or lie in a folder of it."""
        ...

    def path(self, name: str) -> Path:
        """Return where a picture is, as the user would write it."""
        ...

    def stems(self, folder: str) -> Stems:
        """Return the names, without `folder`, of the pictures that lie in this folder below the root ("": in it)."""
        ...


class FolderTree:
    """What lies below a folder, or the part of it that a glob pattern matches; hidden files are left out.

    Links are followed where they lead to a place inside: to files; to folders only where the pattern matches them, so
    that no walk can loop. With `TRUST.follow_links` all of them are, but for loops.
    The order is that of the names, folder by folder. Whether a file decodes is found out by whoever reads it.
    """

    def __init__(self, base: Path, pattern: Sequence[str] = ()) -> None:
        self.base, self.root, self.others, self.links = base, absolute(base), 0, 0
        self._pattern = tuple(pattern)
        self._start = self._with_none_for_stars(frozenset({0}))
        self.stems = lru_cache(maxsize=_KEPT)(self._stems)

    def path(self, name: str) -> Path:
        """Return where a picture is."""
        return self.base / name

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        """Yield the names of the pictures.

        Raises:
            UserError: a folder cannot be read.
        """
        self.others = self.links = 0
        with readable(str(self.base)):
            yield from self._walk("", self._start, skip)

    def _walk(self, folder: str, states: States, skip: Collection[str]) -> Iterator[str]:
        pictures, folders, others, links = self._listing(folder, states, skip)
        self.others, self.links = self.others + others, self.links + links
        for name in sorted([*pictures, *folders]):
            if name in folders:
                yield from self._walk(joined(folder, name), folders[name], skip)
            else:
                yield joined(folder, name)

    def _listing(
        self, folder: str, states: States, skip: Collection[str] = ()
    ) -> tuple[list[str], dict[str, States], int, int]:
        """Return the pictures of a folder, the folders in it to go on with, and how many are no pictures, or links out.

        A dead link that leads to a place inside is a picture, too: its reader reports it.
        """
        pictures, folders, others, links = list[str](), dict[str, States](), 0, 0
        with os.scandir(self.base / folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or (skip and joined(folder, entry.name) in skip):
                    continue
                link = entry.is_symlink()
                if entry.is_dir():
                    after = self._entered(states, entry.name, link=link)
                    if after and link and not self._may_follow(folder, entry.path):
                        links += 1
                    elif after:
                        folders[entry.name] = after
                elif self._matches(states, entry.name):
                    if not (is_picture(entry.name) and (link or entry.is_file())):
                        others += 1
                    elif link and not self._may_follow(folder, entry.path):
                        links += 1
                    else:
                        pictures.append(entry.name)
        return pictures, folders, others, links

    def _may_follow(self, folder: str, link: str) -> bool:
        """Whether a link in `folder` leads to a place inside, or all are trusted; never into a circle."""
        real = os.path.realpath(link)
        if not TRUST.follow_links:
            return is_inside(real, self.root)
        return real not in (os.path.realpath(place) for place in (self.base / folder, *(self.base / folder).parents))

    def _stems(self, folder: str) -> Stems:
        states, above, place = self._start, "", self.base
        for part in folder.split("/") if folder else ():
            place = place / part
            link = place.is_symlink()
            states = self._entered(states, part, link=link)
            if link and not self._may_follow(above, str(place)):
                return {}
            above = joined(above, part)
        found: dict[str, list[str]] = {}
        if states and place.is_dir():
            with readable(str(place)):
                for name in sorted(self._listing(folder, states)[0]):
                    found.setdefault(name.rpartition(".")[0], []).append(name)
        return found

    # ---- the pattern, part by part

    def _entered(self, states: States, name: str, *, link: bool) -> States:
        """Return how much of the pattern a folder has met, whose own folder has met `states`; nothing: it is not in."""
        met = self._met(states, name)
        closed = link and not TRUST.follow_links
        return self._with_none_for_stars(met if closed else met | self._stays(states))

    def _matches(self, states: States, name: str) -> bool:
        return len(self._pattern) in states or len(self._pattern) in self._met(states, name)

    def _met(self, states: States, name: str) -> States:
        parts = self._pattern
        fits = (i + 1 for i in states if i < len(parts) and parts[i] != "**" and fnmatchcase(name, parts[i]))
        return frozenset(fits)

    def _stays(self, states: States) -> States:
        """Return the states in which one more folder changes nothing: below all of the pattern, and in a **."""
        return frozenset(i for i in states if i == len(self._pattern) or self._pattern[i] == "**")

    def _with_none_for_stars(self, states: States) -> States:
        """Add what is met where a ** stands for no folder."""
        found = set(states)
        for i, part in enumerate(self._pattern):
            if i in found and part == "**":
                found.add(i + 1)
        return frozenset(found)


class ListedFiles:
    """Pictures that were named one by one."""

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        """Name them from `folder`, or where one lies elsewhere, from the folder that they have in common."""
        places = [absolute(path) for path in paths]
        parents = {place.parent for place in places}
        self.root, self.others, self.links = absolute(folder), 0, 0
        if not all(parent.is_relative_to(self.root) for parent in parents):
            self.root = Path(os.path.commonpath(parents))
        self._paths = {place.relative_to(self.root).as_posix(): path for place, path in zip(places, paths, strict=True)}
        self._folders: dict[str, dict[str, list[str]]] = {}
        for name in self._paths:
            folder_name, _, own = name.rpartition("/")
            self._folders.setdefault(folder_name, {}).setdefault(own.rpartition(".")[0], []).append(own)

    def path(self, name: str) -> Path:
        """Return where a picture is."""
        return self._paths[name]

    def walk(self, skip: Collection[str] = ()) -> Iterator[str]:
        """Yield the names of the pictures, in the order in which they were given."""
        for name in self._paths:
            parts = name.split("/")
            if not (skip and any("/".join(parts[:depth]) in skip for depth in range(1, len(parts) + 1))):
                yield name

    def stems(self, folder: str) -> Stems:
        """Return the names of the pictures that lie in this very folder below the root."""
        return self._folders.get(folder, {})


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what the system refuses inside the block into one line about `what`."""
    try:
        yield
    except OSError as error:
        place = error.filename or what
        raise UserError(f"cannot read '{place}': {error.strerror or error}; check its permissions") from error


def absolute(path: Path) -> Path:
    """Make absolute without following links: a picture keeps the place that it was named by."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def is_inside(real: str, folder: Path) -> bool:
    """Whether a path without links in it lies in `folder`, or is it."""
    return Path(real).is_relative_to(os.path.realpath(folder))


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture, as its suffix says."""
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and f".{suffix.lower()}" in IMAGE_SUFFIXES


def joined(folder: str, name: str) -> str:
    """Return the name, from the root, of what lies in a folder that is named from there ("": the root itself)."""
    return f"{folder}/{name}" if folder else name
