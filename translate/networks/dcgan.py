"""DCGAN: strided convolutions and batch norm.

Radford, Metz and Chintala, 2016, https://arxiv.org/abs/1511.06434, section 3 and figure 1. Labels are concatenated to z
as one-hot vectors and to the picture as planes: Mirza and Osindero, 2014, https://arxiv.org/abs/1411.1784.
"""

__all__ = ["DCGAN", "DCGANDiscriminator", "dcgan_64"]

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import SyncBatchNorm, init_normal
from translate.utils.errors import OptionError


def generator_widths(size: int, width: int) -> list[int]:
    """Return the channels from 4 x 4 px up to `size` / 2: at 64 px and width 64 they are 512, 256, 128, 64.

    Raises:
        OptionError: `size` is not a power of two of at least 16.
    """
    levels = size.bit_length() - 3
    if size < 16 or size != 4 << levels:
        raise OptionError(f"dcgan makes pictures of 32, 64, 128 ... px, not {size}; say --size 64, for example")
    return [width * min(2**i, 16) for i in reversed(range(levels))]


class DCGAN(nn.Module):
    """The generator: a transposed convolution to 4 x 4 px, then one per doubling.

    Maps z (B, z_dim), uniform in [-1, 1] (section 4), and, with `classes`, label weights (B, classes) to
    (B, out_channels, size, size) in [-1, 1]. After training, batch norm uses its running averages.
    """

    def __init__(
        self, *, size: int = 64, out_channels: int = 3, classes: int = 0, z_dim: int = 100, z_kind: str = "uniform",
        width: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = generator_widths(size, width)
        self.size, self.out_channels, self.classes = size, out_channels, classes
        self.z_dim, self.z_kind, self.w_dim = z_dim, z_kind, z_dim + classes
        self.first = nn.ConvTranspose2d(self.w_dim, widths[0], 4, bias=False)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False) for wide, narrow in pairwise(widths)
        )
        self.norms = nn.ModuleList(SyncBatchNorm(c) for c in widths)
        self.last = nn.ConvTranspose2d(widths[-1], out_channels, 4, stride=2, padding=1)
        init_normal(self)

    def style(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Concatenate z and the label to w."""
        return z if label is None else torch.cat([z, label], 1)

    def draw(self, w: Tensor) -> Tensor:
        """Map w (B, w_dim) to pictures."""
        h = F.relu(self.norms[0](self.first(w[..., None, None])))
        for up, norm in zip(self.up, self.norms[1:], strict=True):
            h = F.relu(norm(up(h)))
        return torch.tanh(self.last(h).float())

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.draw(self.style(z, label))


class DCGANDiscriminator(nn.Module):
    """The discriminator: strided convolutions, leaky ReLU 0.2, batch norm on all but the first.

    Maps (B, in_channels, size, size) in [-1, 1] and, with `classes`, label weights (B, classes) to scores (B, 1).
    """

    def __init__(self, *, size: int = 64, in_channels: int = 3, classes: int = 0, width: int = 64) -> None:
        super().__init__()
        widths = generator_widths(size, width)[::-1]
        self.first = nn.Conv2d(in_channels + classes, widths[0], 4, stride=2, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=False) for narrow, wide in pairwise(widths)
        )
        self.norms = nn.ModuleList(SyncBatchNorm(c) for c in widths[1:])
        self.last = nn.Conv2d(widths[-1], 1, 4)
        init_normal(self)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if label is not None:
            planes = label[..., None, None].expand(-1, -1, *x.shape[-2:])
            x = torch.cat([x, planes], 1)
        h = F.leaky_relu(self.first(x), 0.2)
        for down, norm in zip(self.down, self.norms, strict=True):
            h = F.leaky_relu(norm(down(h)), 0.2)
        return self.last(h).flatten(1).float()


def dcgan_64(
    *, size: int = 64, out_channels: int = 3, classes: int = 0, z_dim: int = 100, z_kind: str = "uniform",
    width: int = 64,
) -> DCGAN:  # fmt: skip
    """Return the generator of the paper's figure 1; raise OptionError unless `size` is 64."""
    if size != 64:
        raise OptionError(f"dcgan_64 makes pictures of 64 px, not {size}; say --size 64, or --netG dcgan")
    return DCGAN(out_channels=out_channels, classes=classes, z_dim=z_dim, z_kind=z_kind, width=width)
