"""Where maps are kept while a picture goes through, and in how much memory."""

__all__ = ["Map", "Maps", "Way", "choose_way"]

import math
import mmap
import os
import tempfile
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.errors import UserError
from translate.memory import gigabytes, resident_bytes
from translate.streaming.planning import StreamPlan

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
    """

    tile: int = 256
    dtype: torch.dtype = torch.float32
    on_disk: bool = False
    peak: int = 0


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


@dataclass
class Map:
    """A map that is kept, and the file that it lies in, if any."""

    tensor: Tensor
    file: mmap.mmap | None = None


class Maps:
    """Where maps are kept; files have no names, so that nothing stays behind, whatever happens."""

    def __init__(self, way: Way, device: torch.device) -> None:
        self.way, self.device = way, device
        self._files: list[mmap.mmap] = []

    def new(self, size: tuple[int, int, int]) -> Map:
        """Return a map (1, C, H, W) that has no values yet.

        Raises:
            OSError: the disk has no room for it.
        """
        if not self.way.on_disk:
            return Map(torch.empty(1, *size, dtype=self.way.dtype).to(memory_format=torch.channels_last))
        length = math.prod(size) * self.way.dtype.itemsize
        with tempfile.TemporaryFile() as opened:
            os.posix_fallocate(opened.fileno(), 0, length)  # a full disk shows here, and not as a crash later on
            file = mmap.mmap(opened.fileno(), length)
        self._files.append(file)
        channels, height, width = size
        flat = torch.frombuffer(file, dtype=self.way.dtype)
        return Map(flat.view(1, height, width, channels).permute(0, 3, 1, 2), file)

    def let_go(self) -> None:
        """Let the system take what was written back to the disk."""
        for file in self._files:
            file.madvise(mmap.MADV_DONTNEED)

    def drop(self, one: Map) -> None:
        """Forget a map."""
        if one.file is not None:
            self._files.remove(one.file)
