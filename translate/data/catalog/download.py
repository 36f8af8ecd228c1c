"""Download one file over HTTP: resumed where it stopped, retried, verified, and renamed when complete."""

__all__ = ["check_file", "download"]

import hashlib
import http.client
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from translate.utils.errors import UserError
from translate.utils.progress import Bar, progress_bar

_CHUNK_BYTES = 1 << 18
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class _FailedError(Exception):
    """The transfer failed; the message says why."""


class _TryAgainError(_FailedError):
    """The transfer stopped, and another attempt may succeed."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    progress: bool = True,
    timeout: float = 30.0,
    retries: int = 4,
    pause: float = 1.0,
) -> Path:
    """Download `url` to `target` through `<target>.part`, which the next call resumes.

    Args:
        url: http or https.
        target: Missing folders are created.
        size: Expected bytes.
        sha256: Expected hexadecimal digest.
        progress: Show a bar on stderr.
        timeout: Seconds without an answer after which an attempt has failed.
        retries: Attempts in a row that may fail without a byte gained.
        pause: Seconds before the second attempt, doubled before each further one.

    Raises:
        UserError: the server cannot be reached or refuses; or the file is not the expected one, and was removed.
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with progress_bar(target.name, size, progress, style="bytes") as bar:
        try:
            _retry(partial(_transfer, url, part, size, timeout, bar), part, retries, pause)
        except _FailedError as error:
            by_hand = f"fetch it by hand, put it at '{target}' and run again"
            raise UserError(f"cannot fetch {url} ({error}); {by_hand}") from error
    try:
        check_file(part, size=size, sha256=sha256)
    except UserError as error:
        part.unlink()
        raise UserError(f"{url} gave the wrong file: {error}; it was removed, so run again") from error
    return part.replace(target)


def check_file(file: Path, *, size: int | None = None, sha256: str | None = None) -> None:
    """Raise UserError if a file does not have the expected size or digest."""
    if size is not None and _size(file) != size:
        raise UserError(f"{file.name} has {_size(file)} bytes instead of {size}")
    if sha256 is not None:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != sha256:
            raise UserError(f"{file.name} has sha256 {digest[:12]}... instead of {sha256[:12]}...")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _retry(attempt: Callable[[], None], part: Path, retries: int, pause: float) -> None:
    """Call `attempt` until it succeeds, or until more than `retries` attempts in a row gained nothing."""
    failures, best = 0, _size(part)
    while True:
        try:
            return attempt()
        except _TryAgainError:
            failures = 0 if _size(part) > best else failures + 1
            if failures > retries:
                raise
        best = max(best, _size(part))
        time.sleep(pause * 2 ** max(failures - 1, 0))


def _transfer(url: str, part: Path, size: int | None, timeout: float, bar: Bar) -> None:
    """Append the missing bytes to `part`; start over if the server does not resume."""
    done = _size(part)
    if size is not None and done == size:
        return
    response = _open(url, part, done, timeout)
    if response is None:
        return
    with response:
        start, total = _content_range(response)
        if total is not None and size is not None and total != size:
            part.unlink(missing_ok=True)
            raise UserError(f"{url} now has {total} bytes instead of {size}; its catalog entry is out of date")
        if start not in (0, done):
            part.unlink()
            raise _TryAgainError("the server resumed at another place")
        with part.open("ab" if start else "wb") as out:
            while chunk := _read_chunk(response):
                out.write(chunk)
                bar.update(completed=out.tell(), total=total or size)
                if size is not None and out.tell() > size:
                    return  # `check_file` will refuse it; a server may send without end
    if total is not None and _size(part) < total:
        raise _TryAgainError(f"the connection broke after {_size(part)} of {total} bytes")


def _open(url: str, part: Path, done: int, timeout: float) -> http.client.HTTPResponse | None:
    """Request the file from byte `done` on; return None if it ends there."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:
            if error.headers.get("Content-Range", "") == f"bytes */{done}":
                return None
            part.unlink()
            raise _TryAgainError("the server could not resume") from error
        answer = f"the server answers {error.code} {error.reason}"
        raise (_TryAgainError if error.code in _TRANSIENT_STATUS else _FailedError)(answer) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        # an unknown host mostly means no network, which waiting does not cure
        failure = _FailedError if isinstance(reason, socket.gaierror) else _TryAgainError
        raise failure(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__) from error


def _content_range(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Return the position of the first byte, and the size of the whole file if the server states it."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if match is None:
            raise _FailedError("the server's answer to a resumed download makes no sense")
        return int(match[1]), int(match[2]) if match[2] != "*" else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _read_chunk(response: http.client.HTTPResponse) -> bytes:
    """Read the next bytes; raise _TryAgainError for network errors, so that OSError means the disk."""
    try:
        return response.read1(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgainError(f"the connection broke: {error or type(error).__name__}") from error
