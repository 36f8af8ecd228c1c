"""The latest patches of a domain's real pictures, to which those of the translations drift."""

__all__ = ["PatchQueue"]

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from translate.utils import dist


class PatchQueue(nn.Module):
    """The newest `size` points (D,) of each kind of patch, in a first-in, first-out order.

    The points are buffers, so that a resumed run continues exactly, and change in place: the host waits for nothing,
    and a captured step finds them at their addresses. Every rank keeps the points of all ranks.
    """

    filled: Tensor

    def __init__(self, size: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.size, self.kinds = size, len(widths)
        for kind, width in enumerate(widths):
            self.register_buffer(f"points_{kind}", torch.zeros(size, width))
        self.register_buffer("filled", torch.zeros((), dtype=torch.uint8))

    @torch.no_grad()
    def push(self, patches: Sequence[Tensor]) -> list[Tensor]:
        """Store the patches (B, n, D) of each kind in place of the oldest; return all points, (size, D) of each kind.

        The first patches are repeated until the queue is full.
        """
        queues = [self.get_buffer(f"points_{kind}") for kind in range(self.kinds)]
        for queue, points in zip(queues, patches, strict=True):
            new = dist.all_gather_rows(points.to(queue)).flatten(0, 1)[: self.size]
            repeated = new.repeat(-(-self.size // len(new)), 1)[: self.size]
            shifted = torch.cat([new, queue])[: self.size]
            queue.copy_(torch.where(self.filled > 0, shifted, repeated))
        self.filled.fill_(1)
        return queues
