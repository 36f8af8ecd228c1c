"""A generator for few multiplications, which learns from a larger one (`tasks.distill`).

Small convolutions at full size take most of the time of a narrow network, whatever their width: a step through memory
costs as much as the arithmetic. So nothing is computed there (ESPCN: Shi et al., 2016, https://arxiv.org/abs/1609.05158).
"""

__all__ = ["CompactResnet"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import init_he
from translate.networks.style_resnet import StyleNorm, StyleScale, conv3, style_mapping
from translate.utils.errors import OptionError, did_you_mean

SCALES = {"instance": StyleNorm, "none": StyleScale}
BRANCH_GAIN = 0.1  # of the weights that end a residual branch: without norms, sums of branches grow
HEAD_GAIN = 0.02  # of the weights of the last layer: the output begins as the input


class CompactResnet(nn.Module):
    """x + f(x, z), computed on blocks of `fold` x `fold` px, and in the trunk on blocks of twice the side.

    Blocks of pixels become channels at the input, and channels blocks of pixels at the output. A teacher's answers show
    no screen of blocks, and a loss on every pixel sees one at once, so that no blur has to prevent it. A linear filter
    of each block leads past the norms, which take contrasts and colours out of the features.

    Maps x (B, in_channels, H, W) in [-1, 1] and z (B, z_dim) to (B, out_channels, H, W), about [-1, 1]; H and W
    multiples of 2 fold. With `z_dim` 0 there is no z. With other channels than the input's, it starts from a mixture.
    """

    random: bool
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 0, width: int = 16, trunk: int = 24,
        blocks: int = 2, fold: int = 2, norm: str = "instance", style_dim: int = 16,
    ) -> None:  # fmt: skip
        super().__init__()
        if fold not in (2, 4, 8):
            raise OptionError(f"generator.fold should be 2, 4 or 8, got {fold}")
        if norm not in SCALES:
            raise OptionError(f"unknown generator.norm {norm!r}{did_you_mean(norm, SCALES)}")
        self.fold, self.multiple, self.z_dim, self.random = fold, 2 * fold, z_dim, z_dim > 0
        scale, style = SCALES[norm], style_dim if z_dim else 0
        self.mapping = style_mapping(z_dim, style_dim) if z_dim else None
        self.stem, self.scale_stem = conv3(fold**2 * in_channels, width), scale(width, 0)
        self.down = nn.Conv2d(width, trunk, 3, stride=2, padding=1, bias=False)
        self.scale_down = scale(trunk, style)
        self.trunk = nn.ModuleList(_Block(trunk, style, scale) for _ in range(blocks))
        self.up, self.scale_up = conv3(trunk, 4 * width), scale(width, style)
        self.head = nn.Conv2d(width, fold**2 * out_channels, 3, padding=1)
        self.filter = nn.Conv2d(fold**2 * in_channels, fold**2 * out_channels, 1, bias=False)
        self.start = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        # weights
        init_he(self)
        with torch.no_grad():
            self.head.weight.mul_(HEAD_GAIN)
            self.filter.weight.zero_()
            if norm == "none":
                for block in self.trunk:
                    block.get_parameter("conv2.weight").mul_(BRANCH_GAIN)
        if isinstance(self.start, nn.Conv2d):
            nn.init.constant_(self.start.weight, 1 / in_channels)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        style = self.mapping(z) if self.mapping is not None else None
        low, h = self.encode(x, style)
        for block in self.trunk:
            h = block(h, style)
        return self.decode(h, style, low, x)

    def encode(self, x: Tensor, style: Tensor | None) -> tuple[Tensor, Tensor]:
        """Map (B, in_channels, H, W) to (B, width, H / fold, W / fold) and (B, trunk, H / 2 fold, W / 2 fold)."""
        low = F.relu(self.scale_stem(self.stem(F.pixel_unshuffle(x, self.fold)), None))
        return low, F.relu(self.scale_down(self.down(low), style))

    def decode(self, h: Tensor, style: Tensor | None, low: Tensor, x: Tensor) -> Tensor:
        """Map the trunk's output, the features of the stem, and the picture to (B, out_channels, H, W)."""
        h = F.relu(self.scale_up(F.pixel_shuffle(self.up(h), 2), style) + low)
        h = self.head(h) + self.filter(F.pixel_unshuffle(x, self.fold).to(h.dtype))
        return self.start(x).float() + F.pixel_shuffle(h, self.fold).float()


class _Block(nn.Module):
    """x + scale(conv(relu(scale(conv(x))))), a residual block whose scales, perhaps after a norm, depend on z."""

    def __init__(self, channels: int, style_dim: int, scale: type[StyleScale]) -> None:
        super().__init__()
        self.conv1, self.scale1 = conv3(channels, channels), scale(channels, style_dim)
        self.conv2, self.scale2 = conv3(channels, channels), scale(channels, style_dim)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return x + self.scale2(self.conv2(F.relu(self.scale1(self.conv1(x), style))), style)
