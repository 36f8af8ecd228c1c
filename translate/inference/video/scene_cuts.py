"""Scene cuts of a video: frames that differ much from the one before, and suddenly more than usual."""

__all__ = ["SceneCutDetector", "thumbnail"]

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from translate.images.tensors import to_device

GRID = (18, 32)  # rows and columns to which frames are averaged, so that movement inside a scene hardly counts
MIN_CUT_DIFFERENCE = 0.04  # of the full range; noise and slow movement stay below
SUDDEN_FACTOR = 4.0  # times the usual difference; pans differ much, but steadily


def thumbnail(x: Tensor, side: int) -> Tensor:
    """Shrink pictures (B, C, H, W), uint8 or float in [-1, 1], to a long side of at most `side` px, as float."""
    longest = max(x.shape[2:])
    height, width = (max(1, round(n * side / longest)) for n in x.shape[2:])
    step = max(1, longest // (4 * side))  # subsampled first: gigabytes of uint8 would be four times as many of floats
    x = to_device(x[..., ::step, ::step], x.device)
    return F.adaptive_avg_pool2d(x, (height, width)) if longest > side else x


class SceneCutDetector:
    """Detects the first frame of each scene."""

    def __init__(self) -> None:
        self.last: Tensor | None = None  # the last frame on the grid, (1, C, 18, 32) in [-1, 1]
        self.usual = 0.0  # running mean of the difference between frames, of the full range

    def __call__(self, x: Tensor) -> bool:
        """Whether a scene begins with the next frame x, (1, C, H, W), uint8 or float in [-1, 1]."""
        now = F.adaptive_avg_pool2d(thumbnail(x, 4 * max(GRID)), GRID).cpu()
        last, self.last = self.last, now
        if last is None or last.shape != now.shape:
            return True
        difference = float((now - last).abs().mean()) / 2
        cut = difference > max(MIN_CUT_DIFFERENCE, SUDDEN_FACTOR * self.usual)
        self.usual = 0.0 if cut else 0.8 * self.usual + 0.2 * difference
        return cut

    def state(self) -> dict[str, Any]:
        """Return the state for `restore`."""
        return {"last": self.last, "usual": self.usual}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state."""
        self.last, self.usual = state["last"], state["usual"]
