"""Folders of pictures on the server: browsed below the allowed ones, and unpacked from an uploaded zip."""

__all__ = ["list_folder", "unpack_upload"]

import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from translate.data.catalog.unpack import unpack
from translate.data.files.naming import clean
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import OptionError, UserError, shorten

MAX_ENTRIES = 20_000  # of a folder that are counted
MAX_FOLDERS = 500  # that are listed
MAX_FILES = 200_000  # in a zip
_HIDDEN = (".", "_")


def list_folder(path: str, allowed: Sequence[Path]) -> dict[str, Any]:
    """List the folders in `path` with the number of pictures in each, as plain data; "": the allowed folders.

    Raises:
        OptionError: the folder does not exist, or lies outside the allowed ones.
    """
    if not path and len(allowed) > 1:
        return {"path": "", "parent": None, "pictures": 0, "folders": [_describe(folder, folder) for folder in allowed]}
    folder = Path(path) if path else allowed[0]
    roots = [root.resolve() for root in allowed]
    try:
        real = folder.expanduser().resolve()
        is_folder = real.is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, a loop of links, a character of code 0, an unknown user
        raise OptionError(f"{shorten(path)}: is no path") from None
    if not any(real.is_relative_to(root) for root in roots) or not is_folder:
        raise OptionError(f"{shorten(path)}: no folder that the studio may read")
    is_top = real in roots
    try:
        inner = sorted(entry.name for entry in os.scandir(real) if _is_plain_folder(entry))[:MAX_FOLDERS]
    except OSError as error:
        raise OptionError(f"{shorten(path)}: cannot be read ({error.strerror})") from None
    return {
        "path": _shown(real), "pictures": _count_pictures(real),
        "folders": [_describe(real / name, real) for name in inner],
        "parent": ("" if len(allowed) > 1 else None) if is_top else _shown(real.parent),
    }  # fmt: skip


def _is_plain_folder(entry: os.DirEntry[str]) -> bool:
    is_text = entry.name.encode("utf-8", "ignore").decode("utf-8") == entry.name  # else no option can name it
    return is_text and not entry.name.startswith(_HIDDEN) and entry.is_dir(follow_symlinks=False)


def _describe(folder: Path, parent: Path) -> dict[str, Any]:
    name = str(folder) if folder == parent else folder.name
    return {"name": name, "path": _shown(folder.resolve()), "pictures": _count_pictures(folder)}


def _shown(folder: Path) -> str:
    """Return a path as a user would type it: relative to the working folder where it lies below."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _count_pictures(folder: Path) -> int:
    """Count the pictures directly in a folder, among its first `MAX_ENTRIES` entries."""
    count = 0
    try:
        with os.scandir(folder) as entries:
            for i, entry in enumerate(entries):
                if i == MAX_ENTRIES:
                    break
                count += os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122 - 20,000 names
    except OSError:
        return 0
    return count


def unpack_upload(archive: Path, name: str, root: Path, limit: int) -> Path:
    """Unpack an uploaded zip into the new folder `root` / name, at most `limit` bytes; return the folder.

    Plain files below the folder alone are accepted, and a broken or hostile archive leaves nothing behind.

    Raises:
        UserError: the file is no zip, is damaged, too large, or holds more than plain files; the folder exists.
    """
    target = root / clean(Path(name).stem)[:80]
    if target.exists():
        raise UserError(f"{target}: exists already; give the zip another name")
    try:
        with zipfile.ZipFile(archive) as pack:
            count = len(pack.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        raise UserError(f"{shorten(name)} is no zip, or is damaged; pack the folder again") from None
    if count > MAX_FILES:
        raise UserError(f"{shorten(name)} holds {count:,} files; at most {MAX_FILES:,} are accepted")
    root.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=root))
    try:
        try:
            unpack(archive, aside, limit=min(limit, shutil.disk_usage(root).free // 2), progress=False)
        except UserError as error:
            raise UserError(str(error).replace(str(archive), shorten(name))) from None
        if not any(aside.rglob("*")):
            raise UserError(f"{shorten(name)} holds no files")
        aside.chmod(0o755)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target
