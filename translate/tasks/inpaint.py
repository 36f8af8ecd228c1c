"""Inpainting: a picture with holes, and the mask that says where, to the whole picture.

After LaMa (Suvorov et al., 2022, https://arxiv.org/abs/2109.07161). The terms of the older recipes: context encoders
(Pathak et al., 2016, https://arxiv.org/abs/1604.07379) and partial convolutions (Liu et al., 2018,
https://arxiv.org/abs/1804.07723).
"""

__all__ = ["Inpaint"]

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import INPAINT_DISCRIMINATORS, INPAINTERS, MASKED
from translate.networks.patchgan import MultiScale
from translate.tasks.base import Batch, Task, run_seeded
from translate.tasks.losses.adversarial import GAN_LOSSES, mode_seeking
from translate.tasks.losses.multiscale import Judged, feature_matching, gan_d, gan_g, judge, sum_of
from translate.tasks.losses.perceptual import load_vgg, perceptual_loss, style_loss, total_variation
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of, resolve, spec_of

DISTANCES = {"l1": F.l1_loss, "l2": F.mse_loss}
NEAR = 10.0  # weight of the known pixels along the hole, beside those in it (Pathak et al., section 5.1)
SLACK = 0.05  # of mode seeking
RIM = 16  # px, a multiple of 8, from what is known to where the hole is no rim any more


class Inpaint(Task):
    """G: the picture with grey in its hole, and the mask, to all of the picture; D judges the completed picture.

    L = lambda_gan gan + lambda_hole |fake - image| in the hole + lambda_known the same elsewhere + lambda_fm (feature
    matching), means over all pixels; `norm` says which distance, and the known pixels within `overlap` px of the hole
    have to be met as well, tenfold. Pixels at the rim of the hole weigh 1 + `rim`, less further in (after Yu et al.,
    2018, section 3.2): near known pixels there is little to invent, and a wrong tint shows. With `tell_hole` D sees the
    mask. D sees the picture's own pixels where they are known, so that a seam is what gives a fake away.

    Many answers (`z_dim`): two vectors are drawn for every picture. Only the better of the two answers has to be near
    the picture (Gupta et al., 2018, equation 1, "variety loss"); both have to look real, and to differ as the vectors
    do (`lambda_seek`).

    A generator of translation (skip_resnet, style_resnet ...) may learn this, too: it gets the picture alone, without
    the mask, and its weights can then start such a generator in another task (--init).
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
        lambda_perceptual: float = 0.0,
        lambda_style: float = 0.0,
        lambda_tv: float = 0.0,
        lambda_seek: float = 0.05,
        vgg: str = "",
        overlap: int = 0,
        rim: float = 0.0,
        tell_hole: bool = True,
    ) -> None:
        super().__init__()
        if z_dim and "z_dim" not in options_of(generator.function):
            raise OptionError(f"generator {generator.name!r} gives one answer; say --z-dim 0, or --netG fourier_resnet")
        many = {"z_dim": z_dim} if z_dim else {}
        planes = channels["image"] + (generator.name in MASKED)
        self.G = generator(in_channels=planes, out_channels=channels["image"], **many)
        self.phases = {"G": ("G",)}
        if lambda_gan:
            self.D = discriminator(in_channels=channels["image"] + tell_hole)
            self.phases["D"] = ("D",)
        if lambda_fm and not (lambda_gan and isinstance(self.D, MultiScale)):
            raise OptionError("--lambda-fm needs a discriminator that shows its features: --netD multi_scale")
        self.z_dim, self.tell_hole, self.overlap, self.rim = z_dim, tell_hole, overlap, rim
        self.gan, self.distance = resolve(gan, GAN_LOSSES, "method.gan"), resolve(norm, DISTANCES, "method.norm")
        self.lambda_gan, self.lambda_hole, self.lambda_known = lambda_gan, lambda_hole, lambda_known
        self.lambda_fm, self.lambda_seek, self.lambda_tv = lambda_fm, lambda_seek, lambda_tv
        self.lambda_perceptual, self.lambda_style = lambda_perceptual, lambda_style
        wanted = bool(lambda_perceptual or lambda_style)
        self.vgg = load_vgg(vgg).requires_grad_(False) if vgg and wanted else None
        if wanted and not vgg:
            self.notes = ("the perceptual and style losses are left out; --vgg FILE names VGG-16 weights for them",)

    def forward(self, batch: Batch) -> Batch:
        """Fill the holes, with `z_dim` in two ways."""
        image, hole = batch["image"], (batch["mask"] + 1) / 2
        x = {"image": image, "hole": hole, "mask": batch["mask"]}
        shown = shown_to(self.G, image, batch["mask"])
        if not self.z_dim:
            fake = self.G(shown)
            return x | {"fake": fake, "completed": torch.lerp(image, fake, hole)}
        count = len(image)
        both = dist.draw_local_rows(lambda n: torch.randn(2, n, self.z_dim, device=image.device).transpose(0, 1), count)
        z, other_z = both.unbind(1)
        fake, other = self.G(torch.cat([shown, shown]), torch.cat([z, other_z])).split(len(image))
        completed = {"completed": torch.lerp(image, fake, hole), "other_completed": torch.lerp(image, other, hole)}
        return x | completed | {"fake": fake, "other": other, "z": z, "other_z": other_z}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """The class docstring's terms; D's are those of `losses.GAN_LOSSES`."""
        fakes = ("completed", "other_completed") if self.z_dim else ("completed",)
        if phase == "D":
            judged = self._judge(x, "image", *fakes)
            return {"gan": sum_of(gan_d(self.gan, judged["image"], judged[name]) for name in fakes) / len(fakes)}
        terms = self._distances(x)
        if self.lambda_gan:
            judged = self._judge(x, *fakes, *(["image"] if self.lambda_fm else []))
            terms["gan"] = self.lambda_gan * sum_of(gan_g(self.gan, judged[name]) for name in fakes) / len(fakes)
        if self.lambda_fm:
            terms["fm"] = self.lambda_fm * feature_matching(judged["completed"], judged["image"])
        if self.z_dim:
            seek = mode_seeking(x["z"], x["other_z"], x["completed"], x["other_completed"], SLACK)
            terms["seek"] = self.lambda_seek * seek
        return terms | self._impression(x)

    def _distances(self, x: Batch) -> dict[str, Tensor]:
        """How far the answer is from the picture, in the hole and elsewhere; of two answers the better one."""
        hole, known = x["hole"], 1 - x["hole"]
        weight = hole * (1 + self.rim * nearness(known)) if self.rim else hole
        weight = weight + NEAR * known * grown(hole, self.overlap) if self.overlap else weight
        away = [self.distance(x[name], x["image"], reduction="none") for name in ("fake", "other") if name in x]
        in_hole = torch.stack([(weight * one).flatten(1).mean(1) for one in away]).amin(0).mean()
        elsewhere = torch.stack([known * one for one in away]).mean()
        terms = {"hole": self.lambda_hole * in_hole}
        return terms | ({"known": self.lambda_known * elsewhere} if self.lambda_known else {})

    def _impression(self, x: Batch) -> dict[str, Tensor]:
        """The terms of partial convolutions: features and textures alike, and no grain in the hole."""
        terms = {}
        if self.vgg is not None:
            with torch.no_grad():
                truth = self.vgg(x["image"])
            fake, completed = self.vgg(x["fake"]), self.vgg(x["completed"])
            terms["perceptual"] = self.lambda_perceptual * perceptual_loss(fake, completed, truth)
            terms["style"] = self.lambda_style * style_loss(fake, completed, truth)
        if self.lambda_tv:
            terms["tv"] = self.lambda_tv * total_variation(x["completed"], x["hole"])
        return terms

    def _judge(self, x: Batch, *names: str) -> dict[str, Judged]:
        """Show D each of the pictures named, with the mask where it is told."""
        planes = [x["mask"]] if self.tell_hole else []
        return judge(self.D, {name: torch.cat([x[name], *planes], 1) for name in names})

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, seed: int | None = None, **options: Any
    ) -> Tensor:
        """Return what the network makes of all of the picture, the known pixels too.

        Args:
            nets: "G".
            batch: "image" (B, C, H, W) in [-1, 1], whatever in the hole, and "mask" (B, 1, H, W), +1 in the hole and
                -1 elsewhere.
            z: Which of many answers, (B, z_dim).
            seed: In its place: draws z (the same for the whole batch). Without either, z is 0. It also seeds the noise
                that a network draws; the usual noise is that of seed 0.
            options: Not used.
        """
        G = nets["G"]
        shown = shown_to(G, batch["image"], batch["mask"])
        z_dim = int(getattr(G, "z_dim", 0))
        if z is None and z_dim:
            drawn = np.zeros(z_dim) if seed is None else np.random.default_rng(seed).standard_normal(z_dim)
            z = torch.from_numpy(drawn).expand(len(shown), -1)
        return run_seeded(G, shown, z, seed)

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """The picture with its hole, the answer, where there are many also three more; the whole picture."""
        image, hole = batch["image"], (batch["mask"] + 1) / 2
        rows = {"hole": image * (1 - hole)}
        rows["answer"] = torch.lerp(image, Inpaint.predict(nets, batch), hole)
        if getattr(nets["G"], "random", False):
            for k in (1, 2, 3):
                rows[f"answer {k}"] = torch.lerp(image, Inpaint.predict(nets, batch, seed=k), hole)
        rows["truth"] = image
        return {title: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for title, row in rows.items()}


def shown_to(G: nn.Module, image: Tensor, mask: Tensor) -> Tensor:
    """Return what `G` reads: the picture with 0 in the hole and, unless it is a network of translation, the mask."""
    blanked = torch.where(mask > 0, 0.0, image)
    return torch.cat([blanked, mask], 1) if spec_of(G)["in_channels"] > image.shape[1] else blanked


def nearness(known: Tensor) -> Tensor:
    """Return about 1 at the border of what is `known` (B, 1, H, W), 1 or 0, and less further out, to 0 at RIM px.

    Twice the known part of the square round a pixel, taken at a quarter of the size, where it costs next to nothing.
    """
    small = F.avg_pool2d(known, 4)
    share = F.avg_pool2d(small, RIM // 2 + 1, stride=1, padding=RIM // 4, count_include_pad=False)
    return (2 * F.interpolate(share, size=known.shape[2:], mode="bilinear")).clamp_max(1.0)


def grown(region: Tensor, reach: int) -> Tensor:
    """Widen a region (B, 1, H, W) of 0 and 1 by `reach` px on all sides."""
    return F.max_pool2d(region, 2 * reach + 1, stride=1, padding=reach)
