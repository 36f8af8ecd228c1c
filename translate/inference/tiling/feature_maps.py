"""Where maps are kept while a picture goes through, and in how much memory."""

__all__ = ["FeatureMap", "FeatureMapStore", "MemoryPlan", "choose_memory_plan"]

import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.inference.tiling.disk_raster import Raster
from translate.inference.tiling.regions import Region
from translate.inference.tiling.trace import StreamPlan
from translate.utils.errors import UserError
from translate.utils.memory import gigabytes, resident_bytes

TILES = (512, 256, 128)  # px, the sides of tiles to choose from
AROUND = 64  # px; what tiles need around them, about


@dataclass(frozen=True)
class MemoryPlan:
    """In how much memory a picture is streamed.

    Attributes:
        tile: side of the squares that are computed at a time, px of the picture.
        dtype: of the maps that are kept: float32 for as they are computed, or float16, which takes half of that and
            errs by up to 0.002 of [-1, 1].
        on_disk: whether they lie in files.
        peak: what all of it takes, bytes.
        cell: side of the neighbourhoods that norms look at, px of the picture; 0: they look at all of it.
        crew: tiles that are computed at the same time.
    """

    tile: int = 256
    dtype: torch.dtype = torch.float32
    on_disk: bool = False
    peak: int = 0
    cell: int = 0
    crew: int = 1


def choose_memory_plan(
    plan: StreamPlan, budget: int, work: float, fixed: int, name: str, *,
    computed: torch.dtype = torch.float32, crew: int = 1,
) -> MemoryPlan:  # fmt: skip
    """Return the most exact and fastest way that takes no more than a budget.

    Args:
        plan: of the network and the picture.
        budget: bytes.
        work: bytes that each pixel of a tile takes.
        fixed: bytes of what is there in any case, such as the result.
        name: what an error calls the picture.
        computed: the type that the network computes in.
        crew: tiles that are to be computed at the same time.

    Raises:
        UserError: there is none; it names the least.
    """
    _, height, width = next(iter(plan.sizes.values()))
    ways = ((torch.float32, computed.itemsize), (torch.float16, 2), (torch.float16, 0))  # bytes of a number in memory
    least = 0
    for dtype, size in ways:
        for tile in TILES:
            least = (
                fixed
                + round(plan.numbers * height * width * size)
                + round(crew * work * (min(tile, max(height, width)) + AROUND) ** 2)
            )
            if least <= budget:
                return MemoryPlan(tile, dtype, not size, least, crew=crew)
    need = gigabytes(least + resident_bytes()).replace(" ", "")
    raise UserError(
        f"{name}: {width} x {height} px need at least {need} of memory, even tile by tile; say --memory {need}"
    )


class FeatureMap:
    """A map that is kept, in memory or in a file."""

    def __init__(self, maps: "FeatureMapStore", size: tuple[int, int, int]) -> None:
        """Begin a map (C, H, W) without values, which has no type before its first region comes."""
        self.size, self.maps = size, maps
        self.computed = self.dtype = torch.float32  # that its numbers come in and are read in, and are kept in
        self.place: Tensor | Raster | None = None
        self._beginning = threading.Lock()

    def write(self, region: Region, x: Tensor) -> None:
        """Keep a region, (1, C, h, w); in any thread.

        Raises:
            UserError: the disk is full.
        """
        with self._beginning:
            if self.place is None:
                self.computed = x.dtype
                self.dtype = min(x.dtype, self.maps.way.dtype, key=lambda d: d.itemsize)  # two bytes stay as they are
                self.place = self.maps.place(self)
        if isinstance(self.place, Tensor):
            self.place[:, :, region.top : region.bottom, region.left : region.right] = x
            return
        values = x[0].permute(1, 2, 0).to("cpu", self.dtype).contiguous()
        self.place.write(region, values.view(torch.uint8).numpy())

    def read(self, region: Region) -> Tensor:
        """Return a region as it was computed."""
        assert self.place is not None
        if isinstance(self.place, Tensor):
            part = self.place[:, :, region.top : region.bottom, region.left : region.right]
        else:
            values = torch.from_numpy(self.place.read(region)).view(self.dtype)
            part = values.view(1, len(values), -1, self.size[0]).permute(0, 3, 1, 2)
        return part.to(self.maps.device, self.computed)


class FeatureMapStore:
    """Where maps are kept."""

    def __init__(self, way: MemoryPlan, device: torch.device) -> None:
        self.way, self.device = way, device
        self._unused: list[FeatureMap] = []

    def new(self, size: tuple[int, int, int]) -> FeatureMap:
        """Return a map (C, H, W) that has no values yet."""
        return FeatureMap(self, size)

    def place(self, one: FeatureMap) -> Tensor | Raster:
        """Return room for a map: that of one which is used no more, for memory that is there need not be zeroed."""
        for other in self._unused:
            if (other.size, other.dtype) == (one.size, one.dtype) and other.place is not None:
                self._unused.remove(other)
                return other.place
        self._unused.clear()
        channels, _, width = one.size
        if self.way.on_disk:
            return Raster(width, channels * one.dtype.itemsize)
        return torch.empty(1, *one.size, dtype=one.dtype, memory_format=torch.channels_last)

    def drop(self, one: FeatureMap) -> None:
        """Forget what a map holds; the next one of its size takes its place."""
        self._unused.append(one)
