"""Semantic segmentation: from pictures to label maps, by cross-entropy.

pix2pix's L1 and its discriminator make little sense on classes: Isola et al., 2017, https://arxiv.org/abs/1611.07004,
section 4.3, found L1 alone to beat every conditional GAN here. Overlap of classes: Milletari et al., 2016 (V-Net),
https://arxiv.org/abs/1606.04797.
"""

__all__ = ["Pix2pixLabels"]

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.tasks.base import Batch, Task, run_seeded
from translate.utils.factory import Factory

LOGIT_SCALE = 8.0  # of outputs about [-1, 1] to logits: between two classes then lie up to 16, as sure as it gets


class Pix2pixLabels(Task):
    """G: source -> one plane per class of the target, which is one-hot in [-1, 1]; the largest plane is the answer.

    L = cross-entropy + lambda_dice (1 - Dice). Both are means over pictures, and unlabelled pixels, -1 in all planes of
    the target, count for neither. Dice is that of all classes in a picture together, each weighted by the inverse root
    of its area there, so that small things count.
    """

    data = "paired"
    answers_classes = True
    directions = ("ab",)
    phases = {"G": ("G",)}
    exports = ("G",)
    discriminators = None
    compared_rows = (("input", "answer", "truth"),)
    remedies = {"blank": "half of --train.lr", "collapse": "half of --train.lr"}

    def __init__(self, generator: Factory, channels: Mapping[str, int], *, lambda_dice: float = 0.0) -> None:
        super().__init__()
        self.G = generator(in_channels=channels["a"], out_channels=channels["b"])
        self.lambda_dice = lambda_dice

    def forward(self, batch: Batch) -> Batch:
        """Compute the planes of G."""
        return batch | {"planes": self.G(batch["a"])}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring."""
        logits, target = LOGIT_SCALE * x["planes"].float(), (x["b"].float() + 1) / 2
        terms = {"ce": -(target * F.log_softmax(logits, 1)).sum(1).mean()}
        if self.lambda_dice:
            terms["dice"] = self.lambda_dice * dice_loss(logits.softmax(1), target)
        return terms

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, *, seed: int | None = None, **options: Any) -> Tensor:
        """Return the planes (B, K, H, W) of batch["a"], (B, C, H, W) in [-1, 1]; the largest is that of the class."""
        return run_seeded(nets["G"], batch["a"], None, seed)

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return G, which has no z."""
        return nets["G"], None

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the source, the planes of the answer, and those of the truth."""
        return {"input": batch["a"], "answer": Pix2pixLabels.predict(nets, batch), "truth": batch["b"]}


def dice_loss(probability: Tensor, target: Tensor) -> Tensor:
    """Return 1 - Dice of probabilities and a target in [0, 1], (B, K, H, W): the mean over pictures.

    Classes that a picture lacks have no weight; pixels that are 0 in all planes of the target are left out.
    """
    probability = probability * target.sum(1, keepdim=True)
    area = target.sum((2, 3))
    weight = torch.where(area > 0, area.clamp_min(1).rsqrt(), 0.0)
    overlap = 2 * (weight * (probability * target).sum((2, 3))).sum(1)
    total = (weight * (probability.sum((2, 3)) + area)).sum(1)
    return (1 - (overlap + 1e-6) / (total + 1e-6)).mean()
