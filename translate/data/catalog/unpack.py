"""Unpack an untrusted zip or tar archive: plain files, below the target only, of bounded size.

File contents alone are taken from the archive, so that no link, device, owner or permission in it is applied.
Entries that no honest archive of pictures has are refused.
"""

__all__ = ["unpack"]

import contextlib
import errno
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from translate.utils.errors import UserError
from translate.utils.progress import progress_bar

_CHUNK_BYTES = 1 << 20
_MAX_ENTRIES = 5_000_000  # more than any data set has; even empty files fill a disk
_MAX_HEADER_BYTES = 1 << 20  # of a long name or other metadata, which tarfile reads into memory
_METADATA = {
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
}  # fmt: skip
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, ValueError, FileExistsError)
_Entry = tuple[str, int, Callable[[], IO[bytes]]]  # name, bytes, how to open it


def unpack(archive: Path, target: Path, *, limit: int, progress: bool = True) -> None:
    """Unpack a zip, or a tar of any compression, into the empty or new folder `target`, at most `limit` bytes.

    A single top folder of the archive is left out.

    Raises:
        UserError: the file is no archive, is damaged or too large, or has entries that are not plain files below the
            target.
    """
    target.mkdir(parents=True, exist_ok=True)
    left = limit
    with (
        _explain_damage(archive),
        archive.open("rb") as raw,
        progress_bar(f"unpacking {archive.name}", archive.stat().st_size, progress, style="percent") as bar,
    ):
        for count, (name, size, open_entry) in enumerate(_entries(archive, raw)):
            if count == _MAX_ENTRIES:
                raise UserError(f"{archive} holds more than {_MAX_ENTRIES:,} files; it was refused")
            left -= size
            if left < 0:
                raise UserError(f"{archive} unpacks to more than {limit} bytes, far too much; it was refused")
            path = _safe_path(archive, name)
            if not any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
                _write(target / path, open_entry)
            bar.update(completed=raw.tell())
    _strip_top(target)


@contextlib.contextmanager
def _explain_damage(archive: Path) -> Iterator[None]:
    """Turn errors of a damaged archive into UserError, one line each."""
    try:
        yield
    except _DAMAGE as error:
        reason = str(error).partition("\n")[0]  # tarfile lists every compression it tried
        raise UserError(f"{archive} is damaged or no archive ({reason}); fetch it again") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UserError(f"{archive} holds a file name that is too long for this system; it was refused") from error
        if error.errno is not None:  # the disk, not the archive: gzip's own errors have no number
            raise
        raise UserError(f"{archive} is damaged ({error}); fetch it again") from error


def _entries(archive: Path, raw: IO[bytes]) -> Iterator[_Entry]:
    """Yield the plain files of an archive; refuse entries that are neither files nor folders."""
    is_zip = zipfile.is_zipfile(raw)
    raw.seek(0)
    return _zip_entries(archive, raw) if is_zip else _tar_entries(archive, raw)


def _zip_entries(archive: Path, raw: IO[bytes]) -> Iterator[_Entry]:
    with zipfile.ZipFile(raw) as pack:
        for info in pack.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UserError(f"{archive} holds a link or device, {info.filename!r}; it was refused")
            if not info.is_dir():
                yield info.filename, info.file_size, partial(pack.open, info)


def _tar_entries(archive: Path, raw: IO[bytes]) -> Iterator[_Entry]:
    with tarfile.open(fileobj=raw, mode="r:*", tarinfo=_Member) as pack:
        for member in pack:
            if not (member.isfile() or member.isdir()):
                raise UserError(f"{archive} holds a link or device, {member.name!r}; it was refused")
            if member.isfile():
                yield member.name, member.size, partial(_extract, pack, member)


class _Member(tarfile.TarInfo):
    """A tar entry that refuses a name of unreasonable length."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        member = super().frombuf(buf, encoding, errors)
        if member.type in _METADATA and member.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a name of {member.size} bytes")
        return member


def _extract(pack: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = pack.extractfile(member)
    assert stream is not None, "extractfile returns None for entries that are no files"
    return stream


def _safe_path(archive: Path, name: str) -> PurePosixPath:
    """Return the path of an entry below the target; refuse a path that leaves the target on any system."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or re.match("[A-Za-z]:", name):
        raise UserError(f"{archive} holds a path that leaves the target folder, {name!r}; it was refused")
    return path


def _write(path: Path, open_entry: Callable[[], IO[bytes]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_entry() as source, path.open("xb") as out:
        shutil.copyfileobj(source, out, _CHUNK_BYTES)


def _strip_top(target: Path) -> None:
    """Move the contents of a single top folder one level up."""
    top = list(target.iterdir())
    if len(top) != 1 or not top[0].is_dir():
        return
    aside = top[0].rename(target / ".top")  # a child may have its parent's name
    for entry in aside.iterdir():
        entry.rename(target / entry.name)
    aside.rmdir()
