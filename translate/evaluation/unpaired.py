"""Scores of a model on the test pictures of two domains, beside two baselines and a floor.

PSNR and SSIM say whether an output is the *right* picture; they need the hidden truth of rendered domains.
The kernel distance says whether the outputs as a set look like the target domain; it needs only that
domain's pictures. Neither means much alone: the untouched input keeps all of the content and has none of
the look, and real pictures of the target the reverse.
"""

__all__ = ["Scores", "contact_sheet", "evaluate", "trained_on"]

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from translate.data.sources.domains import Domain, resolve_domains
from translate.evaluation.report import DirectionScores, Row, Scores
from translate.evaluation.tally import SEED, Method, Tally, kernel_row
from translate.images.grid import make_grid
from translate.images.io import IMAGE_SUFFIXES, read_rgb8
from translate.images.picture import ValueRange
from translate.images.tensors import to_tensor
from translate.metrics.colour_transfer import colour_statistics, transfer_colour
from translate.metrics.dct_features import DctFeatures
from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.training.run_folder import data_of
from translate.utils.errors import OptionError, UserError
from translate.utils.progress import Bar, Progress, open_progress
from translate.utils.sequences import subsample

ENOUGH = 20  # fewer test pictures than this cannot stand for a domain: its training pictures do
MAX_TRAIN = 1000  # training pictures that are looked at
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def evaluate(
    translator: Callable[..., np.ndarray],
    a: Domain,
    b: Domain,
    *,
    limit: int | None = None,
    progress: bool = True,
    values: ValueRange | None = None,
) -> Scores:
    """Score a model in every direction whose source has test pictures.

    Args:
        translator: called as `translator(picture, direction="ab")` with (H, W, 3) uint8 RGB; returns the same
            shape and type.
        a: first domain, the source of direction "ab".
        b: second domain.
        limit: at most this many pictures of each set, spread evenly over it.
        progress: show a progress bar on standard error.
        values: what is black and white in files of floats and wide integers.

    Raises:
        OptionError: `limit` is below 1.
        UserError: there are no readable test pictures, or torchmetrics is not installed.
    """
    if limit is not None and limit < 1:
        raise OptionError(f"--limit {limit} must be at least 1")
    import_torchmetrics("image.kid")  # fail now, not after the first picture
    parts = []
    with open_progress("percent", progress, transient=True) as bars:
        for direction, source, target in (("ab", a, b), ("ba", b, a)):
            if source.test:
                reader = Reader(bars, f"{source.name} -> {target.name}", values)
                sets = Sets.choose(source, target, limit)
                model = partial(translator, direction=direction)
                parts.append(score_direction(direction, model, source, target, sets, reader))
    if not parts:
        raise UserError(f"neither {a.name} nor {b.name} has test pictures: put some into testA or testB")
    return Scores(parts, DctFeatures.version, SEED)


def trained_on(model: str | Path, a: str = "", b: str = "", data: str = "") -> tuple[Domain, Domain]:
    """Return the domains to score `model` on: those given, else those that its run was trained on.

    Raises:
        OptionError: Nothing is given, and `model` is no run folder that would tell.
        UserError: The pictures are not there.
    """
    return resolve_domains(*named(model, a, b, data), Path("data"))


def named(model: str | Path, a: str, b: str, data: str) -> tuple[str | None, str | None, str | None]:
    """Return what is given of a, b and data; where nothing is, what the run of `model` was trained on.

    Raises:
        OptionError: Nothing is given, and `model` is no run folder that would tell.
    """
    if not (a or b or data):
        wanted = data_of(model)
        if not wanted:
            raise OptionError(f"{model} lies in no run folder; say what to score it on: --a X --b Y, or --data ROOT")
        a, b, data = (str(wanted.get(key, "")) for key in ("a", "b", "root"))
    return a or None, b or None, data or None


class Reader:
    """Reads pictures with a progress bar; leaves out, and remembers, what cannot be read."""

    def __init__(self, bars: Progress, title: str, values: ValueRange | None = None) -> None:
        self._read = partial(read_rgb8, values=values)
        self.bars, self.bar = bars, Bar(bars, title, 0)
        self.total = 0
        self.unreadable: set[Hashable] = set()

    def read(self, path: Path) -> np.ndarray | None:
        """(H, W, 3) uint8, or None."""
        return self.attempt(path, self._read)

    def each(self, paths: list[Path]) -> Iterator[tuple[Path, np.ndarray]]:
        """The readable pictures among `paths`."""
        return self.each_with(paths, self._read)

    def attempt(self, item: K, read: Callable[[K], V]) -> V | None:
        """What `read` makes of an item, such as a path; None where it raises a UserError."""
        try:
            return read(item)
        except UserError:
            self.unreadable.add(item)
            return None

    def each_with(self, items: Sequence[K], read: Callable[[K], V]) -> Iterator[tuple[K, V]]:
        """The items that can be read, with what `read` makes of them; the bar moves on."""
        self.total += len(items)
        self.bar.update(total=self.total)
        for item in items:
            value = self.attempt(item, read)
            if value is not None:
                yield item, value
            self.bar.advance()


@dataclass(frozen=True)
class Sets:
    """The files of one direction.

    Attributes:
        inputs: test pictures of the source.
        truths: stem -> the answer to the input of that stem.
        targets: what the kernel distance compares with.
        others: more pictures of the target, none of them in `targets`; their distance is the floor.
        part: "test" or "train", where `targets` come from.
    """

    inputs: list[Path]
    truths: dict[str, Path]
    targets: list[Path]
    others: list[Path]
    part: str

    @classmethod
    def choose(cls, source: Domain, target: Domain, limit: int | None) -> "Sets":
        """Take the target's test pictures where they are enough, else (half of) its training pictures."""
        inputs, truths = subsample(source.test, limit), find_truths(source.truth)
        test, train = subsample(target.test, limit), subsample(target.train, limit or MAX_TRAIN)
        if len(target.test) >= ENOUGH or len(target.test) >= len(target.train):
            return cls(inputs, truths, test, subsample(train, len(test)), "test")
        if len(train) >= 2 * ENOUGH:
            return cls(inputs, truths, train[::2], train[1::2], "train")
        return cls(inputs, truths, train, [], "train")


def find_truths(folder: Path | None) -> dict[str, Path]:
    """The pictures of a truth folder by their stems."""
    if folder is None:
        return {}
    return {path.stem: path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}


def score_direction(
    direction: str, model: Method, source: Domain, target: Domain, sets: Sets, reader: Reader
) -> DirectionScores:
    """Score the model and the baselines on all inputs of one direction."""
    targets, others = read_features(sets.targets, reader), read_features(sets.others, reader)
    if not len(targets):
        raise UserError(f"none of the {len(sets.targets)} pictures of {target.name} can be read")
    colours = colour_statistics(picture for _, picture in reader.each(sets.targets))
    tallies = {
        "untouched input": Tally(lambda picture: picture),
        "colour transfer": Tally(partial(transfer_colour, target=colours)),
        "this model": Tally(model),
    }
    for path, picture in reader.each(sets.inputs):
        truth = read_truth(path, picture, sets, reader)
        for tally in tallies.values():
            tally.add(picture, truth)
    mine = tallies["this model"]
    if not mine.features:
        raise UserError(f"none of the {len(sets.inputs)} test pictures of {source.name} can be read")
    rows = [tally.row(name, targets) for name, tally in tallies.items()]
    if len(others) >= 2:
        rows.append(kernel_row("real pictures of the target (floor)", others, targets))
    counts = {
        "pictures": len(mine.features),
        "truths": len(mine.scores.get("psnr", [])),
        "targets": len(targets),
        "floor": len(others),
        "unreadable": len(reader.unreadable),
    }
    notes = explain(rows[0], counts, source)
    return DirectionScores(direction, source.name, target.name, rows, counts, sets.part, notes)


def read_features(paths: list[Path], reader: Reader) -> Tensor:
    """Features of the readable pictures: (N, d)."""
    describe = DctFeatures()
    found = [describe(to_tensor(picture)) for _, picture in reader.each(paths)]
    return torch.cat(found) if found else torch.empty(0, describe.num_features)


def read_truth(path: Path, picture: np.ndarray, sets: Sets, reader: Reader) -> np.ndarray | None:
    """The answer to a test picture, or None where there is none of the same size."""
    if path.stem not in sets.truths:
        return None
    truth = reader.read(sets.truths[path.stem])
    return truth if truth is not None and truth.shape == picture.shape else None


def explain(untouched: Row, counts: dict[str, int], source: Domain) -> list[str]:
    """What is missing in the scores, and why."""
    notes = []
    if source.truth is None:
        notes.append("no hidden truth is known, so no PSNR and SSIM")
    elif counts["truths"] < counts["pictures"]:
        lacking = counts["pictures"] - counts["truths"]
        notes.append(f"{lacking} pictures have no truth of their size in {source.truth}")
    if untouched.kernel is None:
        notes.append("no kernel distance: it needs 2 pictures on both sides")
    elif counts["floor"] < 2:
        notes.append("no floor: too few pictures of the target to set some aside")
    if counts["unreadable"]:
        notes.append(f"{counts['unreadable']} unreadable files were left out")
    return notes


def contact_sheet(
    translator: Callable[..., np.ndarray], a: Domain, b: Domain, *, columns: int = 6, values: ValueRange | None = None
) -> np.ndarray:
    """Lay test pictures out as (H, W, 3) uint8: for a, then for b, the pictures, their translations, and the truth.

    Pictures that cannot be read are left out, and so is a row of truths that are not known.
    """
    rows = []
    for direction, source in (("ab", a), ("ba", b)):
        truths = find_truths(source.truth)
        found = []
        for path in subsample(source.test, columns):
            with contextlib.suppress(UserError):
                picture = read_rgb8(path, values)
                answer = [read_rgb8(truths[path.stem], values)] if path.stem in truths else []
                found.append([picture, translator(picture, direction=direction), *answer])
        rows += [list(row) for row in zip(*found, strict=False)]
    return make_grid(rows)
