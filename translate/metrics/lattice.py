"""Lattice strength: the pattern that stands at the same place of every 8 x 8 px cell in all pictures of a set.

Upsampling by strides of 2, 4 or 8 px leaves screens and stamps at a fixed phase; real pictures show their content at
any phase. Each picture's luma is high-passed and averaged over its cells, which gives a phase map of 8 x 8 values; the
strength is the standard deviation, over the phases, of the maps' mean over all pictures, in gray levels of 255. The
content of a finite number of pictures leaves some by chance, which is estimated and told apart: 100 photographs of
128 px have 0.1 to 0.2 as a whole and less than 0.05 without it.
"""

__all__ = ["PERIOD_PX", "Lattice", "lattice", "phase_maps", "shared_part"]

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.images.tensors import from_uint8

PERIOD_PX, QUARTERS = 8, 4
BT601_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Lattice:
    """The lattice of a set of pictures, as standard deviations over the phases in gray levels."""

    strength: float  # of what all pictures share, without the part of chance
    chance: float  # what as many pictures with the same content and no lattice have

    @property
    def whole(self) -> float:
        """The strength with the part of chance, to compare sets of as many pictures."""
        return float((self.strength**2 + self.chance**2) ** 0.5)


def lattice(pictures: Tensor) -> Lattice:
    """Measure the lattice of pictures (B, C, H, W), uint8 or in [-1, 1].

    >>> lattice(127 + 2 * (torch.arange(64) % 2).expand(4, 3, 64, 64).byte())  # stripes of +-1 level
    Lattice(strength=1.0, chance=0.0)
    """
    return shared_part(phase_maps(pictures))


def phase_maps(pictures: Tensor) -> Tensor:
    """Average the high-passed luma over the cells of each picture quarter: (B, C, H, W) -> (4 B, 8, 8), gray levels.

    Maps of batches of other sizes may be concatenated. Quarters are cut between cells. A margin of 4 px and incomplete
    cells are left out; pictures below 24 px are extended by their edge pixels, so their lattice is underestimated.
    """
    pictures = pictures.detach()
    values = 127.5 * (from_uint8(pictures) if pictures.dtype == torch.uint8 else pictures.float().clamp(-1, 1))
    weights = values.new_tensor(BT601_LUMA if values.shape[1] == 3 else [1 / values.shape[1]] * values.shape[1])
    fine = high_pass((values * weights[:, None, None]).sum(1, keepdim=True))
    height, width = (side // PERIOD_PX for side in fine.shape[-2:])
    fine = fine[:, 0, : height * PERIOD_PX, : width * PERIOD_PX]
    cells = fine.unflatten(1, (height, PERIOD_PX)).unflatten(3, (width, PERIOD_PX))  # (B, h, 8, w, 8)
    halves = [half.tensor_split(2, dim=3) for half in cells.tensor_split(2, dim=1)]
    maps = torch.stack([quarter.mean((1, 3)) for row in halves for quarter in row], 1).flatten(0, 1)
    return maps - maps.mean((1, 2), keepdim=True)


def high_pass(plane: Tensor) -> Tensor:
    """Subtract from each pixel the mean of one period around it: (B, 1, H, W) -> (B, 1, H - 8, W - 8).

    The mean of a whole period, half of each end pixel, is 0 for every pattern of zero mean that repeats with it: the
    lattice passes unchanged, while shading does not.
    """
    margin, least = PERIOD_PX // 2, 3 * PERIOD_PX  # two cells each way
    missing = [max(0, least - side) for side in plane.shape[-2:]]
    plane = F.pad(plane, (0, missing[1], 0, missing[0]), mode="replicate")
    kernel = plane.new_ones(PERIOD_PX + 1) / PERIOD_PX
    kernel[[0, -1]] /= 2
    smooth = F.conv2d(F.conv2d(plane, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return plane[..., margin:-margin, margin:-margin] - smooth


def shared_part(maps: Tensor) -> Lattice:
    """Measure the lattice that `phase_maps` (4 N, 8, 8) of N pictures share.

    The maps of each quarter are averaged over the pictures. The variance of their mean has the expectation of the
    shared variance plus a quarter of that of a single one. The mean product of two different quarters estimates the
    shared part alone, also where all pictures have the same content in one place, such as faces and digits; where it is
    negative, nothing is shared.
    """
    quarters = maps.double().unflatten(0, (-1, QUARTERS)).mean(0).flatten(1)
    whole = quarters.mean(0).square().mean()
    shared = (QUARTERS * whole - quarters.square().mean()).clamp_min(0) / (QUARTERS - 1)
    return Lattice(round(float(shared.sqrt()), 4), round(float((whole - shared).clamp_min(0).sqrt()), 4))
