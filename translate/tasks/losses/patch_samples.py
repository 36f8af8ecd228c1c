"""Patches of pictures as points in spaces of colours, strokes and pretrained features, for drifting."""

__all__ = ["MIN_PX", "MOST", "WINDOWS", "patch_samples"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.utils import dist

MIN_PX = 16  # side of the smallest picture that has a patch of every kind
STROKE_PX, BLUR_PX = 8, 5  # sides of a block of strokes, and of the mean that is taken off each pixel
MOST = 16  # patches of each kind in a picture
WINDOWS = (4, 2, 1)  # sides of the windows in features at 1/4, 1/8 and 1/16 of a picture's size: MIN_PX each


def patch_samples(x: Tensor, features: Sequence[Tensor], most: int = MOST) -> list[Tensor]:
    """Return patches of pictures (B, C, H, W) as points, (B, n, D) of each kind.

    At most `most` of each picture are taken, at random. The kinds are the colours of 16 px blocks at half the
    resolution; 8 px blocks less the mean around each pixel; and windows of 16 px in `features` (B, C_i, H_i, W_i) at
    1/4, 1/8 and 1/16 of the size, if there are any.
    """
    blurred = F.avg_pool2d(F.pad(x, (BLUR_PX // 2,) * 4, mode="reflect"), BLUR_PX, stride=1)
    kinds = [blocks(F.avg_pool2d(x, 2), MIN_PX // 2), blocks(x - blurred, STROKE_PX)]
    kinds += [blocks(feature.float(), side) for feature, side in zip(features, WINDOWS, strict=False)]
    return [some(kind, most) for kind in kinds]


def blocks(x: Tensor, side: int) -> Tensor:
    """Cut (B, C, H, W) into blocks of `side` x `side`, (B, n, C side^2)."""
    return F.unfold(x, side, stride=side).transpose(1, 2)


def some(points: Tensor, most: int) -> Tensor:
    """Return at most `most` random ones of the points (B, n, D) of each picture."""
    count, n, width = points.shape
    if n <= most:
        return points
    order = dist.draw_local_rows(lambda rows: torch.rand(rows, n, device=points.device), count)
    return points.gather(1, order.argsort(1)[:, :most, None].expand(-1, -1, width))
