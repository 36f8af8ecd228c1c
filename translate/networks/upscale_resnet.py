"""A generator for super-resolution: it computes at the low resolution, and adds detail to a bicubic enlargement.

Residual blocks without norms, as in EDSR (Lim et al., 2017, https://arxiv.org/abs/1707.02921), and pixels that come
from channels at the end (ESPCN: Shi et al., 2016, https://arxiv.org/abs/1609.05158).
"""

__all__ = ["Enlarge", "Trunk", "UpscaleResnet"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.images.samples import REACH, cubic_weights
from translate.networks.blocks import init_he, init_icnr, without_autocast
from translate.utils.errors import OptionError

SCALES = (2, 3, 4)
BRANCH_GAIN = 0.1  # of the weights that end a residual branch: without norms, sums of branches grow
HEAD_GAIN = 0.02  # of the weights of the last layer: the output begins as the bicubic enlargement


class UpscaleResnet(nn.Module):
    """Map (B, in_channels, H, W) in [-1, 1] to (B, out_channels, scale H, scale W), about [-1, 1].

    One pixel shuffle leads to the full size, where `detail` channels are left; its convolution starts with equal
    weights for all pixels of a block (ICNR), and a convolution at full size follows, so no screen of blocks appears.
    """

    segments = ("trunk",)

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, scale: int = 4, width: int = 48, blocks: int = 8,
        detail: int = 12,
    ) -> None:  # fmt: skip
        super().__init__()
        if scale not in SCALES:
            raise OptionError(f"--scale should be 2, 3 or 4, got {scale}")
        if in_channels != out_channels:
            raise OptionError(f"a picture of {in_channels} channels is enlarged to as many, not to {out_channels}")
        self.scale = scale
        self.enlarge = Enlarge(scale)
        self.trunk = Trunk(in_channels, width, blocks)
        self.up = nn.Conv2d(width, detail * scale**2, 3, padding=1)
        self.head = nn.Conv2d(detail, out_channels, 3, padding=1)
        init_he(self)
        init_icnr(self.up, scale**2)
        with torch.no_grad():
            self.head.weight.mul_(HEAD_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        detail = F.leaky_relu(F.pixel_shuffle(self.up(self.trunk(x)), self.scale), 0.2)
        return self.enlarge(x) + self.head(detail).float()


class Trunk(nn.Module):
    """Map (B, in_channels, H, W) to features (B, width, H, W) by residual blocks.

    Attributes:
        reach: Pixels on each side that a feature depends on.
    """

    def __init__(self, in_channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.reach = 1 + 2 * blocks
        self.stem = nn.Conv2d(in_channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        stem = h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return h + stem


class _Block(nn.Module):
    """x + conv(relu(conv(x)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = BRANCH_GAIN

    def forward(self, x: Tensor) -> Tensor:
        return x + self.gain * self.conv2(F.relu(self.conv1(x)))


class Enlarge(nn.Module):
    """Enlarge pictures (B, C, H, W) bicubically by `scale`, in float32; edge pixels continue beyond the edge."""

    kernel: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        lines = torch.from_numpy(cubic_weights(scale))
        kernel = torch.einsum("ik,jl->ijkl", lines, lines).reshape(scale**2, 1, *lines.shape[1:] * 2)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.inside(F.pad(x.float(), (REACH,) * 4, mode="replicate"))

    def inside(self, padded: Tensor) -> Tensor:
        """Enlarge a picture without its margin of two pixels: (B, C, H + 4, W + 4) to (B, C, scale H, scale W)."""
        batch, channels, height, width = padded.shape
        with without_autocast(padded):
            planes = F.conv2d(padded.float().reshape(batch * channels, 1, height, width), self.kernel)
        return F.pixel_shuffle(planes, self.scale).reshape(
            batch, channels, *(self.scale * (side - 2 * REACH) for side in (height, width))
        )
