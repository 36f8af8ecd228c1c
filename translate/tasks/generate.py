"""GANs that generate pictures from latent vectors z, and class labels if there are any.

Goodfellow et al., 2014, https://arxiv.org/abs/1406.2661. The relativistic pair loss: Jolicoeur-Martineau, 2019,
https://arxiv.org/abs/1807.00734, as in R3GAN (Huang et al., 2024, https://arxiv.org/abs/2501.05441, section 3).
"""

__all__ = ["Generate"]

from collections.abc import Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor

from translate.networks import LATENT_DISCRIMINATORS
from translate.networks.augment import Augment
from translate.networks.stylegan import ResidualDiscriminator, StyleSynthesis
from translate.tasks.base import Batch
from translate.tasks.latents import LatentTask, draw_latents_like, one_hot
from translate.tasks.losses.adversarial import PAIRED_GAN_LOSSES, as_paired, smoothness
from translate.tasks.losses.multiscale import all_scores, as_scales, gan_d, mean_of
from translate.tasks.losses.projected import NO_OPTIONS, make_projected, projected_loss
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of, resolve


class Generate(LatentTask):
    """G: z (and label) -> picture; D: picture (and label) -> real or fake.

    D is kept smooth by `lambda_r1` times its squared gradient at real pictures (R1: Mescheder et al., 2018) and
    `lambda_r2` times that at fakes, both estimated without a second backward pass on a quarter of the batch. D sees
    the fraction `augment` of all pictures augmented, so that it cannot memorise a small set; with `augment_target` the
    fraction adapts to how sure D is of real pictures (ADA: Karras et al., 2020). With `lambda_projected`, a second
    discriminator judges pretrained `features` of the same pictures.

    On real pictures without a label, D learns real or fake alone. With `grow`, the networks begin with their lowest
    levels and fade in the others during that fraction of the run (Karras et al., 2018, section 2).
    """

    phases = {"G": ("G",), "D": ("D",)}
    discriminators = LATENT_DISCRIMINATORS
    monotone_progress = True  # what has grown stays
    remedies = LatentTask.remedies | {
        "strong_d": "--augment-target 0.6 or twice the --lambda-r1",
        "checkerboard": "--netG style_synthesis",
    }

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        gan: str = "vanilla",
        lambda_r1: float = 0.0,
        lambda_r2: float = 0.0,
        augment: float = 0.0,
        augment_target: float = 0.0,
        grow: float = 0.0,
        lambda_projected: float = 0.0,
        projected: dict = NO_OPTIONS,
        features: str = "auto",
    ) -> None:
        super().__init__()
        if not 0 <= grow <= 0.9:
            raise OptionError(f"--grow is the part of the run in which the networks grow, 0 to 0.9, not {grow:g}")
        classes = channels.get("label", 0)
        growing = {"grow": True} if grow else {}
        for network in (generator, discriminator):
            if grow and "grow" not in options_of(network.function):
                raise OptionError(f"{network.name!r} cannot grow; leave --grow out, or say --netG style_synthesis")
        self.G = self.make_generator(generator, out_channels=channels["image"], classes=classes, **growing)
        self.D = discriminator(in_channels=channels["image"], classes=classes, **growing)
        picture = {"in_channels": channels["image"], "classes": classes}
        self.P = make_projected(lambda_projected, projected, features, **picture)
        if self.P is not None:
            self.phases = {"G": ("G",), "D": ("D", "P")}
        self.lambda_projected = lambda_projected
        self.classes, self.gan = classes, as_paired(resolve(gan, PAIRED_GAN_LOSSES, "method.gan"))
        self.lambda_r1, self.lambda_r2, self.grow = lambda_r1, lambda_r2, grow
        self.augment = Augment(augment, augment_target)

    def set_progress(self, progress: float) -> None:
        """Set the depth of growing networks."""
        if self.grow:
            G, D = cast(StyleSynthesis, self.G), cast(ResidualDiscriminator, self.D)
            depth = depth_at(progress / self.grow, len(G.levels))
            G.depth.fill_(depth)
            D.depth.fill_(max(1.0, depth - len(G.levels) + len(D.from_rgb)))  # D may begin at a larger picture

    def forward(self, batch: Batch) -> Batch:
        """Generate a fake for each real picture, of the same class, or of a random class if it has no label."""
        real = batch["image"]
        z = draw_latents_like(real, self.G.z_dim, self.G.z_kind)  # type: ignore[arg-type]
        if not self.classes:
            return {"real": real, "fake": self.G(z)}
        label = batch["label"]
        drawn = dist.draw_local_rows(lambda n: torch.randint(self.classes, (n,), device=label.device), len(label))
        fake_label = one_hot(torch.where(label < 0, drawn, label), self.classes)
        labels = {"label": one_hot(label, self.classes), "fake_label": fake_label}
        return {"real": real, "fake": self.G(z, fake_label)} | labels

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the adversarial terms; in D's phase also the gradient penalties."""
        # the generator
        if phase == "G":
            augmented_fake = self.augment(x["fake"])
            fake = as_scales(self.D(augmented_fake, x.get("fake_label")))
            real = fake
            if self.gan.relative:
                with torch.no_grad():
                    real = as_scales(self.D(self.augment(x["real"]), x.get("label")))
            terms = {"gan": mean_of(self.gan.g(r[-1], f[-1]) for r, f in zip(real, fake, strict=True))}
            return terms | self._projected_term(phase, x, x["real"], augmented_fake)
        # the discriminator
        label, fake_label = x.get("label"), x.get("fake_label")
        augmented, augmented_fake = self.augment(x["real"]), self.augment(x["fake"].detach())
        real, fake = as_scales(self.D(augmented, label)), as_scales(self.D(augmented_fake, fake_label))
        real_scores, fake_scores = all_scores(real), all_scores(fake)
        self.augment.adapt(real_scores - fake_scores if self.gan.relative else real_scores)
        self.extra_logs = {"real": real_scores.detach().mean(), "fake": fake_scores.detach().mean()}
        terms = {"gan": gan_d(self.gan, real, fake)}
        if self.lambda_r1:
            terms["r1"] = self.lambda_r1 * self._smoothness(augmented, label, real_scores)
        if self.lambda_r2:
            terms["r2"] = self.lambda_r2 * self._smoothness(augmented_fake, fake_label, fake_scores)
        return terms | self._projected_term(phase, x, augmented, augmented_fake)

    def _projected_term(self, phase: str, x: Batch, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return the loss of the discriminator on features, if there is one."""
        if self.P is None:
            return {}
        loss = projected_loss(phase, self.P, real, [fake], x.get("label"), x.get("fake_label"))
        return {"projected": self.lambda_projected * loss}

    def _smoothness(self, pictures: Tensor, label: Tensor | None, scores: Tensor) -> Tensor:
        """Estimate the gradient penalty on a quarter of the batch."""
        count = max(1, len(pictures) // 4)
        D = self.D if label is None else partial(self.D, label=label[:count])
        return smoothness(lambda x: all_scores(D(x)), pictures[:count], scores[:count])


def depth_at(progress: float, levels: int) -> float:
    """Return the number of active `levels`: all get equal time, half of it to fade in and half to settle."""
    if progress >= 1:
        return float(levels)
    whole, part = divmod(1 + progress * (levels - 1), 1)
    return whole + min(1.0, 2 * part)
