"""Colour hints: a user's strokes, spread up to the lines of the drawing as paint would."""

__all__ = ["generator_input", "spread_strokes"]

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.tasks.base import Batch

CELL_PX = 4  # colour spreads over cells of this side, which costs a sixteenth of the time
STEPS = 48  # cells that colour can travel
LINE_CONTRAST = 0.5  # of a range of 2: a line passes through a cell whose gray values differ by more
LEAK = 0.02  # share of the colour that crosses a line, per cell
MIN_WEIGHT = 1e-8  # of a stroke's weight 1: at less the confidence is 0


def generator_input(batch: Batch) -> Tensor:
    """Return the source and, with hints, their colours, spread over the picture, and the confidence in each."""
    if "hint" not in batch:
        return batch["a"]
    colour, confidence = spread_strokes(batch["hint"], batch["a"])
    return torch.cat([batch["a"], (colour * confidence).to(batch["a"]), (2 * confidence - 1).to(batch["a"])], 1)


@torch.no_grad()
def spread_strokes(hint: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor]:
    """Spread the colours of strokes over the drawing by heat diffusion, with lines as barriers.

    After the scribbles of Levin, Lischinski and Weiss, "Colorization using optimization", 2004, but with a fixed number
    of steps; the heat that arrives measures how near a stroke is.

    Args:
        hint: RGBA strokes (B, 4, H, W) in [-1, 1].
        drawing: (B, C, H, W) in [-1, 1]; H and W are multiples of CELL_PX.

    Returns:
        Colours (B, 3, H, W) in [-1, 1], and confidences (B, 1, H, W): 1 on strokes, 0 where no stroke reaches.
    """
    # find lines and strokes by cell
    colour, alpha = hint.float().split([3, 1], dim=1)
    alpha = (alpha + 1) / 2
    gray = drawing.float().mean(1, keepdim=True)
    contrast = F.max_pool2d(gray, CELL_PX) + F.max_pool2d(-gray, CELL_PX)
    flow = 1 - (1 - LEAK) * (contrast > LINE_CONTRAST).float()
    amount = F.avg_pool2d(alpha, CELL_PX)
    strokes = torch.cat([F.avg_pool2d(colour * alpha, CELL_PX) / amount.clamp_min(1e-6), torch.ones_like(amount)], 1)
    # diffuse
    heat = strokes * (amount > 0)
    for _ in range(STEPS):
        heat = torch.where(amount > 0, strokes, F.avg_pool2d(heat, 3, stride=1, padding=1) * flow)
    # upsample colour and confidence
    weight = heat[:, 3:].clamp_min(MIN_WEIGHT**4)
    confidence = (1 - weight.log() / math.log(MIN_WEIGHT)).clamp(0, 1)
    planes = (heat[:, :3] / weight, confidence)
    spread, confidence = (F.interpolate(x, scale_factor=CELL_PX, mode="bilinear") for x in planes)
    return torch.lerp(spread, colour, alpha), torch.maximum(confidence, alpha)
