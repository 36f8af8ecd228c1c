"""Many domains with one generator: labels that a picture is to get or to lose, such as facial attributes.

Choi et al., 2018 (StarGAN), https://arxiv.org/abs/1711.09020. Labels relative to the picture: Wu et al., 2019
(RelGAN), https://arxiv.org/abs/1908.07269. The mask: Pumarola et al., 2018, https://arxiv.org/abs/1807.09251.
"""

__all__ = ["StarGAN"]

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks import EDITORS, LABEL_DISCRIMINATORS
from translate.tasks.base import Batch, Task
from translate.tasks.losses.adversarial import GAN_LOSSES, gradient_penalty, smoothness
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, resolve

MOST_PREVIEWED = 10  # labels in a sample grid


class StarGAN(Task):
    """G: picture and wishes -> picture; D: picture -> real or fake, and its labels.

    G: gan + lambda_class * labels(D(G(x, wish)), target) + lambda_cycle * |G(G(x, wish), back) - x|
       + lambda_keep * |G(x, wish) - x|;
    D: gan + lambda_class * labels(D(x), own) + lambda_r1 * R1 of a quarter, or lambda_gp * WGAN-GP's penalty.

    The target of each picture is the labels of another of the batch. Attributes, of which a picture has several, are
    wished for relative to it: 1 to get one, -1 to lose it, 0 to leave it as it is. Of attributes that the target leaves
    as they are, the part `mention` is wished for all the same, so that nothing changes where a wish is fulfilled. Of
    classes, a picture has one, and the wish is the class.

    With `critic` > 1 a batch has so many parts: D learns from each in turn, then G from the last (WGAN-GP).
    """

    data = "labelled"
    phases = {"D": ("D",), "G": ("G",)}
    exports = ("G",)
    generators = EDITORS
    discriminators = LABEL_DISCRIMINATORS
    run_suffix = "_stargan"
    remedies = Task.remedies | {"identity": "half of --lambda-cycle"}

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        gan: str = "hinge",
        lambda_class: float = 1.0,
        lambda_cycle: float = 10.0,
        lambda_keep: float = 0.0,
        lambda_r1: float = 0.0,
        lambda_gp: float = 0.0,
        mention: float = 0.25,
        critic: int = 1,
    ) -> None:
        super().__init__()
        if critic < 1:
            raise OptionError(f"--critic {critic} should be 1 or more: the updates of D before one of G")
        self.key = "classes" if "classes" in channels else "attributes"
        count, planes = channels[self.key], channels["image"]
        self.G = generator(in_channels=planes, out_channels=planes, z_dim=count)
        self.D = discriminator(in_channels=planes, classes=count)
        self.gan = resolve(gan, GAN_LOSSES, "method.gan")
        self.lambda_class, self.lambda_cycle, self.lambda_keep = lambda_class, lambda_cycle, lambda_keep
        self.lambda_r1, self.lambda_gp, self.mention = lambda_r1, lambda_gp, mention
        self.turns = {"D": critic}

    def forward(self, batch: Batch) -> Batch:
        """Draw a target for each picture, and make what G is told of it; G's gradient is that of the last part."""
        real, own = batch["image"], batch[self.key].float()
        if len(real) % self.turns["D"]:
            raise OptionError(f"--batch-size should be a multiple of {self.turns['D']}: a part for each update of D")
        order = dist.draw_local_rows(lambda n: torch.randperm(n, device=own.device), len(own))
        target = dist.all_gather_rows(own)[order]
        mentioned = dist.draw_local_rows(lambda n: torch.rand(n, own.shape[1], device=own.device), len(own))
        wish, back = self.wishes(own, target, mentioned < self.mention)
        parts = [part.chunk(self.turns["D"]) for part in (real, wish)]
        with torch.no_grad():
            fakes = [self.G(x, z) for x, z in zip(*(part[:-1] for part in parts), strict=True)]
        fakes.append(self.G(parts[0][-1], parts[1][-1]))
        return {"real": real, "own": own, "target": target, "back": back, "fake": torch.cat(fakes)}

    def wishes(self, own: Tensor, target: Tensor, mentioned: Tensor) -> tuple[Tensor, Tensor]:
        """Return what G is told to make `target` of `own`, and to make `own` of that again; all are (B, labels)."""
        if self.key == "classes":
            return target, own
        change = target - own
        return torch.where((change == 0) & mentioned, 2 * target - 1, change), -change

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring, of the part of the batch whose turn it is."""
        turn = self.turn if phase == "D" else -1
        real, own, target, back, fake = (
            x[name].chunk(self.turns["D"])[turn] for name in ("real", "own", "target", "back", "fake")
        )
        if phase == "D":
            return self.losses_of_d(real, own, fake.detach())
        return self.losses_of_g(real, target, back, fake)

    def losses_of_d(self, real: Tensor, own: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return the terms of D."""
        (scores, logits), (fake_scores, _) = self.D(real), self.D(fake)
        terms = {"gan": self.gan.d(scores, fake_scores), "class": self.lambda_class * self.label_loss(logits, own)}
        if self.lambda_r1:
            some = max(1, len(real) // 4)
            terms["r1"] = self.lambda_r1 * smoothness(self.score, real[:some], scores[:some])
        if self.lambda_gp:
            terms["gp"] = self.lambda_gp * gradient_penalty(self.score, real, fake)
        return terms

    def losses_of_g(self, real: Tensor, target: Tensor, back: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return the terms of G."""
        scores, logits = self.D(fake)
        terms = {
            "gan": self.gan.g(scores),
            "class": self.lambda_class * self.label_loss(logits, target),
            "cycle": self.lambda_cycle * F.l1_loss(self.G(fake, back), real),
        }
        if self.lambda_keep:
            terms["keep"] = self.lambda_keep * F.l1_loss(fake, real)
        return terms

    def score(self, x: Tensor) -> Tensor:
        """Return D's scores of pictures, without their labels."""
        return self.D(x)[0]

    def label_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of the classes, or the binary one of each attribute, summed over them."""
        if self.key == "classes":
            return F.cross_entropy(logits, labels)
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / len(logits)

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, *, z: Tensor | None = None, **options: Any) -> Tensor:
        """Fulfil the wishes `z` (B, labels) in batch["image"]; without z, there are none."""
        G, z = StarGAN.generator_for(nets, "", z, None)
        assert z is not None
        return G(batch["image"], z.to(batch["image"]).expand(len(batch["image"]), -1))

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return G, and its wishes (1, labels)."""
        G: Any = nets["G"]
        return G, torch.zeros(1, G.z_dim) if z is None else z

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the pictures; then for each label the pictures that get it or, of an attribute they have, lose it."""
        key = "classes" if "classes" in batch else "attributes"
        own, rows = batch[key], {"input": batch["image"]}
        for k in range(min(MOST_PREVIEWED, own.shape[1])):
            z = torch.zeros(own.shape, device=own.device)
            z[:, k] = 1.0 if key == "classes" else 1.0 - 2 * own[:, k]
            rows[f"label {k}"] = StarGAN.predict(nets, batch, z=z)
        return {title: row.expand(-1, 3, -1, -1) if row.shape[1] == 1 else row for title, row in rows.items()}
