"""An inpainting generator with a global receptive field: fast Fourier convolutions.

Suvorov et al., 2022 (LaMa), https://arxiv.org/abs/2109.07161, section 2.1; the layer: Chi et al., 2020, "Fast Fourier
Convolution". A product in the frequency domain is a convolution as large as the picture, so even the first layer of the
trunk connects the middle of a large hole with its surroundings.
"""

__all__ = ["FourierResnet", "pull_push"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import Halve, SyncBatchNorm, Upsample, init_he
from translate.utils import dist

COARSE_NOISE_PLANES = 8  # at an eighth of the size


def conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 3) -> nn.Sequential:
    """Return a convolution with batch norm and ReLU."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, SyncBatchNorm(out_channels), nn.ReLU())


class FourierUnit(nn.Module):
    """A 1x1 convolution of the spectrum of (B, C, H, W), real and imaginary parts as channels; the FFT is fp32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.norm = SyncBatchNorm(2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft2(x.float(), norm="ortho")
        parts = torch.cat([spectrum.real, spectrum.imag], 1)
        real, imaginary = F.relu(self.norm(self.conv(parts))).float().chunk(2, dim=1)
        return torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[-2:], norm="ortho").to(x.dtype)


class SpectralTransform(nn.Module):
    """The global path of the layer: half the channels, a residual Fourier unit, and back (LaMa, figure 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_norm_relu(channels, channels // 2, kernel=1)
        self.unit = FourierUnit(channels // 2)
        self.last = nn.Conv2d(channels // 2, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(x + self.unit(x))


class FourierConv(nn.Module):
    """A 3x3 convolution of all channels, plus a global path for the last `share` of them.

    The published layer has separate convolutions from local and global channels to either, except from global to
    global; one dense convolution replaces them.
    """

    def __init__(self, channels: int, share: float, z_dim: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.global_channels = max(2, round(channels * share) // 2 * 2)
        self.spectral = SpectralTransform(self.global_channels)
        self.norm = SyncBatchNorm(channels)
        self.from_z = nn.Linear(z_dim, channels, bias=False) if z_dim else None

    def forward(self, x: Tensor, z: Tensor | None) -> Tensor:
        local_channels = x.shape[1] - self.global_channels
        global_path = F.pad(self.spectral(x[:, local_channels:]), (0, 0, 0, 0, local_channels, 0))
        h = self.norm(self.conv(x) + global_path)
        return h if self.from_z is None else h + self.from_z(z).to(h.dtype)[..., None, None]


class FourierBlock(nn.Module):
    """x + f(ReLU(f(x))) with Fourier convolutions f and batch norm; z, if any, shifts every channel."""

    def __init__(self, channels: int, share: float, z_dim: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (FourierConv(channels, share, z_dim) for _ in range(2))

    def forward(self, x: Tensor, z: Tensor | None) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x, z)), z)


class FourierResnet(nn.Module):
    """LaMa, adapted to learn in minutes: three halvings, a trunk of Fourier blocks, three doublings.

    Five things differ: the stem takes blocks of 2 x 2 px; decoder levels add the encoder's features of their size; the
    network *adds* to a smooth membrane that fills the hole (`pull_push`); `FourierConv` has a dense convolution; and
    N(0, 1) noise in the hole, at full size and at an eighth, seeds textures: without it, waves appear along the border.
    After training, batch norm uses its running averages, and all pictures of a batch get the same noise from torch's
    global generator, so that the output depends only on the picture and the seed.

    Maps (B, in_channels, H, W), a picture in [-1, 1] and a last plane, 1 in the hole and -1 elsewhere, and with `z_dim`
    a vector (B, z_dim), to (B, out_channels, H, W) about [-1, 1], not clipped; H and W multiples of 8.
    """

    multiple, random = 8, True
    segments = ("encode", "trunk", "decode")

    def __init__(
        self, *, in_channels: int = 4, out_channels: int = 3, width: int = 32, trunk: int = 128, blocks: int = 4,
        share: float = 0.5, z_dim: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.z_dim = z_dim
        self.unshuffle = nn.PixelUnshuffle(2)
        self.stem = conv_norm_relu(4 * (in_channels + 1), width)
        self.down1 = nn.Sequential(Halve(), conv_norm_relu(width, 2 * width))
        self.down2 = nn.Sequential(Halve(), conv_norm_relu(2 * width, trunk))
        self.from_noise = nn.Conv2d(COARSE_NOISE_PLANES, trunk, 1, bias=False)
        self.trunk = nn.ModuleList(FourierBlock(trunk, share, z_dim) for _ in range(blocks))
        self.up1, self.up2 = conv_norm_relu(trunk, 2 * width), conv_norm_relu(2 * width, width)
        self.up3 = conv_norm_relu(width, 16)
        self.head = nn.Conv2d(17 + in_channels, out_channels, 3, padding=1)
        self.upsample = Upsample()
        init_he(self)
        for block in self.trunk:
            nn.init.zeros_(block.conv2.norm.weight)  # type: ignore[union-attr, arg-type]  # each block starts as the identity
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        h, *skips = self.encode(x)
        for block in self.trunk:
            h = block(h, z)
        return self.decode(h, *skips)

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the features at 1/8, 1/4 and 1/2 of the size, the network's input, and the filled picture."""
        picture, hole = x.float().split([x.shape[1] - 1, 1], dim=1)
        filled = self.fill_smoothly(picture, hole < 0)
        inside = (hole > 0).float()
        inputs = torch.cat([filled, hole, self._noise(inside, 1)], 1)
        half = self.stem(self.unshuffle(inputs))
        quarter = self.down1(half)
        h = self.down2(quarter) + self.from_noise(self._noise(F.avg_pool2d(inside, 8), COARSE_NOISE_PLANES))
        return h, quarter, half, inputs, filled

    def decode(self, h: Tensor, quarter: Tensor, half: Tensor, inputs: Tensor, filled: Tensor) -> Tensor:
        """Map the trunk's output and the results of `encode` to (B, out_channels, H, W)."""
        h = self.up1(self.upsample(h)) + quarter
        h = self.up2(self.upsample(h)) + half
        h = self.up3(self.upsample(h))
        return filled + self.head(torch.cat([h, inputs.to(h.dtype)], 1)).float()

    def fill_smoothly(self, picture: Tensor, known: Tensor) -> Tensor:
        """Call `pull_push`; exported files have a form of it with a fixed number of levels."""
        return pull_push(picture, known)

    def _noise(self, inside: Tensor, planes: int) -> Tensor:
        """Return noise where `inside` (B, 1, H, W) is 1: for each picture, or after training once for all."""
        return inside * self.draw_noise(inside, planes)

    def draw_noise(self, inside: Tensor, planes: int) -> Tensor:
        """Draw noise of the size of `inside`; exported files get it as an input.

        After training, the CPU's generator is used for every device, since those of GPUs give other numbers.
        """
        shape = planes, *inside.shape[2:]
        if self.training:
            return dist.draw_local_rows(lambda n: torch.randn(n, *shape, device=inside.device), len(inside))
        return torch.randn(1, *shape).to(inside.device)


def pull_push(picture: Tensor, known: Tensor) -> Tensor:
    """Fill the unknown pixels of (B, C, H, W) with a smooth membrane (pull-push: Gortler et al., 1996, section 3.4).

    Pixels stay where `known`, (B, 1, H, W) bool, is True. If nothing is known, all become 0.
    """
    weight = known.to(picture.dtype)
    levels = [(picture * weight, weight)]
    while min(levels[-1][0].shape[-2:]) > 1:
        levels.append(tuple(F.avg_pool2d(x, 2, ceil_mode=True) for x in levels[-1]))  # type: ignore[arg-type]
    total, weight = (x.mean((2, 3), keepdim=True) for x in levels[-1])
    filled = total / weight.clamp_min(1e-6)
    for total, weight in reversed(levels):
        membrane = F.interpolate(filled, size=total.shape[-2:], mode="bilinear", align_corners=False)
        filled = torch.lerp(membrane, total / weight.clamp_min(1e-6), weight)
    return filled
