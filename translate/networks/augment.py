"""Changes of the pictures that a discriminator sees, through which gradients flow.

Zhao et al., 2020 (DiffAugment), https://arxiv.org/abs/2006.10738, and Karras et al., 2020 (ADA),
https://arxiv.org/abs/2006.06676: real and fake pictures are changed alike, so the generator learns the unchanged ones.
"""

__all__ = ["Augment"]

import functools
from typing import Any

import torch
from torch import Tensor, nn

from translate.networks.blocks import uncast
from translate.utils import dist

SPEED = 50_000  # pictures in which the strength can go from 0 to 1


class Augment(nn.Module):
    """Change pictures (B, C, H, W) in [-1, 1], each with probability `strength` in each of three ways.

    Shift by up to an eighth, turn and scale a little; change brightness, contrast and, of colour pictures, saturation;
    cover a rectangle. With a `target` the strength follows the discriminator: it rises while the mean sign of what
    `follow` gets is above the target, which says that D knows its real pictures by heart (ADA, section 3).
    """

    strength: Tensor

    def __init__(self, strength: float = 0.0, target: float = 0.0) -> None:
        super().__init__()
        self.start, self.target = float(strength), target
        self.register_buffer("strength", torch.tensor(self.start))
        self.on = strength > 0 or target > 0

    def forward(self, pictures: Tensor) -> Tensor:
        if not self.on:
            return pictures
        strength = float(self.strength) if self.target else self.start
        if strength == 0:
            return pictures
        chain = changes(round(strength, 2), pictures.shape[1] == 3)
        with uncast(pictures):
            x = (pictures.float() + 1) / 2
            for change in chain:
                x = change(x, params=drawn_for(change, x.shape))
            return x * 2 - 1

    @torch.no_grad()
    def follow(self, scores: Tensor) -> None:
        """Move the strength after the scores (B, 1) of real pictures."""
        if self.target:
            scores = dist.all_gather_rows(scores)
            step = len(scores) / SPEED * torch.sign(scores.sign().mean() - self.target)
            self.strength.add_(step).clamp_(0, 0.8)


def drawn_for(change: Any, shape: torch.Size) -> dict[str, Tensor] | None:
    """Draw what `change` does to this process's rows of a batch; None where it is alone, and draws for itself."""
    wide = dist.global_shape(shape)
    if wide == shape:
        return None
    drawn = change.forward_parameters(wide)
    common = ("order", "forward_input_shape")  # not by rows
    return {key: x if key in common or len(x) != wide[0] else dist.local_rows(x) for key, x in drawn.items()}


@functools.lru_cache(maxsize=128)
def changes(probability: float, colour: bool) -> Any:
    """Build the chain of kornia's augmentations, on [0, 1]."""
    from kornia import augmentation as K

    geometry = K.RandomAffine(
        degrees=10, translate=(0.125, 0.125), scale=(0.9, 1.1), padding_mode="reflection", p=probability
    )
    jitter = {"brightness": 0.2, "contrast": 0.4} | ({"saturation": 0.6} if colour else {})
    cover = K.RandomErasing(scale=(0.05, 0.25), value=0.5, p=probability / 2)
    return nn.Sequential(geometry, K.ColorJiggle(**jitter, p=probability), cover)
