"""A small generator that starts at its input and is told a style.

The skips and the anti-aliased resampling are those of `resnet.SkipResnet`, the modulation by a style that of
`style_resnet.StyleResnet`.
"""

__all__ = ["SkipStyleResnet"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Downsample, Upsample, conv, init_he
from translate.networks.style_resnet import StyleScale, style_mapping

BRANCH_GAIN = 0.1  # of the weights that end a residual branch: without norms, sums of branches grow
HEAD_GAIN = 0.02  # of the weights of the last layer: the output begins as the input


class SkipStyleResnet(nn.Module):
    """x + f(x, z): a change of the picture, modulated by the style z.

    It has no norms: a place depends on its neighbourhood alone, so that crops, tiles, films and whole pictures are all
    treated alike. Blocks of 2 x 2 px enter, a quarter of the size is the smallest, and all resampling is anti-aliased.

    Maps x (B, in_channels, H, W) in [-1, 1] and z (B, z_dim) to (B, out_channels, H, W), about [-1, 1]; H and W
    multiples of 4. With `z_dim` 0 there is no z. With other channels than the input's, it starts from their mean.
    """

    multiple, random = 4, False
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 0, width: int = 32, trunk: int = 64,
        blocks: int = 5, style_dim: int = 32,
    ) -> None:  # fmt: skip
        super().__init__()
        self.z_dim, style = z_dim, style_dim if z_dim else 0
        self.mapping = style_mapping(z_dim, style_dim) if z_dim else None
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = conv(4 * in_channels, width, 3)
        self.down = nn.Sequential(Downsample(width), conv(width, trunk, 3))
        self.trunk = nn.ModuleList(_ScaledBlock(trunk, style) for _ in range(blocks))
        self.up1, self.scale_up1 = conv(trunk, width, 3), StyleScale(width, style)
        self.up2, self.scale_up2 = conv(width, 16, 3), StyleScale(16, style)
        self.head = conv(16 + in_channels, out_channels, 3)
        self.up = Upsample()
        self.start = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        # weights
        init_he(self)
        with torch.no_grad():
            self.head.weight.mul_(HEAD_GAIN)
            for block in self.trunk:
                block.get_parameter("conv2.weight").mul_(BRANCH_GAIN)
        if isinstance(self.start, nn.Conv2d):
            nn.init.constant_(self.start.weight, 1 / in_channels)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        style = self.mapping(z) if self.mapping is not None else None
        low, h = self.encode(x)
        for block in self.trunk:
            h = block(h, style)
        return self.decode(h, style, low, x)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, in_channels, H, W) to (B, width, H / 2, W / 2) and (B, trunk, H / 4, W / 4)."""
        low = F.relu(self.stem(self.unshuffle(x)))
        return low, F.relu(self.down(low))

    def decode(self, h: Tensor, style: Tensor | None, low: Tensor, x: Tensor) -> Tensor:
        """Map (B, trunk, H / 4, W / 4), the features at half the size, and the picture to (B, out_channels, H, W)."""
        h = F.relu(self.scale_up1(self.up1(self.up(h)), style)) + low
        h = F.relu(self.scale_up2(self.up2(self.up(h)), style))
        return self.start(x).float() + self.head(torch.cat([h, x.to(h.dtype)], 1)).float()


class _ScaledBlock(nn.Module):
    """x + scale(conv(relu(scale(conv(x))))), a residual block whose scales depend on the style."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.conv1, self.scale1 = conv(channels, channels, 3), StyleScale(channels, style_dim)
        self.conv2, self.scale2 = conv(channels, channels, 3), StyleScale(channels, style_dim)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return x + self.scale2(self.conv2(F.relu(self.scale1(self.conv1(x), style))), style)
