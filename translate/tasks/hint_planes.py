"""Colour that spreads from a user's strokes up to the lines of the drawing, as paint would."""

__all__ = ["spread_strokes"]

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CELL = 4  # px: colour spreads over squares of this side
STEPS = 48  # cells that it can go
EDGE = 0.5  # a cell whose gray values differ by more than this, of a range of 2, holds a line
LEAK = 0.02  # what gets across a line, each cell
FAINTEST = 1e-8  # part of a stroke's weight at which nothing is left of it


@torch.no_grad()
def spread_strokes(hint: Tensor, drawing: Tensor) -> tuple[Tensor, Tensor]:
    """Fill what the strokes leave open with their colours, weighted by the way from there that avoids lines.

    Scribbles that colour whole parts are those of Levin, Lischinski and Weiss, "Colorization using optimization",
    2004. Here heat flows from them for a fixed number of steps; how much arrives tells how near a stroke is.

    Args:
        hint: RGBA strokes (B, 4, H, W) in [-1, 1].
        drawing: (B, C, H, W) in [-1, 1]; its lines hold the colour back. H and W multiples of CELL.

    Returns:
        The colours (B, 3, H, W) in [-1, 1], and how far each is to be believed (B, 1, H, W) in [0, 1]: 1 on strokes,
        0 where none of them reaches.
    """
    colour, alpha = hint.float().split([3, 1], dim=1)
    alpha = (alpha + 1) / 2
    gray = drawing.float().mean(1, keepdim=True)
    contrast = F.max_pool2d(gray, CELL) + F.max_pool2d(-gray, CELL)
    flow = 1 - (1 - LEAK) * (contrast > EDGE).float()
    amount = F.avg_pool2d(alpha, CELL)
    strokes = torch.cat([F.avg_pool2d(colour * alpha, CELL) / amount.clamp_min(1e-6), torch.ones_like(amount)], 1)
    heat = strokes * (amount > 0)
    for _ in range(STEPS):
        heat = torch.where(amount > 0, strokes, F.avg_pool2d(heat, 3, stride=1, padding=1) * flow)
    weight = heat[:, 3:].clamp_min(FAINTEST**4)
    belief = (1 - weight.log() / math.log(FAINTEST)).clamp(0, 1)
    spread, belief = (F.interpolate(x, scale_factor=CELL, mode="bilinear") for x in (heat[:, :3] / weight, belief))
    return torch.lerp(spread, colour, alpha), torch.maximum(belief, alpha)
