"""Rows of pixels in an unnamed file, written and read region by region."""

__all__ = ["Raster"]

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from translate.inference.tiling.regions import Region
from translate.utils.errors import UserError


class Raster:
    """A picture, or a map, of raw numbers that lies on the disk and not in memory.

    It is read and written by system calls: a mapped file would be paid for page by page, and a full disk would end the
    process. The file has no name and is gone with the process, whatever happens to that.
    """

    def __init__(self, width: int, pixel: int, begin: Callable[[Path], int] = lambda path: 0) -> None:
        """Begin one of `width` px, each of `pixel` bytes; it grows as it is written.

        Args:
            width: px.
            pixel: bytes.
            begin: writes what goes before the pixels to the file at a path, and tells where they start.
        """
        self.width, self.pixel = width, pixel
        descriptor, name = tempfile.mkstemp()
        self._file = os.fdopen(descriptor, "r+b")
        try:
            self._start = begin(Path(name))
        finally:
            Path(name).unlink()

    @property
    def path(self) -> str:
        """By which this process, and no other, can open the file."""
        return f"/dev/fd/{self._file.fileno()}"

    def write(self, region: Region, values: np.ndarray) -> None:
        """Put (h, w, ...) of any type into a region.

        Raises:
            UserError: the disk is full.
        """
        rows = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
        try:
            for i, row in enumerate(rows):
                if os.pwrite(self._file.fileno(), row.data, self._at(region, i)) < len(row):
                    raise OSError("No space left on device")
        except OSError as error:
            where = f"{tempfile.gettempdir()}: cannot be written to ({error.strerror or error})"
            raise UserError(f"{where}; make room there, or set TMPDIR to another folder") from error

    def read(self, region: Region) -> np.ndarray:
        """Return the bytes of a region, (h, w * pixel) uint8."""
        height, width = region.bottom - region.top, region.right - region.left
        rows = np.empty((height, width * self.pixel), np.uint8)
        for i, row in enumerate(rows):
            os.preadv(self._file.fileno(), [row.data], self._at(region, i))
        return rows

    def _at(self, region: Region, row: int) -> int:
        return self._start + ((region.top + row) * self.width + region.left) * self.pixel
