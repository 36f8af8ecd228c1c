"""Transformer blocks over all places of a feature map, of any size, and further tokens.

Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; on pictures: Dosovitskiy et al., 2021 (ViT),
https://arxiv.org/abs/2010.11929, with the norm before each branch.
"""

__all__ = ["Attention", "Transformer", "TransformerBlock"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.utils.errors import OptionError

FIRST_SCALE = 0.1  # of the branches, as CaiT has it for networks of up to 18 blocks
WIDENING = 4  # of the hidden layer


class Attention(nn.Module):
    """Multi-head self-attention over tokens (B, N, channels) (Vaswani et al., section 3.2)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise OptionError(f"heads should divide the {channels} channels of a token, got {heads}")
        self.heads = heads
        self.to_qkv = nn.Linear(channels, 3 * channels)
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.to_qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.mix(y.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """A convolution of the places, x + a attention(norm(x)), and x + b hidden(norm(x)).

    The depthwise 3x3 convolution is the position: conditional positional encoding (CPVT: Chu et al., 2021,
    https://arxiv.org/abs/2102.10882). a and b are learned factors of each channel that begin small, so
    that the block begins near the identity (LayerScale: Touvron et al., 2021, https://arxiv.org/abs/2103.17239).
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.position = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm1, self.attention = nn.LayerNorm(channels), Attention(channels, heads)
        self.norm2, self.hidden = nn.LayerNorm(channels), _hidden_layer(channels)
        self.scale1, self.scale2 = (nn.Parameter(torch.full((channels,), FIRST_SCALE)) for _ in range(2))

    def forward(self, x: Tensor, tokens: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return the map x (B, channels, H, W), and the further tokens (B, n, channels), if any, after the block."""
        size = x.shape[2:]
        h = (x + self.position(x)).flatten(2).transpose(1, 2)
        count = 0 if tokens is None else tokens.shape[1]
        h = h if tokens is None else torch.cat([tokens, h], 1)
        h = h + self.scale1 * self.attention(self.norm1(h))
        h = h + self.scale2 * self.hidden(self.norm2(h))
        x = h[:, count:].transpose(1, 2).unflatten(2, size)
        return x, None if tokens is None else h[:, :count]


def _hidden_layer(channels: int) -> nn.Sequential:
    """Return the layers that treat every token by itself."""
    return nn.Sequential(nn.Linear(channels, WIDENING * channels), nn.GELU(), nn.Linear(WIDENING * channels, channels))


class Transformer(nn.Module):
    """Blocks in which all places of a map, and further tokens, see each other.

    Positions come from convolutions, not from a table or from coordinates: these work at any size without
    interpolation, and the place in a training crop says nothing about the place in a picture.
    """

    segments = ("blocks",)

    def __init__(self, channels: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(TransformerBlock(channels, heads) for _ in range(blocks))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, channels, H, W) and tokens (B, n, channels) to the same."""
        for block in self.blocks:
            x, tokens = block(x, tokens)
        return x, tokens

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return x (B, channels, H, W) and the map after every block."""
        found = [x]
        for block in self.blocks:
            found.append(block(found[-1])[0])
        return found
