"""The context encoder: an inpainting network with a fully connected bottleneck of 4 x 4 px.

Pathak et al., 2016, https://arxiv.org/abs/1604.07379: section 3.1 (bottleneck) and figure 9 (widths, for 128 px). The
figure's network predicts only a hole in the centre; this one predicts the whole picture, as the paper does for
arbitrary regions, and the loss (equation 1) is restricted to the hole.
"""

__all__ = ["ChannelwiseLinear", "ContextEncoder"]

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.blocks import SyncBatchNorm, init_normal
from translate.utils.errors import OptionError

BOTTLENECK_PX = 4


class ChannelwiseLinear(nn.Module):
    """A fully connected layer within each channel, over all of its pixels (section 3.1).

    Maps (B, channels, side, side) to the same shape with channels * side^4 weights; channels do not mix.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        pixels = side * side
        self.weight = nn.Parameter(0.02 * torch.randn(channels, pixels, pixels))  # the scale of init_normal
        self.bias = nn.Parameter(torch.zeros(channels, pixels))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.einsum("bci,coi->bco", x.flatten(2), self.weight) + self.bias
        return h.unflatten(2, x.shape[2:])


class ContextEncoder(nn.Module):
    """Strided convolutions down to 4 x 4 px, a channel-wise fully connected layer, a 1 x 1 convolution, and back up.

    Maps (B, in_channels, size, size), a picture in [-1, 1] with 0 in its hole, and the mask as the last plane, to
    (B, out_channels, size, size) in [-1, 1]. The mask is ignored: the paper's network gets the picture alone, with the
    mean colour in the hole. After training, batch norm uses its running averages.
    """

    z_dim = 0
    random = False

    def __init__(self, *, in_channels: int = 4, out_channels: int = 3, size: int = 128, width: int = 64) -> None:
        super().__init__()
        widths = encoder_widths(size, width)
        self.multiple = self.fixed = size
        self.first = nn.Conv2d(in_channels - 1, widths[0], 4, stride=2, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=False) for c_in, c_out in pairwise(widths)
        )
        self.norm_down = nn.ModuleList(SyncBatchNorm(c) for c in widths[1:])
        self.spread = ChannelwiseLinear(widths[-1], BOTTLENECK_PX)
        self.mix = nn.Conv2d(widths[-1], widths[-1], 1, bias=False)
        self.norm_mix = SyncBatchNorm(widths[-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=False)
            for c_in, c_out in pairwise(widths[::-1])
        )
        self.norm_up = nn.ModuleList(SyncBatchNorm(c) for c in widths[-2::-1])
        self.last = nn.ConvTranspose2d(widths[0], out_channels, 4, stride=2, padding=1)
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2:] == (self.fixed, self.fixed), f"made for {self.fixed} px, not {tuple(x.shape[2:])}"
        h = F.leaky_relu(self.first(x[:, :-1]), 0.2)
        for down, norm in zip(self.down, self.norm_down, strict=True):
            h = F.leaky_relu(norm(down(h)), 0.2)
        h = F.relu(self.norm_mix(self.mix(self.spread(h))))
        for up, norm in zip(self.up, self.norm_up, strict=True):
            h = F.relu(norm(up(h)))
        return torch.tanh(self.last(h).float())


def encoder_widths(size: int, width: int) -> list[int]:
    """Return the channels from `size` / 2 down to 4 x 4 px: at 128 px and width 64 they are 64, 64, 128, 256, 512.

    Raises:
        OptionError: `size` is not a power of two of at least 32.
    """
    levels = size.bit_length() - 3
    if size < 32 or size != BOTTLENECK_PX << levels:
        raise OptionError(
            f"context_encoder takes pictures of 32, 64, 128 ... px, not {size}; say --size 128, for example"
        )
    return [width * 2 ** max(0, 3 - left) for left in reversed(range(levels))]
