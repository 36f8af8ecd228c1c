"""Where maps are kept while a picture goes through, and in how much memory."""

__all__ = ["Map", "Maps", "Way", "choose_way"]

import math
import mmap
import os
import tempfile
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from translate.errors import UserError
from translate.memory import gigabytes, resident_bytes
from translate.streaming.planning import StreamPlan
from translate.streaming.regions import Region

TILES = (512, 256, 128)  # px, the sides of tiles to choose from
AROUND = 64  # px; what tiles need around them, about


@dataclass(frozen=True)
class Way:
    """In how much memory a picture is streamed.

    Attributes:
        tile: side of the squares that are computed at a time, px of the picture.
        dtype: of the maps that are kept: float32, or float16, which takes half and errs by up to 0.002 of [-1, 1].
        on_disk: whether they lie in files.
        peak: what all of it takes, bytes.
        cell: side of the neighbourhoods that norms look at, px of the picture; 0: they look at all of it.
    """

    tile: int = 256
    dtype: torch.dtype = torch.float32
    on_disk: bool = False
    peak: int = 0
    cell: int = 0


def choose_way(plan: StreamPlan, budget: int, work: float, fixed: int, name: str) -> Way:
    """Return the most exact and fastest way that takes no more than a budget.

    Args:
        plan: of the network and the picture.
        budget: bytes.
        work: bytes that each pixel of a tile takes.
        fixed: bytes of what is there in any case, such as the result.
        name: what an error calls the picture.

    Raises:
        UserError: there is none; it names the least.
    """
    _, height, width = next(iter(plan.sizes.values()))
    least = 0
    for dtype, on_disk in ((torch.float32, False), (torch.float16, False), (torch.float16, True)):
        for tile in TILES:
            rows = tile if on_disk else height  # of files, a row of tiles is in memory at a time
            kept = round(plan.numbers * rows * width * dtype.itemsize)
            least = fixed + kept + round(work * (tile + AROUND) ** 2)
            if least <= budget:
                return Way(tile, dtype, on_disk, least)
    need = gigabytes(least + resident_bytes()).replace(" ", "")
    raise UserError(
        f"{name}: {width} x {height} px need at least {need} of memory, even tile by tile; say --memory {need}"
    )


@dataclass(eq=False)
class Map:
    """A map that is kept, the type that its numbers were computed in, and the file that it lies in, if any."""

    tensor: Tensor
    computed: torch.dtype
    file: mmap.mmap | None = None

    def write(self, region: Region, x: Tensor) -> None:
        """Keep a region."""
        self.tensor[:, :, region.top : region.bottom, region.left : region.right] = x

    def read(self, region: Region, device: torch.device) -> Tensor:
        """Return a region as it was computed."""
        return self.tensor[:, :, region.top : region.bottom, region.left : region.right].to(device, self.computed)


class Maps:
    """Where maps are kept; files have no names, so that nothing stays behind, whatever happens."""

    def __init__(self, way: Way, device: torch.device) -> None:
        self.way, self.device = way, device
        self._files: list[mmap.mmap] = []
        self._unused: list[Map] = []

    def new(self, size: tuple[int, int, int], computed: torch.dtype) -> Map:
        """Return a map (1, C, H, W) that has no values yet, for numbers that are computed in a type.

        Raises:
            OSError: the disk has no room for it.
        """
        dtype = min(computed, self.way.dtype, key=lambda d: d.itemsize)  # of two bytes each, as it was computed
        for one in self._unused:
            if one.tensor.shape[1:] == size and one.tensor.dtype == dtype:  # memory that is there need not be zeroed
                self._unused.remove(one)
                return replace(one, computed=computed)
        self._forget_unused()
        if not self.way.on_disk:
            return Map(torch.empty(1, *size, dtype=dtype, memory_format=torch.channels_last), computed)
        length = math.prod(size) * dtype.itemsize
        with tempfile.TemporaryFile() as opened:
            os.posix_fallocate(opened.fileno(), 0, length)  # a full disk shows here, and not as a crash later on
            file = mmap.mmap(opened.fileno(), length)
        self._files.append(file)
        channels, height, width = size
        flat = torch.frombuffer(file, dtype=dtype)
        return Map(flat.view(1, height, width, channels).permute(0, 3, 1, 2), computed, file)

    def _forget_unused(self) -> None:
        for one in self._unused:
            if one.file is not None:
                self._files.remove(one.file)
        self._unused.clear()

    def let_go(self) -> None:
        """Let the system take what was written back to the disk."""
        for file in self._files:
            file.madvise(mmap.MADV_DONTNEED)

    def drop(self, one: Map) -> None:
        """Forget what a map holds; the next one of its size takes its place."""
        self._unused.append(one)
