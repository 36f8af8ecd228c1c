"""The pieces that generators and discriminators share: norms, padding, resampling, initialisation."""

__all__ = [
    "BatchNorm", "Downsample", "Halve", "InstanceNorm", "ResidualBlock", "Upsample", "conv", "init_alike", "init_he",
    "init_normal",
]  # fmt: skip

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class InstanceNorm(nn.Module):
    """Normalise every channel of every picture by its own mean and variance (Ulyanov et al., 2016).

    The function of `nn.InstanceNorm2d(affine=False)`. On the CPU it is computed as a group norm with one
    group a channel, which is the same mathematics but keeps channels_last, as `nn.InstanceNorm2d` does not.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu":
            return F.group_norm(x, self.channels, eps=self.eps)
        return F.instance_norm(x, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={self.eps}"


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that goes on using the statistics of what it is given, each picture by itself, after training.

    That is what pix2pix does with its test pictures one at a time (section 3.4 of its paper calls it instance
    normalization): nobody's answer depends on what else is in the batch, and none on averages of the training set.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


def conv(in_channels: int, out_channels: int, kernel: int, *, bias: bool = True) -> nn.Conv2d:
    """Return a convolution that keeps the size and mirrors the picture at its border."""
    return nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect", bias=bias)


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), with mirrored borders (CycleGAN, appendix 7.2)."""

    def __init__(self, channels: int, *, bias: bool = True) -> None:
        super().__init__()
        self.conv1 = conv(channels, channels, 3, bias=bias)
        self.norm1 = InstanceNorm(channels)
        self.conv2 = conv(channels, channels, 3, bias=bias)
        self.norm2 = InstanceNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))


class Downsample(nn.Module):
    """Blur with [1, 2, 1] and keep every second pixel, so that nothing aliases (Zhang, 2019)."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", torch.outer(line, line).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel.to(x.dtype)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=len(kernel))


class Halve(nn.Module):
    """Halve (B, C, H, W), H and W even, by means of 2 x 2: `avg_pool2d`'s function, at half its time on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


class Upsample(nn.Module):
    """Double the size bilinearly: every output pixel is made alike, so no checkerboard can be printed."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def init_he(net: nn.Module) -> None:
    """Draw the weights so that signals keep their size through leaky ReLUs (He et al., 2015)."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=0.2)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_alike(head: nn.Conv2d, pixels: int) -> None:
    """Give the channels that become one block of `pixels` the same weights at first (ICNR: Aitken et al., 2017)."""
    with torch.no_grad():
        head.weight.copy_(head.weight[::pixels].repeat_interleave(pixels, dim=0))


def init_normal(net: nn.Module, std: float = 0.02) -> None:
    """Draw all convolution weights from N(0, std), batch norms' scales from N(1, std), and zero the biases (DCGAN)."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
