"""Pictures of two domains, without pairs."""

__all__ = ["UnpairedData", "open_file_cache"]

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from translate.data.datasets.few_pairs import FewPairs
from translate.data.files.halves import Halves, split_halves
from translate.data.loading.cache import PictureCache, fingerprint, hash_text, open_cache
from translate.data.loading.file_kind import FileKind, kind_of_files, stack_pictures
from translate.data.loading.loader import SampleStream, UnpairedStream
from translate.data.loading.mixed_stream import MixedStream
from translate.data.loading.native_size import native_size
from translate.data.loading.preview_images import read_previews, read_spread
from translate.data.options import DataConfig
from translate.data.sources.domains import Domain, FileSet, domain_file_sets, resolve_domains
from translate.images.picture import parse_range
from translate.utils.errors import UserError

MAX_LONE_PX = 1024  # automatic size of lone pictures: crops are small, so that their size costs little
LONE_COPIES, LEAST_COPY = 8, 1 / 3  # of a lone picture, and the scale of the smallest (SinCUT's random_scale_max is 3)


class UnpairedData:
    """Pictures of two domains, perhaps with a few true pairs beside them; `TrainingData` documents the attributes.

    A domain may be a lone picture, as in SinCUT (Park et al., 2020, https://arxiv.org/abs/2007.15651). Crops of a given
    side then come from copies of several scales.
    """

    def __init__(self, config: DataConfig, root: Path) -> None:
        domains = resolve_domains(config.a, config.b, config.root, root)
        self.pairs = FewPairs(config.pairs, root) if config.pairs else None
        self._share, self._batch_size, self._crop = config.pair_share, config.batch_size, config.crop
        self.domains = (self.pairs.keep_apart(domains[0]), self.pairs.keep_apart(domains[1])) if self.pairs else domains
        self.names: tuple[str, ...] = (self.domains[0].name, self.domains[1].name)
        self.title = "2".join(self.names)
        values = parse_range(config.value_range)
        kinds = (kind_of_files([*domain.train, *domain.test], values) for domain in self.domains)
        self._sides = dict(zip("ab", zip(self.domains, kinds, strict=True), strict=True))
        self.channels = {key: kind.channels for key, (_, kind) in self._sides.items()}
        if self.pairs:
            self.channels["paired"] = 1  # a number for each sample, no picture
        self.epoch = max(len(domain.train) for domain in self.domains)
        self.facts: dict[str, Any] = {"value_range": config.value_range} if values else {}
        self.notes = [f"{domain.name}: {kind.note}" for domain, kind in self._sides.values() if kind.note]
        if self.pairs:
            notes = [note for domain in self.domains for note in domain.notes]
            self.notes += [self.pairs.describe(config.pair_share), *notes]

    def file_sets(self) -> list[FileSet]:
        return [*domain_file_sets(self.domains), *(self.pairs.file_sets() if self.pairs else ())]

    def native_size(self) -> int:
        sides = [_decoded_sides(domain, kind) for domain, kind in self._sides.values()]
        if all(map(_is_lone, self.domains)) and all(sides):
            return native_size([min(*sides[0], *sides[1])], multiple=16, most=MAX_LONE_PX)
        return native_size([*sides[0], *sides[1]])

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        side = round(size * zoom)
        options: dict[str, Any] = {"square": square, "progress": progress}
        self.caches = {
            key: open_copies(domain.train[0], folder, kind, copy_sides(side, self._crop), title=domain.name, **options)
            if _is_lone(domain) and self._crop > 0
            else open_file_cache(domain.train, folder, kind, side, title=domain.name, **options)
            for key, (domain, kind) in self._sides.items()
        }
        self.counts = {
            domain.name: 1 if _is_lone(domain) else len(cache)
            for domain, cache in zip(self.domains, self.caches.values(), strict=True)
        }
        self.skipped = [line for cache in self.caches.values() for line in cache.skipped]
        self.epoch = max(self.counts.values())
        fingerprints = [cache.fingerprint for cache in self.caches.values()]
        if self.pairs:
            kinds = {key: kind for key, (_, kind) in self._sides.items()}
            self.pairs.open(folder, kinds, side, square=square, progress=progress)
            self.skipped += self.pairs.skipped
            fingerprints.append(self.pairs.fingerprint)
        self.fingerprint = hash_text("".join(fingerprints))
        previews = {key: _previews(domain, kind, size, square) for key, (domain, kind) in self._sides.items()}
        count = min(map(len, previews.values()))
        self.probe = {key: pictures[:count] for key, pictures in previews.items()}

    def halves(self) -> list[Halves[Path]]:
        return [split_halves(domain.name, domain.test, lambda path: path.stem) for domain in self.domains]

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        pictures = {}
        for half, (key, (_, kind)) in zip(self.halves(), self._sides.items(), strict=True):
            decode = partial(kind.read_and_fit, side=size, square=square)
            pictures[key] = stack_pictures(read_spread(half.choosing, decode, size, count)[1])
        return pictures

    def stream(self, *, crop: int, flip: bool, seed: int) -> SampleStream:
        domains = UnpairedStream(self.caches, crop=crop, flip=flip, seed=seed)
        if self.pairs is None:
            return domains
        pairs = self.pairs.stream(crop=crop, flip=flip, seed=seed)
        return MixedStream(domains, pairs, share=self._share, batch_size=self._batch_size)


def open_file_cache(
    paths: Sequence[Path], folder: Path, kind: FileKind, side: int, *, square: bool, title: str = "", progress: bool
) -> PictureCache:
    """Open or build the cache of `paths`, read as `kind` and resized to `side` px by `fit`."""
    key, names = fingerprint(paths, side, square, *kind.settings), [str(path) for path in paths]
    decode = lambda i: kind.read_and_fit(paths[i], side, square=square)  # noqa: E731
    return open_cache(folder, key, names, decode, title=title, progress=progress)


def open_copies(
    path: Path, folder: Path, kind: FileKind, sides: Sequence[int], *, square: bool, title: str, progress: bool
) -> PictureCache:
    """Open or build the cache of one picture, resized to each of `sides` px by `fit`."""
    key, names = fingerprint([path], sides, square, *kind.settings), [f"{path} at {side} px" for side in sides]
    decode = lambda i: kind.read_and_fit(path, sides[i], square=square)  # noqa: E731
    return open_cache(folder, key, names, decode, title=title, progress=progress)


def copy_sides(side: int, crop: int) -> list[int]:
    """Return the shorter sides of the copies of a lone picture of `side` px, ascending; none is below `crop`."""
    least = max(crop, round(side * LEAST_COPY))
    return [round(least + (side - least) * i / (LONE_COPIES - 1)) for i in range(LONE_COPIES)]


def _is_lone(domain: Domain) -> bool:
    return len(domain.train) == 1 and not domain.test


def _decoded_sides(domain: Domain, kind: FileKind) -> list[int]:
    """Return the shorter sides of about 8 pictures of a domain, px."""
    sides: list[int] = []
    for path in domain.train[:: max(1, len(domain.train) // 8)]:
        try:
            sides.append(min(kind.read(path).shape[:2]))
        except UserError:
            continue
    return sides


def _previews(domain: Domain, kind: FileKind, size: int, square: bool) -> Tensor:
    """Return the center crops of the first readable pictures, held-out ones first."""
    paths = [*domain.test, *domain.train]
    return stack_pictures(read_previews(paths, lambda path: kind.read_and_fit(path, size, square=square), size)[1])
