"""Temporal denoising: averages out camera noise where nothing moves, so that the network does not turn it into flicker.

A network reacts to single grains: noise of two levels in its input may become strokes of ten levels that flicker. Each
pixel of the network's input is therefore a running mean of up to eight frames, as long as its neighbourhood differs
from that mean no more than by noise; where something moves, the pixel is that of the frame, without delay. The strength
of the noise is measured on the parts of the film that change least.
"""

__all__ = ["TemporalDenoiser"]

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from translate.inference.video.scene_cuts import SceneCutDetector

MAX_MEAN_FRAMES = 8  # more would hardly lower the noise, and would delay slow changes of light
NEIGHBOURHOOD_PX = 5  # side of the window in which change is tested: a single pixel is too noisy
NOISE_BLOCK_PX = 8  # side of the blocks in which noise is measured
STILL_FRACTION = 0.2  # share of the blocks that is assumed to stand still or to be flat
STILL_BLOCK_BIAS = 0.92  # the 0.2 quantile of the mean |noise| of blocks of 64 px, relative to the mean of all blocks
MEAN_ABS_NORMAL = 0.798  # E|x| = sqrt(2 / pi) of a standard normal x
NOISE_RANGE_LEVELS = 2.0, 6.0  # less is invisible; more is movement
UNCLIPPED_LEVELS = 3.0, 252.0  # outside, noise is clipped and would be underestimated
LOCAL_MEAN_NOISE = 0.35  # share of the noise in the mean of a neighbourhood, since compressed noise is correlated
MOTION_RANGE = 2.5, 4.5  # change relative to that of noise: from possible movement to certain movement
_STATE = {"kept": "mean", "last": "previous", "age": "age", "noise": "noise"}  # keys of saved states: attributes


class TemporalDenoiser:
    """Averages noise over the frames of a film, one call per frame in order; tensors are in levels of 255."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device, self._cuts = torch.device(device), SceneCutDetector()
        self.mean: Tensor | None = None  # running mean, (1, 3, H, W); None before the first frame
        self.previous: Tensor | None = None  # the frame before, (1, 3, H, W)
        self.age: Tensor | None = None  # frames in the mean of each pixel, (1, 1, H, W)
        self.noise: Tensor | None = None  # standard deviation, (1, 3, 1, 1); None before the second frame

    @torch.inference_mode()
    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Denoise the next frame, (H, W, 3) uint8: (H, W, 3) float32 in [0, 1]."""
        x = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device).permute(2, 0, 1)[None]
        cut, x = self._cuts(x), x.float()
        if cut or self.mean is None or self.previous is None or self.age is None or self.mean.shape != x.shape:
            self.mean, self.age = x, torch.ones_like(x[:, :1])
        else:
            self._measure_noise(x - self.previous, self.previous)
            change = x - self.mean
            self.age = ((1 - self._motion(change)) * self.age + 1).clamp_(max=MAX_MEAN_FRAMES)
            self.mean = self.mean + change / self.age
        self.previous = x
        return (self.mean[0].permute(1, 2, 0) / 255).contiguous().cpu().numpy()

    def _measure_noise(self, change: Tensor, previous: Tensor) -> None:
        """Update the noise from the change between two frames."""
        blocks = F.avg_pool2d(change.abs(), NOISE_BLOCK_PX, ceil_mode=True, count_include_pad=False)
        light = F.avg_pool2d(previous, NOISE_BLOCK_PX, ceil_mode=True, count_include_pad=False).mean(1)
        dark, bright = UNCLIPPED_LEVELS
        usable = blocks.movedim(1, -1)[(light > dark) & (light < bright)]  # (blocks, 3)
        if not len(usable):
            return
        rank = int(STILL_FRACTION * (len(usable) - 1)) + 1
        noise = usable.kthvalue(rank, 0).values / (STILL_BLOCK_BIAS * MEAN_ABS_NORMAL * 2**0.5)
        noise = noise.clamp(*NOISE_RANGE_LEVELS).view(1, -1, 1, 1)
        self.noise = noise if self.noise is None else 0.9 * self.noise + 0.1 * noise

    def _motion(self, change: Tensor) -> Tensor:
        """Return (1, 1, H, W): from 0, where the picture stands still, to 1, where it certainly moves."""
        noise = NOISE_RANGE_LEVELS[0] if self.noise is None else self.noise
        shift = _local_mean(change).abs() / (LOCAL_MEAN_NOISE * noise)
        spread = _local_mean(change.abs()) / (MEAN_ABS_NORMAL * noise)  # 1 in pure noise, where it varies less
        largest = torch.maximum(shift, 2 * spread - 0.5).amax(1, keepdim=True)
        possible, certain = MOTION_RANGE
        motion = ((largest - possible) / (certain - possible)).clamp_(0, 1)
        return F.max_pool2d(motion, NEIGHBOURHOOD_PX, 1, NEIGHBOURHOOD_PX // 2)

    def state(self) -> dict[str, Any]:
        """Return the state for `restore`: plain containers of tensors and numbers."""
        tensors = {key: getattr(self, name) for key, name in _STATE.items()}
        return {k: None if v is None else v.cpu() for k, v in tensors.items()} | {"cuts": self._cuts.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self._cuts.restore(state["cuts"])
        for key, name in _STATE.items():
            setattr(self, name, None if state[key] is None else state[key].to(self.device))


def _local_mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, NEIGHBOURHOOD_PX, 1, NEIGHBOURHOOD_PX // 2, count_include_pad=False)
