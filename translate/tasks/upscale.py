"""Super-resolution: a small picture to one that is two, three or four times as wide and high.

Lim et al., 2017 (EDSR), https://arxiv.org/abs/1707.02921 (L1 alone), and Wang et al., 2018 (ESRGAN),
https://arxiv.org/abs/1809.00219 (features and a discriminator beside it).
"""

__all__ = ["Upscale"]

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import UPSCALERS
from translate.networks.features.load import load_features
from translate.networks.upscale_resnet import Enlarge
from translate.tasks.base import Batch, Task
from translate.tasks.losses.adversarial import GAN_LOSSES
from translate.tasks.losses.multiscale import feature_matching, gan_d, gan_g, judge, shows_features
from translate.tasks.losses.perceptual import feature_loss
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, resolve

FEATURES_PX = 64  # side of the middle of each crop, which the features see: they cost more than the generator


class Upscale(Task):
    """G: small picture -> large picture; D judges large pictures.

    L = lambda_l1 |fake - image| + share (lambda_gan gan + lambda_fm (feature matching) + lambda_features (distance of
    pretrained `features`)). ESRGAN learns by L1 alone first, since texture is judged better on sharp pictures; here
    `share` rises from 0 to 1 over the part `rise` of the run, and D learns meanwhile. Without `lambda_gan` there is
    no D.
    """

    data = "reduced"
    exports = ("G",)
    generators = UPSCALERS
    remedies = Task.remedies | {"checkerboard": "half of --lambda-gan"}
    share: Tensor

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        gan: str = "hinge",
        lambda_l1: float = 10.0,
        lambda_gan: float = 0.0,
        lambda_fm: float = 0.0,
        lambda_features: float = 0.0,
        features: str = "auto",
        rise: float = 0.5,
    ) -> None:
        super().__init__()
        self.G = generator(in_channels=channels["small"], out_channels=channels["image"])
        self.phases = {"G": ("G",)}
        if lambda_gan:
            picture = {"picture": (0, channels["image"])}
            self.D = discriminator(picture, in_channels=channels["image"])
            self.phases["D"] = ("D",)
        if lambda_fm and not (lambda_gan and shows_features(self.D)):
            raise OptionError("--lambda-fm needs a discriminator that shows its features, such as --netD multi_scale")
        self.gan, self.rise = resolve(gan, GAN_LOSSES, "method.gan"), rise
        self.lambda_l1, self.lambda_gan, self.lambda_fm = lambda_l1, lambda_gan, lambda_fm
        self.lambda_features = lambda_features
        self.features = load_features(features) if lambda_features else None
        self.register_buffer("share", torch.zeros(()), persistent=False)

    def set_progress(self, progress: float) -> None:
        """Raise the weight of all losses but L1."""
        self.share.fill_(min(1.0, progress / self.rise) if self.rise > 0 else 1.0)

    def forward(self, batch: Batch) -> Batch:
        """Enlarge the small pictures."""
        return {"image": batch["image"], "fake": self.G(batch["small"])}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring for G, the adversarial loss for D."""
        if phase == "D":
            judged = judge(self.D, {"image": x["image"], "fake": x["fake"]})
            return {"gan": gan_d(self.gan, judged["image"], judged["fake"])}
        terms = {"l1": self.lambda_l1 * F.l1_loss(x["fake"], x["image"])}
        if self.lambda_gan:
            judged = judge(self.D, {name: x[name] for name in (("image", "fake") if self.lambda_fm else ("fake",))})
            terms["gan"] = self.share * self.lambda_gan * gan_g(self.gan, judged["fake"])
            if self.lambda_fm:
                terms["fm"] = self.share * self.lambda_fm * feature_matching(judged["fake"], judged["image"])
        if self.features is not None:
            distance = feature_loss(self.features, middle(x["fake"]), middle(x["image"]))
            terms["features"] = self.share * self.lambda_features * distance
        return terms

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:
        """Enlarge batch["small"], (B, C, H, W) in [-1, 1], to (B, C, scale H, scale W), about [-1, 1]."""
        return nets["G"](batch["small"])

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return G, which has no z."""
        return nets["G"], None

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the bicubic enlargement, the answer, and the true picture."""
        scale = batch["image"].shape[-1] // batch["small"].shape[-1]
        enlarge = Enlarge(scale).to(batch["small"].device)
        rows = {"input": enlarge(batch["small"]), "answer": Upscale.predict(nets, batch), "truth": batch["image"]}
        return {title: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for title, row in rows.items()}


def middle(x: Tensor) -> Tensor:
    """Return the central 64 x 64 px of (B, C, H, W), or all of a smaller picture; crops are random already."""
    top, left = (max(0, side - FEATURES_PX) // 2 for side in x.shape[-2:])
    return x[..., top : top + FEATURES_PX, left : left + FEATURES_PX]
