"""DINOv2: features of parts and things, learned from 142 million pictures without labels.

Oquab et al., 2023, https://arxiv.org/abs/2304.07193; register tokens: Darcet et al., 2023,
https://arxiv.org/abs/2309.16588. A vision transformer (Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929).
"""

__all__ = ["DINOv2"]

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import without_autocast
from translate.networks.features.vgg import MEAN, STD

PATCH_PX = 14
HEAD = 64  # channels of an attention head, in every size of the network
SIZES = {384: "S", 768: "B", 1024: "L"}  # by width; the next, "g", has other layers
TAPPED = 4  # blocks whose tokens are the features
FINE_BELOW_PX = 192  # pictures with a smaller side get a token for 8 px in place of 16


class DINOv2(nn.Module):
    """Maps pictures (B, 1 or 3, H, W) in [-1, 1] to four features (B, width, H/s, W/s), from shallow to deep.

    s is 16 px, or 8 px for pictures with a side below 192 px: pictures are resized bilinearly, so that a cell of s px
    becomes a patch of 14 px. The learned position embedding, of a square grid, is interpolated bicubically to the grid
    of the picture, without the offset of 0.1 cells that the published code adds to its size. Features are the patch
    tokens after a quarter, a half, three quarters and all of the blocks, normalised by the last norm: means near 0 and
    standard deviations near 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Build the network of the published `weights` ("patch_embed.proj.weight", "blocks.0.attn.qkv.weight" ...).

        Raises:
            KeyError: A weight is missing.
            RuntimeError: A weight has another shape.
        """
        super().__init__()
        width, depth = check_shapes(weights)
        self.title = f"DINOv2 ViT-{SIZES.get(width, width)}/{PATCH_PX}"
        self.channels = (width,) * TAPPED
        self.tapped = [depth * (k + 1) // TAPPED for k in range(TAPPED)]
        with torch.device("meta"):  # `weights` replace the random numbers that are not drawn
            self.cls_token = nn.Parameter(torch.empty(1, 1, width))
            self.pos_embed = nn.Parameter(torch.empty(1, weights["pos_embed"].shape[1], width))
            registers = weights.get("register_tokens")
            self.register_tokens = (
                None if registers is None else nn.Parameter(torch.empty(1, registers.shape[1], width))
            )
            self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH_PX, stride=PATCH_PX)})
            self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
            self.norm = _norm(width)
        self.load_state_dict({name: weights[name].float() for name in self.state_dict()}, assign=True)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        cell = 16 if min(x.shape[2:]) >= FINE_BELOW_PX else 8
        rows, columns = (max(1, round(side / cell)) for side in x.shape[2:])
        h, features = self._embed(x, rows, columns), []
        for number, block in enumerate(self.blocks, 1):
            h = block(h)
            if number in self.tapped:
                tokens = self.norm(h)[:, -rows * columns :]
                features.append(tokens.mT.unflatten(2, (rows, columns)))
        return features

    def _embed(self, x: Tensor, rows: int, columns: int) -> Tensor:
        """Return the tokens of the class, of the registers, if any, and of the patches: (B, n, width)."""
        with without_autocast(x):
            size, shrinks = (rows * PATCH_PX, columns * PATCH_PX), rows * PATCH_PX < x.shape[2]
            x = F.interpolate(x.float(), size, mode="bilinear", align_corners=False, antialias=shrinks)
        patches = self.patch_embed["proj"](((x + 1) / 2 - self.mean) / self.std)
        first = [self.cls_token + self.pos_embed[:, :1]]
        first += [] if self.register_tokens is None else [self.register_tokens]
        tokens = patches.flatten(2).mT + self._positions(rows, columns)
        return torch.cat([*(token.expand(len(x), -1, -1) for token in first), tokens], 1)

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Return the position embedding of a grid, (1, rows * columns, width)."""
        side = math.isqrt(self.pos_embed.shape[1])
        grid = self.pos_embed[:, 1:].mT.unflatten(2, (side, side))
        if (rows, columns) != (side, side):
            grid = F.interpolate(grid, (rows, columns), mode="bicubic", align_corners=False)
        return grid.flatten(2).mT


class _Block(nn.Module):
    """A transformer block, whose two branches are scaled channel by channel (LayerScale)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = _norm(width), _norm(width)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.ls1, self.ls2 = (nn.ParameterDict({"gamma": torch.empty(width)}) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.attn["qkv"](self.norm1(x)).unflatten(2, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*qkv).transpose(1, 2).flatten(2)
        x = x + self.ls1["gamma"] * self.attn["proj"](mixed)
        return x + self.ls2["gamma"] * self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-6)


def check_shapes(weights: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return width and depth of the network that `weights` are of.

    Raises:
        KeyError: A weight is missing.
        RuntimeError: The patches, the width or the positions are of another kind of transformer.
    """
    patches, cells = weights["patch_embed.proj.weight"].shape, weights["pos_embed"].shape[1] - 1
    if patches[1:] != (3, PATCH_PX, PATCH_PX) or patches[0] % HEAD:
        raise RuntimeError(f"patch_embed.proj.weight of shape {tuple(patches)} in place of (384, 3, 14, 14)")
    if math.isqrt(cells) ** 2 != cells:
        raise RuntimeError(f"pos_embed of {cells + 1} tokens, not of a class and a square grid")
    depth = sum(name.startswith("blocks.") and name.endswith(".norm1.weight") for name in weights)
    if depth < TAPPED:
        raise KeyError(f"blocks.{depth}.norm1.weight")
    return patches[0], depth
