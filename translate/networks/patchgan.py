"""PatchGAN: a discriminator that scores every patch of a picture, 70 x 70 px with three layers.

Isola et al., 2017, https://arxiv.org/abs/1611.07004, section 3.2.2 and appendix 6.1.2.
"""

__all__ = ["PATCH_DISCRIMINATORS", "MultiScale", "PatchGAN"]

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.blocks import Halve, init_he, init_normal, make_norm, without_autocast
from translate.utils.errors import OptionError, did_you_mean

NORMS = ("instance", "batch", "spectral", "none")


class PatchGAN(nn.Module):
    """4 x 4 convolutions: `layers` of stride 2, two of stride 1, leaky ReLU 0.2 between.

    Maps (B, in_channels, H, W) in [-1, 1] to unbounded scores (B, 1, h, w). The norm is "instance" or "batch" (not on
    the first and last layer, as published), "spectral" (Miyato et al., 2018; on every layer) or "none".

    Not in the paper: with `detail` > 0, D also gets the picture minus its 5 x 5 mean, times `detail`. Texture is faint
    beside the colours of a scene, and D would take thousands of steps to use it.
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
        for i, (c_in, c_out) in enumerate(pairwise(channels)):
            has_norm = norm in ("instance", "batch") and i > 0
            bias = not (has_norm and norm == "batch")
            body.append(nn.Conv2d(c_in, c_out, 4, stride=2 if i < layers else 1, padding=1, bias=bias))
            body += [make_norm(norm, c_out), nn.LeakyReLU(0.2)] if has_norm else [nn.LeakyReLU(0.2)]
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
        activations = []
        for layer in list(self.body)[:-1]:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                activations.append(x)
        return [*activations, self.body[-1](x).float()]


class MultiScale(nn.Module):
    """PatchGANs for the picture at full size, at half of it, and so on: pix2pixHD's multi-scale discriminator.

    Wang et al., 2018, https://arxiv.org/abs/1711.11585, section 3.2. Maps (B, in_channels, H, W) in [-1, 1] to one list
    per scale of the activations of every layer, the last of them the scores (B, 1, h, w).

    Not in the paper: the full-size discriminator costs most and sees the smallest part of a scene, so with `window` it
    gets a random window of that size (px), another one at every call and the same for the whole batch.
    """

    segments = ("judges",)

    def __init__(
        self, *, in_channels: int = 3, scales: int = 2, width: int = 64, layers: int = 3, norm: str = "spectral",
        detail: float = 0.0, window: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.window, self.halve = window, Halve()
        self.judges = nn.ModuleList(
            PatchGAN(in_channels=in_channels, width=width, layers=layers, norm=norm, detail=detail)
            for _ in range(scales)
        )

    def forward(self, x: Tensor, view: Tensor | None = None) -> list[list[Tensor]]:
        """Score x at every scale, at full size only its crop `view`; None: a random window."""
        if view is None:
            view = self.view(x, self.draw_corner(x))
        activations = []
        for judge in self.judges:
            activations.append(judge.features(view))  # type: ignore[operator]
            x = view = self.halve(x)
        return activations

    def draw_corner(self, x: Tensor) -> Tensor:
        """Draw top and left of a random window, px: (2,) int64 on the device of x."""
        positions = (max(0, side - self.window) + 1 for side in x.shape[-2:])
        return torch.stack([torch.randint(count, (), device=x.device) for count in positions])

    def view(self, x: Tensor, corner: Tensor) -> Tensor:
        """Crop x (B, C, H, W) to the window at `corner` (2,), top and left."""
        if not self.window:
            return x
        if x.device.type != "cpu":
            return crop_at(x, corner, self.window)
        top, left = corner.tolist()
        return x[..., top : top + self.window, left : left + self.window]


def crop_at(x: Tensor, corner: Tensor, side: int) -> Tensor:
    """Crop (B, C, H, W) at `corner` (2,), top and left, to `side` px or the full size if that is smaller.

    Slicing would read the corner on the host, which would wait for the GPU.
    """
    rows, columns = (
        start + torch.arange(min(side, n), device=x.device) for start, n in zip(corner, x.shape[-2:], strict=True)
    )
    return x.index_select(2, rows).index_select(3, columns)


def box_blur(x: Tensor) -> Tensor:
    """Return the mean of the 5 x 5 px around each pixel of (B, C, H, W), with reflection padding.

    Computed as a depthwise convolution, since `avg_pool2d` takes up to ten times as long on a CPU.
    """
    with without_autocast(x):  # bf16 would lose the texture, a small difference
        box = torch.full((x.shape[1], 1, 5, 5), 1 / 25, dtype=x.dtype, device=x.device)
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), box, groups=len(box))


PATCH_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "patch_70": PatchGAN,
    "patch_34": partial(PatchGAN, layers=2),
    "multi_scale": MultiScale,
}
