"""The storage of feature maps during tiled inference, and the plan that fits it into a memory budget.

A map is kept in the type in which it was computed, so that the result is that of one pass over the picture: in memory
as far as the budget goes, beyond that in files.
"""

__all__ = ["FeatureMap", "FeatureMapStore", "MemoryPlan", "choose_memory_plan"]

import math
import sys
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
    map_bytes: int = sys.maxsize  # of kept feature maps in memory; further maps are files
    all_in_memory: bool = True  # whether no map is expected in a file
    peak_bytes: int = 0  # estimate of all memory that the pass takes
    norm_cell: int = 0  # side of the neighbourhoods that norms average over, px of the picture; 0: the whole picture
    workers: int = 1  # tiles that are computed at the same time


def choose_memory_plan(
    plan: TilingPlan, budget: int, bytes_per_pixel: float, fixed_bytes: int, name: str, *,
    compute_dtype: torch.dtype = torch.float32, workers: int = 1,
) -> MemoryPlan:  # fmt: skip
    """Return the fastest memory plan that fits a budget of bytes.

    `bytes_per_pixel` is the working memory of each pixel of a tile, `fixed_bytes` that of the result, and
    `compute_dtype` the type of the network's activations. `workers` tiles are computed at the same time.

    Raises:
        UserError: no plan fits; the error names the smallest budget that would.
    """
    height, width = plan.size
    kept_bytes = round(plan.kept_values_per_pixel * height * width * compute_dtype.itemsize)

    def working_bytes(tile: int) -> int:
        tile_pixels = (min(tile, max(height, width)) + TILE_MARGIN_PX) ** 2
        return fixed_bytes + round(workers * bytes_per_pixel * tile_pixels)

    for tile in TILE_SIDES_PX:
        if (peak := working_bytes(tile) + kept_bytes) <= budget:
            return MemoryPlan(tile, kept_bytes, peak_bytes=peak, workers=workers)
    for tile in TILE_SIDES_PX:
        if (peak := working_bytes(tile)) <= budget:
            return MemoryPlan(tile, budget - peak, all_in_memory=False, peak_bytes=budget, workers=workers)
    need = gigabytes(peak + resident_bytes()).replace(" ", "")
    wanted = f"{width} x {height} px need at least {need} of memory, even tile by tile"
    raise UserError(f"{name}: {wanted}; say --memory {need}")


class FeatureMap:
    """A kept feature map, in memory or in a file."""

    def __init__(self, store: "FeatureMapStore", shape: tuple[int, int, int]) -> None:
        """Create a map (C, H, W) without values; the first region written decides its type."""
        self.shape, self.store, self.dtype = shape, store, torch.float32
        self.buffer: Tensor | DiskRaster | None = None
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize

    def write(self, region: Region, x: Tensor) -> None:
        """Store a region, (1, C, h, w), thread-safe; raise UserError if the disk is full."""
        with self._lock:
            if self.buffer is None:
                self.dtype = x.dtype
                self.buffer = self.store.allocate(self)
        if isinstance(self.buffer, Tensor):
            self.buffer[(..., *region.slices)] = x
            return
        values = x[0].permute(1, 2, 0).cpu().contiguous()
        self.buffer.write(region, values.view(torch.uint8).numpy())

    def read(self, region: Region) -> Tensor:
        """Return a region, (1, C, h, w), in the type and on the device that it was computed with."""
        assert self.buffer is not None
        if isinstance(self.buffer, Tensor):
            part = self.buffer[(..., *region.slices)]
        else:
            values = torch.from_numpy(self.buffer.read(region)).view(self.dtype)
            part = values.view(1, len(values), -1, self.shape[0]).permute(0, 3, 1, 2)
        return part.to(self.store.device)


class FeatureMapStore:
    """Allocates the buffers of feature maps by a memory plan, and reuses them."""

    def __init__(self, plan: MemoryPlan, device: torch.device) -> None:
        self.plan, self.device = plan, device
        self._free_bytes = plan.map_bytes  # of memory
        self._unused: list[FeatureMap] = []  # in memory
        self._unused_files: list[FeatureMap] = []

    def allocate(self, feature_map: FeatureMap) -> Tensor | DiskRaster:
        """Return a buffer for a map; preferably a released one, which the system does not have to zero again."""
        if (buffer := _take_buffer(self._unused, feature_map)) is not None:
            return buffer
        self._free_bytes += sum(other.nbytes for other in self._unused)
        self._unused.clear()
        if feature_map.nbytes <= self._free_bytes:
            self._free_bytes -= feature_map.nbytes
            return torch.empty(1, *feature_map.shape, dtype=feature_map.dtype, memory_format=torch.channels_last)
        if (buffer := _take_buffer(self._unused_files, feature_map)) is not None:
            return buffer
        self._unused_files.clear()
        channels, _, width = feature_map.shape
        return DiskRaster(width, channels * feature_map.dtype.itemsize)

    def release(self, feature_map: FeatureMap) -> None:
        """Give a map's buffer to the next map of the same shape and type."""
        (self._unused if isinstance(feature_map.buffer, Tensor) else self._unused_files).append(feature_map)


def _take_buffer(unused: list[FeatureMap], like: FeatureMap) -> Tensor | DiskRaster | None:
    """Remove a map of the same shape and type from `unused`, and return its buffer."""
    for i, other in enumerate(unused):
        if (other.shape, other.dtype) == (like.shape, like.dtype):
            return unused.pop(i).buffer
    return None
