"""Partial convolutions: a U-Net whose every layer computes from what is known alone, and so closes the hole.

Liu et al., 2018, https://arxiv.org/abs/1804.07723: section 3.1 (the layer), 3.2 and the appendix's table (the network)
and 4.2 (the second stage of the training).
"""

__all__ = ["EncoderNorm", "PartialConv", "PartialUNet"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import init_he
from translate.utils import dist


class PartialConv(nn.Module):
    """A convolution over the known values, weighed up for those that are missing (section 3.1).

    With X the values under the window, M = 1 where they are known and 0 elsewhere (equation 1):

        x' = W^T (X * M) sum(1) / sum(M) + b  where sum(M) > 0, else 0.

    The result is known, m' = 1, wherever anything under the window was (equation 2).

    The border around the picture counts as a hole, as a layer of nothing known: it is weighed up like any other hole,
    and no zero that was never measured enters the picture's edge.

    Masks are alike in all channels of one part of the input, so one channel of each part is all that is computed.

    Args:
        parts: Channels of each part of the input; parts have masks of their own.
        out_channels: Channels of the output.
        kernel: Side of the window, px; odd.
        stride: Of the window, px.
    """

    def __init__(self, parts: Sequence[int], out_channels: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.conv = nn.Conv2d(sum(parts), out_channels, kernel, stride=stride, padding=kernel // 2)
        self.kernel, self.stride, self.border = kernel, stride, kernel // 2

    def forward(self, parts: Sequence[Tensor], known: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Convolve.

        Args:
            parts: The input, (B, C, H, W) each with the channels that the layer was built for.
            known: Where each part is known: (B, 1, H, W), float32, 1 or 0.

        Returns:
            (B, out_channels, H / stride, W / stride), and where that is known, (B, 1, H / stride, W / stride).
        """
        measured = [x * m.to(x.dtype) for x, m in zip(parts, known, strict=True)]
        x = torch.cat(measured, 1) if len(measured) > 1 else measured[0]
        scale, reached = self.scale_and_mask(known)
        raw = F.conv2d(x, self.conv.weight, None, self.stride, self.border)
        assert self.conv.bias is not None
        return (raw * scale + self.conv.bias[:, None, None] * reached).to(raw.dtype), reached

    def scale_and_mask(self, known: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return sum(1) / sum(M), 0 where nothing is known, and the mask m', in float32 whatever the precision.

        The mean over a window, outside the picture 0, of the share of channels that are known is sum(M) / sum(1).
        """
        share = torch.stack([c * m for c, m in zip(self.parts, known, strict=True)]).sum(0) / sum(self.parts)
        covered = F.avg_pool2d(share, self.kernel, self.stride, self.border)
        reached = (covered > 0).to(covered.dtype)
        return reached / covered.clamp_min(1e-9), reached


class EncoderNorm(dist.SharedBatchNorm):
    """Batch norm that can be frozen: the averages of an earlier training, a scale and a shift that no step changes."""

    def __init__(self, channels: int, *, frozen: bool) -> None:
        super().__init__(channels)
        self.frozen = frozen

    def forward(self, x: Tensor) -> Tensor:
        if not self.frozen:
            return super().forward(x)
        scale, shift = self.weight.detach(), self.bias.detach()
        return F.batch_norm(x, self.running_mean, self.running_var, scale, shift, eps=self.eps)


class PartialUNet(nn.Module):
    """C64k7-C128k5-C256k5-C512k3-... down by strides of 2, back up by nearest neighbours, with skips, kernels of 3.

    ReLU on the way down, leaky ReLU 0.2 on the way up, batch norm on all but the first and the last layer; the last has
    no activation either, so that its output is not bounded. The masks of what is joined are joined as well, down to
    those of the picture itself. Weights start as He et al., 2015. 8 levels down and 8 up at the paper's 512 px, one
    less for each halving.

    Biases stay in front of batch norm: it does not take them away, since they reach only what is known.

    Maps (B, in_channels, H, W), a picture in [-1, 1] and then the plane of the mask, 1 in the hole and -1 elsewhere, to
    (B, out_channels, H, W), about [-1, 1]; what the picture holds in its hole does not matter. H and W are multiples of
    2^levels.

    `freeze_encoder_norm` is for the paper's second stage (section 4.2): while there are holes, means and variances of a
    batch are wrong, so a trained network goes on at a quarter of the learning rate with those of the way down fixed.
    """

    z_dim = 0
    random = False
    segments = ("descend", "ascend")

    def __init__(
        self,
        *,
        in_channels: int = 4,
        out_channels: int = 3,
        size: int = 256,
        width: int = 64,
        freeze_encoder_norm: bool = False,
    ) -> None:
        super().__init__()
        levels = max(2, min(8, size.bit_length() - 2))
        self.multiple = 2**levels
        widths = [width * min(2**i, 8) for i in range(levels)]
        before = [in_channels - 1, *widths[:-1]]  # channels in front of each level
        self.down = nn.ModuleList(
            PartialConv([c_in], c_out, kernel, stride=2)
            for c_in, c_out, kernel in zip(before, widths, [7, 5, 5, *[3] * levels], strict=False)
        )
        self.norm_down = nn.ModuleList(EncoderNorm(c, frozen=freeze_encoder_norm) for c in widths[1:])
        made = [out_channels, *widths[:-1]]
        self.up = nn.ModuleList(
            PartialConv([below, skip], c_out, 3)
            for below, skip, c_out in reversed(list(zip(widths, before, made, strict=True)))
        )
        self.norm_up = nn.ModuleList(dist.SharedBatchNorm(c) for c in made[:0:-1])
        init_he(self)

    def forward(self, x: Tensor) -> Tensor:
        h, known = x[:, :-1], (x[:, -1:] < 0).float()
        skips = []
        for level in range(len(self.down)):
            skips.append((h, known))
            h, known = self.descend(level, h, known)
        for level in range(len(self.up)):
            h, known = self.ascend(level, h, known, *skips.pop())
        return h.float()

    def descend(self, level: int, h: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Halve features and mask."""
        h, known = self.down[level]([h], [known])
        return F.relu(self.norm_down[level - 1](h) if level else h), known

    def ascend(self, level: int, h: Tensor, known: Tensor, skip: Tensor, skip_known: Tensor) -> tuple[Tensor, Tensor]:
        """Double features and mask; the last level has no norm."""
        h, known = self.join(self.up[level], h, known, skip, skip_known)
        return (F.leaky_relu(self.norm_up[level](h), 0.2) if level < len(self.norm_up) else h), known

    @staticmethod
    def join(up: nn.Module, h: Tensor, known: Tensor, skip: Tensor, skip_known: Tensor) -> tuple[Tensor, Tensor]:
        """Double features and mask, and convolve them together with those of the way down."""
        larger, larger_known = F.interpolate(h, scale_factor=2), F.interpolate(known, scale_factor=2)
        return up([larger, skip], [larger_known, skip_known])
