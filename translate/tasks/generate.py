"""New pictures from nothing: a generator of pictures from vectors, with or without labels.

Goodfellow et al., 2014, https://arxiv.org/abs/1406.2661. The relativistic pair loss: Jolicoeur-Martineau, 2019,
https://arxiv.org/abs/1807.00734, as in R3GAN (Huang et al., 2024, https://arxiv.org/abs/2501.05441, section 3).
"""

__all__ = ["Generate", "draw_latents"]

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import LATENT_DISCRIMINATORS, LATENT_GENERATORS
from translate.networks.augment import Augment
from translate.networks.stylegan import ResidualDiscriminator, StyleSynthesis
from translate.tasks.base import Batch, Task
from translate.tasks.losses.adversarial import PAIRED_GAN_LOSSES, smoothness
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of, resolve

SHOWN = 64  # samples in a preview, eight in a row


class Generate(Task):
    """G: a vector z, and perhaps a label, to a picture; D: a picture, and perhaps its label, to real or fake.

    D is kept smooth by `lambda_r1` times the squared size of its gradient at real pictures (R1: Mescheder et al.,
    2018) and `lambda_r2` times that at fakes, estimated without a second backward pass on a quarter of the batch.
    With `augment`, D sees that part of all pictures changed at random, so that it cannot learn a small set by heart;
    with `augment_target` the part follows from how sure D is of real pictures (ADA: Karras et al., 2020).

    Real pictures without a label train the question of real or fake alone. With `grow`, the networks begin with their
    lowest levels and fade the others in during that part of the run (Karras et al., 2018, section 2).
    """

    data = "images"
    phases = {"G": ("G",), "D": ("D",)}
    exports = ("G",)
    generators = LATENT_GENERATORS
    discriminators = LATENT_DISCRIMINATORS
    from_latents = True
    remedies = Task.remedies | {
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
    ) -> None:
        super().__init__()
        if not 0 <= grow <= 0.9:
            raise OptionError(f"--grow is the part of the run in which the networks grow, 0 to 0.9, not {grow:g}")
        classes = channels.get("label", 0)
        growing = {"grow": True} if grow else {}
        for network in (generator, discriminator):
            if grow and "grow" not in options_of(network.function):
                raise OptionError(f"{network.name!r} cannot grow; leave --grow out, or say --netG style_synthesis")
        self.G = generator(out_channels=channels["image"], classes=classes, **growing)
        self.D = discriminator(in_channels=channels["image"], classes=classes, **growing)
        self.classes, self.gan = classes, resolve(gan, PAIRED_GAN_LOSSES, "method.gan")
        self.lambda_r1, self.lambda_r2, self.grow = lambda_r1, lambda_r2, grow
        self.augment = Augment(augment, augment_target)

    def set_progress(self, progress: float) -> None:
        """Let the networks be as deep as they should be at `progress`, from 0 to 1, of the run."""
        if self.grow:
            G, D = cast(StyleSynthesis, self.G), cast(ResidualDiscriminator, self.D)
            depth = depth_at(progress / self.grow, len(G.levels))
            G.depth.fill_(depth)
            D.depth.fill_(max(1.0, depth - len(G.levels) + len(D.from_rgb)))  # D may begin at a larger picture

    def forward(self, batch: Batch) -> Batch:
        """Draw a fake for every real picture, of the same class where that is known, else of any."""
        real = batch["image"]
        z = random_like(real, len(real), self.G.z_dim, self.G.z_kind)  # type: ignore[arg-type]
        if not self.classes:
            return {"real": real, "fake": self.G(z)}
        given = batch["label"]
        any_class = dist.draw_local_rows(lambda n: torch.randint(self.classes, (n,), device=given.device), len(given))
        asked = torch.where(given < 0, any_class, given)
        labels = {"label": one_hot(given, self.classes), "asked": one_hot(asked, self.classes)}
        return {"real": real, "fake": self.G(z, labels["asked"])} | labels

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """The adversarial game; in D's phase also what keeps D smooth."""
        if phase == "G":
            fake = self.D(self.augment(x["fake"]), x.get("asked"))
            if not self.gan.relative:
                return {"gan": self.gan.g(fake, fake)}
            with torch.no_grad():
                real = self.D(self.augment(x["real"]), x.get("label"))
            return {"gan": self.gan.g(real, fake)}
        seen, made = self.augment(x["real"]), self.augment(x["fake"].detach())
        real, fake = self.D(seen, x.get("label")), self.D(made, x.get("asked"))
        self.augment.adapt(real - fake if self.gan.relative else real)
        self.extra_logs = {"real": real.detach().mean(), "fake": fake.detach().mean()}
        terms = {"gan": self.gan.d(real, fake)}
        for name, weight, pictures, label, scores in (
            ("r1", self.lambda_r1, seen, x.get("label"), real),
            ("r2", self.lambda_r2, made, x.get("asked"), fake),
        ):
            if weight:
                some = max(1, len(pictures) // 4)
                part = None if label is None else label[:some]
                terms[name] = weight * smoothness(partial(self.D, label=part), pictures[:some], scores[:some])
        return terms

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, seed: int | None = None, **options: Any
    ) -> Tensor:
        """Draw pictures (B, C, size, size) in [-1, 1] from `z` (B, z_dim), or as many as batch["label"] from `seed`.

        batch["label"]: weights over the classes, (B, classes), where the model has any.
        """
        label = batch.get("label")
        if z is None:
            count = 1 if label is None else len(label)
            z = draw_latents(nets["G"], range(seed or 0, (seed or 0) + count))
        return nets["G"](z, label)

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Rows of eight samples, each always from the same z; one row a class where there are classes."""
        G: Any = nets["G"]
        z = draw_latents(G, range(SHOWN)).to(batch["image"])
        if not G.classes:
            return {f"samples {i}": row for i, row in enumerate(in_color(G(z)).split(8))}
        rows = {}
        for k in range(min(G.classes, 16)):
            label = one_hot(torch.full((8,), k, device=z.device), G.classes)
            rows[f"class {k}"] = in_color(G(z[:8], label))
        return rows


def draw_latents(G: Any, seeds: Any) -> Tensor:
    """Return z (n, z_dim), each the function of one seed alone, on every device: N(0, 1), or U(-1, 1) for G's kind."""
    rngs = [np.random.default_rng(seed) for seed in seeds]
    if G.z_kind == "uniform":
        return torch.from_numpy(np.stack([rng.uniform(-1, 1, G.z_dim) for rng in rngs]).astype(np.float32))
    return torch.from_numpy(np.stack([rng.standard_normal(G.z_dim) for rng in rngs]).astype(np.float32))


def random_like(like: Tensor, count: int, z_dim: int, kind: str) -> Tensor:
    """Draw z (count, z_dim) where `like` is."""
    if kind == "uniform":
        return dist.draw_local_rows(lambda n: torch.empty(n, z_dim, device=like.device).uniform_(-1, 1), count)
    return dist.draw_local_rows(lambda n: torch.randn(n, z_dim, device=like.device), count)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """(B,) class numbers to (B, classes) float; a row of zeros where there is none (-1)."""
    return F.one_hot(labels.clamp_min(0), classes).float() * (labels >= 0)[:, None]


def in_color(pictures: Tensor) -> Tensor:
    return pictures.expand(-1, 3, -1, -1)


def depth_at(progress: float, levels: int) -> float:
    """Return how many of `levels` are drawn: each of equal time, half of it to fade in, half to settle."""
    if progress >= 1:
        return float(levels)
    whole, part = divmod(1 + progress * (levels - 1), 1)
    return whole + min(1.0, 2 * part)
