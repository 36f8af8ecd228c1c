"""Differentiable augmentation of the discriminator's inputs, real and fake, for training on few pictures.

Zhao et al., 2020 (DiffAugment), https://arxiv.org/abs/2006.10738; Karras et al., 2020 (ADA),
https://arxiv.org/abs/2006.06676.
"""

__all__ = ["Augment", "roll_together"]

import functools
from typing import Any

import torch
from torch import Tensor, nn

from translate.networks.blocks import without_autocast
from translate.utils import dist

ADAPTATION_IMAGES = 50_000  # the strength needs at least this many to rise from 0 to 1


class Augment(nn.Module):
    """Augment pictures (B, C, H, W) in [-1, 1] by three transforms of probability `strength`; cutout has half of it.

    They are an affine map (shift by up to an eighth, small rotation and scale), colour jitter (brightness, contrast
    and, with three channels, saturation), and cutout of a rectangle. With a `target` the strength adapts (ADA, section
    3): it rises while the mean sign of D's scores of real pictures is above the target, a sign that D overfits.
    """

    strength: Tensor

    def __init__(self, strength: float = 0.0, target: float = 0.0) -> None:
        super().__init__()
        self.start, self.target = float(strength), target
        self.register_buffer("strength", torch.tensor(self.start))
        self.on = strength > 0 or target > 0

    def forward(self, pictures: Tensor) -> Tensor:
        return self.together(pictures)[0]

    def together(self, *batches: Tensor) -> list[Tensor]:
        """Augment batches of one size alike, so that what is compared pixel by pixel stays comparable."""
        strength = (float(self.strength) if self.target else self.start) if self.on else 0.0
        if strength == 0:
            return list(batches)
        augmentations = make_augmentations(round(strength, 2), batches[0].shape[1] == 3)
        with without_autocast(batches[0]):
            found = [(pictures.float() + 1) / 2 for pictures in batches]
            for augmentation in augmentations:
                parameters = draw_parameters(augmentation, found[0].shape)
                found = [augmentation(x, params=parameters) for x in found]
            return [x * 2 - 1 for x in found]

    @torch.no_grad()
    def adapt(self, scores: Tensor) -> None:
        """Adapt the strength to the scores (B, 1) of real pictures."""
        if self.target:
            scores = dist.all_gather_rows(scores)
            step = len(scores) / ADAPTATION_IMAGES * torch.sign(scores.sign().mean() - self.target)
            self.strength.add_(step).clamp_(0, 0.8)


def draw_parameters(augmentation: Any, shape: torch.Size) -> dict[str, Tensor]:
    """Draw the local rows of an augmentation's parameters."""
    batch = dist.global_shape(shape)
    drawn = augmentation.forward_parameters(batch)
    if batch == shape:
        return drawn
    shared = ("order", "forward_input_shape")  # these have no rows
    return {key: x if key in shared or len(x) != batch[0] else dist.local_rows(x) for key, x in drawn.items()}


@functools.lru_cache(maxsize=128)
def make_augmentations(probability: float, colour: bool) -> Any:
    """Build kornia's augmentations of pictures in [0, 1]."""
    from kornia import augmentation as K

    geometry = K.RandomAffine(
        degrees=10, translate=(0.125, 0.125), scale=(0.9, 1.1), padding_mode="reflection", p=probability
    )
    jitter = {"brightness": 0.2, "contrast": 0.4} | ({"saturation": 0.6} if colour else {})
    cutout = K.RandomErasing(scale=(0.05, 0.25), value=0.5, p=probability / 2)
    return nn.Sequential(geometry, K.ColorJiggle(**jitter, p=probability), cutout)


def roll_together(*pictures: Tensor, reach: int = 3) -> list[Tensor]:
    """Roll pictures (B, C, H, W) by the same random 0 to `reach` px, down and to the right.

    Strided features see some phases of a fine lattice better than others; a network would draw in those that they miss.
    """
    height, width = pictures[0].shape[-2:]
    device = pictures[0].device
    down, right = torch.randint(reach + 1, (2,), device=device)
    rows = (torch.arange(height, device=device) - down) % height
    columns = (torch.arange(width, device=device) - right) % width
    return [picture.index_select(2, rows).index_select(3, columns) for picture in pictures]
