"""The history of generated pictures from which a discriminator learns (Shrivastava et al., 2017, section 2.3)."""

__all__ = ["ImagePool"]

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """The last `size` fakes: with even odds a fake is swapped for an older one (CycleGAN, section 4).

    Its pictures are part of the state dict, so that a resumed run goes on exactly. The draws come from torch's global
    CPU generator, which the trainer seeds at every step, so they never make the host wait for a GPU.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.pictures = torch.empty(0)

    def get_extra_state(self) -> Tensor:
        return self.pictures.cpu()

    def set_extra_state(self, state: Tensor) -> None:
        self.pictures = state.clone()

    @torch.no_grad()
    def swap(self, fakes: Tensor) -> Tensor:
        """Return, for each of `fakes` (B, C, H, W), itself or an older fake in whose place it is kept."""
        if self.size == 0:
            return fakes.detach()
        self.pictures = self.pictures.to(fakes)
        return torch.cat([self._swap_one(fake) for fake in fakes.detach().split(1)])

    def _swap_one(self, fake: Tensor) -> Tensor:
        if len(self.pictures) < self.size:
            self.pictures = torch.cat([self.pictures, fake]) if len(self.pictures) else fake.clone()
            return fake
        if torch.rand(()) >= 0.5:
            return fake
        slot = int(torch.randint(self.size, ()))
        older = self.pictures[slot : slot + 1].clone()
        self.pictures[slot : slot + 1] = fake
        return older
