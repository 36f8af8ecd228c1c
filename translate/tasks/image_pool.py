"""The history of fakes from which a discriminator learns (Shrivastava et al., 2017, section 2.3)."""

__all__ = ["ImagePool"]

import torch
from torch import Tensor, nn

from translate.utils import dist


class ImagePool(nn.Module):
    """A pool of `size` fakes: with even odds a new fake is swapped for an older one (CycleGAN, section 4).

    The pictures are part of the state dict, so that a resumed run continues exactly. Draws and counts stay on the
    device of the fakes: the host never waits for them.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.pictures = torch.empty(0)  # (size, C, H, W) from the first fakes on
        self.filled = torch.tensor(0)

    def get_extra_state(self) -> Tensor:
        return self.pictures[: int(self.filled)].cpu()

    def set_extra_state(self, state: Tensor) -> None:
        self.pictures, self.filled = state.clone(), torch.tensor(len(state), device=state.device)

    @torch.no_grad()
    def swap(self, fakes: Tensor) -> Tensor:
        """Return, for each of `fakes` (B, C, H, W), itself or an older fake that it replaces in the pool."""
        if self.size == 0:
            return fakes.detach()
        fakes = dist.all_gather_rows(fakes)  # every rank keeps the pool of the whole batch
        self._allocate(fakes)
        swapped = torch.empty_like(fakes)
        for i, fake in enumerate(fakes.split(1)):
            swapped[i : i + 1] = self._swap_one(fake)
        return dist.local_rows(swapped)

    def _allocate(self, fakes: Tensor) -> None:
        """Allocate the whole pool on the device and in the type of `fakes`, and keep its pictures."""
        if len(self.pictures) < self.size or (self.pictures.device, self.pictures.dtype) != (fakes.device, fakes.dtype):
            pictures = fakes.new_zeros(self.size, *fakes.shape[1:])
            if len(self.pictures):
                pictures[: len(self.pictures)] = self.pictures
            self.pictures, self.filled = pictures, self.filled.to(fakes.device)

    def _swap_one(self, fake: Tensor) -> Tensor:
        """Swap (1, C, H, W) with even odds; until the pool is full, add it to the pool and return it."""
        swap, slot = torch.rand(1, device=fake.device) < 0.5, torch.randint(self.size, (1,), device=fake.device)
        filling = self.filled < self.size
        index = torch.where(filling, self.filled, slot)
        older = self.pictures.index_select(0, index)
        self.pictures.index_copy_(0, index, torch.where(filling | swap, fake, older))
        self.filled += filling
        return torch.where(swap & ~filling, older, fake)
