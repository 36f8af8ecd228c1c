"""The model file of a repository on the Hub: from the usual cache, or fetched into it; no other file is.

The size and the hash are shown before the first byte comes, and the hash is checked at the end. A file whose header
carries no recipe is refused before it is fetched: it may be a model of gigabytes for another toolkit.
"""

__all__ = ["fetch_model"]

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import translate
from translate.checkpoints.hub.errors import explained, import_hub
from translate.checkpoints.hub.name import HubName, parse_hub_name
from translate.checkpoints.recipe import KEY
from translate.utils.errors import UserError
from translate.utils.files import format_bytes
from translate.utils.progress import Bar, open_progress
from translate.utils.terminal import console, escape

FILE = "model.safetensors"
SENDER = {"library_name": "image-translate", "library_version": translate.__version__}
_SHA256, _COMMIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_fetched: dict[str, Path] = {}  # by name: within a process, a name keeps its commit


@dataclass(frozen=True)
class _Remote:
    """The model file as the Hub describes it."""

    size: int | None  # bytes
    etag: str  # the SHA-256 of a large file; of a small one, another hash
    commit: str


def fetch_model(text: str | Path) -> Path:
    """Return the model file of hf://user/name@revision in the cache, fetched if it is not there.

    Without a network, the cached file of the same revision is returned.

    Raises:
        OptionError: The name is malformed.
        UserError: There is no such model, it may not be read, the network is down and nothing is cached; or its file
            is damaged or no model of this toolkit.
    """
    name = parse_hub_name(text)
    known = _fetched.get(str(name))
    if known is None or not known.exists():
        with explained(name, "fetched"):
            known = _fetched[str(name)] = _fetch(name)
    return known


def _fetch(name: HubName) -> Path:
    cached = _cached(name.repo, name.revision)
    if cached and _COMMIT.fullmatch(name.revision):  # which never changes
        return _check(name, cached, "", "in the cache")
    try:
        remote = _ask(name)
    except _unreachable():
        if cached is None:
            raise
        return _check(name, cached, "", "in the cache; the Hub could not be asked for a newer one")
    if _cached(name.repo, remote.commit):
        return _check(name, _download(name), remote.etag, "in the cache")
    console.print(escape(f"{name}: {FILE}, {_describe(remote)}; fetching"), soft_wrap=True)
    _refuse_foreign(name, remote.commit)
    return _check(name, _download(name), remote.etag, "fetched")


def _cached(repo: str, revision: str) -> Path | None:
    """Return the cached file of a revision, as it was when the Hub was last asked."""
    path = import_hub().try_to_load_from_cache(repo, FILE, revision=revision or None)
    return Path(path) if isinstance(path, str) else None


def _ask(name: HubName) -> _Remote:
    """Ask the Hub for the size, the hash and the commit of the model file."""
    hub = import_hub()
    url = hub.hf_hub_url(name.repo, FILE, revision=name.revision or None)
    found = hub.get_hf_file_metadata(url, **SENDER)
    if not (found.commit_hash and found.etag):
        raise hub.errors.FileMetadataError(f"{url} is served by no Hub")
    return _Remote(found.size, found.etag, found.commit_hash)


def _unreachable() -> tuple[type[Exception], ...]:
    """Return the errors after which a cached file is used: no network, no access any more, a Hub that is down."""
    errors = import_hub().errors
    return errors.HTTPError, errors.OfflineModeIsEnabled, errors.FileMetadataError


def _describe(remote: _Remote) -> str:
    parts = [format_bytes(remote.size)] if remote.size else []
    return ", ".join([*parts, *[f"sha256 {remote.etag}"] * bool(_SHA256.fullmatch(remote.etag))]) or "of unknown size"


def _refuse_foreign(name: HubName, commit: str) -> None:
    """Raise UserError if the header of the remote file carries no recipe; the header alone is read."""
    hub = import_hub()
    try:
        header = hub.HfApi(**SENDER).parse_safetensors_file_metadata(name.repo, FILE, revision=commit)
    except hub.errors.SafetensorsParsingError:
        raise UserError(f"{name}: cannot be read as a model (its {FILE} is damaged)") from None
    if KEY not in (header.metadata or {}):
        raise UserError(f"{name}: is no model of this toolkit (its {FILE} carries no recipe); nothing was fetched")


def _download(name: HubName) -> Path:
    """Return the model file in the cache, after fetching what is missing, under a bar."""
    revision = name.revision or None
    return Path(import_hub().hf_hub_download(name.repo, FILE, revision=revision, tqdm_class=_DownloadBar, **SENDER))


def _check(name: HubName, path: Path, etag: str, how: str) -> Path:
    """Compare a file with the hash by which the Hub knows it, show what it is, and return it.

    Raises:
        UserError: The hash is another one; the file was then removed from the cache.
    """
    blob = path.parent / path.readlink() if path.is_symlink() else path  # the cache names it by its hash
    expected = next((known for known in (blob.name, etag) if _SHA256.fullmatch(known)), "")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and digest != expected:
        path.unlink()
        blob.unlink(missing_ok=True)
        removed = "it was removed from the cache, so run the same command again"
        raise UserError(
            f"{name}: its {FILE} is damaged (sha256 {digest[:12]}... instead of {expected[:12]}...); {removed}"
        )
    size, commit = format_bytes(path.stat().st_size), path.parent.name
    console.print(escape(f"{name}: {FILE}, {size}, sha256 {digest}, commit {commit}, {how}"), soft_wrap=True)
    return path


class _DownloadBar:
    """Our bar with the few methods of tqdm that a download calls."""

    def __init__(self, *_: Any, total: float | None = None, initial: float = 0, **__: Any) -> None:
        self.total, self.n = total, initial
        self._progress = open_progress("bytes", True)
        self._bar = Bar(self._progress, FILE, total, completed=initial)
        self._progress.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, count: float = 1) -> None:
        """Move on by `count` bytes."""
        self.n += count
        self._bar.update(completed=self.n, total=self.total)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()

    def ignore(self, *_: Any, **__: Any) -> None:
        """Ignore what our bar does not show: bytes of compressed chunks, speeds as text."""

    update_transfer = set_postfix_str = set_transfer_postfix_str = refresh = ignore
