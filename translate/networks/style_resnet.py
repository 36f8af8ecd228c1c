"""Multimodal translation: a latent code z modulates every norm (AdaIN), and an encoder infers z from a picture.

Huang and Belongie, 2017 (AdaIN), https://arxiv.org/abs/1703.06868; Zhu et al., 2017 (BicycleGAN),
https://arxiv.org/abs/1711.11586.
"""

__all__ = ["BilinearTail", "STYLE_ENCODERS", "STYLE_GENERATORS", "StyleEncoder", "StyleResnet"]

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Halve, InstanceNorm, Upsample, init_he, init_icnr, init_normal
from translate.utils import dist
from translate.utils.errors import OptionError

UPSAMPLING = ("bilinear", "shuffle")
FINEST = 16  # channels at full size


def conv3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Return a 3x3 convolution with zero padding, since reflection padding would cost a tenth of a step."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


def style_mapping(z_dim: int, style_dim: int) -> nn.Sequential:
    """Return the network that maps codes z (B, z_dim) to styles (B, style_dim)."""
    return nn.Sequential(
        nn.Linear(z_dim, style_dim), nn.LeakyReLU(0.2), nn.Linear(style_dim, style_dim), nn.LeakyReLU(0.2)
    )


class StyleScale(nn.Module):
    """Scale and shift features by the style; the same for all pictures without one."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.zeros(2 * channels))
        self.from_style = nn.Linear(style_dim, 2 * channels, bias=False) if style_dim else None

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return self.modulate(x, style)

    def modulate(self, x: Tensor, style: Tensor | None) -> Tensor:
        """Scale and shift features (B, channels, H, W), of which StyleNorm has normalised."""
        affine = self.constant.expand(x.shape[0], -1)  # len(x) would fix the batch of an exported file
        if self.from_style is not None:
            affine = affine + self.from_style(style)
        scale, shift = affine.to(x.dtype)[..., None, None].chunk(2, dim=1)
        return torch.addcmul(shift, x, 1 + scale)


class StyleNorm(StyleScale):
    """Instance norm whose scale and shift depend on the style (AdaIN, equation 8); they are constant without one."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__(channels, style_dim)
        self.norm = InstanceNorm(channels)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return self.modulate(self.norm(x), style)


class StyleBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))): the residual block with style norms."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = conv3(channels, channels), StyleNorm(channels, style_dim)
        self.conv2, self.norm2 = conv3(channels, channels), StyleNorm(channels, style_dim)

    def forward(self, x: Tensor, style: Tensor | None) -> Tensor:
        return x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x), style))), style)


class BilinearTail(nn.Module):
    """Doublings of features to full size, with convolutions of fewer and fewer channels, down to 16, between them.

    The source is added before the last convolution, so that its lines are sharp, and the style scales and shifts the
    sum: the shortest way for a colour from z to the picture. Every pixel is treated alike: where the source is flat
    there is no phase in which a screen could stand.

    Maps h (B, width, H / fold, W / fold) and the source x (B, in_channels, H, W) to (B, out_channels, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, width: int, fold: int, style_dim: int) -> None:
        super().__init__()
        doublings = fold.bit_length() - 1
        widths = [width, *(max(FINEST, width // 2**i) for i in range(1, doublings))]
        self.refine = nn.ModuleList(conv3(wide, narrow) for wide, narrow in pairwise(widths))
        self.norms = nn.ModuleList(StyleNorm(narrow, style_dim) for narrow in widths[1:])
        self.narrow = nn.Conv2d(widths[-1], FINEST, 3, padding=1)
        self.source = nn.Conv2d(in_channels, FINEST, 3, padding=1)
        self.tint = StyleScale(FINEST, style_dim)
        self.head = nn.Conv2d(FINEST, out_channels, 3, padding=1)
        self.upsample = Upsample()

    def forward(self, h: Tensor, style: Tensor | None, x: Tensor) -> Tensor:
        for conv, norm in zip(self.refine, self.norms, strict=True):
            h = F.relu(norm(conv(self.upsample(h)), style))
        h = self.upsample(self.narrow(h)) + self.source(x)  # a sum before the ReLU: half the work of a concatenation
        return torch.tanh(self.head(F.relu(self.tint(h, style))).float())


class StyleResnet(nn.Module):
    """A residual generator with skips and style norms.

    A stem, `downs` halvings by average pooling that double the width up to `most`, a trunk of residual blocks, and
    bilinear doublings that *add* the encoder's features of their size. The style enters the norms of trunk and decoder.
    The stem works on blocks of `fold` x `fold` px, since layers at full size would take most of the time. What follows
    the decoder depends on `upsample`:

    - "bilinear": a `BilinearTail`.
    - "shuffle" (models of earlier versions): the channels of a place become a block of pixels. They start equal
      (`init_icnr`), but learn a screen of `fold` px where the source is flat and the target is not.

    Maps x (B, in_channels, H, W) in [-1, 1] and z (B, z_dim), about N(0, 1), to (B, out_channels, H, W) in [-1, 1];
    H and W multiples of fold * 2^downs. With `z_dim` 0 there is no z, and the output is deterministic.
    """

    random: bool
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 0, width: int = 64, most: int = 256,
        downs: int = 2, blocks: int = 4, fold: int = 4, upsample: str = "shuffle", style_dim: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        if fold not in (2, 4, 8):
            raise OptionError(f"generator.fold should be 2, 4 or 8, got {fold}")
        if upsample not in UPSAMPLING:
            raise OptionError(f"generator.upsample should be one of {', '.join(UPSAMPLING)}, got {upsample!r}")
        # style
        self.z_dim, self.random, self.multiple = z_dim, z_dim > 0, fold * 2**downs
        self.fold = fold
        widths = [min(width * 2**i, most) for i in range(downs + 1)]
        style = style_dim if z_dim else 0
        self.mapping = style_mapping(z_dim, style_dim) if z_dim else None
        # encoder, trunk, decoder
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
        self.tail = None
        if upsample == "bilinear":
            self.tail = BilinearTail(in_channels, out_channels, width, fold, style)
        else:
            self.widen = nn.Conv2d(width, fold**2 // 4 * 16, 3, padding=1)
            self.head = nn.Conv2d(16, 4 * out_channels, 3, padding=1)
        self.upsample = Upsample()
        # weights
        init_normal(self)
        if self.mapping is not None:
            init_he(self.mapping)
        if self.tail is not None:
            init_he(self.tail.tint)
        else:
            init_icnr(self.widen, fold**2 // 4)
            init_icnr(self.head, 4)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        style = self.mapping(z) if self.mapping is not None else None
        *skips, h = self.encode(x)
        for block in self.trunk:
            h = block(h, style)
        return self.decode(h, style, x, *skips)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the features at every size, largest first."""
        features = [F.relu(self.stem(x))]
        for down in self.down:
            features.append(F.relu(down(features[-1])))
        return features

    def decode(self, h: Tensor, style: Tensor | None, x: Tensor, *skips: Tensor) -> Tensor:
        """Map the trunk's output, the source and the encoder's features at larger sizes to (B, out_channels, H, W)."""
        for up, norm, skip in zip(self.up, self.norm_up, skips[::-1], strict=True):
            h = self.upsample(F.relu(norm(up(h), style))) + skip
        h = F.relu(self.norm_last(self.last(h), style))
        if self.tail is not None:
            return self.tail(h, style, x)
        h = F.relu(F.pixel_shuffle(self.widen(h), self.fold // 2))
        return torch.tanh(F.pixel_shuffle(self.head(h), 2).float())


class StyleEncoder(nn.Module):
    """The encoder of the latent code z (BicycleGAN's E, section 3.2).

    Style is mostly colours and where they are, so the encoder works at about 64 px, has no norms, which would remove
    colours, and ends in a grid of 4 x 4. A linear shortcut from an 8 x 8 thumbnail lets z carry brightness from the
    first steps on; with `hues`, one from the mean hue lets it carry colours, too, however small the object is.

    Maps (B, in_channels, H, W) in [-1, 1], H and W >= 16, to mean and log variance, (B, z_dim) each.

    Attributes:
        looks: the latest latent codes (kept, z_dim), to sample from after training; saved with the model.
    """

    z_dim: int
    looks: Tensor
    segments = ()  # at 64 px, checkpointing saves nothing

    def __init__(
        self, *, in_channels: int = 3, z_dim: int = 8, width: int = 32, side: int = 64, kept: int = 256,
        hues: bool = False,
    ) -> None:  # fmt: skip
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
        self.hues = nn.Linear(in_channels, z_dim, bias=False) if hues else None
        self.register_buffer("looks", torch.randn(kept, z_dim))
        init_he(self)
        with torch.no_grad():
            self.head.bias[z_dim:].fill_(-3.0)  # a variance of 0.05; at 1, noise would hide the first codes

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        factor = max(1, min(x.shape[-2:]) // self.side)
        features = F.adaptive_avg_pool2d(self.body(F.avg_pool2d(x, factor) if factor > 1 else x), 4)
        mean, log_variance = self.head(features.flatten(1)).float().chunk(2, dim=1)
        mean = mean + self.shortcut(F.adaptive_avg_pool2d(x, 8).flatten(1)).float()
        if self.hues is not None:
            mean = mean + self.hues(mean_hue(x)).float()
        return mean, log_variance.clamp(-8, 2)

    @torch.no_grad()
    def store_codes(self, codes: Tensor) -> None:
        """Store latent codes (B, z_dim) of all ranks in place of the oldest."""
        self.looks.copy_(torch.cat([dist.all_gather_rows(codes).to(self.looks), self.looks])[: len(self.looks)])


def mean_hue(x: Tensor) -> Tensor:
    """Return the mean difference of each channel from gray, (B, C), of pictures (B, C, H, W) in [-1, 1].

    Places are weighted by the square of that difference: white paper, black and gray count nothing.
    """
    chroma = x.float() - x.float().mean(1, keepdim=True)
    weight = chroma.square().sum(1, keepdim=True)
    return (weight * chroma).mean((2, 3)) / (weight.mean((2, 3)) + 1e-3)


STYLE_GENERATORS: dict[str, Callable[..., nn.Module]] = {"style_resnet": StyleResnet}
STYLE_ENCODERS: dict[str, Callable[..., nn.Module]] = {"style_encoder": StyleEncoder}
