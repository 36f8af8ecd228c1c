"""Temporary folders of requests, which go with them; those of a killed server go when the next one starts."""

__all__ = ["Uploads", "safe_name", "save", "save_all", "save_one"]

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastapi import UploadFile

from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import UserError
from translate.utils.terminal import printable

PREFIX = "translate-studio-"  # of the temporary folder of a server
MAX_NAME_CHARS = 100
PIECE_BYTES = 1 << 20  # copied at a time
_TYPES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif", "image/tiff": ".tif"}


class Uploads:
    """The temporary folder of a server, locked as long as the process lives."""

    def __init__(self) -> None:
        _remove_abandoned()
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = (self.root / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield an empty folder, and remove it at the end of the block."""
        with tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as place:
            yield Path(place)

    def close(self) -> None:
        """Remove everything."""
        self._lock.close()
        shutil.rmtree(self.root, ignore_errors=True)


def _remove_abandoned() -> None:
    """Remove the folders of servers that were killed: nobody holds their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def safe_name(upload: UploadFile) -> str:
    """Return a file name for a picture that came with a request: one component, with a suffix that is known.

    Raises:
        UserError: neither the name nor the type is that of a picture.
    """
    given = printable((upload.filename or "").replace("\\", "/").rpartition("/")[2].replace("\0", ""))
    stem, dot, suffix = given.rpartition(".")
    suffix = f".{suffix.lower()}" if dot else ""
    if suffix not in IMAGE_SUFFIXES:
        stem, suffix = given, _TYPES.get(upload.content_type or "", "")
    if not suffix:
        raise UserError(f"{given or 'the upload'}: is no picture by its name; send PNG, JPEG, TIFF or another image")
    stem = stem.strip(". ")[:MAX_NAME_CHARS]
    return f"{stem or 'picture'}{suffix}"


async def save_all(uploads: Sequence[UploadFile], place: Path) -> list[Path]:
    """Save uploads, the first in `place`, each other in a folder of its own below, so that equal names do not meet."""
    paths = [(place / str(i) if i else place) / safe_name(upload) for i, upload in enumerate(uploads)]
    for upload, path in zip(uploads, paths, strict=True):
        await save(upload, path)
    return paths


async def save_one(upload: UploadFile | None, folder: Path) -> Path | None:
    """Save an upload in a folder; None if there is none."""
    return None if upload is None else await save(upload, folder / safe_name(upload))


async def save(upload: UploadFile, path: Path) -> Path:
    """Save an upload as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while piece := await upload.read(PIECE_BYTES):
            file.write(piece)
    return path
