"""The training pictures nearest to a sample, which show whether a model copies them."""

__all__ = ["COPY_DISTANCE", "Neighbours", "TrainingImageIndex", "square_crop"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.transforms import center_crop, fit
from translate.data.sources.labelled_image import LabelledImage
from translate.images.tensors import from_uint8
from translate.metrics.dct_features import DctFeatures
from translate.metrics.diversity import thumbnails
from translate.utils.errors import UserError

COPY_DISTANCE = 0.5  # half the typical distance between training neighbours: a nearer sample is practically a copy
MAX_IMAGES = 50_000  # the features of more pictures would fill the memory


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The k training pictures nearest to each of n samples, the nearest first."""

    names: list[list[str]]  # n lists of k
    pictures: np.ndarray  # (n, k, size, size, 3) uint8
    distances: np.ndarray  # (n, k); 1 is typical between a training picture and the nearest other one


class TrainingImageIndex:
    """Features of training pictures, for nearest-neighbour search.

    The distance is the root mean square of two: between pixels at 16 x 16 px, and between `DctFeatures`, each divided
    by the median distance between neighbours in the training set. The smaller distance to a picture and to its mirror
    image counts, since training mirrors pictures.

    Attributes:
        sources: the training pictures that could be read; an even selection of more than 50,000.
    """

    def __init__(
        self, sources: Sequence[LabelledImage], size: int, advance: Callable[[float], None] = lambda share: None
    ) -> None:
        """Compute the features of pictures at `size` px; raise UserError if fewer than two pictures can be read.

        `advance` receives the share that is done.
        """
        self.sources, self._size, self._dct = list[LabelledImage](), size, DctFeatures()
        self._features = self._read(sources[:: -(-len(sources) // MAX_IMAGES) or 1], advance)
        count = min(len(self.sources), 500)  # enough for the median distance between neighbours
        chosen = torch.arange(count) * len(self.sources) // count
        self._scales = [median_nearest_distance(torch.cdist(kind[chosen], kind), chosen) for kind in self._features]
        self._unit = median_nearest_distance(self._distances([kind[chosen] for kind in self._features]), chosen)

    def _read(self, sources: Sequence[LabelledImage], advance: Callable[[float], None]) -> list[Tensor]:
        """Keep the readable sources, and return their features of both kinds, (M, d) each."""
        parts, batch = [], list[np.ndarray]()
        for i, source in enumerate(sources, 1):
            try:
                batch.append(square_crop(source.read(), self._size))
                self.sources.append(source)
            except UserError:  # training left it out as well
                pass
            if batch and (len(batch) == 256 or i == len(sources)):
                parts.append(self._describe(np.stack(batch)))
                batch.clear()
                advance(i / len(sources))
        if len(self.sources) < 2:
            raise UserError(f"{len(self.sources)} training pictures can be read; comparing takes 2 or more")
        return [torch.cat(kind) for kind in zip(*parts, strict=True)]

    def _describe(self, pictures: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the features of (n, H, W, 3) uint8: thumbnails and `DctFeatures`."""
        x = from_uint8(torch.from_numpy(pictures).permute(0, 3, 1, 2))
        return thumbnails(x), self._dct(x)

    def _distances(self, features: Sequence[Tensor]) -> Tensor:
        """Return the distances from n pictures to all training pictures, (n, M)."""
        pairs = zip(features, self._features, self._scales, strict=True)
        return torch.stack([torch.cdist(a, b) / scale for a, b, scale in pairs]).square().mean(0).sqrt()

    def nearest(self, samples: np.ndarray, count: int) -> Neighbours:
        """Find the `count` pictures nearest to each of (n, size, size, 3) uint8; raise UserError if there are fewer."""
        if not 1 <= count <= len(self.sources):
            raise UserError(f"--nearest {count} is out of range; there are {len(self.sources)} training pictures")
        plain, mirrored = (self._describe(np.ascontiguousarray(x)) for x in (samples, samples[:, :, ::-1]))
        nearest = torch.minimum(self._distances(plain), self._distances(mirrored)).topk(count, largest=False)
        chosen = [[self.sources[i] for i in row] for row in nearest.indices.tolist()]
        return Neighbours(
            names=[[source.name for source in row] for row in chosen],
            pictures=np.stack([[square_crop(source.read(), self._size) for source in row] for row in chosen]),
            distances=(nearest.values / self._unit).numpy(),
        )


def square_crop(picture: np.ndarray, size: int) -> np.ndarray:
    """Resize the shorter side of (H, W, 3) uint8 to `size` px, as training does, and crop the centre square."""
    return center_crop(fit(picture, size, square=False), size)


def median_nearest_distance(distances: Tensor, own: Tensor) -> float:
    """Return the median over rows of the smallest of `distances` (n, M), without the column `own` (n,) of each row."""
    others = distances.scatter(1, own[:, None], torch.inf)
    return max(float(others.min(1).values.median()), 1e-6)  # not 0, even if the set holds every picture twice
