"""The generators of CycleGAN: strided convolutions, a trunk of residual blocks, and back up.

`Resnet` is the published one (Johnson et al., 2016, as used by Zhu et al., 2017, https://arxiv.org/abs/1703.10593,
appendix 7.2). `SkipResnet` is designed to learn in minutes instead of days; its docstring says what differs.
"""

__all__ = ["RESNETS", "Resnet", "SkipResnet"]

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Downsample, InstanceNorm, ResidualBlock, Upsample, conv, init_normal, make_norm
from translate.utils.factory import resolve

LATE_BLOCK = 5  # whose features CUT compares last


class Resnet(nn.Module):
    """c7s1-64, d128, d256, `blocks` x R256, u128, u64, c7s1-3 in the paper's notation.

    Computes the same as `resnet_9blocks` of pytorch-CycleGAN-and-pix2pix, with any of its norms, with and without
    dropout (which stays on after training); with `antialias` "both" the same as CUT's, which blurs before it shrinks
    and enlarges bilinearly (Zhang, 2019, https://arxiv.org/abs/1904.11486); "down" and "up" do one of the two.

    Maps (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W) in [-1, 1]; H and W multiples of 4.
    """

    multiple, z_dim = 4, 0
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, width: int = 64, blocks: int = 9, norm: str = "instance",
        dropout: float = 0.0, antialias: str = "none",
    ) -> None:  # fmt: skip
        super().__init__()
        blurred = resolve(antialias, ANTIALIAS, "generator.antialias")
        self.random, bias = dropout > 0, norm != "batch"
        self.stem = conv(in_channels, width, 7, bias=bias)
        self.down1, self.down2 = (
            nn.Conv2d(c, 2 * c, 3, stride=1 if "down" in blurred else 2, padding=1, bias=bias)
            for c in (width, 2 * width)
        )
        self.trunk = nn.Sequential(
            *[ResidualBlock(4 * width, bias=bias, norm=norm, dropout=dropout) for _ in range(blocks)]
        )
        self.up1, self.up2 = (
            nn.Conv2d(c, c // 2, 3, padding=1, bias=bias)
            if "up" in blurred
            else nn.ConvTranspose2d(c, c // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)
            for c in (4 * width, 2 * width)
        )
        self.head = conv(width, out_channels, 7)
        self.norms = nn.ModuleList(make_norm(norm, width * k) for k in (1, 2, 4, 2, 1))
        self.shrink = nn.ModuleList(
            Downsample(width * k) if "down" in blurred and k > 1 else nn.Identity() for k in (1, 2, 4)
        )
        self.grow = Upsample() if "up" in blurred else nn.Identity()
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.trunk(self.encode(x)))

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return what CUT compares: x, the convolutions before they shrink, and the blocks 1 and 5 (section 3.2)."""
        found, h = [x], F.relu(self.norms[0](self.stem(x)))
        for down, norm, shrink in zip((self.down1, self.down2), self.norms[1:3], list(self.shrink)[1:], strict=True):
            found.append(down(h))
            h = shrink(F.relu(norm(found[-1])))
        for blocks in (self.trunk[:1], self.trunk[1:LATE_BLOCK]):
            h = blocks(h)
            found.append(h)
        return found

    def finish(self, layers: list[Tensor]) -> Tensor:
        """Return the output (B, out_channels, H, W) from what `layers` returned."""
        return self.decode(self.trunk[LATE_BLOCK:](layers[-1]))

    def encode(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 width, H / 4, W / 4)."""
        layers = (self.stem, self.down1, self.down2)
        for layer, norm, shrink in zip(layers, self.norms[:3], self.shrink, strict=True):
            x = shrink(F.relu(norm(layer(x))))
        return x

    def decode(self, x: Tensor) -> Tensor:
        """Map (B, 4 width, H / 4, W / 4) to (B, out_channels, H, W)."""
        for up, norm in zip((self.up1, self.up2), self.norms[3:], strict=True):
            x = F.relu(norm(up(self.grow(x))))
        return torch.tanh(self.head(x).float())


ANTIALIAS: dict[str, tuple[str, ...]] = {"none": (), "down": ("down",), "up": ("up",), "both": ("down", "up")}


class SkipResnet(nn.Module):
    """A residual generator that learns in minutes.

    Four things differ from `Resnet`: a stem on blocks of 2 x 2 px replaces the 7x7 layers at full resolution, which
    cost most; all resampling is anti-aliased, without checkerboards; each decoder level adds the encoder's features of
    its size; and the network predicts a *change* of its input, x + f(x), so that it starts from the picture instead of
    from gray (from the mean of the channels, where their number changes).

    Maps (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W), about [-1, 1]; H and W multiples of 4.
    """

    multiple, z_dim, random = 4, 0, False
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, width: int = 32, blocks: int = 4, trunk: int = 64
    ) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = conv(4 * in_channels, width, 3)
        self.norm_stem = InstanceNorm(width)
        self.down = nn.Sequential(Downsample(width), conv(width, trunk, 3, bias=False), InstanceNorm(trunk))
        self.trunk = nn.Sequential(*[ResidualBlock(trunk, bias=False) for _ in range(blocks)])
        self.up1 = conv(trunk, width, 3)
        self.norm_up1 = InstanceNorm(width)
        self.up2 = conv(width, 16, 3)
        self.head = conv(16 + in_channels, out_channels, 3)
        self.up = Upsample()
        self.start = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        init_normal(self)
        if isinstance(self.start, nn.Conv2d):
            nn.init.constant_(self.start.weight, 1 / in_channels)

    def forward(self, x: Tensor) -> Tensor:
        low, h = self.encode(x)
        return self.decode(self.trunk(h), low, x)

    def layers(self, x: Tensor) -> list[Tensor]:
        """Return x, the features at half and at a quarter of its size, and those after the trunk."""
        low, h = self.encode(x)
        return [x, low, h, self.trunk(h)]

    def finish(self, layers: list[Tensor]) -> Tensor:
        """Return the output (B, out_channels, H, W) from what `layers` returned."""
        x, low, _, h = layers
        return self.decode(h, low, x)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, in_channels, H, W) to (B, width, H / 2, W / 2) and (B, trunk, H / 4, W / 4)."""
        low = F.relu(self.norm_stem(self.stem(self.unshuffle(x))))
        return low, F.relu(self.down(low))

    def decode(self, h: Tensor, low: Tensor, x: Tensor) -> Tensor:
        """Map (B, trunk, H / 4, W / 4), the features at half the size, and the picture to (B, out_channels, H, W)."""
        h = F.relu(self.norm_up1(self.up1(self.up(h)))) + low
        h = F.relu(self.up2(self.up(h)))
        return self.start(x).float() + self.head(torch.cat([h, x.to(h.dtype)], 1)).float()


def published_resnet(
    *, size: int = 256, in_channels: int = 3, out_channels: int = 3, width: int = 64, norm: str = "instance",
    dropout: float = 0.0, antialias: str = "none",
) -> Resnet:  # fmt: skip
    """Return the paper's generator for pictures of `size` px: 6 blocks up to 128 px, else 9."""
    return Resnet(
        in_channels=in_channels, out_channels=out_channels, width=width, blocks=6 if size <= 128 else 9,
        norm=norm, dropout=dropout, antialias=antialias,
    )  # fmt: skip


RESNETS: dict[str, Callable[..., nn.Module]] = {
    "resnet": published_resnet,
    "resnet_9blocks": Resnet,
    "resnet_6blocks": partial(Resnet, blocks=6),
    "skip_resnet": SkipResnet,
}
