"""The files and folders that a command is to write, checked before it works for hours."""

__all__ = ["check_outputs"]

import os
from pathlib import Path
from typing import Any

from translate.cli.commands.options import flag_name
from translate.utils.errors import OptionError

SAMPLE_BYTES = 4096  # of an existing file, to see whether it is a text
EXAMPLES = {"log": "log.txt", "json": "result.json", "grid": "grid.png"}  # names of files, by option


def check_outputs(options: Any) -> None:
    """Check the options of a command that name what it writes.

    Raises:
        OptionError: a file is a folder, or the reverse; a folder cannot be written to; a text would overwrite a
            picture; the suffix of a picture is unknown.
    """
    for name in EXAMPLES:
        if path := getattr(options, name, ""):
            check_file(name, Path(path).expanduser())
    if (root := getattr(options, "root", "")) and Path(root).expanduser().is_file():
        raise OptionError(f"--root {root}: is a file; name the folder of the data sets")


def check_file(name: str, path: Path) -> None:
    """Check the file that the option `name` is to write."""
    flag = flag_name(name)
    if path.is_dir():
        raise OptionError(f"{flag} {path}: is a folder; name a file in it, such as {path / EXAMPLES[name]}")
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir():
        raise OptionError(f"{flag} {path}: {folder} is a file, not a folder")
    if not os.access(folder, os.W_OK):
        raise OptionError(f"{flag} {path}: {folder} cannot be written to; choose another folder")
    if name == "grid":
        from translate.images.io import IMAGE_SUFFIXES

        if path.suffix.lower() not in IMAGE_SUFFIXES:
            raise OptionError(f"--grid {path}: {path.suffix or 'no suffix'!r} names no image format; use .png")
    elif path.is_file() and b"\0" in sample_of(path):
        raise OptionError(f"{flag} {path}: is no text, and would be lost; name another file")


def sample_of(path: Path) -> bytes:
    """Return the beginning of a file; b"" if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except OSError:
        return b""
