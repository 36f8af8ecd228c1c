"""Pictures to a device and back: 8-bit ones travel as bytes, and nobody waits before the result is needed."""

__all__ = ["HostCopy", "to_device"]

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from translate.images.picture import to_depth


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Bring pictures (B, C, H, W), uint8 or float in [-1, 1], to `device` as float32 in [-1, 1].

    Bytes become the very numbers that `images.to_tensor` makes of them, in the layout that they lie in.
    """
    if device.type == "cuda" and x.device.type == "cpu":
        x = x.pin_memory().to(device, non_blocking=True)
    x = x.to(device)
    return x.float().div_(255).mul_(2).sub_(1) if x.dtype == torch.uint8 else x.float()


class HostCopy:
    """A batch of pictures on its way from the device; the copy runs while others compute."""

    def __init__(self, y: Tensor, dtype: DTypeLike) -> None:
        """Begin to fetch y, (B, C, H, W) in [-1, 1], as arrays of `dtype`, clamped and rounded."""
        y, self.dtype = y.detach(), np.dtype(dtype)
        unit = y.float().add(1).div_(2).clamp_(0, 1).permute(0, 2, 3, 1)
        values = unit.mul_(255).round_().to(torch.uint8) if self.dtype == np.uint8 else unit
        self._ready: torch.cuda.Event | None = None
        self._values = values.contiguous()
        if values.is_cuda:
            on_device = self._values
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(on_device, non_blocking=True)
            self._ready = torch.cuda.Event()
            self._ready.record(torch.cuda.current_stream(values.device))

    def array(self, i: int) -> np.ndarray:
        """Return picture i as (H, W, C) of that dtype, once it is here."""
        if self._ready is not None:
            self._ready.synchronize()
        return to_depth(self._values[i].cpu().numpy(), self.dtype)
