"""The storage of feature maps during tiled inference, and the plan that fits it into a memory budget."""

__all__ = ["FeatureMap", "FeatureMapStore", "MemoryPlan", "choose_memory_plan"]

import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.inference.tiling.disk_raster import DiskRaster
from translate.inference.tiling.regions import Region
from translate.inference.tiling.trace import TilingPlan
from translate.utils.errors import UserError
from translate.utils.memory import gigabytes, resident_bytes

TILE_SIDES_PX = (512, 256, 128)  # the larger the tiles, the less is computed twice where they meet
TILE_MARGIN_PX = 64  # about the width of the neighbourhood that a tile reads, which counts towards its memory


@dataclass(frozen=True)
class MemoryPlan:
    """How a picture is divided and stored during tiled inference."""

    tile: int = 256  # side of the squares that are computed at a time, px of the picture
    # of kept feature maps: float32 is exact; float16 takes half the memory, with errors up to 0.002 in [-1, 1]
    dtype: torch.dtype = torch.float32
    on_disk: bool = False  # whether kept feature maps are files
    peak_bytes: int = 0  # estimate of all memory that the pass takes
    norm_cell: int = 0  # side of the neighbourhoods that norms average over, px of the picture; 0: the whole picture
    workers: int = 1  # tiles that are computed at the same time


def choose_memory_plan(
    plan: TilingPlan, budget: int, bytes_per_pixel: float, fixed_bytes: int, name: str, *,
    compute_dtype: torch.dtype = torch.float32, workers: int = 1,
) -> MemoryPlan:  # fmt: skip
    """Return the most exact, then the fastest memory plan that fits a budget of bytes.

    `bytes_per_pixel` is the working memory of each pixel of a tile, `fixed_bytes` that of the result, and
    `compute_dtype` the type of the network's activations. `workers` tiles are computed at the same time.

    Raises:
        UserError: no plan fits; the error names the smallest budget that would.
    """
    height, width = plan.size
    kept_values = plan.kept_values_per_pixel * height * width
    # type, and bytes of a kept value in memory; 0: on the disk
    storages = ((torch.float32, compute_dtype.itemsize), (torch.float16, 2), (torch.float16, 0))
    for dtype, itemsize in storages:
        for tile in TILE_SIDES_PX:
            tile_pixels = (min(tile, max(height, width)) + TILE_MARGIN_PX) ** 2
            peak = fixed_bytes + round(kept_values * itemsize) + round(workers * bytes_per_pixel * tile_pixels)
            if peak <= budget:
                return MemoryPlan(tile, dtype, not itemsize, peak, workers=workers)
    need = gigabytes(peak + resident_bytes()).replace(" ", "")
    wanted = f"{width} x {height} px need at least {need} of memory, even tile by tile"
    raise UserError(f"{name}: {wanted}; say --memory {need}")


class FeatureMap:
    """A kept feature map, in memory or in a file."""

    def __init__(self, store: "FeatureMapStore", shape: tuple[int, int, int]) -> None:
        """Create a map (C, H, W) without values; the first region written decides its types."""
        self.shape, self.store = shape, store
        self.compute_dtype = self.dtype = torch.float32  # of regions as they are written and read, and as stored
        self.buffer: Tensor | DiskRaster | None = None
        self._lock = threading.Lock()

    def write(self, region: Region, x: Tensor) -> None:
        """Store a region, (1, C, h, w), thread-safe; raise UserError if the disk is full."""
        with self._lock:
            if self.buffer is None:
                self.compute_dtype = x.dtype
                self.dtype = min(x.dtype, self.store.plan.dtype, key=lambda d: d.itemsize)  # bfloat16 stays bfloat16
                self.buffer = self.store.allocate(self)
        if isinstance(self.buffer, Tensor):
            self.buffer[(..., *region.slices)] = x
            return
        values = x[0].permute(1, 2, 0).to("cpu", self.dtype).contiguous()
        self.buffer.write(region, values.view(torch.uint8).numpy())

    def read(self, region: Region) -> Tensor:
        """Return a region, (1, C, h, w), in the type and on the device that it was computed with."""
        assert self.buffer is not None
        if isinstance(self.buffer, Tensor):
            part = self.buffer[(..., *region.slices)]
        else:
            values = torch.from_numpy(self.buffer.read(region)).view(self.dtype)
            part = values.view(1, len(values), -1, self.shape[0]).permute(0, 3, 1, 2)
        return part.to(self.store.device, self.compute_dtype)


class FeatureMapStore:
    """Allocates the buffers of feature maps by a memory plan, and reuses them."""

    def __init__(self, plan: MemoryPlan, device: torch.device) -> None:
        self.plan, self.device = plan, device
        self._unused: list[FeatureMap] = []

    def allocate(self, feature_map: FeatureMap) -> Tensor | DiskRaster:
        """Return a buffer for a map; preferably a released one, which the system does not have to zero again."""
        for other in self._unused:
            if (other.shape, other.dtype) == (feature_map.shape, feature_map.dtype) and other.buffer is not None:
                self._unused.remove(other)
                return other.buffer
        self._unused.clear()
        channels, _, width = feature_map.shape
        if self.plan.on_disk:
            return DiskRaster(width, channels * feature_map.dtype.itemsize)
        return torch.empty(1, *feature_map.shape, dtype=feature_map.dtype, memory_format=torch.channels_last)

    def release(self, feature_map: FeatureMap) -> None:
        """Give a map's buffer to the next map of the same shape and type."""
        self._unused.append(feature_map)
