"""A calibration from the pictures that a model was trained on and the choosing half of those that it has not seen."""

__all__ = [
    "MIN_PICTURES", "Described", "calibrate", "calibrate_model", "calibrate_run", "describe_sources", "seen_pixels",
]  # fmt: skip

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.checkpoints.calibration import (
    FLAGGED,
    Calibration,
    PictureDescriber,
    load_calibrations,
    store_calibrations,
)
from translate.checkpoints.hub.name import is_hub_name
from translate.checkpoints.model_file import model_file, read_recipe
from translate.checkpoints.original import is_original
from translate.data.files.halves import split_halves
from translate.data.loading.file_kind import to_rgb8
from translate.data.sources.pair import Pair, read_pair
from translate.data.sources.run_data import run_domains, run_pairs
from translate.images.io import read_picture
from translate.images.picture import Picture, ValueRange, flatten_alpha, parse_range
from translate.metrics.novelty import Gaussian, held_out_distances
from translate.tasks import TASKS
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.progress import track
from translate.utils.sequences import spread

MIN_PICTURES = 19  # with fewer, the smallest p-value is above 5 %
CALIBRATED = ("unpaired", "paired")  # kinds of tasks
MAX_PICTURES = 300  # of a domain: more hardly narrow the error of the p-values, and take longer than they tell


@dataclass(frozen=True)
class Described:
    """The described source pictures of one direction: rows (n, d) by name."""

    title: str
    known: dict[str, Tensor]  # the training pictures, and the choosing half of the held-out ones
    others: dict[str, Tensor]  # the reporting half of the held-out ones; {} without any

    @property
    def count(self) -> int:
        """The number of known pictures."""
        return len(next(iter(self.known.values()), ()))


def calibrate_run(folder: Path) -> None:
    """Store calibrations in the model files of a run that lack them; with too few pictures, leave them without."""
    with contextlib.suppress(UserError):  # a finished run must not fail for an extra
        files = [file for file in model_files(folder) if not load_calibrations(file)]
        if any(read_recipe(file).adapter for file in files):  # a calibration is many times larger than an adapter
            return
        if not files or TASKS[read_recipe(files[0]).task].data not in CALIBRATED:
            return
        found = _calibrate_all(describe_sources(folder, progress=True))
        for file in files:
            store_calibrations(file, found)


def calibrate_model(
    model: str | Path, a: str = "", b: str = "", data: str = "", *, progress: bool = False
) -> list[str]:
    """Store calibrations in a model file, anew, by its run or the named pictures; return a line on each direction.

    The files of a run folder are calibrated together. A line says what share of pictures is unlike the training
    pictures: of those that took no part, and of the other domain.

    Raises:
        OptionError, UserError: as `describe_sources` and `calibrate`.
        WriteError: the file cannot be written.
    """
    if is_hub_name(model):
        raise UserError(f"{model}: lies in the cache of the Hub, and stays as it is; copy the file, and give the copy")
    described = describe_sources(model, a, b, data, progress=progress)
    found = _calibrate_all(described)
    path = Path(model).expanduser()
    for file in model_files(path) if path.is_dir() else [path]:
        store_calibrations(file, found)
    lines = []
    for way, calibration in found.items():
        others = {f"other pictures of {described[way].title}": described[way].others}
        others |= {f"pictures of {one.title}": one.known for key, one in described.items() if key != way}
        shares = [_describe_share(calibration, rows, name) for name, rows in others.items() if rows]
        lines.append("; ".join([f"{described[way].title}: calibrated on {calibration.count} pictures", *shares]))
    return lines


def model_files(folder: Path) -> list[Path]:
    """Return the model files in a run folder: that of the last step, and others such as that of the best."""
    found = []
    for file in sorted(folder.glob("*.safetensors")):
        with contextlib.suppress(UserError):
            read_recipe(file)
            found.append(file)
    return found


def _calibrate_all(described: dict[str, Described]) -> dict[str, Calibration]:
    """Calibrate the directions with enough pictures; raise UserError if there is none."""
    enough = {way: one for way, one in described.items() if one.count >= MIN_PICTURES} or described
    return {way: calibrate(one) for way, one in enough.items()}


def _describe_share(calibration: Calibration, rows: dict[str, Tensor], name: str) -> str:
    flagged = calibration.p_values(rows) <= FLAGGED
    return f"{flagged.float().mean():.1%} of {len(flagged)} {name} have a p-value of {FLAGGED:g} or less"


def calibrate(described: Described) -> Calibration:
    """Fit the distribution of pictures, each of which is also held out once for the distances.

    Raises:
        UserError: they are too few.
    """
    if described.count < MIN_PICTURES:
        raise UserError(f"{described.title}: has too few readable pictures to calibrate on; {MIN_PICTURES} would do")
    gaussians = {name: Gaussian.fit(rows) for name, rows in described.known.items()}
    return Calibration(gaussians, {name: held_out_distances(rows) for name, rows in described.known.items()})


def describe_sources(
    model: str | Path, a: str = "", b: str = "", data: str = "", *, progress: bool = False
) -> dict[str, Described]:
    """Describe the source pictures of each direction of a model: of its run, or those that are named.

    Raises:
        OptionError, UserError: as `run_domains`; or the model is one that cannot be calibrated.
    """
    file = model_file(model)
    recipe = read_recipe(file)
    kind = TASKS[recipe.task].data
    if is_original(file) or kind not in CALIBRATED:
        what = "is in the originals' format; import it first" if is_original(file) else "translates no pictures"
        raise UserError(f"{file}: {what}: only translations are calibrated")
    describe = partial(_describe, values=parse_range(recipe.facts.get("value_range", "")), progress=progress)
    if kind == "paired":
        [way] = recipe.directions
        pairs = run_pairs(model, a, b, data, way, whole=True)
        return {way: describe(pairs.names[0], pairs.train, pairs.test, pairs.stem)}
    domains = dict(zip("ab", run_domains(model, a, b, data, whole=True), strict=True))
    sources = {way: domains[way[0]] for way in recipe.directions}
    return {way: describe(one.name, one.train, one.test, lambda path: path.stem) for way, one in sources.items()}


def _describe(
    title: str, train: Sequence[Any], test: Sequence[Any], name: Callable[[Any], str], *, values: ValueRange | None,
    progress: bool,
) -> Described:  # fmt: skip
    halves = split_halves(title, test, name)
    known = spread([*train, *halves.choosing], MAX_PICTURES)
    if len(known) < MIN_PICTURES:
        return Described(title, {}, {})
    chosen = known, spread(halves.reporting, MAX_PICTURES)
    parts = (list(_rows(items, values, title, progress)) for items in chosen)
    joined = ({key: torch.cat([row[key] for row in rows]) for key in rows[0]} if rows else {} for rows in parts)
    return Described(title, *joined)


def _rows(
    items: Sequence[Path | Pair], values: ValueRange | None, title: str, progress: bool
) -> Iterator[dict[str, Tensor]]:
    """Describe readable pictures."""
    describe = PictureDescriber.load()

    def describe_item(item: Path | Pair) -> dict[str, Tensor] | None:
        with contextlib.suppress(UserError):
            return describe(read_source(item, values))
        return None

    found = track(map_in_threads(describe_item, items), f"Describing {title}", len(items), progress)
    yield from (row for row in found if row)


def read_source(item: Path | Pair, values: ValueRange | None) -> np.ndarray:
    """Read a picture, or the source of a pair: (H, W, 3) uint8 RGB."""
    if isinstance(item, Pair) and item.combined:
        return read_pair(item)[0]
    return seen_pixels(read_picture(item.a if isinstance(item, Pair) else item, values))


def seen_pixels(picture: Picture) -> np.ndarray:
    """Return what is described of a picture: (H, W, 3) uint8 RGB, transparent parts over white."""
    return to_rgb8(flatten_alpha(picture) if picture.channels in (1, 3) else picture.pixels)
