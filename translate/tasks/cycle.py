"""CycleGAN: unpaired translation in both directions, constrained by cycle consistency.

Zhu et al., 2017, https://arxiv.org/abs/1703.10593. Calls of a network on several batches are merged into one, which is
exact under instance norm: it normalises each picture by itself.
"""

__all__ = ["Cycle"]

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.augment import Augment
from translate.networks.features.load import load_features
from translate.tasks.base import Batch, Task
from translate.tasks.image_pool import ImagePool
from translate.tasks.losses.adversarial import GAN_LOSSES, smoothness
from translate.tasks.losses.multiscale import all_scores, as_scales, gan_d, gan_g, judge
from translate.tasks.losses.perceptual import feature_loss
from translate.tasks.losses.projected import NO_OPTIONS, make_projected, projected_loss
from translate.utils.factory import Factory, resolve


class Cycle(Task):
    """G_ab: A -> B and G_ba: B -> A, each against a discriminator of its target domain (section 3).

    The full objective is equation 3 plus the identity term of section 5.2:
    L = gan(G_ab, D_b) + gan(G_ba, D_a) + lambda_cycle * (cycle + lambda_identity * identity).

    With `cycle_scale` = s > 1 (not in the paper) only the means of s x s px blocks have to be reconstructed: a texture
    such as brush strokes may then come and go, and is not hidden in the translation as invisible noise.

    With `lambda_features` (not in the paper), reconstructions are compared in pretrained `features`, too (LPIPS: Zhang
    et al., 2018, https://arxiv.org/abs/1801.03924, equation 1): contents have to come back, strokes need not.

    With true pairs among the batches (not in the paper), the L1 distance of both translations to their truths counts
    `lambda_pairs` times, as in pix2pix (Isola et al., 2017, https://arxiv.org/abs/1611.07004, equation 3), and that of
    pretrained `features`, where these are installed, `lambda_pair_features` times.

    With `lambda_projected` (not in the paper), discriminators on pretrained `features` judge beside D_a and D_b. All of
    them see the fraction `augment` of the pictures augmented.
    """

    data = "unpaired"
    directions = ("ab", "ba")
    few_pairs = True
    phases = {"G": ("G_ab", "G_ba"), "D": ("D_a", "D_b")}
    exports = ("G_ab", "G_ba")
    compared_rows = (("a", "a to b", "b"), ("b", "b to a", "a"))
    remedies = Task.remedies | {
        "inverted": "--lambda-identity 0.5",
        "identity": "half of --lambda-cycle",
        "learns_nothing": "twice the length with --extend; a change of shape takes long",
        "checkerboard": "--netG skip_resnet",
        "collapse": "half of --train.lr",
    }

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        lambda_cycle: float = 10.0,
        lambda_identity: float = 0.5,
        cycle_scale: int = 1,
        lambda_features: float = 0.0,
        lambda_pairs: float = 10.0,
        lambda_pair_features: float = 1.0,
        gan: str = "lsgan",
        lambda_r1: float = 0.0,
        pool_size: int = 50,
        lambda_projected: float = 0.0,
        projected: dict = NO_OPTIONS,
        features: str = "auto",
        augment: float = 0.0,
    ) -> None:
        super().__init__()
        a, b = channels["a"], channels["b"]
        self.G_ab = generator(in_channels=a, out_channels=b)
        self.G_ba = generator(in_channels=b, out_channels=a)
        self.D_a, self.D_b = discriminator(in_channels=a), discriminator(in_channels=b)
        self.P_a, self.P_b = (make_projected(lambda_projected, projected, features, in_channels=c) for c in (a, b))
        if self.P_a is not None:
            self.phases = {"G": ("G_ab", "G_ba"), "D": ("D_a", "D_b", "P_a", "P_b")}
        self.lambda_projected = lambda_projected
        self.augment = Augment(augment) if augment else None
        self.pool_a, self.pool_b = ImagePool(pool_size), ImagePool(pool_size)
        if lambda_identity and a != b:  # the identity term runs a generator on its target domain
            lambda_identity = 0.0
            self.notes = (f"the domains have {a} and {b} channels, so lambda_identity is left out",)
        self.lambda_cycle, self.lambda_identity, self.cycle_scale = lambda_cycle, lambda_identity, cycle_scale
        self.lambda_pairs = lambda_pairs if "paired" in channels else 0.0
        self.lambda_pair_features = lambda_pair_features if "paired" in channels else 0.0
        self.lambda_features = lambda_features
        self.features = load_features(features) if lambda_features or self.lambda_pair_features else None
        self.gan, self.lambda_r1 = resolve(gan, GAN_LOSSES, "method.gan"), lambda_r1

    def forward(self, batch: Batch) -> Batch:
        """Compute fakes, reconstructions and identities in three generator calls (the textbook takes six)."""
        a, b = batch["a"], batch["b"]
        if self.lambda_identity:
            fake_b, same_b = self.G_ab(torch.cat([a, b])).chunk(2)
            fake_a, rec_a, same_a = self.G_ba(torch.cat([b, fake_b, a])).chunk(3)
            batch = batch | {"same_a": same_a, "same_b": same_b}
        else:
            fake_b = self.G_ab(a)
            fake_a, rec_a = self.G_ba(torch.cat([b, fake_b])).chunk(2)
        return batch | {"fake_a": fake_a, "fake_b": fake_b, "rec_a": rec_a, "rec_b": self.G_ab(fake_a)}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of equation 3 for the generators, and of equation 1 in least squares for D_a and D_b."""
        if phase == "D":
            a = self._judge_both("a", self.D_a, self.P_a, x["a"], self.pool_a.swap(x["fake_a"]))
            return a | self._judge_both("b", self.D_b, self.P_b, x["b"], self.pool_b.swap(x["fake_b"]))
        terms = self._judge_fake("ab", self.D_b, self.P_b, x["fake_b"])
        terms |= self._judge_fake("ba", self.D_a, self.P_a, x["fake_a"])
        cycle = self._distance(x["rec_a"], x["a"]) + self._distance(x["rec_b"], x["b"])
        terms["cycle"] = self.lambda_cycle * cycle
        if self.features is not None and self.lambda_features:
            distance = feature_loss(self.features, x["rec_a"], x["a"]) + feature_loss(self.features, x["rec_b"], x["b"])
            terms["features"] = self.lambda_features * distance
        if self.lambda_identity:
            identity = F.l1_loss(x["same_a"], x["a"]) + F.l1_loss(x["same_b"], x["b"])
            terms["identity"] = self.lambda_cycle * self.lambda_identity * identity
        if "paired" in x:
            terms |= self._compare_pairs(x)
        return terms

    def _compare_pairs(self, x: Batch) -> dict[str, Tensor]:
        """Return the distances of the translations to their truths; they are 0 in a batch without pairs."""
        paired = x["paired"].float().mean()  # 1 or 0
        sides = [(x["fake_a"], x["a"]), (x["fake_b"], x["b"])]
        if not paired.is_cuda and not paired:  # to read it would make a GPU wait, and cannot be captured
            sides = []
        terms, none = dict[str, Tensor](), torch.zeros_like(paired)
        if self.lambda_pairs:
            distance = sum((F.l1_loss(fake, truth) for fake, truth in sides), none)
            terms["pairs"] = self.lambda_pairs * paired * distance
        if self.features is not None and self.lambda_pair_features:
            distance = sum((feature_loss(self.features, fake, truth) for fake, truth in sides), none)
            terms["pair_features"] = self.lambda_pair_features * paired * distance
        return terms

    def _distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the L1 distance of pictures (equation 2), or of the means of their `cycle_scale` px blocks."""
        if self.cycle_scale > 1:
            one, other = F.avg_pool2d(one, self.cycle_scale), F.avg_pool2d(other, self.cycle_scale)
        return F.l1_loss(one, other)

    def _judge_fake(self, name: str, D: nn.Module, P: nn.Module | None, fake: Tensor) -> dict[str, Tensor]:
        """Return the adversarial terms of a generator."""
        if self.augment is not None:
            fake = self.augment(fake)
        terms = {f"gan_{name}": gan_g(self.gan, as_scales(D(fake)))}
        if P is not None:
            terms[f"projected_{name}"] = self.lambda_projected * projected_loss("G", P, fake, [fake])
        return terms

    def _judge_both(
        self, name: str, D: nn.Module, P: nn.Module | None, real: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """Return the terms of the discriminators of one domain."""
        if self.augment is not None:
            real, fake = self.augment(real), self.augment(fake)
        judged = judge(D, {"real": real, "fake": fake})
        terms = {f"gan_{name}": gan_d(self.gan, judged["real"], judged["fake"])}
        if self.lambda_r1:
            penalty = smoothness(lambda x: all_scores(D(x)), real, all_scores(judged["real"]))
            terms[f"r1_{name}"] = self.lambda_r1 * penalty
        if P is not None:
            terms[f"projected_{name}"] = self.lambda_projected * projected_loss("D", P, real, [fake])
        return terms

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, *, direction: str = "ab", **options: Any) -> Tensor:
        """Translate batch["a"] with direction "ab", batch["b"] with "ba"."""
        return nets["G_ab"](batch["a"]) if direction == "ab" else nets["G_ba"](batch["b"])

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return the generator of `direction`."""
        return nets["G_ab" if direction == "ab" else "G_ba"], None

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of A, its translation and its reconstruction; then those of B."""
        a, b = batch["a"], batch["b"]
        fake_b, fake_a = nets["G_ab"](a), nets["G_ba"](b)
        return {
            "a": a, "a to b": fake_b, "back to a": nets["G_ba"](fake_b),
            "b": b, "b to a": fake_a, "back to b": nets["G_ab"](fake_a),
        }  # fmt: skip
