"""Inpainting: a picture with holes, and the mask of the holes, to the whole picture.

After LaMa (Suvorov et al., 2022, https://arxiv.org/abs/2109.07161). Terms of the older recipes: context encoders
(Pathak et al., 2016, https://arxiv.org/abs/1604.07379) and partial convolutions (Liu et al., 2018,
https://arxiv.org/abs/1804.07723).
"""

__all__ = ["Inpaint"]

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import INPAINT_DISCRIMINATORS, INPAINTERS, MASKED
from translate.networks.augment import Augment
from translate.networks.features.load import load_features, load_vgg
from translate.tasks.base import Batch, Task, run_seeded
from translate.tasks.losses.adversarial import GAN_LOSSES, mode_seeking
from translate.tasks.losses.multiscale import feature_matching, gan_d, gan_g, judge, mean_of, shows_features
from translate.tasks.losses.perceptual import (
    feature_loss,
    perceptual_loss,
    style_loss,
    total_variation,
)
from translate.tasks.losses.projected import NO_OPTIONS, make_projected, projected_loss
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of, resolve, spec_of
from translate.utils.plugins import Registry

DISTANCES: Registry[Callable[..., Tensor]] = Registry("distance", {"l1": F.l1_loss, "l2": F.mse_loss})
OVERLAP_WEIGHT = 10.0  # of known pixels near the hole, relative to pixels in it (Pathak et al., section 5.1)
RIM_PX = 16  # width of the hole's rim, a multiple of 8


class Inpaint(Task):
    """G: picture with a grey hole, and its mask -> whole picture; D judges the completed picture.

    L = lambda_gan gan + lambda_hole |fake - image| in the hole + lambda_known |fake - image| elsewhere + lambda_fm
    (feature matching) + lambda_features (distance of pretrained `features`) + lambda_projected (a second discriminator,
    on the same features), means over all pixels, by the distance `norm`. Known pixels within `overlap` px of the hole
    belong to the hole with ten times the weight. Pixels at the rim of the hole weigh 1 + `rim`, less further in (after
    Yu et al., 2018, section 3.2): near known pixels there is little to invent, and a wrong tint is visible. D sees the
    true known pixels, so that seams give a fake away, with `tell_hole` the mask, and the fraction `augment` of the
    pictures augmented.

    Many outputs (`z_dim`): two z are drawn for each picture. Only the better of the two outputs has to be near the
    picture (Gupta et al., 2018, equation 1, "variety loss"); both have to look real, and to differ as the z do
    (`lambda_seek`).

    A generator for translation (skip_resnet, style_resnet ...) gets the picture without the mask; its weights can then
    initialise the same generator in another task (--init).
    """

    data = "masked"
    exports = ("G",)
    compared_rows = (("hole", "answer", "truth"),)
    remedies = Task.remedies | {
        "identity": "twice the --lambda-hole",
        "checkerboard": "--netG fourier_resnet",
        "ignores_z": "twice the --lambda-seek",
    }
    generators = INPAINTERS
    discriminators = INPAINT_DISCRIMINATORS

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        z_dim: int = 0,
        gan: str = "hinge",
        norm: str = "l1",
        lambda_gan: float = 1.0,
        lambda_hole: float = 20.0,
        lambda_known: float = 10.0,
        lambda_fm: float = 0.0,
        lambda_features: float = 0.0,
        features: str = "auto",
        lambda_perceptual: float = 0.0,
        lambda_style: float = 0.0,
        lambda_tv: float = 0.0,
        lambda_seek: float = 0.05,
        vgg: str = "",
        overlap: int = 0,
        rim: float = 0.0,
        tell_hole: bool = True,
        lambda_projected: float = 0.0,
        projected: dict = NO_OPTIONS,
        augment: float = 0.0,
    ) -> None:
        super().__init__()
        if z_dim and "z_dim" not in options_of(generator.function):
            raise OptionError(f"generator {generator.name!r} gives one answer; say --z-dim 0, or --netG fourier_resnet")
        # the networks
        latent = {"z_dim": z_dim} if z_dim else {}
        planes = channels["image"] + (generator.name in MASKED)
        self.G = generator(in_channels=planes, out_channels=channels["image"], **latent)
        self.phases = {"G": ("G",)}
        if lambda_gan:
            judged, picture = {"in_channels": channels["image"] + tell_hole}, {"picture": (0, channels["image"])}
            self.D = discriminator(picture, **judged)
            self.P = make_projected(lambda_projected, projected, features, **judged, **picture)
            self.phases["D"] = ("D",) if self.P is None else ("D", "P")
        elif lambda_projected:
            raise OptionError("--lambda-projected needs --lambda-gan above 0")
        # the losses
        self.lambda_projected = lambda_projected
        self.augment = Augment(augment) if augment else None
        if lambda_fm and not (lambda_gan and shows_features(self.D)):
            raise OptionError("--lambda-fm needs a discriminator that shows its features, such as --netD multi_scale")
        self.z_dim, self.tell_hole, self.overlap, self.rim = z_dim, tell_hole, overlap, rim
        self.gan, self.distance = resolve(gan, GAN_LOSSES, "method.gan"), resolve(norm, DISTANCES, "method.norm")
        self.lambda_gan, self.lambda_hole, self.lambda_known = lambda_gan, lambda_hole, lambda_known
        self.lambda_fm, self.lambda_seek, self.lambda_tv = lambda_fm, lambda_seek, lambda_tv
        self.lambda_features = lambda_features
        self.features = load_features(features) if lambda_features else None
        self.lambda_perceptual, self.lambda_style = lambda_perceptual, lambda_style
        perceptual = bool(lambda_perceptual or lambda_style)
        self.vgg = load_vgg(vgg) if vgg and perceptual else None
        if perceptual and not vgg:
            self.notes = ("the perceptual and style losses are left out; --vgg FILE names VGG-16 weights for them",)

    def forward(self, batch: Batch) -> Batch:
        """Fill the holes, twice with `z_dim`."""
        image, hole = batch["image"], (batch["mask"] + 1) / 2
        x = {"image": image, "hole": hole, "mask": batch["mask"]}
        holed = generator_input(self.G, image, batch["mask"])
        if not self.z_dim:
            fake = self.G(holed)
            return x | {"fake": fake, "completed": torch.lerp(image, fake, hole)}
        count = len(image)
        both = dist.draw_local_rows(lambda n: torch.randn(2, n, self.z_dim, device=image.device).transpose(0, 1), count)
        z, other_z = both.unbind(1)
        fake, other = self.G(torch.cat([holed, holed]), torch.cat([z, other_z])).chunk(2)
        completed = {"completed": torch.lerp(image, fake, hole), "other_completed": torch.lerp(image, other, hole)}
        return x | completed | {"fake": fake, "other": other, "z": z, "other_z": other_z}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring for G, the adversarial loss for D."""
        fakes = ("completed", "other_completed") if self.z_dim else ("completed",)
        if phase == "D":
            return self._adversarial_losses(phase, x, fakes)
        terms = self._distances(x)
        if self.lambda_gan:
            terms |= self._adversarial_losses(phase, x, fakes)
        if self.z_dim:
            seek = mode_seeking(x["z"], x["other_z"], x["completed"], x["other_completed"], slack=0.05)
            terms["seek"] = self.lambda_seek * seek
        return terms | self._perceptual_losses(x)

    def _adversarial_losses(self, phase: str, x: Batch, fakes: tuple[str, ...]) -> dict[str, Tensor]:
        """Return the terms of the discriminators in the phase of either player, and feature matching in G's."""
        shown = self._shown(x, *(["image"] if phase == "D" or self.lambda_fm else []), *fakes)
        terms = {}
        if self.P is not None:
            loss = projected_loss(phase, self.P, shown.get("image"), [shown[name] for name in fakes])
            terms["projected"] = self.lambda_projected * loss
        judged = judge(self.D, shown)
        if phase == "D":
            return terms | {"gan": mean_of(gan_d(self.gan, judged["image"], judged[name]) for name in fakes)}
        terms["gan"] = self.lambda_gan * mean_of(gan_g(self.gan, judged[name]) for name in fakes)
        if self.lambda_fm:
            terms["fm"] = self.lambda_fm * feature_matching(judged["completed"], judged["image"])
        return terms

    def _distances(self, x: Batch) -> dict[str, Tensor]:
        """Return the distances from outputs to picture: in the hole, of the better output, and elsewhere."""
        hole, known = x["hole"], 1 - x["hole"]
        weight = hole * (1 + self.rim * rim_weight(known)) if self.rim else hole
        if self.overlap:
            weight = weight + OVERLAP_WEIGHT * known * dilate(hole, self.overlap)
        distances = [self.distance(x[name], x["image"], reduction="none") for name in ("fake", "other") if name in x]
        in_hole = torch.stack([(weight * distance).flatten(1).mean(1) for distance in distances])
        terms = {"hole": self.lambda_hole * in_hole.amin(0).mean()}
        if self.lambda_known:
            terms["known"] = self.lambda_known * torch.stack([known * distance for distance in distances]).mean()
        return terms

    def _perceptual_losses(self, x: Batch) -> dict[str, Tensor]:
        """Return the distance of features, and the terms of partial convolutions."""
        terms = {}
        if self.features is not None:
            terms["features"] = self.lambda_features * feature_loss(self.features, x["completed"], x["image"])
        if self.vgg is not None:
            with torch.no_grad():
                seen = self.vgg(x["image"])
            out, completed = self.vgg(x["fake"]), self.vgg(x["completed"])
            terms["perceptual"] = self.lambda_perceptual * perceptual_loss(out, completed, seen)
            terms["style"] = self.lambda_style * style_loss(out, completed, seen)
        if self.lambda_tv:
            terms["tv"] = self.lambda_tv * total_variation(x["completed"], x["hole"])
        return terms

    def _shown(self, x: Batch, *names: str) -> dict[str, Tensor]:
        """Return what discriminators see, augmented alike: the named pictures and, with `tell_hole`, the mask."""
        planes = [x["mask"]] if self.tell_hole else []
        pictures = [torch.cat([x[name], *planes], 1) for name in names]
        return dict(zip(names, self.augment.together(*pictures) if self.augment else pictures, strict=True))

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, seed: int | None = None, **options: Any
    ) -> Tensor:
        """Return the output of "G" for the whole picture, including the known pixels.

        batch["mask"] (B, 1, H, W) is +1 in the hole, where batch["image"] (B, C, H, W), in [-1, 1], is ignored, and -1
        elsewhere. Without `z` (B, z_dim), `seed` draws one z for the whole batch; without either, z is 0. `seed` (by
        default 0) also determines the noise that a network draws.
        """
        G = nets["G"]
        holed = generator_input(G, batch["image"], batch["mask"])
        z_dim = int(getattr(G, "z_dim", 0))
        if z is None and z_dim:
            drawn = np.zeros(z_dim) if seed is None else np.random.default_rng(seed).standard_normal(z_dim)
            z = torch.from_numpy(drawn).expand(len(holed), -1)
        return run_seeded(G, holed, z, seed)

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the picture with its hole, the output (four with `z_dim`), and the true picture."""
        image, hole = batch["image"], (batch["mask"] + 1) / 2
        rows = {"hole": image * (1 - hole)}
        rows["answer"] = torch.lerp(image, Inpaint.predict(nets, batch), hole)
        if getattr(nets["G"], "random", False):
            for k in (1, 2, 3):
                rows[f"answer {k}"] = torch.lerp(image, Inpaint.predict(nets, batch, seed=k), hole)
        rows["truth"] = image
        return {title: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for title, row in rows.items()}


def generator_input(G: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    """Return the input of `G`: the picture with 0 in the hole and, unless G is made for translation, the mask."""
    holed = torch.where(mask > 0, 0.0, image)
    return torch.cat([holed, mask], 1) if spec_of(G)["in_channels"] > image.shape[1] else holed


def rim_weight(known: Tensor) -> Tensor:
    """Return weights that fall from about 1 at the border of `known`, (B, 1, H, W) of 0 and 1, to 0 at RIM_PX outside.

    Twice the known part of the square around each pixel, computed at a quarter of the size, which is cheap.
    """
    small = F.avg_pool2d(known, 4)
    share = F.avg_pool2d(small, RIM_PX // 2 + 1, stride=1, padding=RIM_PX // 4, count_include_pad=False)
    return (2 * F.interpolate(share, size=known.shape[2:], mode="bilinear")).clamp_max(1.0)


def dilate(region: Tensor, reach: int) -> Tensor:
    """Dilate a region (B, 1, H, W) of 0 and 1 by `reach` px on all sides."""
    return F.max_pool2d(region, 2 * reach + 1, stride=1, padding=reach)
