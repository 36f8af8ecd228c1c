"""A U-Net with a transformer at its coarsest features, and a style token that modulates the way back.

UVCGAN: Torbunov et al., 2022, https://arxiv.org/abs/2203.02557; the style token: Torbunov et al., 2023 (UVCGAN2),
https://arxiv.org/abs/2303.16280.
"""

__all__ = ["VitUNet"]

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Downsample, InstanceNorm, Upsample, conv, init_he, init_normal
from translate.networks.style_resnet import StyleNorm, style_mapping
from translate.networks.transformers.attention import Transformer

FINEST = 16  # channels at full size
HEAD_GAIN = 0.2  # of the weights of the last layer: the output begins near the input


class VitUNet(nn.Module):
    """x + f(x, z): a change of the picture by a U-Net in whose middle every place sees every other.

    Blocks of 2 x 2 px enter; `downs` anti-aliased halvings double the width, up to `most`. Among the coarsest places, a
    learned token, moved by z if there is one, sees all of the picture; at the end it is the style that scales and
    shifts the norms of the decoder. Each level of the decoder adds the encoder's features of its size.

    The original modulates weights, and its output is a sigmoid. Its pretraining by inpainting is `train_inpaint.py` and
    `--init`.

    Maps x (B, in_channels, H, W) in [-1, 1] and z (B, z_dim) to (B, out_channels, H, W), about [-1, 1]; H and W
    multiples of 2^(downs + 1). With `z_dim` 0 there is no z. With other channels than the input's, it starts from their
    mean.
    """

    random: bool
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 0, width: int = 32, most: int = 128,
        downs: int = 2, blocks: int = 4, heads: int = 4,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = [min(width * 2**i, most) for i in range(downs + 1)]
        coarsest = widths[-1]
        self.z_dim, self.random, self.multiple = z_dim, z_dim > 0, 2 ** (downs + 1)
        # encoder
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = nn.Sequential(conv(4 * in_channels, width, 3, bias=False), InstanceNorm(width))
        self.down = nn.ModuleList(
            nn.Sequential(Downsample(narrow), conv(narrow, wide, 3, bias=False), InstanceNorm(wide))
            for narrow, wide in pairwise(widths)
        )
        # transformer and style token
        self.trunk = Transformer(coarsest, blocks, heads)
        self.token = nn.Parameter(torch.randn(1, 1, coarsest))
        self.mapping = style_mapping(z_dim, coarsest) if z_dim else None
        self.norm_token = nn.LayerNorm(coarsest)
        # decoder
        self.up = nn.ModuleList(conv(wide, narrow, 3, bias=False) for wide, narrow in pairwise(widths[::-1]))
        self.norm_up = nn.ModuleList(StyleNorm(narrow, coarsest) for narrow in widths[-2::-1])
        self.last, self.norm_last = conv(width, FINEST, 3, bias=False), StyleNorm(FINEST, coarsest)
        self.head = conv(FINEST + in_channels, out_channels, 3)
        self.upsample = Upsample()
        self.start = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        # weights
        init_normal(self)
        with torch.no_grad():
            self.head.weight.mul_(HEAD_GAIN)
        if self.mapping is not None:
            init_he(self.mapping)
        if isinstance(self.start, nn.Conv2d):
            nn.init.constant_(self.start.weight, 1 / in_channels)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        return self.finish(self.layers(x), z)

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return x, and the encoder's features at half of its size, a quarter, and so on."""
        return [x, *self.encode(x)]

    def finish(self, layers: list[Tensor], z: Tensor | None = None) -> Tensor:
        """Return the output (B, out_channels, H, W) from what `layers` returned."""
        x, *skips, h = layers
        token = self.token.expand(x.shape[0], -1, -1)
        if self.mapping is not None:
            token = token + self.mapping(z)[:, None]
        h, token = self.trunk(h, token)
        return self.decode(h, self.norm_token(token[:, 0]), x, *skips)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the features at every size, largest first."""
        features = [F.relu(self.stem(self.unshuffle(x)))]
        for down in self.down:
            features.append(F.relu(down(features[-1])))
        return features

    def decode(self, h: Tensor, style: Tensor, x: Tensor, *skips: Tensor) -> Tensor:
        """Map the transformer's map and style, the picture and the encoder's features to (B, out_channels, H, W)."""
        for up, norm, skip in zip(self.up, self.norm_up, skips[::-1], strict=True):
            h = F.relu(norm(up(self.upsample(h)), style)) + skip
        h = F.relu(self.norm_last(self.last(self.upsample(h)), style))
        return self.start(x).float() + self.head(torch.cat([h, x.to(h.dtype)], 1)).float()
