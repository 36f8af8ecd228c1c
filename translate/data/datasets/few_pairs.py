"""A few true pairs beside two domains of pictures without partners."""

__all__ = ["FewPairs"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from translate.data.checks.pair_checks import check_headers
from translate.data.datasets.paired import decode_pair, kind_to_read
from translate.data.files.counted import list_names
from translate.data.files.walk import resolve_folders
from translate.data.loading.cache import fingerprint, open_cache
from translate.data.loading.file_kind import FileKind
from translate.data.loading.loader import PairedStream
from translate.data.sources.domains import Domain, FileSet
from translate.data.sources.pair import Pair
from translate.data.sources.pair_set import few_pairs_file_sets, resolve_pairs
from translate.utils.errors import UserError

STREAM = 2  # beside the streams 0 and 1 of the domains, which share the seed


class FewPairs:
    """True pairs to train on, and held-out ones: found by the constructor, decoded by `open`.

    Attributes:
        pairs: All pairs, from domain A to domain B.
        skipped: Why pairs could not be decoded, a line each; set by `open`.
        fingerprint: Identifies the files and how they were decoded; set by `open`.
    """

    def __init__(self, spec: str, root: Path) -> None:
        """Find the pairs that --pairs names; data sets of the catalog are prepared in `root`.

        Raises:
            UserError: there are none, names do not match, or the sizes of a pair do not fit.
        """
        self.pairs = resolve_pairs("", "", spec, root, flag="--pairs")
        check_headers([*self.pairs.train, *self.pairs.test])

    def keep_apart(self, domain: Domain) -> Domain:
        """Return `domain` without the held-out pairs in its training part, and the learned ones in its test part.

        Raises:
            UserError: nothing is left to train on.
        """
        held_out, learned = _files(self.pairs.test), _files(self.pairs.train)
        train, hidden = _split(domain.train, held_out)
        test, seen = _split(domain.test, learned)
        if not train:
            raise UserError(f"{domain.name}: all pictures to train on are in held-out pairs; give --pairs a test part")
        notes = []
        if hidden:
            notes.append(f"{domain.name}: {len(hidden)} not trained on, as held-out pairs have them: {_names(hidden)}")
        if seen:
            notes.append(f"{domain.name}: {len(seen)} not held out, as pairs to train on have them: {_names(seen)}")
        return replace(domain, train=train, test=test, notes=(*domain.notes, *notes))

    def file_sets(self) -> list[FileSet]:
        """Return the files of the pairs by split, and by side unless they are combined pictures."""
        return few_pairs_file_sets(self.pairs)

    def describe(self, share: float) -> str:
        """Return a line for the user: how many pairs, and how often they are seen."""
        train, test = len(self.pairs.train), len(self.pairs.test)
        held_out = f"{test} held out, for evaluate" if test else "none held out"
        return f"{self.pairs.title}: {train} true pair{'s' * (train != 1)} in {share:.0%} of the steps; {held_out}"

    def open(
        self, folder: Path, kinds: Mapping[str, FileKind], side: int, *, square: bool, progress: bool = True
    ) -> None:
        """Decode the pairs to train on into `folder`, as the domains "a" and "b" of `kinds`, or reuse the cache there.

        Raises:
            UserError: no pair can be read, or two pictures do not form a pair.
        """
        train, readers = self.pairs.train, [kind_to_read(kinds[key]) for key in "ab"]
        self._channels = {key: kinds[key].channels for key in "ab"}
        settings = [kind.settings for kind in kinds.values()]
        files = [path for pair in train for path in (pair.a, pair.b)]
        self.fingerprint = fingerprint(files, "few pairs", side, square, *settings)
        self._cache = open_cache(
            folder, self.fingerprint, [pair.name for pair in train],
            lambda i: decode_pair(train[i], readers, self._channels, side, square=square),
            title=self.pairs.title, progress=progress,
        )  # fmt: skip
        self.skipped = self._cache.skipped

    def stream(self, *, crop: int, flip: bool, seed: int) -> PairedStream:
        """Return the endless stream of the pairs to train on, in an order of its own."""
        channels = self._channels["a"], self._channels["b"]
        return PairedStream(self._cache, channels, crop=crop, flip=flip, seed=seed, which=STREAM)


def _files(pairs: Sequence[Pair]) -> set[str]:
    """Return the files of pairs, with symbolic links in their folders resolved."""
    return set(resolve_folders([file for pair in pairs for file in pair.files]))


def _split(paths: Sequence[Path], others: set[str]) -> tuple[list[Path], list[Path]]:
    """Return the paths that are not among `others`, and those that are."""
    real = dict(zip(paths, resolve_folders(paths), strict=True))
    return [path for path in paths if real[path] not in others], [path for path in paths if real[path] in others]


def _names(paths: Sequence[Path]) -> str:
    return list_names([path.name for path in paths])
