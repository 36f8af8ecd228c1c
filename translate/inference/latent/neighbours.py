"""The training pictures nearest to a sample: whether a model makes pictures of its own, or merely remembers."""

__all__ = ["COPY_DISTANCE", "TrainingImageIndex", "Neighbours", "square_crop"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.transforms import center_crop, fit
from translate.data.sources.labelled_image import LabelledImage
from translate.metrics.dct_features import DctFeatures
from translate.metrics.diversity import thumbnails
from translate.metrics.image_sets import as_tensor
from translate.utils.errors import UserError

COPY_DISTANCE = 0.5  # of the usual distance between neighbours; what is nearer is as good as copied
BATCH = 256
SCALE_SAMPLES = 500  # training pictures whose own neighbours say what is usual
MAX_IMAGES = 50_000  # training pictures that are looked at; more would fill the memory
_LEAST = 1e-6  # usual distance in a set that holds everything twice


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k training pictures nearest to each of n samples, the nearest first.

    Attributes:
        names: n lists of k.
        pictures: (n, k, size, size, 3) uint8.
        distances: (n, k); 1 is usual from a training picture to the one nearest to it.
    """

    names: list[list[str]]
    pictures: np.ndarray
    distances: np.ndarray


class TrainingImageIndex:
    """Training pictures by what they look like.

    Two distances count alike: that of the pixels at 16 x 16 px, and that of frequencies and colours (`DctFeatures`);
    each is divided by what is usual between neighbours in the training set. To a sample that is the mirror image of a
    training picture the distance is 0 too, since training mirrors pictures.

    Attributes:
        sources: the training pictures that could be read; of very many an even choice.
    """

    def __init__(
        self, sources: Sequence[LabelledImage], size: int, advance: Callable[[float], None] | None = None
    ) -> None:
        """Read and describe the pictures.

        Args:
            sources: the training pictures.
            size: of the samples, px.
            advance: told the share that is done, now and then.

        Raises:
            UserError: fewer than two can be read.
        """
        self.sources, self._size, self._dct = list[LabelledImage](), size, DctFeatures()
        self._features = self._read(sources[:: -(-len(sources) // MAX_IMAGES) or 1], advance or (lambda share: None))
        count = min(len(self.sources), SCALE_SAMPLES)
        chosen = torch.arange(count) * len(self.sources) // count
        self._scales = [median_nearest_distance(torch.cdist(kind[chosen], kind), chosen) for kind in self._features]
        self._unit = median_nearest_distance(self._distances([kind[chosen] for kind in self._features]), chosen)

    def _read(self, sources: Sequence[LabelledImage], advance: Callable[[float], None]) -> list[Tensor]:
        """Keep the sources that can be read; return their features of both kinds, (M, d) each."""
        parts, waiting = [], list[np.ndarray]()
        for i, source in enumerate(sources, 1):
            try:
                waiting.append(square_crop(source.read(), self._size))
                self.sources.append(source)
            except UserError:  # training left it out as well
                pass
            if waiting and (len(waiting) == BATCH or i == len(sources)):
                parts.append(self._describe(np.stack(waiting)))
                waiting.clear()
                advance(i / len(sources))
        if len(self.sources) < 2:
            raise UserError(f"{len(self.sources)} training pictures can be read; comparing takes 2 or more")
        return [torch.cat(kind) for kind in zip(*parts, strict=True)]

    def _describe(self, pictures: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the features of (n, H, W, 3) uint8: small copies, and frequencies with colours."""
        x = as_tensor(pictures)
        return thumbnails(x), self._dct(x)

    def _distances(self, features: Sequence[Tensor]) -> Tensor:
        """Return the distances of n pictures to all of the bank, (n, M), both kinds on their scales."""
        pairs = zip(features, self._features, self._scales, strict=True)
        return torch.stack([torch.cdist(mine, bank) / scale for mine, bank, scale in pairs]).square().mean(0).sqrt()

    def nearest(self, samples: np.ndarray, count: int) -> Neighbours:
        """Find the `count` training pictures nearest to each of the samples, (n, size, size, 3) uint8.

        Raises:
            UserError: there are not so many.
        """
        if not 1 <= count <= len(self.sources):
            raise UserError(f"--nearest {count} is out of range; there are {len(self.sources)} training pictures")
        plain, mirrored = (self._describe(np.ascontiguousarray(x)) for x in (samples, samples[:, :, ::-1]))
        found = torch.minimum(self._distances(plain), self._distances(mirrored)).topk(count, largest=False)
        chosen = [[self.sources[i] for i in row] for row in found.indices.tolist()]
        return Neighbours(
            names=[[source.name for source in row] for row in chosen],
            pictures=np.stack([[square_crop(source.read(), self._size) for source in row] for row in chosen]),
            distances=(found.values / self._unit).numpy(),
        )


def square_crop(picture: np.ndarray, size: int) -> np.ndarray:
    """Bring (H, W, 3) uint8 to `size` px on its shorter side, as training does, and return the middle of it."""
    return center_crop(fit(picture, size, square=False), size)


def median_nearest_distance(distances: Tensor, own: Tensor) -> float:
    """Return the median distance of n pictures to the nearest other one of M.

    Args:
        distances: (n, M).
        own: (n,), the place of each picture among the M.
    """
    others = distances.scatter(1, own[:, None], torch.inf)
    return max(float(others.min(1).values.median()), _LEAST)
