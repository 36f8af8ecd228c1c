"""What tells two domains apart: texture and colour, which a small part of a picture shows, or layout and shape.

One classifier sees whole pictures, another the same pictures cut into small tiles, which are shuffled, turned and
mirrored: that removes layout and shape only. Both are ridge regressions on EfficientNet-Lite0's features, tested on
pictures that they have not learned from.
"""

__all__ = ["DomainGap", "describe_gap", "measure_gap", "print_gap"]

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from translate.data.datasets import UnpairedData
from translate.data.loading.file_kind import to_unit_range
from translate.data.loading.transforms import center_crop
from translate.images.tensors import from_uint8
from translate.networks.features.load import Features, load_features
from translate.training.start.messages import print_note
from translate.utils.errors import UserError
from translate.utils.sequences import spread

SIDE_PX, TILE_PX = 64, 8  # of the pictures and tiles that the network sees: large enough for a verdict, in 1 CPU second
MIN_PICTURES, MAX_PICTURES = 40, 100  # of each domain: with fewer, chance decides; more take longer than they tell
FOLDS = 5
RIDGE = 0.1
CLEAR_MARGIN = 0.2  # at least two standard errors of the difference, with MIN_PICTURES


@dataclass(frozen=True)
class DomainGap:
    """How well the domains can be told apart, as areas under the ROC curve: 0.5 is chance, 1 is perfect."""

    tiles: float  # by shuffled tiles
    whole: float  # by whole pictures

    @property
    def is_layout(self) -> bool:
        """Whether whole pictures tell the domains apart clearly better than tiles do."""
        return self.whole - self.tiles > CLEAR_MARGIN


def print_gap(data: UnpairedData, seed: int) -> None:
    """Print what tells the domains apart; nothing where the features are not installed, or pictures are too few."""
    with contextlib.suppress(UserError):  # a damaged package must not stop a run that does without it
        features = load_features("auto")
        if features and (gap := measure_gap(data.caches["a"], data.caches["b"], features, seed)):
            print_note(describe_gap(gap, data.names))


def describe_gap(gap: DomainGap, names: Sequence[str]) -> str:
    """Describe what tells the domains called `names` apart, and what that means for the generator."""
    a, b = names
    scores = (
        f"a classifier scores {gap.whole:.2f} on whole pictures and {gap.tiles:.2f} on shuffled tiles (0.5: chance)"
    )
    if gap.is_layout:
        return (
            f"layout or shape tells {a} from {b}: {scores}. This recipe changes colours and textures, not shapes: "
            "expect translations close to their input"
        )
    if gap.whole <= 0.5 + CLEAR_MARGIN:
        return f"{a} and {b} can hardly be told apart: {scores}"
    return f"texture or colour tells {a} from {b}: {scores}"


def measure_gap(
    a: Sequence[np.ndarray], b: Sequence[np.ndarray], features: Features, seed: int = 0
) -> DomainGap | None:
    """Measure what tells two domains of pictures (H, W, C) apart; None if there are too few pictures.

    The result is a function of the pictures and the seed.
    """
    count = min(len(a), len(b), MAX_PICTURES)
    if count < MIN_PICTURES:
        return None
    random = torch.Generator().manual_seed(seed)
    whole, tiles = [], []
    for domain in (a, b):
        pictures = torch.cat([shrink(domain[i]) for i in spread(range(len(domain)), count)])
        whole.append(pool(features, pictures))
        tiles.append(pool(features, shuffle_tiles(pictures, TILE_PX, random)))
    return DomainGap(tiles=round(separation(*tiles), 3), whole=round(separation(*whole), 3))


def shrink(picture: np.ndarray) -> Tensor:
    """Resize the central square of (H, W, C) of any depth: (1, C, SIDE_PX, SIDE_PX) in [-1, 1]."""
    square = to_unit_range(center_crop(picture, min(picture.shape[:2]))[None].copy()).permute(0, 3, 1, 2)
    square = from_uint8(square) if square.dtype == torch.uint8 else square
    return F.interpolate(square, size=(SIDE_PX, SIDE_PX), mode="bilinear", antialias=True)


def shuffle_tiles(pictures: Tensor, side: int, random: torch.Generator) -> Tensor:
    """Permute the `side` px tiles of each picture (B, C, H, W), and turn and mirror each tile at random."""
    batch, channels, height, width = pictures.shape
    tiles = F.unfold(pictures, side, stride=side).transpose(1, 2)  # (B, N, C * side * side)
    order = torch.rand(tiles.shape[:2], generator=random).argsort(1)
    tiles = tiles.gather(1, order[..., None].expand_as(tiles)).reshape(-1, channels, side, side)
    turns = torch.randint(8, (len(tiles),), generator=random)
    for turn in range(8):
        turned = torch.rot90(tiles[turns == turn], turn % 4, (2, 3))
        tiles[turns == turn] = turned.flip(3) if turn >= 4 else turned
    columns = tiles.reshape(batch, -1, channels * side * side).transpose(1, 2)
    return F.fold(columns, (height, width), side, stride=side)


@torch.no_grad()
def pool(features: Features, pictures: Tensor) -> Tensor:
    """Return mean and standard deviation of every channel of the features: (B, C, H, W) -> (B, d)."""
    rows = []
    for part in pictures.split(25):
        maps = [each.float().flatten(2) for each in features(part)]
        rows.append(torch.cat([x for each in maps for x in (each.mean(2), each.std(2))], 1))
    return torch.cat(rows)


def separation(a: Tensor, b: Tensor) -> float:
    """Return the cross-validated area under the ROC curve of a ridge regression that tells a from b, (n, d) both."""
    x, fold = torch.cat([a, b]), torch.cat([torch.arange(len(a)), torch.arange(len(b))]) % FOLDS
    target = torch.cat([torch.ones(len(a)), -torch.ones(len(b))])
    areas = []
    for number in range(FOLDS):
        seen = fold != number
        x_seen = x[seen]
        z = (x - x_seen.mean(0)) / (x_seen.std(0) + 1e-3) / x.shape[1] ** 0.5
        kernel = z[seen] @ z[seen].T
        weights = torch.linalg.solve(kernel + RIDGE * torch.eye(len(kernel)), target[seen])
        scores = z[~seen] @ (z[seen].T @ weights)
        positive, negative = scores[target[~seen] > 0], scores[target[~seen] < 0]
        areas.append((positive[:, None] > negative).float().mean())
    return float(torch.stack(areas).mean())
