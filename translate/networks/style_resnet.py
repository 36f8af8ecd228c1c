"""Generators that give many answers: the look of the output, a vector z, steers every norm (AdaIN)."""

__all__ = ["ENCODERS", "STYLE_GENERATORS", "StyleEncoder", "StyleResnet"]

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Halve, InstanceNorm, Upsample, init_he, init_icnr, init_normal
from translate.utils import dist
from translate.utils.errors import OptionError


def conv3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps the size; zeros at the border, for mirroring costs a tenth of a step."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


class StyleNorm(nn.Module):
    """Instance norm whose scale and shift follow from the style: AdaIN (Huang and Belongie, 2017, equation 8).

    Without a style (`style_dim` 0), they are learned constants.
    """

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norm = InstanceNorm(channels)
        self.constant = nn.Parameter(torch.zeros(2 * channels))
        self.from_style = nn.Linear(style_dim, 2 * channels, bias=False) if style_dim else None

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return self.modulate(self.norm(x), style)

    def modulate(self, normed: Tensor, style: Tensor | None) -> Tensor:
        """Scale and shift what was normed."""
        steer = self.constant.expand(len(normed), -1)
        if self.from_style is not None:
            steer = steer + self.from_style(style)
        scale, shift = steer.to(normed.dtype)[..., None, None].chunk(2, dim=1)
        return torch.addcmul(shift, normed, 1 + scale)


class StyleBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))): the residual block with style norms."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = conv3(channels, channels), StyleNorm(channels, style_dim)
        self.conv2, self.norm2 = conv3(channels, channels), StyleNorm(channels, style_dim)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x), style))), style)


class StyleResnet(nn.Module):
    """A residual generator with skips that draws one picture in many looks.

    A stem, `downs` halvings by means that double the width up to `most`, a trunk of residual blocks, and bilinear
    doublings that each *add* the encoder's features of their size. The look enters the norms of trunk and decoder;
    the encoder, which reads the input, does without. Stem and head work on blocks of `fold` x `fold` pixels: layers at
    full size would take most of the time and hardly compute anything. The pixels of a block begin alike (init_alike),
    so that no checkerboard is there to be unlearned, and the last convolution, at half the size, sees across the
    borders of the blocks.

    Maps x (B, in_channels, H, W) in [-1, 1] and z (B, z_dim), of a spread about 1, to (B, out_channels, H, W) in
    [-1, 1]; H and W multiples of fold * 2^downs. With z_dim 0 there is no z, and one answer.
    """

    random: bool
    segments = ("encode", "trunk", "decode")

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        z_dim: int = 0,
        width: int = 64,
        most: int = 256,
        downs: int = 2,
        blocks: int = 4,
        fold: int = 4,
        style_dim: int = 64,
    ) -> None:
        super().__init__()
        if fold not in (2, 4, 8):
            raise OptionError(f"generator.fold should be 2, 4 or 8, got {fold}")
        self.z_dim, self.random, self.multiple = z_dim, z_dim > 0, fold * 2**downs
        self.fold = fold
        widths = [min(width * 2**i, most) for i in range(downs + 1)]
        style = style_dim if z_dim else 0
        self.mapping = nn.Sequential(
            nn.Linear(z_dim, style_dim), nn.LeakyReLU(0.2), nn.Linear(style_dim, style_dim), nn.LeakyReLU(0.2)
        ) if z_dim else None  # fmt: skip
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(fold), nn.Conv2d(fold**2 * in_channels, width, 3, padding=1), InstanceNorm(width)
        )
        self.down = nn.ModuleList(
            nn.Sequential(Halve(), conv3(narrow, wide), InstanceNorm(wide)) for narrow, wide in pairwise(widths)
        )
        self.trunk = nn.ModuleList(StyleBlock(widths[-1], style) for _ in range(blocks))
        self.up = nn.ModuleList(conv3(wide, narrow) for wide, narrow in pairwise(widths[::-1]))
        self.norm_up = nn.ModuleList(StyleNorm(narrow, style) for narrow in widths[-2::-1])
        self.last, self.norm_last = conv3(width, width), StyleNorm(width, style)
        self.widen = nn.Conv2d(width, fold**2 // 4 * 16, 3, padding=1)
        self.head = nn.Conv2d(16, 4 * out_channels, 3, padding=1)
        self.upsample = Upsample()
        init_normal(self)
        if self.mapping is not None:
            init_he(self.mapping)
        init_icnr(self.widen, fold**2 // 4)
        init_icnr(self.head, 4)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        style = self.mapping(z) if self.mapping is not None else None
        *skips, h = self.encode(x)
        for block in self.trunk:
            h = block(h, style)
        return self.decode(h, style, *skips)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the features of every size, the largest first."""
        found = [F.relu(self.stem(x))]
        for down in self.down:
            found.append(F.relu(down(found[-1])))
        return found

    def decode(self, h: Tensor, style: Tensor | None, *skips: Tensor) -> Tensor:
        """Draw the answer from what the trunk made, and `encode` found at every larger size."""
        for up, norm, skip in zip(self.up, self.norm_up, skips[::-1], strict=True):
            h = self.upsample(F.relu(norm(up(h), style))) + skip
        h = F.relu(self.norm_last(self.last(h), style))
        h = F.relu(F.pixel_shuffle(self.widen(h), self.fold // 2))
        return torch.tanh(F.pixel_shuffle(self.head(h), 2).float())


class StyleEncoder(nn.Module):
    """Reads the look z back from a picture (BicycleGAN's E: Zhu et al., 2017, section 3.2).

    A look is a matter of colours and where they are, so it is read from the picture shrunk to about 64 px, without
    norms, which would take the colours away, and from a grid of 4 x 4 places. The colours of an 8 x 8 thumbnail also
    go in directly: brightness and hue then tell in the code from the first steps on.

    Maps (B, in_channels, H, W) in [-1, 1] to mean and log variance, (B, z_dim) each, of any H, W >= 16.

    Attributes:
        looks: The codes (kept, z_dim) that were read last, from which answers are drawn; part of the model.
    """

    z_dim: int
    looks: Tensor
    segments = ()  # it sees some 64 px: there is nothing to be saved

    def __init__(
        self, *, in_channels: int = 3, z_dim: int = 8, width: int = 32, side: int = 64, kept: int = 256
    ) -> None:
        super().__init__()
        self.z_dim, self.side = z_dim, side
        widths = [in_channels, width, 2 * width, 4 * width, 4 * width]
        self.body = nn.Sequential(
            *[
                layer
                for c_in, c_out in pairwise(widths)
                for layer in (nn.Conv2d(c_in, c_out, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
            ]
        )
        self.head = nn.Linear(16 * widths[-1], 2 * z_dim)
        self.shortcut = nn.Linear(64 * in_channels, z_dim, bias=False)
        self.register_buffer("looks", torch.randn(kept, z_dim))
        init_he(self)
        with torch.no_grad():
            self.head.bias[z_dim:].fill_(-3.0)  # a variance of 0.05: with 1, the first looks would drown in noise

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        factor = max(1, min(x.shape[-2:]) // self.side)
        features = F.adaptive_avg_pool2d(self.body(F.avg_pool2d(x, factor) if factor > 1 else x), 4)
        mean, log_variance = self.head(features.flatten(1)).float().chunk(2, dim=1)
        return mean + self.shortcut(F.adaptive_avg_pool2d(x, 8).flatten(1)).float(), log_variance.clamp(-8, 2)

    @torch.no_grad()
    def remember(self, codes: Tensor) -> None:
        """Put `codes` (B, z_dim) in the place of the oldest looks."""
        self.looks.copy_(torch.cat([dist.all_gather_rows(codes).to(self.looks), self.looks])[: len(self.looks)])


STYLE_GENERATORS: dict[str, Callable[..., nn.Module]] = {"style_resnet": StyleResnet}
ENCODERS: dict[str, Callable[..., nn.Module]] = {"style_encoder": StyleEncoder}
