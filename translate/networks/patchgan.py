"""PatchGAN: a discriminator that scores every patch of a picture.

Isola et al., 2017, https://arxiv.org/abs/1611.07004, section 3.2.2 and appendix 6.1.2. With three layers each score
sees 70 x 70 pixels.
"""

__all__ = ["PATCH_DISCRIMINATORS", "MultiScale", "PatchGAN"]

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.blocks import BatchNorm, Halve, InstanceNorm, init_he, init_normal, without_autocast
from translate.utils.errors import OptionError, did_you_mean

NORMS = ("instance", "batch", "spectral", "none")


class PatchGAN(nn.Module):
    """k4 convolutions: `layers` of stride 2, two of stride 1, leaky ReLU 0.2 between.

    Maps (B, in_channels, H, W) in [-1, 1] to unbounded scores (B, 1, h, w). The norm is "instance" or "batch" (not
    on the first and last layer, as published), "spectral" (Miyato et al., 2018; on every layer) or "none".

    With `detail` > 0, which the paper does not have, D also sees the picture minus its 5 x 5 mean, times `detail`:
    texture is faint beside the colours of a scene, and D otherwise takes thousands of steps to notice it.
    """

    segments = ("features",)

    def __init__(
        self, *, in_channels: int = 3, width: int = 64, layers: int = 3, norm: str = "instance", detail: float = 0.0
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise OptionError(f"unknown norm {norm!r}{did_you_mean(norm, NORMS)}")
        self.detail = detail
        channels = [2 * in_channels if detail else in_channels] + [width * min(2**i, 8) for i in range(layers + 1)]
        body: list[nn.Module] = []
        for i, (c_in, c_out) in enumerate(zip(channels, channels[1:], strict=False)):
            normed = norm in ("instance", "batch") and i > 0
            bias = not (normed and norm == "batch")
            body += [nn.Conv2d(c_in, c_out, 4, stride=2 if i < layers else 1, padding=1, bias=bias)]
            if normed:
                body += [InstanceNorm(c_out) if norm == "instance" else BatchNorm(c_out)]
            body += [nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*body, nn.Conv2d(channels[-1], 1, 4, padding=1))
        init_he(self) if norm == "none" else init_normal(self)
        if norm == "spectral":
            for module in self.body:
                if isinstance(module, nn.Conv2d):
                    spectral_norm(module)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)[-1]

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the activations of every layer, the last of them the scores."""
        if self.detail:
            x = torch.cat([x, self.detail * (x - box_blur(x))], 1)
        found = []
        for layer in list(self.body)[:-1]:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return [*found, self.body[-1](x).float()]


class MultiScale(nn.Module):
    """PatchGANs of one make that look at the picture at full size, at half of it, and so on (pix2pixHD).

    Wang et al., 2018, https://arxiv.org/abs/1711.11585, section 3.2. Maps (B, in_channels, H, W) in [-1, 1] to one list
    a scale of the activations of every layer, the last of them the scores (B, 1, h, w).

    The judge of the full size is the dearest and sees the least far: of pictures larger than `window` px it gets,
    at every call, another window of that size, the same for the whole batch.
    """

    segments = ("judges",)

    def __init__(
        self,
        *,
        in_channels: int = 3,
        scales: int = 2,
        width: int = 64,
        layers: int = 3,
        norm: str = "spectral",
        detail: float = 0.0,
        window: int = 0,
    ) -> None:
        super().__init__()
        self.window, self.halve = window, Halve()
        self.judges = nn.ModuleList(
            PatchGAN(in_channels=in_channels, width=width, layers=layers, norm=norm, detail=detail)
            for _ in range(scales)
        )

    def forward(self, x: Tensor, view: Tensor | None = None) -> list[list[Tensor]]:
        """Judge x, at full size by the `view` through the window; without one, by another view at every call."""
        if view is None:
            view = self.view(x, self.draw_corner(x))
        found = []
        for judge in self.judges:
            found.append(judge.features(view))  # type: ignore[operator]
            x = view = self.halve(x)
        return found

    def draw_corner(self, x: Tensor) -> Tensor:
        """Return top and left, px, of a window at random: (2,) int64, where x is."""
        room = (max(0, side - self.window) + 1 for side in x.shape[-2:])
        return torch.stack([torch.randint(places, (), device=x.device) for places in room])

    def view(self, x: Tensor, corner: Tensor) -> Tensor:
        """Return what of x (B, C, H, W) is seen through the window at `corner` (2,), top and left."""
        if not self.window:
            return x
        if x.device.type != "cpu":
            return crop_at(x, corner, self.window)
        top, left = corner.tolist()
        return x[..., top : top + self.window, left : left + self.window]


def crop_at(x: Tensor, corner: Tensor, side: int) -> Tensor:
    """Cut, at `corner` (2,), top and left, `side` px of both dimensions, or all there is, out of (B, C, H, W).

    A view would need the numbers of the corner: a GPU would have to be waited for.
    """
    rows, columns = (
        start + torch.arange(min(side, n), device=x.device) for start, n in zip(corner, x.shape[-2:], strict=True)
    )
    return x.index_select(2, rows).index_select(3, columns)


def box_blur(x: Tensor) -> Tensor:
    """Return the means of the 5 x 5 px around each pixel of (B, C, H, W), which is mirrored at its border.

    A convolution of the planes one by one: `avg_pool2d` takes up to ten times as long on a CPU.
    """
    with without_autocast(x):  # bf16 would drown the texture, which is a small difference
        box = torch.full((x.shape[1], 1, 5, 5), 1 / 25, dtype=x.dtype, device=x.device)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), box, groups=len(box))


PATCH_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "patch_70": PatchGAN,
    "patch_34": partial(PatchGAN, layers=2),
    "multi_scale": MultiScale,
}
