"""What a training run needs of its data, by the kind that its task asks for."""

__all__ = ["TRAINING_DATA", "UnpairedData", "native_size"]

import hashlib
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from translate.data.cache import PictureCache
from translate.data.domains import Domain
from translate.data.loader import Unpaired
from translate.data.transforms import fit
from translate.errors import UserError
from translate.images import read_rgb8

PROBES = 4  # pictures of each domain in a sample grid


class UnpairedData:
    """Two domains, decoded and ready.

    Attributes:
        names: Of the domains.
        skipped: Files that could not be decoded, a line each.
        epoch: Samples that show every picture.
        fingerprint: Identifies the files trained on.
        probe: Pictures for the sample grids, {"a", "b"} -> (n, 3, size, size) uint8; held out where there are any.
    """

    def __init__(
        self,
        domains: Sequence[Domain],
        folder: Path,
        *,
        size: int,
        zoom: float,
        square: bool,
        progress: bool = True,
    ) -> None:
        side = round(size * zoom)
        self.names = (domains[0].name, domains[1].name)
        self.caches = {
            key: PictureCache.open(d.train, folder, side=side, square=square, title=d.name, progress=progress)
            for key, d in zip("ab", domains, strict=True)
        }
        self.skipped = [line for cache in self.caches.values() for line in cache.skipped]
        self.epoch = max(map(len, self.caches.values()))
        prints = "".join(cache.fingerprint for cache in self.caches.values())
        self.fingerprint = hashlib.sha256(prints.encode()).hexdigest()[:16]
        shown = {key: probes(d, size, square) for key, d in zip("ab", domains, strict=True)}
        count = min(map(len, shown.values()))
        self.probe = {key: pictures[:count] for key, pictures in shown.items()}

    def stream(self, *, crop: int, flip: bool, seed: int) -> Unpaired:
        """Return the endless stream of training samples."""
        return Unpaired(self.caches, crop=crop, flip=flip, seed=seed)


TRAINING_DATA = {"unpaired": UnpairedData}


def probes(domain: Domain, size: int, square: bool) -> Tensor:
    """Return the first readable pictures of a domain's test set (or, lacking one, of its training set).

    Returns:
        (n, 3, size, size) uint8, n <= PROBES: the middle of each picture.
    """
    pictures: list[np.ndarray] = []
    for path in [*domain.test, *domain.train]:
        if len(pictures) == PROBES:
            break
        try:
            picture = fit(read_rgb8(path), size, square=square)
        except UserError:
            continue
        top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
        pictures.append(picture[top : top + size, left : left + size])
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def native_size(domains: Sequence[Domain], most: int = 256) -> int:
    """Return the resolution worth training at: the median shorter side of some pictures, at most `most` px.

    A multiple of 4, and at least 32.
    """
    sides: list[int] = []
    for domain in domains:
        for path in domain.train[:: max(1, len(domain.train) // 8)]:
            try:
                sides.append(min(read_rgb8(path).shape[:2]))
            except UserError:
                continue
    typical = statistics.median(sides) if sides else most
    return int(max(32, min(most, typical) // 4 * 4))
