"""Layers that the networks share: norms, padding, resampling, initialisation."""

__all__ = [
    "BatchNorm", "Downsample", "Halve", "InstanceNorm", "ResidualBlock", "SyncBatchNorm", "Upsample", "conv", "init_he",
    "init_icnr", "init_normal", "make_norm", "reflect_pad", "without_autocast",
]  # fmt: skip

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from translate.networks.norms.moments import normalise_exactly
from translate.utils import dist
from translate.utils.factory import resolve

MAX_FLOAT32_PLANE_PX = 128 * 128  # larger planes are summed in strips: slower, but a hundred times as exact


class InstanceNorm(nn.Module):
    """Normalise every channel of every picture by its own mean and variance (Ulyanov et al., 2016).

    Computes `nn.InstanceNorm2d(affine=False)`, which converts channels_last to another layout and back. On the CPU a
    group norm with one group per channel keeps the layout. On a GPU the compiler fuses the plain formula with the
    operations that follow; without a compiler, the library's function is the fastest.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return self._by_formula(x) if torch.compiler.is_compiling() else F.instance_norm(x, eps=self.eps)
        if torch.compiler.is_compiling() or x.is_contiguous():
            return F.group_norm(x, self.channels, eps=self.eps)
        if x.shape[2] * x.shape[3] < 1024:  # here group norm strides through channels_last fifty times as slowly
            return F.group_norm(x.contiguous(), self.channels, eps=self.eps).to(memory_format=torch.channels_last)
        return _NormChannelsLast.apply(x, self.eps)

    def _by_formula(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x.float(), (2, 3), correction=0, keepdim=True)
        return ((x - mean) * (variance + self.eps).rsqrt()).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={self.eps}"


class _NormChannelsLast(torch.autograd.Function):
    """Group norm with one group per channel for channels_last on the CPU, with a backward pass of its own.

    In this layout, PyTorch sums in float32 over the whole plane: at 3 megapixels, the result is wrong by up to 0.01.
    PyTorch 2.13's backward pass takes ten times as long in that layout. With the result y, the standard deviation s
    and means over a plane: dx = (dy - mean(dy) - y * mean(dy * y)) / s (Ioffe and Szegedy, 2015, section 3).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        batch, channels, height, width = x.shape
        if height * width > MAX_FLOAT32_PLANE_PX:
            y, rstd = normalise_exactly(x, eps)
        else:
            y, _, rstd = torch.native_group_norm(x, None, None, batch, channels, height * width, channels, eps)
        ctx.save_for_backward(y, rstd)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        y, rstd = ctx.saved_tensors
        batch, channels, height, width = y.shape
        flat, grad = (t.permute(0, 2, 3, 1).contiguous().view(batch, -1, channels) for t in (y, dy))
        exact = torch.promote_types(grad.dtype, torch.float32)
        mean, along = (t.sum(1, keepdim=True, dtype=exact) / flat.shape[1] for t in (grad, grad * flat))
        dx = torch.addcmul(grad - mean.to(grad.dtype), flat, along.to(grad.dtype), value=-1)
        dx *= rstd.view(batch, 1, channels).to(grad.dtype)
        return dx.view(batch, height, width, channels).permute(0, 3, 1, 2), None


class SyncBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of the global batch, also on CPUs, where `nn.SyncBatchNorm` does not work."""

    def forward(self, x: Tensor) -> Tensor:
        if dist.world_size() == 1 or not self.training:
            return super().forward(x)
        exact = x.float()
        mean = dist.all_gather_rows(exact.mean((0, 2, 3))[None]).mean(0)[:, None, None]
        variance = dist.all_gather_rows((exact - mean).square().mean((0, 2, 3))[None]).mean(0)[:, None, None]
        count = x.numel() // x.shape[1] * dist.world_size()
        self._update_running(mean.detach().flatten(), variance.detach().flatten(), count)
        y = (exact - mean) * (variance + self.eps).rsqrt()
        if self.affine:
            y = y * self.weight[:, None, None] + self.bias[:, None, None]
        return y.to(x.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics with those of `count` values per channel."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum or 0.0)


class BatchNorm(SyncBatchNorm):
    """Batch norm that, after training, uses the statistics of each picture instead of the running averages.

    pix2pix does the same with test batches of one picture (section 3.4 calls it instance normalization). The output for
    a picture does not depend on the rest of its batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


def conv(in_channels: int, out_channels: int, kernel: int, *, bias: bool = True) -> nn.Conv2d:
    """Return a convolution that keeps the size, with reflection padding."""
    return _ReflectConv(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect", bias=bias)


def reflect_pad(x: Tensor, border: int) -> Tensor:
    """Pad (B, C, H, W) by reflection to (B, C, H + 2 * border, W + 2 * border), in its own dtype.

    Autocast on CPUs treats this padding as arithmetic, and would convert everything to fp32 and back.
    """
    with without_autocast(x):
        if x.device.type == "cpu" and x.requires_grad and not torch.compiler.is_compiling():
            return _ReflectPad.apply(x, border)
        return F.pad(x, (border,) * 4, mode="reflect")


class _ReflectPad(torch.autograd.Function):
    """Reflection padding for the CPU, where PyTorch 2.13's backward pass takes several times as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, border: int) -> Tensor:
        ctx.border = border
        return F.pad(x, (border,) * 4, mode="reflect")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        channels_last = dy.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        for dim in (2, 3):
            dy = _fold_border(dy, ctx.border, dim, layout)
        return dy, None


def _fold_border(padded: Tensor, border: int, dim: int, layout: torch.memory_format) -> Tensor:
    """Add the borders of dimension `dim` to the pixels that they reflect, and crop them."""
    size = padded.shape[dim] - 2 * border
    inside = padded.narrow(dim, border, size).clone(memory_format=layout)
    for start, to in ((0, 1), (size + border, size - border - 1)):
        inside.narrow(dim, to, border).add_(padded.narrow(dim, start, border).flip(dim))
    return inside


def without_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Return a context without autocast on the device of `x`."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)  # "meta" has no autocast


class _ReflectConv(nn.Conv2d):
    """A convolution with `padding_mode="reflect"` that pads without autocast."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(reflect_pad(x, self.kernel_size[0] // 2), self.weight, self.bias)


def make_norm(name: str, channels: int) -> nn.Module:
    """Return the norm called "instance", "batch" or "none" (the identity); raise OptionError for another name."""
    return resolve(name, NORMS, "norm")(channels)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "instance": InstanceNorm, "batch": BatchNorm, "none": lambda channels: nn.Identity(),
}  # fmt: skip


class ResidualBlock(nn.Module):
    """x + norm(conv(dropout(ReLU(norm(conv(x)))))), with reflection padding (CycleGAN, appendix 7.2).

    As in pix2pix, dropout stays on after training.
    """

    def __init__(self, channels: int, *, bias: bool = True, norm: str = "instance", dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv1 = conv(channels, channels, 3, bias=bias)
        self.norm1 = make_norm(norm, channels)
        self.conv2 = conv(channels, channels, 3, bias=bias)
        self.norm2 = make_norm(norm, channels)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(x)))
        if self.dropout:
            h = dist.dropout(h, self.dropout)
        return x + self.norm2(self.conv2(h))


class Downsample(nn.Module):
    """Blur with [1, 2, 1] in both directions and keep every second pixel, without aliasing (Zhang, 2019)."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", torch.outer(line, line).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel.to(x.dtype)
        return F.conv2d(reflect_pad(x, 1), kernel, stride=2, groups=len(kernel))


class Halve(nn.Module):
    """Average pooling of 2 x 2 px, for even H and W; twice as fast as `avg_pool2d` on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


class Upsample(nn.Module):
    """Double the size bilinearly, without checkerboards."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def init_he(net: nn.Module) -> None:
    """Initialise weights so that signals keep their variance through leaky ReLUs (He et al., 2015)."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=0.2)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_icnr(head: nn.Conv2d, pixels: int) -> None:
    """Initialise the `pixels` channels that become one block with equal weights (ICNR: Aitken et al., 2017)."""
    with torch.no_grad():
        head.weight.copy_(head.weight[::pixels].repeat_interleave(pixels, dim=0))


def init_normal(net: nn.Module, std: float = 0.02) -> None:
    """Initialise convolutions from N(0, std), scales of batch norms from N(1, std), and biases with 0 (DCGAN)."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
