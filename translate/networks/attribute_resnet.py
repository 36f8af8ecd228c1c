"""Generators and discriminators for labels that a picture is to get or to lose.

Choi et al., 2018 (StarGAN), https://arxiv.org/abs/1711.09020, appendix 2; Pumarola et al., 2018 (GANimation: the mask),
https://arxiv.org/abs/1807.09251.
"""

__all__ = ["AttributeResnet", "Blend", "LabelDiscriminator", "StarResnet"]

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.blocks import init_he
from translate.networks.style_resnet import StyleBlock, StyleNorm, StyleResnet
from translate.utils.errors import OptionError

MASK_BIAS = -1.0  # of the mask's last layer: the mask begins at 0.12
DISCRIMINATOR_NORMS = ("none", "spectral")


class Blend(nn.Module):
    """m c + (1 - m) x: the picture x (B, C, H, W), replaced by the content c where the mask m is 1.

    `drawn` (B, C + 1, H, W) in [-1, 1] are the planes of c, then 2 m - 1.
    """

    def forward(self, drawn: Tensor, x: Tensor) -> Tensor:
        content, mask = drawn.split([x.shape[1], 1], dim=1)
        return torch.lerp(x.to(content.dtype), content, (mask + 1) / 2)


class AttributeResnet(nn.Module):
    """A `StyleResnet` whose style follows from the wished labels, and which draws a content and a mask.

    Where the mask is 0, the input stays as it is. The wishes modulate the norms, as in StarGAN v2 (Choi et al.,
    2020), and are not planes beside the picture.

    Maps x (B, in_channels, H, W) in [-1, 1] and wishes z (B, z_dim) to (B, out_channels, H, W) in [-1, 1]; H and W
    multiples of fold * 2^downs.
    """

    random, segments = False, ("body",)

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 1, width: int = 32, most: int = 128,
        downs: int = 1, blocks: int = 4, fold: int = 2, style_dim: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        self.body = StyleResnet(
            in_channels=in_channels, out_channels=out_channels + 1, z_dim=z_dim, width=width, most=most, downs=downs,
            blocks=blocks, fold=fold, upsample="bilinear", style_dim=style_dim,
        )  # fmt: skip
        self.blend = Blend()
        self.z_dim, self.multiple = z_dim, self.body.multiple
        assert self.body.tail is not None and self.body.tail.head.bias is not None
        with torch.no_grad():
            self.body.tail.head.bias[-1] = MASK_BIAS

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.blend(self.body(x, z), x)


class StarResnet(nn.Module):
    """The published generator: label planes beside the picture, c7s1-64, d128, d256, R256s, u128, u64, c7s1-3.

    Norms are instance norms with scale and shift. Maps x (B, in_channels, H, W) in [-1, 1] and labels z (B, z_dim) to
    (B, out_channels, H, W) in [-1, 1]; H and W multiples of 4.
    """

    random, multiple, segments = False, 4, ()

    def __init__(
        self, *, in_channels: int = 3, out_channels: int = 3, z_dim: int = 1, width: int = 64, blocks: int = 6
    ) -> None:
        super().__init__()
        self.z_dim = z_dim
        widths = (width, 2 * width, 4 * width)
        self.stem = nn.Conv2d(in_channels + z_dim, width, 7, padding=3, bias=False)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in pairwise(widths))
        self.trunk = nn.ModuleList(StyleBlock(widths[-1], 0) for _ in range(blocks))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False) for a, b in pairwise(widths[::-1])
        )
        self.norms = nn.ModuleList(StyleNorm(c, 0) for c in (*widths, *widths[-2::-1]))
        self.head = nn.Conv2d(width, out_channels, 7, padding=3, bias=False)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        planes = z[:, :, None, None].to(x.dtype).expand(-1, -1, *x.shape[2:])
        h = torch.cat([x, planes], 1)
        for layer, norm in zip((self.stem, *self.down), self.norms[:3], strict=True):
            h = F.relu(norm(layer(h), None))
        for block in self.trunk:
            h = block(h, None)
        for layer, norm in zip(self.up, self.norms[3:], strict=True):
            h = F.relu(norm(layer(h), None))
        return torch.tanh(self.head(h).float())


class LabelDiscriminator(nn.Module):
    """The published discriminator: `layers` 4 x 4 convolutions of stride 2, then scores of patches, and labels.

    Maps (B, in_channels, size, size) in [-1, 1] to unbounded scores (B, 1, h, w) and logits of the labels (B, classes).
    The norm is "none", as published, or "spectral". At small sizes, there are fewer layers, so that 2 px are left.
    With `he`, weights begin so that signals keep their variance; as published, they begin smaller.
    """

    segments = ("body",)

    def __init__(
        self, *, size: int = 128, in_channels: int = 3, classes: int = 1, width: int = 64, layers: int = 6,
        norm: str = "none", he: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if norm not in DISCRIMINATOR_NORMS:
            raise OptionError(f"discriminator.norm should be one of {', '.join(DISCRIMINATOR_NORMS)}, got {norm!r}")
        layers = max(1, min(layers, size.bit_length() - 2))
        channels = [in_channels, *(width * 2**i for i in range(layers))]
        body: list[nn.Module] = []
        for c_in, c_out in pairwise(channels):
            body += [nn.Conv2d(c_in, c_out, 4, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.body = nn.Sequential(*body)
        self.score = nn.Conv2d(channels[-1], 1, 3, padding=1, bias=False)
        self.label = nn.Conv2d(channels[-1], classes, size // 2**layers, bias=False)
        if he:
            init_he(self)
        if norm == "spectral":
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d):
                    spectral_norm(module)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.score(h).float(), self.label(h).flatten(1).float()
