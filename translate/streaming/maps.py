"""Where maps are kept while a picture goes through, and in how much memory."""

__all__ = ["Map", "Maps", "Way", "choose_way"]

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from translate.errors import UserError
from translate.memory import gigabytes, resident_bytes
from translate.streaming.planning import StreamPlan
from translate.streaming.raster import Raster
from translate.streaming.regions import Region

TILES = (512, 256, 128)  # px, the sides of tiles to choose from
AROUND = 64  # px; what tiles need around them, about


@dataclass(frozen=True)
class Way:
    """In how much memory a picture is streamed.

    Attributes:
        tile: side of the squares that are computed at a time, px of the picture.
        dtype: of the maps that are kept: float32 for as they are computed, or float16, which takes half of that and
            errs by up to 0.002 of [-1, 1].
        on_disk: whether they lie in files.
        peak: what all of it takes, bytes.
        cell: side of the neighbourhoods that norms look at, px of the picture; 0: they look at all of it.
    """

    tile: int = 256
    dtype: torch.dtype = torch.float32
    on_disk: bool = False
    peak: int = 0
    cell: int = 0


def choose_way(
    plan: StreamPlan, budget: int, work: float, fixed: int, name: str, computed: torch.dtype = torch.float32
) -> Way:
    """Return the most exact and fastest way that takes no more than a budget.

    Args:
        plan: of the network and the picture.
        budget: bytes.
        work: bytes that each pixel of a tile takes.
        fixed: bytes of what is there in any case, such as the result.
        name: what an error calls the picture.
        computed: the type that the network computes in.

    Raises:
        UserError: there is none; it names the least.
    """
    _, height, width = next(iter(plan.sizes.values()))
    ways = ((torch.float32, computed.itemsize), (torch.float16, 2), (torch.float16, 0))  # bytes of a number in memory
    least = 0
    for dtype, size in ways:
        for tile in TILES:
            least = fixed + round(plan.numbers * height * width * size) + round(work * (tile + AROUND) ** 2)
            if least <= budget:
                return Way(tile, dtype, not size, least)
    need = gigabytes(least + resident_bytes()).replace(" ", "")
    raise UserError(
        f"{name}: {width} x {height} px need at least {need} of memory, even tile by tile; say --memory {need}"
    )


@dataclass(eq=False)
class Map:
    """A map that is kept: in memory, or in a file.

    Attributes:
        size: (C, H, W).
        dtype: that it is kept in.
        computed: the type that its numbers were computed in, and are read in.
        place: (1, C, H, W), or where its bytes lie.
    """

    size: tuple[int, int, int]
    dtype: torch.dtype
    computed: torch.dtype
    place: Tensor | Raster

    def write(self, region: Region, x: Tensor) -> None:
        """Keep a region.

        Raises:
            UserError: the disk is full.
        """
        if isinstance(self.place, Tensor):
            self.place[:, :, region.top : region.bottom, region.left : region.right] = x
            return
        values = x[0].permute(1, 2, 0).to("cpu", self.dtype).contiguous()
        self.place.write(region, values.view(torch.uint8).numpy())

    def read(self, region: Region, device: torch.device) -> Tensor:
        """Return a region as it was computed."""
        if isinstance(self.place, Tensor):
            return self.place[:, :, region.top : region.bottom, region.left : region.right].to(device, self.computed)
        height, width = region.bottom - region.top, region.right - region.left
        values = torch.from_numpy(self.place.read(region)).view(self.dtype).view(1, height, width, self.size[0])
        return values.permute(0, 3, 1, 2).to(device, self.computed)


class Maps:
    """Where maps are kept."""

    def __init__(self, way: Way, device: torch.device) -> None:
        self.way, self.device = way, device
        self._unused: list[Map] = []

    def new(self, size: tuple[int, int, int], computed: torch.dtype) -> Map:
        """Return a map (1, C, H, W) that has no values yet, for numbers that are computed in a type."""
        dtype = min(computed, self.way.dtype, key=lambda d: d.itemsize)  # of two bytes each, as it was computed
        for one in self._unused:
            if one.size == size and one.dtype == dtype:  # memory that is there need not be zeroed
                self._unused.remove(one)
                return replace(one, computed=computed)
        self._unused.clear()
        if self.way.on_disk:
            return Map(size, dtype, computed, Raster(size[2], size[0] * dtype.itemsize))
        place = torch.empty(1, *size, dtype=dtype, memory_format=torch.channels_last)
        return Map(size, dtype, computed, place)

    def drop(self, one: Map) -> None:
        """Forget what a map holds; the next one of its size takes its place."""
        self._unused.append(one)
