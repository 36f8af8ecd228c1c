"""Noise that a generator can turn into strokes, grain or foliage where its input is flat."""

__all__ = ["NoisePlanes"]

import torch
from torch import Tensor, nn

from translate.utils import dist

PERIOD_PX = 1 << 20  # the noise begins anew after so many places
PRIMES = (73856093, 19349663, 83492791)  # of a spatial hash: rows, columns, planes (Teschner et al., 2003, section 4)
MIXER, BITS = 0x45D9F3B, 31  # an odd factor that spreads every bit, and the bits that are kept


class NoisePlanes(nn.Module):
    """Append `planes` of uniform noise with variance 1 to feature maps: (B, C, H, W) to (B, C + planes, H, W).

    The noise is a function of the place: the same picture always gives the same result, on every device, and a tile
    has the noise of its place in the whole picture. In training each picture has another part of it.
    """

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes

    def forward(self, x: Tensor) -> Tensor:
        origin = torch.zeros(1, 2, dtype=torch.int64, device=x.device)
        if self.training:
            origin = dist.draw_local_rows(lambda n: torch.randint(PERIOD_PX, (n, 2), device=x.device), len(x))
        return self.append_at(x, origin)

    def append_at(self, x: Tensor, origin: Tensor) -> Tensor:
        """Append the noise of maps whose first row and column are `origin` (B or 1, 2)."""
        rows, columns = (
            (torch.arange(side, device=x.device) + first[:, None]) % PERIOD_PX
            for side, first in zip(x.shape[2:], origin.unbind(1), strict=True)
        )
        plane = torch.arange(self.planes, device=x.device)
        keys = (rows * PRIMES[0])[:, None, :, None] ^ (columns * PRIMES[1])[:, None, None, :]
        keys = keys ^ (plane * PRIMES[2])[None, :, None, None]
        for _ in range(3):
            keys = ((keys ^ (keys >> 16)) * MIXER) % (1 << BITS)
        noise = (keys.float() / (1 << (BITS - 1)) - 1) * 3**0.5
        return torch.cat([x, noise.to(x.dtype).expand(len(x), -1, -1, -1)], 1)
