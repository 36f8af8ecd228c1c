"""Generation by drifting: pictures from latent vectors, and class labels if there are any, without a discriminator.

Deng et al., 2026, https://arxiv.org/abs/2602.04770. Generated pictures drift towards real ones and away from each other
in several spaces of features; there is no adversary, so nothing can collapse or oscillate.
"""

__all__ = ["GenerateDrift"]

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.networks.features.load import load_features
from translate.tasks.base import Batch
from translate.tasks.feature_queue import FeatureQueue
from translate.tasks.latents import LatentTask, draw_latents_like, one_hot
from translate.tasks.losses.drifting import drifting_loss
from translate.utils import dist
from translate.utils.errors import OptionError
from translate.utils.factory import Factory

# the sides, at most, of what is compared as one point
COLOURS_SIDE, MAPS_SIDE, PIXELS_SIDE = 16, 8, 64
MIN_GROUP = 2  # a sample drifts away from others: alone it stays where it is
NO_FEATURES = "without pretrained features, drifting compares pixels alone: expect softer and less coherent pictures"


class GenerateDrift(LatentTask):
    """G: z (and label) -> picture; each sample follows the field of `losses.drifting` in each space of features.

    The spaces are the colours of the whole picture and, each by itself, the maps of pretrained `features`, weighted by
    `lambda_features`; without these, the pixels. The real points are those of the newest `queue` pictures, or `group`
    of each class if those are more. With labels, each step generates as many classes as have `group` samples or more;
    real pictures without a label are left out.
    """

    phases = {"G": ("G",)}
    discriminators = None

    def __init__(
        self,
        generator: Factory,
        channels: Mapping[str, int],
        *,
        queue: int = 256,
        group: int = 16,
        lambda_features: float = 1.0,
        features: str = "auto",
    ) -> None:
        super().__init__()
        if group < MIN_GROUP or queue < MIN_GROUP:
            word, value = ("--group", group) if group < MIN_GROUP else ("--queue", queue)
            raise OptionError(f"{word} should be at least {MIN_GROUP} pictures, got {value}; more draw better")
        self.classes, self.group = channels.get("label", 0), group
        self.G = self.make_generator(generator, out_channels=channels["image"], classes=self.classes)
        self.lambda_features = lambda_features
        self.features = load_features(features) if lambda_features else None
        if self.features is None:
            self.notes = (NO_FEATURES,)
        count = max(1, self.classes)
        self.real = FeatureQueue(count, max(group, -(-queue // count)))

    def forward(self, batch: Batch) -> Batch:
        """Generate as many pictures as the batch has, of a few classes each; queue the features of the real ones."""
        picture = batch["image"]
        count = dist.global_shape(picture.shape)[0]
        if count < MIN_GROUP:
            raise OptionError(f"--batch-size {count}: drifting needs at least {MIN_GROUP}; 64 and more draw better")
        z = draw_latents_like(picture, self.G.z_dim, self.G.z_kind)  # type: ignore[arg-type]
        label = batch.get("label", picture.new_zeros(len(picture), dtype=torch.int64))
        with torch.no_grad():
            self.real.push(self.points(picture), label)
        if not self.classes:
            return {"fake": self.G(z), "label": torch.zeros_like(label)}
        drawn = dist.draw_local_rows(lambda n: draw_groups(n, self.real.counts, self.group), len(label))
        return {"fake": self.G(z, one_hot(drawn, self.classes)), "label": drawn}

    def losses(self, phase: str, x: Batch) -> dict[str, Tensor]:
        """Return the drifting losses of colours and of features, each below 1 per space."""
        own, others = x["label"], self.real.groups()
        colours, *rest = [
            drifting_loss(fake, real, generated_group=own, real_group=others)
            for fake, real in zip(self.points(x["fake"]), self.real.read(), strict=True)
        ]
        if self.features is None:
            return {"colours": colours, "pixels": torch.stack(rest).sum()}
        return {"colours": colours, "features": self.lambda_features * torch.stack(rest).sum()}

    def points(self, pictures: Tensor) -> list[Tensor]:
        """Return the points of `pictures` (B, C, H, W) in each space, (B, D)."""
        if self.features is None:
            return [as_points(pictures, COLOURS_SIDE), as_points(pictures, PIXELS_SIDE)]
        maps = self.features(pictures)
        return [as_points(pictures, COLOURS_SIDE), *(as_points(one, MAPS_SIDE) for one in maps)]


def as_points(maps: Tensor, side: int) -> Tensor:
    """Return maps (B, C, H, W) as points (B, D), averaged until no side exceeds `side`."""
    return F.avg_pool2d(maps.float(), max(1, maps.shape[-1] // side)).flatten(1)


def draw_groups(count: int, pictures: Tensor, group: int) -> Tensor:
    """Draw the classes of `count` samples, (count,): as many random classes as have `group` samples or more each.

    Classes of which there are no `pictures` yet, (classes,), come last.
    """
    order = (torch.rand(len(pictures), device=pictures.device) + (pictures == 0)).argsort()
    groups = max(1, count // group)
    return order[torch.arange(count, device=pictures.device) * groups // count % len(pictures)]
