"""Features of a picture's appearance without trained weights: block-DCT spectra and colour moments.

The kernel distance needs a vector per picture that changes with its appearance and not with its content alone.
`DctFeatures` describes two things that painters and renderers differ in: the energy at each frequency and orientation
(blur, brush strokes, grain, the checkerboards of transposed convolutions), and the distribution of colours.

Every number is standardised by the constants below, rounded from measurements on aerial photographs, street maps,
stained tissue and rendered scenes. They belong to the version name: features of different versions must not be
compared.
"""

__all__ = ["DctFeatures"]

import math

import torch
import torch.nn.functional as F
from kornia.color import rgb_to_lab
from torch import Tensor, nn

BLOCK = 8
SCALES = 3  # the full picture, its half and its quarter, since strokes are wider than one block

# A coefficient's square counts as log(FLOOR + square), in nats. FLOOR (Lab units squared) is that of a cosine with an
# amplitude of 0.35 units, about the smallest visible one: less energy hardly counts.
FLOOR = 2.0
# Natural spectra fall as 1/f^2 at every scale: the centre is log(FLOOR + e^LEVEL / (u^2 + v^2)).
LEVEL = {"luma": 5.0, "chroma": 4.0}
SPREAD = 0.7

# Centre and spread of the moments of L, a and b, and of the correlations (L, a), (L, b), (a, b).
MOMENTS = {
    "mean": ((55.0, 0.0, 0.0), (15.0, 10.0, 15.0)),
    "log std": ((2.7, 1.8, 2.1), (0.7, 0.7, 0.7)),
    "skew": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "correlation": ((0.0, 0.0, 0.0), (0.4, 0.4, 0.4)),
}
MIN_STD_LAB = 1.0  # Lab units, about the smallest visible difference: flat channels do not divide by 0
MAX_SKEW = 3.0  # a few bright pixels in a flat picture must not outweigh everything else


def dct_matrix(n: int = BLOCK) -> Tensor:
    """Return the orthonormal DCT-II of length `n`: (n, n), row k the k-th cosine."""
    k, x = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)[None]
    rows = torch.cos(math.pi * (2 * x + 1) * k / (2 * n)) * math.sqrt(2 / n)
    rows[0] /= math.sqrt(2)
    return rows.float()


def block_energies(planes: Tensor, dct: Tensor) -> Tensor:
    """Compute the squared AC coefficients of the N blocks of 8x8, summed over planes: (B, C, H, W) -> (B, N, 63).

    Incomplete blocks on the right and at the bottom are left out; a picture smaller than a block is extended by its
    edge pixels.
    """
    height, width = planes.shape[-2:]
    if min(height, width) < BLOCK:
        planes = F.pad(planes, (0, max(0, BLOCK - width), 0, max(0, BLOCK - height)), mode="replicate")
    rows, columns = planes.shape[-2] // BLOCK, planes.shape[-1] // BLOCK
    planes = planes[..., : rows * BLOCK, : columns * BLOCK]
    blocks = planes.unflatten(-2, (rows, BLOCK)).unflatten(-1, (columns, BLOCK))  # (B, C, h, 8, w, 8)
    coefficients = torch.einsum("ux,bchxwy,vy->bhwcuv", dct, blocks, dct)
    return coefficients.square().sum(dim=3).flatten(3).flatten(1, 2)[..., 1:]


def log_spectrum(planes: Tensor, dct: Tensor) -> Tensor:
    """Compute the log energies of the 63 AC coefficients, averaged over blocks: (B, C, H, W) -> (B, 63), nats.

    The mean of logarithms describes the typical block; in the logarithm of the mean, a few strong edges would hide
    whether the rest is brushed, grainy or smooth.
    """
    return torch.log(block_energies(planes, dct) + FLOOR).mean(dim=1)


def colour_moments(lab: Tensor) -> dict[str, Tensor]:
    """Compute mean, log standard deviation, skewness, correlations of L, a, b: (B, 3, H, W) -> four of (B, 3)."""
    pixels = lab.flatten(2)
    mean = pixels.mean(dim=2)
    centred = pixels - mean[..., None]
    std = centred.square().mean(dim=2).add(MIN_STD_LAB**2).sqrt()
    z = centred / std[..., None]
    skew = z.pow(3).mean(dim=2).clamp(-MAX_SKEW, MAX_SKEW)
    pairs = [(z[:, i] * z[:, j]).mean(dim=1) for i, j in ((0, 1), (0, 2), (1, 2))]
    return {"mean": mean, "log std": std.log(), "skew": skew, "correlation": torch.stack(pairs, dim=1)}


def limit_length(features: Tensor) -> Tensor:
    """Divide each x by sqrt(1 + |x|^2 / d), so that its mean square stays below 1: (B, d) -> (B, d).

    The kernel is cubic: without a limit a few unusual pictures, such as nearly flat ones, dominate the distance. The
    limit raised the distance between sharp and blurred, tinted or checkered sets of aerial photographs by 20 to 50 %,
    in standard errors.
    """
    return features / (1 + features.square().mean(dim=1, keepdim=True)).sqrt()


class DctFeatures(nn.Module):
    """Block-DCT spectra and colour moments of pictures in Lab, as the feature module of a kernel distance.

    Ten groups: the spectra of luma and chroma at three scales, and four kinds of colour moments. Each group is scaled
    to about 1 / 10 of the mean square of the vector, however many numbers it has. Positions in the picture do not
    count, so pictures of any size can be compared.

    Attributes:
        num_features: length of the vector, under torchmetrics' name.
        title: the features in a word.
        version: to report with every number computed from these features.
    """

    title = "DCT"
    version = "dct-v1"
    num_features = 2 * SCALES * (BLOCK * BLOCK - 1) + 3 * len(MOMENTS)
    dct: Tensor
    squares: Tensor

    def __init__(self) -> None:
        super().__init__()
        squares = torch.arange(BLOCK).square().float()
        self.register_buffer("dct", dct_matrix(), persistent=False)
        self.register_buffer("squares", (squares[:, None] + squares).flatten()[1:], persistent=False)

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the features of (B, 3, H, W) RGB, uint8 or in [-1, 1]: (B, num_features) float32."""
        unit = pictures.float() / 255 if pictures.dtype == torch.uint8 else (pictures.float() + 1) / 2
        lab = rgb_to_lab(unit.clamp(0, 1))
        groups = [*self.spectra(lab), *self.moments(lab)]
        return limit_length(torch.cat([self.balance(group) for group in groups], dim=1))

    def spectra(self, lab: Tensor) -> list[Tensor]:
        """Compute standardised luma and chroma spectra at every scale: 2 * SCALES of (B, 63)."""
        groups = []
        for scale in range(SCALES):
            if scale and min(lab.shape[-2:]) >= 2:
                lab = F.avg_pool2d(lab, 2)
            for level, planes in ((LEVEL["luma"], lab[:, :1]), (LEVEL["chroma"], lab[:, 1:])):
                natural = torch.log(FLOOR + math.exp(level) / self.squares)
                groups.append((log_spectrum(planes, self.dct) - natural) / SPREAD)
        return groups

    def moments(self, lab: Tensor) -> list[Tensor]:
        """Compute standardised colour moments: four of (B, 3)."""
        groups = []
        for name, values in colour_moments(lab).items():
            centre, spread = MOMENTS[name]
            groups.append((values - values.new_tensor(centre)) / values.new_tensor(spread))
        return groups

    def balance(self, group: Tensor) -> Tensor:
        """Scale a group of n numbers by sqrt(d / (groups * n)), so that every group weighs the same."""
        num_groups = 2 * SCALES + len(MOMENTS)
        return group * math.sqrt(self.num_features / (num_groups * group.shape[1]))
