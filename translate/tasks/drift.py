"""Drifted translation: patches of the translations drift to those of the target domain, without a discriminator.

The field is that of Deng et al., 2026, https://arxiv.org/abs/2602.04770, on patches in place of whole pictures, and for
unpaired translation: there is no way back and no cycle. Frozen features of the source hold the content.
"""

__all__ = ["Drift"]

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.networks.features.load import load_features
from translate.tasks.base import Batch, Task
from translate.tasks.feature_queue import FeatureQueue
from translate.tasks.losses.drifting import drifting_loss
from translate.tasks.losses.patch_samples import MOST, WINDOWS, patch_samples
from translate.tasks.losses.perceptual import roll_together
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory, options_of

GRAY_PX = 8  # side of the blocks whose lightness and colours belong to the content
EPS = 1e-8
MIN_DEVIATION = 0.05  # of the lightness in [-1, 1]: flatter pictures have no shapes to keep


class Drift(Task):
    """G_ab: A -> B and G_ba: B -> A, side by side, each told a strength s from 0 to 1.

    L = sum over kinds of patches of drift(patches of G(a, s), queue of b's patches) + weight(s) * content(G(a, s), a),

    and the same from b to a. In training each picture draws its s, and weight(s) = content_most^(1-s) content_least^s:
    after training, s is the user's choice between the source and the look of the target.
    """

    data = "unpaired"
    directions = ("ab", "ba")
    discriminators = None
    phases = {"G": ("G_ab", "G_ba")}
    exports = ("G_ab", "G_ba")
    run_suffix = "_drift"
    strength = 0.5
    compared_rows = (("a", "a to b", "b"), ("b", "b to a", "a"))
    remedies = {
        "inverted": "twice the --content-least",
        "identity": "a tenth of --content-most and --content-least",
        "checkerboard": "half of --train.lr",
        "collapse": "twice the --content-least",
        "blank": "twice the --content-least",
    }

    def __init__(
        self,
        generator: Factory,
        channels: Mapping[str, int],
        *,
        content_least: float = 0.003,
        content_most: float = 1.0,
        features: str = "auto",
        queue: int = 1024,
    ) -> None:
        super().__init__()
        if "z_dim" not in options_of(generator.function):
            raise OptionError(f"generator {generator.name!r} can be told no strength; say --netG skip_style_resnet")
        if not 0 < content_least <= content_most:
            raise OptionError("--content-least should be above 0 and at most --content-most")
        a, b = channels["a"], channels["b"]
        self.G_ab = generator(in_channels=a, out_channels=b, z_dim=1)
        self.G_ba = generator(in_channels=b, out_channels=a, z_dim=1)
        self.content_least, self.content_most = content_least, content_most
        self.features = load_features(features)
        self.queue_a, self.queue_b = (FeatureQueue(1, -(-queue // MOST)) for _ in "ab")

    def forward(self, batch: Batch) -> Batch:
        """Draw a strength for each picture of a, and the same for b: one from each part of [0, 1]. Translate.

        The weak are among the samples from which the strong are pushed away, so that these take up the look sooner.
        """
        device = batch["a"].device

        def draw(count: int) -> Tensor:
            order = torch.rand(count, device=device).argsort()
            return ((order + torch.rand(count, device=device)) / count)[:, None]

        s = dist.draw_local_rows(draw, len(batch["a"]))
        return batch | {"strength": s, "fake_b": self.G_ab(batch["a"], s), "fake_a": self.G_ba(batch["b"], s)}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the drift and the content of both directions."""
        # strided features see some phases of a lattice better than others
        names = ("a", "b", "fake_a", "fake_b")
        seen = dict(zip(names, roll_together(*(x[name] for name in names)), strict=True))
        with torch.no_grad():
            features = {name: self._features(seen[name]) for name in ("a", "b")}
        features |= {name: self._features(seen[name]) for name in ("fake_a", "fake_b")}
        weight = (self.content_most ** (1 - x["strength"]) * self.content_least ** x["strength"]).flatten()
        terms: dict[str, Tensor] = {}
        for source, target, queue in (("a", "b", self.queue_b), ("b", "a", self.queue_a)):
            fake = f"fake_{target}"
            queue.push(patch_samples(seen[target], features[target]))
            generated = patch_samples(seen[fake], features[fake])
            drifts = [patch_drift(x, y, queue.groups()) for x, y in zip(generated, queue.read(), strict=True)]
            distance = content_distance(seen[source], seen[fake], features[source], features[fake])
            terms |= {
                f"drift_{source}{target}": torch.stack(drifts).sum(),
                f"content_{source}{target}": (weight * distance).mean(),
            }
        return terms

    def _features(self, x: Tensor) -> list[Tensor]:
        """Return features (B, C_i, H_i, W_i) at 1/4, 1/8 and 1/16 of the size of `x`, or none."""
        return self.features(x)[: len(WINDOWS)] if self.features else []

    @staticmethod
    def predict(
        nets: nn.ModuleDict, batch: Batch, *, direction: str = "ab", z: Tensor | None = None, **options: object
    ) -> Tensor:
        """Translate batch["a"] with direction "ab", batch["b"] with "ba", with the strengths `z` (B, 1) in [0, 1]."""
        source = batch["a" if direction == "ab" else "b"]
        G, z = Drift.generator_for(nets, direction, z, None)
        assert z is not None
        return G(source, z.to(source).expand(len(source), -1))

    @staticmethod
    def generator_for(
        nets: nn.ModuleDict, direction: str, z: Tensor | None, seed: int | None
    ) -> tuple[nn.Module, Tensor | None]:
        """Return the generator of `direction`, and the strength (1, 1): `z`, or the default."""
        return nets["G_ab" if direction == "ab" else "G_ba"], torch.full((1, 1), Drift.strength) if z is None else z

    @staticmethod
    def preview(nets: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Return the rows of A and its translations at the strengths 0, the default, and 1; then those of B."""
        rows = {}
        for source, target in ("ab", "ba"):
            title = f"{source} to {target}"
            rows[source] = batch[source]
            for name, s in ((f"{title}, strength 0", 0.0), (title, Drift.strength), (f"{title}, strength 1", 1.0)):
                z = torch.full((1, 1), s)
                rows[name] = Drift.predict(nets, batch, direction=source + target, z=z)
        return rows


def patch_drift(generated: Tensor, real: Tensor, group: Tensor) -> Tensor:
    """Return the drifting loss of patches (B, n, D), given real ones (M, m, D); those of `group` (M,) -1 are none."""
    own = generated.new_zeros(generated.shape[:2].numel())
    real_group = group[:, None].expand(-1, real.shape[1]).flatten()
    return drifting_loss(generated.flatten(0, 1), real.flatten(0, 1), generated_group=own, real_group=real_group)


def content_distance(source: Tensor, fake: Tensor, seen: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
    """Return how far the content of each `fake` is from that of its `source`, both (B, C, H, W) in [-1, 1]: (B,).

    Twice the squared distance of unit features at 1/8 and 1/16 of the size, `seen` in the source and `found` in the
    fake (B, C_i, H_i, W_i), half that of the lightness of blocks in units of its deviation, and, where the channels are
    the same, the distance of the colours of blocks.
    """
    gray, own = lightness(source), lightness(fake)
    distance = 0.5 * (gray - own).abs().mean((1, 2, 3))
    for x, y in list(zip(seen, found, strict=True))[1:]:
        difference = F.normalize(x.float(), dim=1) - F.normalize(y.float(), dim=1)
        distance = distance + 2 * difference.square().sum(1).mean((1, 2))
    if source.shape == fake.shape:
        distance = distance + F.avg_pool2d(source - fake, GRAY_PX).abs().mean((1, 2, 3))
    return distance


def lightness(x: Tensor) -> Tensor:
    """Return the lightness of the blocks of (B, C, H, W) with mean 0 and deviation 1, (B, 1, H / 8, W / 8)."""
    gray = F.avg_pool2d(x.mean(1, keepdim=True), GRAY_PX)
    gray = gray - gray.mean((2, 3), keepdim=True)
    deviation = (gray.square().mean((2, 3), keepdim=True) + EPS).sqrt()  # the gradient of a root is infinite at 0
    return gray / (deviation + MIN_DEVIATION)
