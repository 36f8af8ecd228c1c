"""The name of a model on the Hub: hf://user/name@revision."""

__all__ = ["HubName", "as_repo", "check_repo", "is_hub_name", "parse_hub_name"]

import re
from dataclasses import dataclass
from pathlib import Path

from translate.utils.errors import OptionError, shorten

SCHEME = "hf://"
FORM = "hf://user/name, or hf://user/name@revision with a branch, a tag or a commit"
_SCHEME = re.compile(r"hf:/+", re.IGNORECASE)  # Path turns // into /
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_PART}/{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?")  # a path in the cache is made of it
_NEVER = ("..", "--", "//", "/.")  # in a name or in a revision; the cache separates user and name by two dashes


@dataclass(frozen=True)
class HubName:
    """A model on the Hub."""

    repo: str  # user/name
    revision: str = ""  # a branch, a tag or a commit; "": the main branch

    def __str__(self) -> str:
        return f"{SCHEME}{self.repo}" + f"@{self.revision}" * bool(self.revision)


def is_hub_name(path: str | Path) -> bool:
    """Whether what should be a path is meant as the name of a model on the Hub."""
    return _SCHEME.match(str(path)) is not None


def parse_hub_name(text: str | Path) -> HubName:
    """Parse hf://user/name@revision, also as `Path` writes it.

    Raises:
        OptionError: The name is malformed.
    """
    rest = _SCHEME.sub("", str(text), count=1)
    repo, at, revision = rest.partition("@")
    if not _is_repo(repo.removesuffix("/")) or (at and not _is_revision(revision)):
        raise OptionError(f"{SCHEME}{shorten(rest)}: is no name of a model on the Hub; write {FORM}")
    return HubName(repo.removesuffix("/"), revision)


def check_repo(repo: str) -> str:
    """Return the name of a repository, user/name, also if it is given with hf://.

    Raises:
        OptionError: The name is malformed, or has a revision.
    """
    name = _SCHEME.sub("", repo, count=1).removesuffix("/")
    if not _is_repo(name):
        raise OptionError(
            f"--repo {shorten(repo)}: is no name of a repository; write user/name, such as ada/sketch2shoe"
        )
    return name


def as_repo(name: str) -> str:
    """Return the name of a repository for a model, as an example of one: user/name, of the letters that are allowed."""
    letters = re.sub(r"[^A-Za-z0-9_.]+|\.{2,}", "-", name).strip("-.")
    repo = f"user/{letters[:90].rstrip('-.')}"
    return repo if _is_repo(repo) else "user/model"


def _is_repo(text: str) -> bool:
    return _REPO.fullmatch(text) is not None and not any(part in text for part in _NEVER) and not text.endswith(".git")


def _is_revision(text: str) -> bool:
    return _REVISION.fullmatch(text) is not None and not any(part in text for part in _NEVER if part != "--")
