"""A small StyleGAN that learns in minutes: the style modulates every norm, and every level adds to the picture.

- Style mapping, sums over levels: Karras et al., 2019 and 2020, https://arxiv.org/abs/1812.04948 and 1912.04958.
- Conditional batch norm, one label embedding: Brock et al., 2019, https://arxiv.org/abs/1809.11096, section 3.
- Levels that fade in: Karras et al., 2018, https://arxiv.org/abs/1710.10196, section 2.
- Projection of labels: Miyato and Koyama, 2018, https://arxiv.org/abs/1802.05637.
"""

__all__ = ["ResidualDiscriminator", "StyleSynthesis"]

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from translate.networks.blocks import Halve, SyncBatchNorm, Upsample, init_he, init_icnr
from translate.utils import dist
from translate.utils.errors import OptionError

BASE_PX = 4  # of the lowest level


def level_widths(size: int, fold: int, width: int, most: int) -> list[int]:
    """Return the channels of each level, from BASE_PX up to `size` / `fold`: `width` at the top, at most `most`.

    Raises:
        OptionError: `size` is not a power of two, or too small.
    """
    top = size // fold
    count = (top // BASE_PX).bit_length()
    if fold not in (1, 2, 4) or size != fold * (BASE_PX << max(count - 1, 0)) or count < 2:
        raise OptionError(f"pictures are made at 32, 64, 128 or 256 px, not {size}; say --size 64, for example")
    return [min(width * 2 ** (count - 1 - i), most) for i in range(count)]


class StyledConv(nn.Module):
    """leaky_relu(scale(w) * batch_norm(conv(x)) + shift(w)), with the size doubled after the norm if it `doubles`.

    StyleGAN2's weight demodulation in place of batch norm learned several times slower in the first minutes.
    """

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, *, doubles: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = SyncBatchNorm(out_channels, affine=False)
        self.affine = nn.Linear(w_dim, 2 * out_channels)
        self.upsample = Upsample() if doubles else nn.Identity()

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.affine(w).to(x.dtype)[..., None, None].chunk(2, dim=1)
        x = torch.addcmul(shift, self.norm(self.conv(x)), 1 + scale)
        return F.leaky_relu(self.upsample(x), 0.2)


class Level(nn.Module):
    """Two styled convolutions and an output to RGB; the first precedes the doubling of the size, to cost less."""

    def __init__(self, in_channels: int, channels: int, rgb: int, fold: int, w_dim: int, *, doubles: bool) -> None:
        super().__init__()
        self.conv1 = StyledConv(in_channels, channels, w_dim, doubles=doubles)
        self.conv2 = StyledConv(channels, channels, w_dim)
        self.to_rgb = nn.Conv2d(channels, rgb * fold**2, 3, padding=1)
        self.fold = fold
        init_he(self)
        for conv in (self.conv1, self.conv2):
            nn.init.normal_(conv.affine.weight, std=0.5 / math.sqrt(w_dim))
        with torch.no_grad():
            self.to_rgb.weight.mul_(0.1)
        init_icnr(self.to_rgb, fold**2)

    def forward(self, h: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        h = self.conv2(self.conv1(h, w), w)
        return h, F.pixel_shuffle(self.to_rgb(h).float(), self.fold)


class StyleSynthesis(nn.Module):
    """The generator: a mapping of z (and a label) to a style w, and a synthesis network from w to a picture.

    Maps z (B, z_dim) and, with `classes`, label weights (B, classes) to (B, out_channels, size, size) in [-1, 1]. All
    levels share one embedding of the label, through w. With `fold` > 1 the levels work on blocks of `fold` x `fold` px
    in a fraction of the time; blocks are visible in the first minutes, so this suits long runs.

    With `grow`, `depth` levels are drawn, the last in part if `depth` is fractional; training raises it.
    """

    depth: Tensor
    segments = ("levels",)

    def __init__(
        self, *, size: int = 64, out_channels: int = 3, classes: int = 0, z_dim: int = 64, z_kind: str = "normal",
        w_dim: int = 128, width: int = 32, most: int = 256, fold: int = 1, grow: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        widths = level_widths(size, fold, width, most)
        self.size, self.out_channels, self.classes = size, out_channels, classes
        self.z_dim, self.z_kind, self.w_dim, self.grow = z_dim, z_kind, w_dim, grow
        self.embed = nn.Linear(classes, z_dim, bias=False) if classes else None
        self.mapping = nn.Sequential(
            nn.Linear(z_dim * (2 if classes else 1), w_dim), nn.LeakyReLU(0.2),
            nn.Linear(w_dim, w_dim), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.start = nn.Linear(w_dim, widths[0] * BASE_PX**2)
        self.levels = nn.ModuleList(
            Level(widths[max(i - 1, 0)], c, out_channels, fold, w_dim, doubles=i > 0) for i, c in enumerate(widths)
        )
        self.upsample = Upsample()
        init_he(self.mapping)
        init_he(self.start)
        if self.embed is not None:
            nn.init.normal_(self.embed.weight)
        self.register_buffer("depth", torch.tensor(float(len(widths))))

    def style(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Map z and the label, each scaled to a mean square of 1, to w (B, w_dim)."""
        parts = [normalize_rms(z)] if self.embed is None else [normalize_rms(z), normalize_rms(self.embed(label))]
        return self.mapping(torch.cat(parts, 1)).float()

    def draw(self, w: Tensor) -> Tensor:
        """Map w (B, w_dim) to pictures."""
        depth = float(self.depth) if self.grow else float(len(self.levels))
        h, picture = self.start(w).unflatten(1, (-1, BASE_PX, BASE_PX)), w.new_zeros(())
        for i, level in enumerate(self.levels[: math.ceil(depth)]):
            h, more = level(h, w)
            picture = (self.upsample(picture) if i else picture) + min(1.0, depth - i) * more
        while picture.shape[-1] < self.size:
            picture = self.upsample(picture)
        return torch.tanh(picture)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.draw(self.style(z, label))


def normalize_rms(x: Tensor) -> Tensor:
    """Scale (B, d) to a mean square of 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class DownBlock(nn.Module):
    """The residual block of StyleGAN2's discriminator (figure 7), with average pooling."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.halve = Halve()

    def forward(self, x: Tensor) -> Tensor:
        h = self.halve(F.leaky_relu(self.conv1(x), 0.2))
        return (F.leaky_relu(self.conv2(h), 0.2) + self.skip(self.halve(x))) * math.sqrt(0.5)


class ResidualDiscriminator(nn.Module):
    """A residual discriminator with inputs at every size, minibatch standard deviation, and projection of labels.

    Maps (B, in_channels, size, size) in [-1, 1] and, with `classes`, label weights (B, classes), to scores (B, 1);
    label weights of 0 give the unconditional score. The standard deviation (Karras et al., 2018, section 3) is that of
    groups of up to `group` neighbours in the batch. With `grow`, it uses as many levels as the generator.
    """

    depth: Tensor
    segments = ("read",)

    def __init__(
        self, *, size: int = 64, in_channels: int = 3, classes: int = 0, width: int = 64, most: int = 256,
        fold: int = 2, norm: str = "none", group: int = 4, grow: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        # one input and one block per level
        widths = level_widths(size, fold, width, most)
        self.fold, self.group, self.grow = fold, group, grow
        self.from_rgb = nn.ModuleList(nn.Conv2d(in_channels * fold**2, c, 3, padding=1) for c in widths)
        self.blocks = nn.ModuleList(DownBlock(c, widths[i]) for i, c in enumerate(widths[1:]))
        self.halve = Halve()
        self.last = nn.Conv2d(widths[0] + 1, widths[0], 3, padding=1)
        self.hidden = nn.Linear(widths[0] * BASE_PX**2, widths[0])
        self.score = nn.Linear(widths[0], 1)
        self.embed = nn.Linear(classes, widths[0], bias=False) if classes else None
        init_he(self)
        if norm == "spectral":
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear):
                    spectral_norm(module)
        self.register_buffer("depth", torch.tensor(float(len(widths))))

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        depth = float(self.depth) if self.grow else float(len(self.from_rgb))
        count = math.ceil(depth)
        pyramid = [x]
        for _ in range(len(self.from_rgb) - 1):
            pyramid.insert(0, self.halve(pyramid[0]))
        h: Tensor | None = None
        for i in reversed(range(count)):
            h = self.read(i, min(1.0, depth - i), pyramid[i], h)
        assert h is not None
        h = F.leaky_relu(self.last(torch.cat([h, minibatch_stddev(h, self.group)], 1)), 0.2)
        h = F.leaky_relu(self.hidden(h.flatten(1)), 0.2).float()
        score = self.score(h).float()
        if self.embed is not None and label is not None:
            score = score + (self.embed(label) * h).sum(1, keepdim=True).float() / math.sqrt(h.shape[1])
        return score

    def modules_by_depth(self) -> Iterator[nn.Module]:
        """Yield all modules, those nearest to the picture first."""
        for level in reversed(range(len(self.from_rgb))):
            yield from self.from_rgb[level].modules()
            yield from self.blocks[level - 1].modules() if level else ()
        yield from (self.last, self.hidden, self.score)

    def read(self, level: int, share: float, picture: Tensor, h: Tensor | None) -> Tensor:
        """Add a `share` of the features of the picture at this level; halve the size, except at level 0."""
        features = share * F.leaky_relu(self.from_rgb[level](F.pixel_unshuffle(picture, self.fold)), 0.2)
        h = features if h is None else h + features
        return self.blocks[level - 1](h) if level else h


def minibatch_stddev(features: Tensor, group: int) -> Tensor:
    """Return the mean standard deviation within groups of neighbours in a batch: (B, C, H, W) to (B, 1, H, W).

    A batch that no group size from 2 to `group` divides is one group.
    """
    features = dist.all_gather_rows(features)  # neighbours may be on another rank
    count = len(features)
    size = next((g for g in range(min(group, count), 1, -1) if count % g == 0), count)
    groups = features.float().reshape(count // size, size, -1)
    std = (groups.var(1, unbiased=False) + 1e-8).sqrt().mean(1)
    planes = std.repeat_interleave(size)[:, None, None, None].expand(-1, 1, *features.shape[-2:])
    return dist.local_rows(planes).to(features.dtype)
