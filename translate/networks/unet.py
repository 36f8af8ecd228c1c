"""The U-Net of pix2pix: down to one pixel, and back up with a skip connection at every size.

Isola et al., 2017, https://arxiv.org/abs/1611.07004, section 3.2.1 and appendix 6.1.1.
"""

__all__ = ["UNETS", "UNet"]

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import init_normal, make_norm
from translate.utils import dist
from translate.utils.errors import OptionError, did_you_mean

NOISES = ("none", "concat", "add")
ADDED_NOISE_STD = 0.1


class UNet(nn.Module):
    """C64-C128-C256-C512-... down, CD512-...-C128-C64 up, in the paper's notation.

    Computes the same as `unet_256` (8 levels) and `unet_128` (7) of pytorch-CycleGAN-and-pix2pix with batch norm. As
    published, dropout on three decoder levels is the only noise. It stays on after training, drawn from torch's global
    generator; batch norm then uses each picture's statistics.

    Not in the paper: `noise` "concat" appends a plane of N(0, 1) to the input, "add" adds noise of standard deviation
    0.1; the `norm` may be "instance" or "none".

    Maps (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W) in [-1, 1]; H and W multiples of 2^levels.
    """

    z_dim = 0
    segments = ("descend", "ascend", "finish")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, width: int = 64, levels: int = 8, dropout: float = 0.5,
        noise: str = "none", norm: str = "batch",
    ) -> None:  # fmt: skip
        super().__init__()
        if noise not in NOISES:
            raise OptionError(f"unknown generator.noise {noise!r}{did_you_mean(noise, NOISES)}")
        self.multiple, self.dropout, self.noise = 2**levels, dropout, noise
        self.random = noise != "none" or (dropout > 0 and levels > 5)
        widths = [width * min(2**i, 8) for i in range(levels)]
        inner, bias = levels - 1, norm != "batch"
        self.down = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)
            for c_in, c_out in zip([in_channels + (noise == "concat"), *widths], widths, strict=False)
        )
        self.norm_down = nn.ModuleList(make_norm(norm, c) for c in widths[1:inner])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=bias or i == inner)
            for i, (c_in, c_out) in enumerate(
                zip([widths[-1], *(2 * c for c in widths[-2::-1])], [*widths[-2::-1], out_channels], strict=True)
            )
        )
        self.norm_up = nn.ModuleList(make_norm(norm, c) for c in widths[-2::-1])
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        if self.noise == "concat":
            x = torch.cat([x, self.draw_noise(x[:, :1])], 1)
        elif self.noise == "add":
            x = x + ADDED_NOISE_STD * self.draw_noise(x)
        skips = [self.down[0](x)]
        for level in range(len(self.norm_down)):
            skips.append(self.descend(level, skips[-1]))
        parts = [self.down[-1](F.leaky_relu(skips[-1], 0.2))]
        for level in range(len(self.norm_up)):
            parts = [skips.pop(), self.ascend(level, *parts)]
        return self.finish(*parts)

    def draw_noise(self, like: Tensor) -> Tensor:
        """Draw N(0, 1) of the shape of `like`; exported files get it as an input."""
        return dist.randn_like(like)

    def descend(self, level: int, x: Tensor) -> Tensor:
        """Halve the size of (B, C, h, w)."""
        return self.norm_down[level](self.down[1 + level](F.leaky_relu(x, 0.2)))

    def ascend(self, level: int, *parts: Tensor) -> Tensor:
        """Double the size of (B, C, h, w), whose channels come in one or two parts."""
        x = self.norm_up[level](self.up[level](F.relu(torch.cat(parts, 1))))
        return dist.dropout(x, self.dropout) if 1 <= level <= len(self.up) - 5 else x

    def finish(self, *parts: Tensor) -> Tensor:
        """Map the features at half the size, and their skip connection, to (B, out_channels, H, W)."""
        return torch.tanh(self.up[-1](F.relu(torch.cat(parts, 1))).float())


def published_unet(
    *, size: int = 256, in_channels: int = 3, out_channels: int = 3, width: int = 64, dropout: float = 0.5,
    noise: str = "none", norm: str = "batch",
) -> UNet:  # fmt: skip
    """Return the generator whose bottleneck has one pixel for pictures of `size` px."""
    levels = max(5, min(8, size.bit_length() - 1))
    return UNet(
        in_channels=in_channels, out_channels=out_channels, width=width, levels=levels,
        dropout=dropout, noise=noise, norm=norm,
    )  # fmt: skip


UNETS: dict[str, Callable[..., nn.Module]] = {
    "unet": published_unet,
    "unet_256": UNet,
    "unet_128": partial(UNet, levels=7),
}
