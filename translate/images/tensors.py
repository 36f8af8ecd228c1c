"""Arrays to tensors and back, to a device and back: (H, W, C) outside, (B, C, H, W) float32 in [-1, 1] inside."""

__all__ = [
    "HostCopy", "class_plane", "crop_padding", "from_uint8", "one_hot", "pad_to_multiple", "pad_with_value",
    "show_planes", "strongest", "to_array", "to_device", "to_tensor", "to_uint8",
]  # fmt: skip

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import DTypeLike
from torch import Tensor

from translate.images.label_maps import UNLABELLED, Classes
from translate.images.picture import to_depth


def to_tensor(array: np.ndarray) -> Tensor:
    """Convert (H, W, C), uint8, uint16 or float in [0, 1], to (1, C, H, W) float32 in [-1, 1]."""
    unit = array.astype(np.float32) if array.dtype.kind == "f" else to_depth(array, np.float32)
    return torch.from_numpy(unit).mul_(2).sub_(1).permute(2, 0, 1)[None]


def to_array(tensor: Tensor, dtype: DTypeLike = np.uint8) -> np.ndarray:
    """Convert (1, C, H, W) or (C, H, W) in [-1, 1] to (H, W, C) of `dtype`, clamped and rounded."""
    planes = tensor.detach().reshape(tensor.shape[-3:])
    return to_depth(np.ascontiguousarray(_to_unit(planes).cpu().permute(1, 2, 0).numpy()), dtype)


def from_uint8(x: Tensor, layout: torch.memory_format = torch.preserve_format) -> Tensor:
    """Convert uint8 to float32 in [-1, 1], with the same bits as `to_tensor`."""
    return x.to(torch.float32, memory_format=layout).div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> Tensor:
    """Convert [-1, 1] to uint8, clamped and rounded."""
    return _to_unit(x).mul_(255).round_().to(torch.uint8)


def _to_unit(x: Tensor) -> Tensor:
    return x.float().add(1).div_(2).clamp_(0, 1)


def to_device(x: Tensor, device: torch.device, layout: torch.memory_format = torch.preserve_format) -> Tensor:
    """Move pictures (B, C, H, W), uint8 or float in [-1, 1], to `device`, and convert them there to float32 in [-1, 1].

    8-bit pictures are copied as bytes and get the memory format `layout`. Other integers, such as labels, stay.
    """
    if device.type == "cuda" and x.device.type == "cpu":
        x = x.pin_memory().to(device, non_blocking=True)
    x = x.to(device)
    if x.dtype == torch.uint8:
        return from_uint8(x, layout)
    return x.float() if x.is_floating_point() else x


class HostCopy:
    """An asynchronous copy of a batch of pictures from the device.

    Args:
        y: (B, C, H, W) in [-1, 1].
        dtype: of the arrays; values are clamped and rounded.
    """

    def __init__(self, y: Tensor, dtype: DTypeLike) -> None:
        y, self.dtype = y.detach().permute(0, 2, 3, 1), np.dtype(dtype)
        values = (to_uint8(y) if self.dtype == np.uint8 else _to_unit(y)).contiguous()
        self._values, self._copied = values, None
        if values.is_cuda:
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._copied = torch.cuda.current_stream(values.device).record_event()

    def array(self, i: int) -> np.ndarray:
        """Wait for the copy and return picture i as (H, W, C)."""
        if self._copied is not None:
            self._copied.synchronize()
        return to_depth(self._values[i].cpu().numpy(), self.dtype)


def pad_to_multiple(x: Tensor, multiple: int, minimum: int = 1) -> tuple[Tensor, tuple[slice, slice]]:
    """Pad (B, C, H, W) evenly on both sides, to height and width (px) of at least `minimum`, multiples of `multiple`.

    Reflects the picture at its edge, or repeats the edge where the picture is too small to be reflected.

    Returns:
        The padded tensor, and the slices of its rows and columns that hold `x`.
    """
    assert multiple >= 1 and minimum >= 1
    (top, bottom), (left, right) = (_margins(size, multiple, minimum) for size in x.shape[-2:])
    padded = _pad(_pad(x, (0, 0, top, bottom), x.shape[-2]), (left, right, 0, 0), x.shape[-1])
    return padded, (slice(top, top + x.shape[-2]), slice(left, left + x.shape[-1]))


def _margins(size: int, multiple: int, minimum: int) -> tuple[int, int]:
    missing = -(-max(size, minimum) // multiple) * multiple - size
    return missing // 2, missing - missing // 2


def _pad(x: Tensor, margins: tuple[int, int, int, int], size: int) -> Tensor:
    if not any(margins):
        return x
    return F.pad(x, margins, mode="reflect" if max(margins) < size else "replicate")


def crop_padding(y: Tensor, inside: tuple[slice, slice], scale: int = 1) -> Tensor:
    """Crop y (B, C, scale H, scale W) to what belongs to the rows and columns `inside` of a padded picture (H, W)."""
    rows, columns = (slice(scale * part.start, scale * part.stop) for part in inside)
    return y[..., rows, columns]


def pad_with_value(x: Tensor, value: float, like: Tensor, inside: tuple[slice, slice]) -> Tensor:
    """Pad x (B or 1, C, h, w) with a value to the batch and size of `like`; `inside` are its rows and columns there."""
    padded = like.new_full((len(like), x.shape[1], *like.shape[2:]), value)
    padded[(..., *inside)] = x
    return padded


def one_hot(numbers: Tensor, count: int) -> Tensor:
    """Convert class numbers (B, 1, H, W) uint8 to planes (B, count, H, W) uint8: 255 in the class, and 0 elsewhere."""
    known = torch.arange(count, dtype=torch.uint8, device=numbers.device)
    return (numbers == known[:, None, None]).to(torch.uint8).mul_(255)


def strongest(planes: Tensor) -> Tensor:
    """Return the class numbers (B, 1, H, W) uint8 of the largest of the planes (B, K, H, W) at each pixel."""
    return planes.argmax(1, keepdim=True).to(torch.uint8)


def class_plane(planes: Tensor) -> Tensor:
    """Return the class numbers of planes (B, K, H, W) as the values of 8-bit pictures (B, 1, H, W) in [-1, 1]."""
    return from_uint8(strongest(planes))


def show_planes(planes: Tensor, classes: Classes) -> Tensor:
    """Show planes (B, K, H, W) in [-1, 1] in the colours of the largest: (B, 3, H, W) in [-1, 1].

    Pixels without any, such as unlabelled ones, are shown as `Classes.show` does.
    """
    table = torch.from_numpy(classes.show(np.arange(256, dtype=np.uint8))).to(planes.device)
    numbers = strongest(planes)[:, 0].long().masked_fill(planes.amax(1) <= -1, UNLABELLED)
    return table[numbers].permute(0, 3, 1, 2).float().div(127.5).sub(1)
