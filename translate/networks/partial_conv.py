"""Partial convolutions: a U-Net whose layers read only known pixels, and close the hole from its border inwards.

Liu et al., 2018, https://arxiv.org/abs/1804.07723: sections 3.1 (layer), 3.2 and the appendix's table (network), and
4.2 (second stage of training).
"""

__all__ = ["EncoderNorm", "PartialConv", "PartialUNet"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import SyncBatchNorm, init_he


class PartialConv(nn.Module):
    """A convolution over the known values, rescaled for the missing ones (section 3.1).

    With the values X under the window, and M = 1 where they are known, else 0 (equation 1):

        x' = W^T (X * M) sum(1) / sum(M) + b  where sum(M) > 0, else 0.

    The result is known, m' = 1, wherever a value under the window is (equation 2). The border around the picture counts
    as a hole, so that no zero padding enters the picture's edge.

    Args:
        parts: channels of each part of the input; each part has a mask, the same for all of its channels.
        out_channels: channels of the output.
        kernel: side of the window, px; odd.
        stride: of the window, px.
    """

    def __init__(self, parts: Sequence[int], out_channels: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.conv = nn.Conv2d(sum(parts), out_channels, kernel, stride=stride, padding=kernel // 2)
        self.kernel, self.stride, self.border = kernel, stride, kernel // 2

    def forward(self, parts: Sequence[Tensor], known: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Map parts (B, C, H, W) and their masks (B, 1, H, W), 1 where known and else 0.

        Returns:
            (B, out_channels, H / stride, W / stride), and its mask (B, 1, H / stride, W / stride).
        """
        masked = [x * m.to(x.dtype) for x, m in zip(parts, known, strict=True)]
        x = torch.cat(masked, 1) if len(masked) > 1 else masked[0]
        scale, reached = self.scale_and_mask(known)
        raw = F.conv2d(x, self.conv.weight, None, self.stride, self.border)
        assert self.conv.bias is not None
        return (raw * scale + self.conv.bias[:, None, None] * reached).to(raw.dtype), reached

    def scale_and_mask(self, known: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return sum(1) / sum(M), 0 where nothing is known, and the mask m', both float32.

        sum(M) / sum(1) is the mean over a window, 0 outside the picture, of the share of channels that are known.
        """
        share = torch.stack([c * m for c, m in zip(self.parts, known, strict=True)]).sum(0) / sum(self.parts)
        covered = F.avg_pool2d(share, self.kernel, self.stride, self.border)
        reached = (covered > 0).to(covered.dtype)
        return reached / covered.clamp_min(1e-9), reached


class EncoderNorm(SyncBatchNorm):
    """Batch norm that can be frozen, with fixed running averages, scale and shift."""

    def __init__(self, channels: int, *, frozen: bool) -> None:
        super().__init__(channels)
        self.frozen = frozen

    def forward(self, x: Tensor) -> Tensor:
        if not self.frozen:
            return super().forward(x)
        scale, shift = self.weight.detach(), self.bias.detach()
        return F.batch_norm(x, self.running_mean, self.running_var, scale, shift, eps=self.eps)


class PartialUNet(nn.Module):
    """C64k7-C128k5-C256k5-C512k3-... with strides of 2 down; nearest-neighbour doublings, skips and k3 up.

    ReLU down, leaky ReLU 0.2 up, batch norm on all but the first and the last layer; the last has no activation either.
    Masks are concatenated where features are, up to those of the picture itself. 8 levels at the paper's 512 px, one
    less for each halving. Convolutions before batch norm keep their biases, which reach known pixels only.

    Maps (B, in_channels, H, W), a picture in [-1, 1] and the mask as the last plane, 1 in the hole and -1 elsewhere, to
    (B, out_channels, H, W), about [-1, 1]; pixels in the hole are ignored. H and W are multiples of 2^levels.

    `freeze_encoder_norm` is for the paper's second stage (section 4.2): holes falsify the statistics of a batch, so a
    trained network continues at a quarter of the learning rate with the encoder's batch norms frozen.
    """

    z_dim = 0
    random = False
    segments = ("descend", "ascend")

    def __init__(
        self, *, in_channels: int = 4, out_channels: int = 3, size: int = 256, width: int = 64,
        freeze_encoder_norm: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        levels = max(2, min(8, size.bit_length() - 2))
        self.multiple = 2**levels
        widths = [width * min(2**i, 8) for i in range(levels)]
        before = [in_channels - 1, *widths[:-1]]  # input channels of each level
        self.down = nn.ModuleList(
            PartialConv([c_in], c_out, kernel, stride=2)
            for c_in, c_out, kernel in zip(before, widths, [7, 5, 5, *[3] * levels], strict=False)
        )
        self.norm_down = nn.ModuleList(EncoderNorm(c, frozen=freeze_encoder_norm) for c in widths[1:])
        outputs = [out_channels, *widths[:-1]]
        self.up = nn.ModuleList(
            PartialConv([below, skip], c_out, 3)
            for below, skip, c_out in reversed(list(zip(widths, before, outputs, strict=True)))
        )
        self.norm_up = nn.ModuleList(SyncBatchNorm(c) for c in outputs[:0:-1])
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
        """Halve the size of features and mask."""
        h, known = self.down[level]([h], [known])
        return F.relu(self.norm_down[level - 1](h) if level else h), known

    def ascend(self, level: int, h: Tensor, known: Tensor, skip: Tensor, skip_known: Tensor) -> tuple[Tensor, Tensor]:
        """Double the size of features and mask, and convolve them with the skip; the last level has no norm."""
        h, known = F.interpolate(h, scale_factor=2), F.interpolate(known, scale_factor=2)
        h, known = self.up[level]([h, skip], [known, skip_known])
        return (F.leaky_relu(self.norm_up[level](h), 0.2) if level < len(self.norm_up) else h), known
