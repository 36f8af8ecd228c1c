"""Rows of pixels in an unnamed temporary file, written and read region by region."""

__all__ = ["DiskRaster"]

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from translate.inference.tiling.regions import Region
from translate.utils.errors import UserError


class DiskRaster:
    """A picture or feature map of raw values on the disk.

    The file is not memory-mapped: its pages would count as memory, and a full disk would kill the process. It has no
    name, so the system removes it however the process ends.
    """

    def __init__(self, width: int, pixel_bytes: int, write_header: Callable[[Path], int] = lambda path: 0) -> None:
        """Create a file for rows of `width` px, which grows as regions are written.

        `write_header` writes a header to the file at a path, and returns the offset of the pixels in bytes.
        """
        self.width, self.pixel_bytes = width, pixel_bytes
        descriptor, name = tempfile.mkstemp()
        self._file = os.fdopen(descriptor, "r+b")
        try:
            self._start = write_header(Path(name))
        finally:
            Path(name).unlink()

    @property
    def path(self) -> str:
        """Path by which this process, and no other, can open the file."""
        return f"/dev/fd/{self._file.fileno()}"

    def write(self, region: Region, values: np.ndarray) -> None:
        """Write a region, (h, w, ...) of any type; raise UserError if the disk is full."""
        rows = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
        try:
            for i, row in enumerate(rows):
                if os.pwrite(self._file.fileno(), row.data, self._offset(region, i)) < len(row):
                    raise OSError("No space left on device")
        except OSError as error:
            where = f"{tempfile.gettempdir()}: cannot be written to ({error.strerror or error})"
            raise UserError(f"{where}; make room there, or set TMPDIR to another folder") from error

    def read(self, region: Region) -> np.ndarray:
        """Read the bytes of a region, (h, w * pixel_bytes) uint8."""
        height, width = region.size
        rows = np.empty((height, width * self.pixel_bytes), np.uint8)
        for i, row in enumerate(rows):
            os.preadv(self._file.fileno(), [row.data], self._offset(region, i))
        return rows

    def _offset(self, region: Region, row: int) -> int:
        return self._start + ((region.top + row) * self.width + region.left) * self.pixel_bytes
