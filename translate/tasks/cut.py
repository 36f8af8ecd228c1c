"""CUT and FastCUT: unpaired translation in one direction, without a way back.

Park et al., 2020, https://arxiv.org/abs/2007.15651. A place of the output has to be recognised, by features of the
generator's own encoder, among other places of the source: content stays where it is, and one generator is enough.
"""

__all__ = ["Cut"]

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from translate.networks.augment import Augment
from translate.tasks.base import Batch, Task
from translate.tasks.image_pool import ImagePool
from translate.tasks.losses.adversarial import GAN_LOSSES
from translate.tasks.losses.multiscale import as_scales, gan_d, gan_g, judge
from translate.tasks.losses.patch_nce import PatchHeads, patch_nce
from translate.tasks.losses.patch_relations import relation_consistency
from translate.tasks.losses.path_energy import draw_places, path_energy
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, resolve

PROBE = 8  # side of the pictures that tell the widths of a generator's layers, in its multiples


class Cut(Task):
    """G: A -> B, against a discriminator D of B, with heads H on the features of G's encoder.

    L = gan(G, D) + lambda_nce * (nce(G(a), a) + nce(G(b), b)) / 2 (equation 6, with lambda_X = lambda_Y). Without
    `nce_identity` the second term and the half are left out (FastCUT, with lambda_nce 10).

    With `flip_equivariance` (FastCUT, appendix C.1), half of the batches are mirrored before G, and the features of the
    output are mirrored back before they are compared with those of the source.

    The keys are the features that G computes for its output anyway, so the source is not encoded twice, unless it was
    mirrored.

    Not in the paper: `negative_hardness` weights places that look alike more among the negatives, and
    `lambda_relation` keeps the relations of places to each other (Hneg and SRC: `losses.patch_relations`);
    `lambda_path` lets the output change little on the way from a picture to its translation (`losses.path_energy`).
    """

    data = "unpaired"
    phases = {"G": ("G", "H"), "D": ("D",)}
    exports = ("G",)
    run_suffix = "_cut"
    compared_rows = (("a", "a to b", "b"),)
    remedies = Task.remedies | {
        "inverted": "twice the --lambda-nce",
        "identity": "half of --lambda-nce",
        "learns_nothing": "half of --lambda-nce",
        "checkerboard": "--netG skip_resnet",
        "collapse": "twice the --lambda-nce",
    }

    def __init__(
        self,
        generator: Factory,
        discriminator: Factory,
        channels: Mapping[str, int],
        *,
        lambda_nce: float = 1.0,
        nce_identity: bool = True,
        flip_equivariance: bool = False,
        patches: int = 256,
        temperature: float = 0.07,
        negative_hardness: float = 0.0,
        lambda_relation: float = 0.0,
        lambda_path: float = 0.0,
        gan: str = "lsgan",
        pool_size: int = 0,
        augment: float = 0.0,
    ) -> None:
        super().__init__()
        a, b = channels["a"], channels["b"]
        self.G = generator(in_channels=a, out_channels=b)
        if not hasattr(self.G, "layers"):
            raise OptionError(f"--netG {generator.name} shows no layers to compare; say --netG resnet or skip_resnet")
        if lambda_path and a != b:
            raise OptionError(f"--lambda-path mixes pictures with their translations, but A has {a} channels and B {b}")
        if nce_identity and a != b:  # the encoder of A has to read outputs, too
            raise OptionError(f"CUT encodes pictures of both domains alike, but A has {a} channels and B has {b}")
        self.H = PatchHeads(self._widths(a), patches=patches)
        self.D = discriminator(in_channels=b)
        self.lambda_nce, self.nce_identity, self.flip_equivariance = lambda_nce, nce_identity, flip_equivariance
        self.temperature, self.negative_hardness = temperature, negative_hardness
        self.lambda_relation, self.lambda_path = lambda_relation, lambda_path
        self.gan = resolve(gan, GAN_LOSSES, "method.gan")
        self.pool = ImagePool(pool_size)
        self.augment = Augment(augment) if augment else None

    def _widths(self, channels: int) -> list[int]:
        """Return the channels of the layers of G."""
        side = PROBE * cast(int, self.G.multiple)
        with torch.no_grad():
            return [x.shape[1] for x in self.G.layers(torch.zeros(1, channels, side, side))]  # type: ignore[operator]

    def forward(self, batch: Batch) -> Batch:
        """Translate a, and with `nce_identity` b, in one call; keep the layers of both as keys."""
        a, b = batch["a"], batch["b"]
        mirrored = torch.rand((), device=a.device) < 0.5 if self.flip_equivariance else None
        sources = torch.cat([a, b]) if self.nce_identity else a
        layers = self.G.layers(sources if mirrored is None else mirror(sources, mirrored))  # type: ignore[operator]
        fakes = self.G.finish(layers)  # type: ignore[operator]
        if mirrored is not None:
            with torch.no_grad():
                layers = self.G.layers(sources)  # type: ignore[operator]
            batch = batch | {"mirrored": mirrored}
        keys = {f"key {i}": layer.detach() for i, layer in enumerate(layers)}
        return batch | keys | {"fakes": fakes, "fake": fakes[: len(a)]}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the terms of the class docstring for G and H, the adversarial loss for D."""
        augment = self.augment or nn.Identity()
        if phase == "D":
            judged = judge(self.D, {"real": augment(x["b"]), "fake": augment(self.pool.swap(x["fake"]))})
            return {"gan": gan_d(self.gan, judged["real"], judged["fake"])}
        fake = augment(x["fake"])
        found, known = self._compared(x)
        nce = patch_nce(found, known, self.temperature, self.negative_hardness)
        terms = {"gan": gan_g(self.gan, as_scales(self.D(fake))), "nce": self.lambda_nce * nce}
        if self.lambda_relation:
            terms["relation"] = self.lambda_relation * relation_consistency(found, known)
        if self.lambda_path:
            source = mirror(x["a"], x["mirrored"]) if "mirrored" in x else x["a"]
            terms["path"] = self.lambda_path * path_energy(self.G, source, x["fake"], draw_places(source))
        return terms

    def _compared(self, x: Batch) -> tuple[list[Tensor], list[Tensor]]:
        """Return the features of all outputs, those of G(a) and of G(b), and of their sources at the same places."""
        found = self.G.layers(x["fakes"])  # type: ignore[operator]
        if "mirrored" in x:
            found = [mirror(layer, x["mirrored"]) for layer in found]
        keys = [x[f"key {i}"] for i in range(len(found))]
        places = self.H.draw_places(keys)
        with torch.no_grad():
            known = self.H(keys, places)
        return self.H(found, places), known

    @staticmethod
    def predict(nets: nn.ModuleDict, batch: Batch, **options: Any) -> Tensor:
        """Translate batch["a"]."""
        return nets["G"](batch["a"])

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return G."""
        return nets["G"], None

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of A, its translation, and B."""
        return {"a": batch["a"], "a to b": nets["G"](batch["a"]), "b": batch["b"]}


def mirror(x: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror (B, C, H, W) where the boolean `mirrored` is true, without waiting for it."""
    return torch.where(mirrored, x.flip(-1), x)
