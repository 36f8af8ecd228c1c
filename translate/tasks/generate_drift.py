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
COLOURS_SIDE, CHROMA_SIDE, MAPS_SIDE, PIXELS_SIDE = 16, 128, 8, 64
FINE_PX = 5
MIN_GROUP = 2  # a sample drifts away from others: alone it stays where it is
NO_FEATURES = "without pretrained features, drifting compares pixels alone: expect softer and less coherent pictures"


class GenerateDrift(LatentTask):
    """G: z (and label) -> picture; each sample follows the field of `losses.drifting` in each space of features.

    The spaces are the colours of the whole picture (`lambda_colours`), the fine chroma of pictures in colour
    (`lambda_chroma`; 0: none), which pretrained features hardly see, and, each by itself, the maps of these `features`
    (`lambda_features`); without features, colours and pixels alone, at weights of 1. The real points are those of the
    newest `queue` pictures, or `group` of each class if those are more. With labels, each step generates as many
    classes as have `group` samples or more; real pictures without a label are left out.
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
        lambda_colours: float = 1.0,
        lambda_chroma: float = 0.0,
        features: str = "auto",
    ) -> None:
        super().__init__()
        if group < MIN_GROUP or queue < MIN_GROUP:
            word, value = ("--group", group) if group < MIN_GROUP else ("--queue", queue)
            raise OptionError(f"{word} should be at least {MIN_GROUP} pictures, got {value}; more draw better")
        self.classes, self.group = channels.get("label", 0), group
        self.G = self.make_generator(generator, out_channels=channels["image"], classes=self.classes)
        self.lambda_features, self.lambda_colours = lambda_features, lambda_colours
        self.lambda_chroma = lambda_chroma if channels["image"] == 3 else 0.0
        self.features = load_features(features) if lambda_features else None
        if self.features is None:
            self.lambda_colours, self.lambda_chroma, self.notes = 1.0, 0.0, (NO_FEATURES,)
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
        """Return the weighted drifting losses, each below its weight per space."""
        own, others = x["label"], self.real.groups()
        losses = [
            drifting_loss(fake, real, generated_group=own, real_group=others)
            for fake, real in zip(self.points(x["fake"]), self.real.read(), strict=True)
        ]
        terms = {"colours": self.lambda_colours * losses[0]}
        terms |= {"chroma": self.lambda_chroma * losses[1]} if self.lambda_chroma else {}
        rest = torch.stack(losses[len(terms) :]).sum()
        return terms | ({"features": self.lambda_features * rest} if self.features else {"pixels": rest})

    def points(self, pictures: Tensor) -> list[Tensor]:
        """Return the points of `pictures` (B, C, H, W) in each space, (B, D)."""
        points = [as_points(pictures, COLOURS_SIDE)]
        points += [fine_chroma(pictures).flatten(1)] if self.lambda_chroma else []
        if self.features is None:
            return [*points, as_points(pictures, PIXELS_SIDE)]
        return points + [as_points(one, MAPS_SIDE) for one in self.features(pictures)]


def as_points(maps: Tensor, side: int) -> Tensor:
    """Return maps (B, C, H, W) as points (B, D), averaged until no side exceeds `side`."""
    return F.avg_pool2d(maps.float(), max(1, maps.shape[-1] // side)).flatten(1)


def fine_chroma(pictures: Tensor) -> Tensor:
    """Return the fine detail of red - green and of blue - yellow in RGB pictures (B, 3, H, W): (B, 2, h, w).

    That is the difference to the mean of the FINE_PX x FINE_PX px around, of pictures of CHROMA_SIDE px at most.
    """
    red, green, blue = F.avg_pool2d(pictures.float(), max(1, pictures.shape[-1] // CHROMA_SIDE)).unbind(1)
    chroma = torch.stack([red - green, blue - (red + green) / 2], 1)
    return chroma - F.avg_pool2d(chroma, FINE_PX, stride=1, padding=FINE_PX // 2, count_include_pad=False)


def draw_groups(count: int, pictures: Tensor, group: int) -> Tensor:
    """Draw the classes of `count` samples, (count,): as many random classes as have `group` samples or more each.

    Classes of which there are no `pictures` yet, (classes,), come last.
    """
    order = (torch.rand(len(pictures), device=pictures.device) + (pictures == 0)).argsort()
    groups = max(1, count // group)
    return order[torch.arange(count, device=pictures.device) * groups // count % len(pictures)]
