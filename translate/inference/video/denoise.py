"""Camera noise averaged away where a film stands still, so that no network makes flicker of it.

A network that paints answers to single grains: noise of two levels in may be strokes of ten levels that come and go. So
each pixel of the network's input is a running mean of up to eight frames, for as long as its neighbourhood differs
from that mean by no more than noise does; where something moves, it is the frame itself, at once. How strong the noise
is, is measured on the film, in the parts that change least.
"""

__all__ = ["TemporalDenoiser"]

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from translate.inference.norm_statistics import SceneCutDetector

_MOST = 8  # frames that a mean goes back
_AROUND = 5  # px: side of the neighbourhood in which change is looked for
_BLOCK = 8  # px: side of the blocks in which noise is measured
_STILL = 0.2  # of the blocks, at least, are taken to stand still or to be flat
_PERCENTILE = 0.92  # that one of the means of |noise| in blocks of 64 px, to the mean of all
_MEAN_OF = 0.798  # |x|, for x of a standard normal distribution
_RANGE = 2.0, 6.0  # levels of noise that are allowed for; below, nobody sees a change, and above, it is movement
_DARK, _BRIGHT = 3.0, 252.0  # levels beyond which noise is cut off and would be taken for too little
_DRIFT = 0.35  # of the noise is left in the mean of a neighbourhood, as compressed noise is soft
_NOTICED, _SURE = 2.5, 4.5  # times what noise does: change that is perhaps one, and one for certain


class TemporalDenoiser:
    """Averages a film's noise over time; to be shown every frame in order.

    Attributes:
        noise: its standard deviation, levels of 255, (1, 3, 1, 1); None before the second frame.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device, self.cuts = torch.device(device), SceneCutDetector()
        self.kept: Tensor | None = None  # (1, 3, H, W), levels
        self.last: Tensor | None = None  # the frame before
        self.age: Tensor | None = None  # (1, 1, H, W), frames in the mean
        self.noise: Tensor | None = None

    @torch.inference_mode()
    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Return a frame, (H, W, 3) uint8, as (H, W, 3) float32 in [0, 1] without its noise."""
        x = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device).permute(2, 0, 1)[None]
        cut, x = self.cuts(x), x.float()
        if cut or self.kept is None or self.last is None or self.age is None or self.kept.shape != x.shape:
            self.kept, self.age = x, torch.ones_like(x[:, :1])
        else:
            self._listen(x - self.last)
            apart = x - self.kept
            self.age = ((1 - self._moving(apart)) * self.age + 1).clamp_(max=_MOST)
            self.kept = self.kept + apart / self.age
        self.last = x
        return (self.kept[0].permute(1, 2, 0) / 255).contiguous().cpu().numpy()

    def _listen(self, change: Tensor) -> None:
        """Measure the noise on the change from frame to frame."""
        assert self.last is not None
        blocks = F.avg_pool2d(change.abs(), _BLOCK, ceil_mode=True, count_include_pad=False)
        light = F.avg_pool2d(self.last, _BLOCK, ceil_mode=True, count_include_pad=False).mean(1)
        usable = blocks.movedim(1, -1)[(light > _DARK) & (light < _BRIGHT)]  # (blocks, 3)
        if not len(usable):
            return
        rank = int(_STILL * (len(usable) - 1)) + 1
        found = usable.kthvalue(rank, 0).values / (_PERCENTILE * _MEAN_OF * 2**0.5)
        found = found.clamp(*_RANGE).view(1, -1, 1, 1)
        self.noise = found if self.noise is None else 0.9 * self.noise + 0.1 * found

    def _moving(self, apart: Tensor) -> Tensor:
        """Return (1, 1, H, W): from 0, where the picture stands still, to 1, where it certainly does not."""
        noise = _RANGE[0] if self.noise is None else self.noise
        drift = _around(apart).abs() / (_DRIFT * noise)
        stir = _around(apart.abs()) / (_MEAN_OF * noise)
        most = torch.maximum(drift, 2 * stir - 0.5).amax(1, keepdim=True)  # stir is 1 in noise, and strays less
        sure = ((most - _NOTICED) / (_SURE - _NOTICED)).clamp_(0, 1)
        return F.max_pool2d(sure, _AROUND, 1, _AROUND // 2)

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs: plain containers of tensors and numbers."""
        tensors = {name: getattr(self, name) for name in ("kept", "last", "age", "noise")}
        return {k: None if v is None else v.cpu() for k, v in tensors.items()} | {"cuts": self.cuts.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was asked for."""
        self.cuts.restore(state["cuts"])
        for name in ("kept", "last", "age", "noise"):
            setattr(self, name, None if state[name] is None else state[name].to(self.device))


def _around(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, _AROUND, 1, _AROUND // 2, count_include_pad=False)
