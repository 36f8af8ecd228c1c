"""Two sets of pictures without pairs, as a training run sees them."""

__all__ = ["UnpairedData"]

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from translate.data.checks.quick_check import FileSet
from translate.data.loading.cache import PictureCache
from translate.data.loading.file_kind import FileKind, MixedChannels, as_probe, kind_of_files
from translate.data.loading.loader import UnpairedStream
from translate.data.loading.preview_images import PROBES, center_crop, training_size
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.domains import Domain, resolve_domains
from translate.images.picture import parse_range
from translate.utils.errors import UserError


class UnpairedData:
    """Two domains; `TrainingData` says what the attributes mean."""

    def __init__(self, config: DataConfig, root: Path) -> None:
        self.domains = resolve_domains(config.a or None, config.b or None, config.root or None, root)
        self.names: tuple[str, ...] = (self.domains[0].name, self.domains[1].name)
        self.title = "2".join(self.names)
        values = parse_range(config.value_range)
        self.kinds = [kind_of_files([*domain.train, *domain.test], values) for domain in self.domains]
        self.channels = {key: kind.channels for key, kind in zip("ab", self.kinds, strict=True)}
        self.epoch = max(len(domain.train) for domain in self.domains)
        self.facts: dict[str, Any] = {"value_range": config.value_range} if values else {}
        self.notes: list[str] = []

    def file_sets(self) -> list[FileSet]:
        """Return the files of each part."""
        halves = [(d, side, split) for side, d in zip("ab", self.domains, strict=True) for split in ("train", "test")]
        return [FileSet(domain.name, side, split, getattr(domain, split)) for domain, side, split in halves]

    def native_size(self) -> int:
        """Return the resolution worth training at, px."""
        both = zip(self.domains, self.kinds, strict=True)
        return training_size([side for domain, kind in both for side in shorter_sides(domain, kind)])

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pictures into `folder`, or find them there."""
        side = round(size * zoom)
        self.caches = {
            key: PictureCache.open(
                d.train, folder, side=side, square=square, kind=kind, title=d.name, progress=progress
            )
            for key, d, kind in zip("ab", self.domains, self.kinds, strict=True)
        }
        self.counts = dict(zip(self.names, map(len, self.caches.values()), strict=True))
        self.skipped = [line for cache in self.caches.values() for line in cache.skipped]
        self.epoch = max(self.counts.values())
        prints = "".join(cache.fingerprint for cache in self.caches.values())
        self.fingerprint = hashlib.sha256(prints.encode()).hexdigest()[:16]
        shown = {key: probes(d, k, size, square) for key, d, k in zip("ab", self.domains, self.kinds, strict=True)}
        count = min(map(len, shown.values()))
        self.probe = {key: pictures[:count] for key, pictures in shown.items()}

    def stream(self, *, crop: int, flip: bool, seed: int) -> UnpairedStream:
        """Return the endless stream of training samples."""
        return UnpairedStream(self.caches, crop=crop, flip=flip, seed=seed)


def shorter_sides(domain: Domain, kind: FileKind) -> list[int]:
    """Return the shorter sides of some pictures of a domain, px."""
    sides: list[int] = []
    for path in domain.train[:: max(1, len(domain.train) // 8)]:
        try:
            sides.append(min(kind.read(path).shape[:2]))
        except UserError:
            continue
    return sides


def probes(domain: Domain, kind: FileKind, size: int, square: bool) -> Tensor:
    """Return the first readable pictures of a domain's test set (or, lacking one, of its training set).

    Returns:
        (n, C, size, size), uint8 or float32 in [-1, 1], n <= PROBES: the middle of each picture.
    """
    pictures: list[np.ndarray] = []
    for path in [*domain.test, *domain.train]:
        if len(pictures) == PROBES:
            break
        try:
            pictures.append(center_crop(fit(kind.read(path), size, square=square), size))
        except MixedChannels:
            raise
        except UserError:
            continue
    return as_probe(pictures)
