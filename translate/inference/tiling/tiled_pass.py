"""A pass over a picture that is read, translated and written tile by tile within a memory budget."""

__all__ = ["ProgressCallback", "TiledImage", "run_tiled_pass"]

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from translate.images.tensors import HostCopy, pad_to_multiple, to_device
from translate.inference.memory_budget import ALWAYS_FITS_PX, MIN_SIDE_PX, MemoryBudget
from translate.inference.precision import Mode
from translate.inference.tiling.engine import run_tiled
from translate.inference.tiling.feature_maps import choose_memory_plan
from translate.inference.tiling.regions import Region, crop
from translate.inference.tiling.trace import plan_tiling
from translate.utils.device import autocast
from translate.utils.memory import gigabytes

ProgressCallback = Callable[[str, float], None]  # takes a label and the share that is done


@dataclass(frozen=True)
class TiledImage:
    """A picture that is read and written region by region."""

    name: str  # in errors and progress
    size: tuple[int, int]  # height and width, px
    read: Callable[[Region], Tensor]  # returns a region, (1, C, h, w), uint8 or float in [-1, 1]
    write: Callable[[Region, Tensor], None]  # takes a region of the result, (1, C', h, w), which may be larger
    result_bytes: int  # memory of the result
    preview: Callable[[], Tensor]  # returns the picture or a smaller copy, (1, C, h, w), for its statistics

    @classmethod
    def in_memory(cls, name: str, x: Tensor, result: np.ndarray) -> "TiledImage":
        """Return x (1, C, H, W) as a source whose translation fills `result` (H, W, C')."""
        height, width = x.shape[2:]

        def write(region: Region, y: Tensor) -> None:
            result[region.slices] = HostCopy(y, result.dtype).array(0)

        read = partial(crop, x, Region(0, height, 0, width))
        return cls(name, (height, width), read, write, result.nbytes, lambda: x)


def run_tiled_pass(
    net: nn.Module, z: Tensor | None, image: TiledImage, budget: int, *, memory: MemoryBudget, mode: Mode,
    channels: int, norm_cell: int, on_progress: ProgressCallback,
) -> None:  # fmt: skip
    """Run a network on a picture of `channels`, and z (1, z_dim), tile by tile, in `budget` bytes.

    `norm_cell` is the side of the neighbourhoods of local statistics, px; 0: statistics are those of the whole picture.
    `on_progress` is called for pictures of more than a megapixel.

    Raises:
        NotTileable: the network cannot run tile by tile.
        UserError: the picture needs more memory.
    """
    # 1. trace the network for the padded picture
    height, width = image.size
    rows, columns = (_padded_indices(side, memory.multiple) for side in (height, width))
    plan = plan_tiling(net, channels, len(rows), len(columns), z)
    # 2. choose tiles that fit the budget
    computed = torch.bfloat16 if mode.precision == "bf16" else torch.float32
    workers = torch.get_num_threads() if memory.device.type == "cpu" else 1
    memory_plan = choose_memory_plan(
        plan, budget, memory.bytes_per_pixel, image.result_bytes, image.name, compute_dtype=computed, workers=workers
    )
    memory_plan = replace(memory_plan, norm_cell=norm_cell)
    # 3. read and write regions in the coordinates of the padded picture
    top, left = ((len(rows) - height) // 2, (len(columns) - width) // 2)
    layout = torch.channels_last if mode.channels_last else torch.contiguous_format

    def read(region: Region) -> Tensor:
        down, along = rows[region.top : region.bottom], columns[region.left : region.right]
        box = Region(int(down.min()), int(down.max()) + 1, int(along.min()), int(along.max()) + 1)
        part = image.read(box)[:, :, down - box.top][..., along - box.left]
        return to_device(part, memory.device).contiguous(memory_format=layout)

    scale = plan.shapes[plan.output][1] // len(rows)

    def write(region: Region, y: Tensor) -> None:
        inside = region.shift(-scale * top, -scale * left).clip(scale * height, scale * width)
        image.write(inside, crop(y, region, inside.shift(scale * top, scale * left)))

    # 4. run
    storage = "in memory" if memory_plan.all_in_memory else "partly in files"
    peak = gigabytes(memory_plan.peak_bytes)
    label = f"{image.name}: {width} x {height} px in tiles of {memory_plan.tile} px, about {peak}, {storage}"
    advance = partial(on_progress, label) if height * width > ALWAYS_FITS_PX else lambda share: None
    context = partial(autocast, memory.device, mode.precision)
    run_tiled(plan, read, write, z=z, memory_plan=memory_plan, device=memory.device, advance=advance, context=context)


def _padded_indices(side: int, multiple: int) -> Tensor:
    """Return the row, or column, of a picture of `side` px that `pad_to_multiple` copies to each padded one."""
    line = torch.arange(side, dtype=torch.float64).view(1, 1, side, 1).expand(1, 1, side, max(multiple, MIN_SIDE_PX))
    return pad_to_multiple(line, multiple, MIN_SIDE_PX)[0][0, 0, :, 0].long()
