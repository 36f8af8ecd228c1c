"""A discriminator on frozen features: fast to learn, since it need not learn to see.

Sauer et al., 2021, "Projected GANs Converge Faster", https://arxiv.org/abs/2111.01007, section 3.
"""

__all__ = ["NEEDS_FEATURES", "Projected"]

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.augment import roll_together
from translate.networks.blocks import init_he, make_norm, without_autocast
from translate.networks.features.load import INSTALL, load_features
from translate.utils.errors import OptionError, did_you_mean

NORMS = ("spectral", "batch", "none")
MIXED_CHANNELS, MORE_CHANNELS = 32, 16  # of the finest mixed features, and how many more each coarser scale has
MIXING_SEED = 0
MIN_SIDE_PX = 32  # the coarsest features have 1/32 of the side
NEEDS_FEATURES = f"a discriminator on features needs pretrained ones; {INSTALL}, or name a file of weights"


class Projected(nn.Module):
    """Frozen features, mixed at random across channels and scales, and a small discriminator (head) for each scale.

    Maps (B, in_channels, H, W) in [-1, 1] and, with `classes`, label weights (B, classes), to one list per scale of the
    activations of every layer of its head, the last of them the scores (B, 1, h, w). Of `stages` scales, the finest
    first, only the heads learn: features and mixing weights are in no state dict.

    The features see the channels `picture` = (start, stop), by default all; the other channels, a condition such as the
    source of a translation, reach the heads as means over each cell of their grid. Pictures are rolled by 0 to 3 px
    first, so that no lattice hides between the strides. With `side`, their shorter side is resized to it (px).

    `norm` is "spectral" (Miyato et al., 2018; also for batches of one), "batch" or "none". A head judges labels by
    projection (Miyato and Koyama, 2018).
    """

    segments = ("project", "heads")

    def __init__(
        self, *, in_channels: int = 3, picture: tuple[int, ...] = (), classes: int = 0, features: str = "auto",
        stages: int = 4, side: int = 0, width: int = 64, norm: str = "spectral",
    ) -> None:  # fmt: skip
        super().__init__()
        frozen = load_features(features)
        if frozen is None:
            raise OptionError(NEEDS_FEATURES)
        if not 1 <= stages <= len(frozen.channels):
            raise OptionError(f"stages of a projected discriminator: 1 to {len(frozen.channels)}, not {stages}")
        if side and side < MIN_SIDE_PX:
            raise OptionError(f"side of a projected discriminator: 0 or at least {MIN_SIDE_PX} px, not {side}")
        self.frozen, self.side = frozen, side
        self.start, self.stop = picture or (0, in_channels)
        self.mix = _Mixing(frozen.channels[:stages])
        condition = in_channels - (self.stop - self.start)
        self.heads = nn.ModuleList(
            _Head(c + condition, width, classes, norm, halves=scale == 0) for scale, c in enumerate(self.mix.channels)
        )

    def forward(self, x: Tensor, label: Tensor | None = None) -> list[list[Tensor]]:
        (x,) = roll_together(x)
        condition = torch.cat([x[:, : self.start], x[:, self.stop :]], 1)
        maps = self.project(x[:, self.start : self.stop])
        if condition.shape[1]:
            maps = [torch.cat([h, F.adaptive_avg_pool2d(condition, h.shape[2:]).to(h.dtype)], 1) for h in maps]
        return [head(h, label) for head, h in zip(self.heads, maps, strict=True)]

    @torch.compiler.disable  # the frozen features are no module, and move to the device of the pictures
    def project(self, picture: Tensor) -> list[Tensor]:
        """Return the mixed features of pictures (B, C, H, W), the finest first."""
        if self.side:
            picture = resize(picture, self.side)
        return self.mix(self.frozen(picture))


class _Mixing(nn.Module):
    """Random fixed convolutions that mix channels, and then scales from the coarsest down (section 3.2).

    With features f_i, i = 0 the finest, and random W of variance 1 / (number of summed values):
    m_last = W_3x3 f'_last and m_i = W_3x3 ((f'_i + up(W_1x1 m_i+1)) / sqrt(2)), where f'_i = W_1x1 f_i. A head that
    sees such mixtures cannot attend to a few features and ignore the others.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = [MIXED_CHANNELS + MORE_CHANNELS * scale for scale in range(len(channels))]
        rng = torch.Generator("cpu").manual_seed(MIXING_SEED)
        for scale, (c_in, c) in enumerate(zip(channels, self.channels, strict=True)):
            coarser = self.channels[scale + 1] if scale + 1 < len(channels) else 0
            for name, fan, kernel in (("across", c_in, 1), ("down", coarser, 1), ("blend", c, 3)):
                if fan:
                    weight = torch.randn(c, fan, kernel, kernel, generator=rng, device="cpu") / kernel / math.sqrt(fan)
                    weight = weight.to(torch.get_default_device())
                    self.register_buffer(f"{name}_{scale}", weight, persistent=False)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for scale in reversed(range(len(self.channels))):
            h = self._conv("across", scale, features[scale])
            if mixed:
                above = self._conv("down", scale, mixed[0])
                above = F.interpolate(above, size=h.shape[2:], mode="bilinear", align_corners=False)
                h = (h + above) * math.sqrt(0.5)
            mixed.insert(0, self._conv("blend", scale, h))
        return mixed

    def _conv(self, name: str, scale: int, x: Tensor) -> Tensor:
        weight: Tensor = getattr(self, f"{name}_{scale}")
        return F.conv2d(x, weight.to(x.dtype), padding=weight.shape[-1] // 2)


class _Head(nn.Module):
    """Three convolutions, leaky ReLU 0.2 between; the first one `halves` the size."""

    segments = ("forward",)

    def __init__(self, in_channels: int, width: int, classes: int, norm: str, *, halves: bool) -> None:
        super().__init__()
        if norm not in NORMS:
            raise OptionError(f"unknown norm {norm!r}{did_you_mean(norm, NORMS)}")
        first = nn.Conv2d(in_channels, width, 4, stride=2, padding=1) if halves else _conv3(in_channels, width)
        self.convs = nn.ModuleList([first, _conv3(width, width)])
        self.norms = nn.ModuleList(make_norm("none" if norm == "spectral" else norm, width) for _ in self.convs)
        self.score = _conv3(width, 1)
        self.embed = nn.Linear(classes, width, bias=False) if classes else None
        init_he(self)
        if norm == "spectral":
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear):
                    spectral_norm(module)

    def forward(self, x: Tensor, label: Tensor | None = None) -> list[Tensor]:
        activations = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
            activations.append(x)
        score = self.score(x).float()
        if self.embed is not None and label is not None:
            fit = (self.embed(label)[..., None, None] * x).sum(1, keepdim=True)
            score = score + fit.float() / math.sqrt(x.shape[1])
        return [*activations, score]


def _conv3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def resize(picture: Tensor, side: int) -> Tensor:
    """Resize pictures (B, C, H, W) bilinearly, without aliasing, to a shorter side of `side` px."""
    shorter = min(picture.shape[2:])
    if shorter == side:
        return picture
    size = [round(n * side / shorter) for n in picture.shape[2:]]
    with without_autocast(picture):
        return F.interpolate(picture.float(), size=size, mode="bilinear", align_corners=False, antialias=shorter > side)
