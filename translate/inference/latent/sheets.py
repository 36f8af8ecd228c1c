"""What each use of the latent space has to show: pictures in rows, and lines of words."""

__all__ = [
    "Sheet",
    "arithmetic_sheet",
    "directions_sheet",
    "edit_sheet",
    "neighbours_sheet",
    "projection_sheet",
    "samples_sheet",
    "interpolation_sheet",
]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from translate.images.io import read_picture, read_rgb8
from translate.images.picture import Picture, on_white, to_depth
from translate.inference.latent.arithmetic import Arithmetic, compute_style
from translate.inference.latent.directions import draw_along_direction, find_directions
from translate.inference.latent.edit import edit
from translate.inference.latent.interpolate import Point, interpolate_styles
from translate.inference.latent.neighbours import COPY_DISTANCE, TrainingImageIndex, square_crop
from translate.inference.latent.project import project
from translate.inference.sampler import Sampler

Label = str | Mapping[str, float] | None
REACH = 3.0  # standard deviations to which a direction is followed
STOPS = 7  # pictures along it


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Pictures to be laid out, or to be written one by one.

    Attributes:
        rows: of (H, W, 3) uint8.
        files: the pictures that are new, by their file names without a suffix.
        lines: what there is to say about them.
        style: (w_dim,), of the one picture that was asked for, if it was one.
    """

    rows: list[list[np.ndarray]]
    files: dict[str, np.ndarray]
    lines: list[str] = field(default_factory=list)
    style: Tensor | None = None


def samples_sheet(sampler: Sampler, seeds: Sequence[int], label: Label, truncation: float) -> Sheet:
    """Draw samples: in a square, or in a model with labels and without `label` in a row for each class."""
    pictures = list(sampler(seeds=seeds, label=label, truncation=truncation))
    files = {str(seed): picture for seed, picture in zip(seeds, pictures, strict=True)}
    if not sampler.classes or label is not None:
        return Sheet(rows=_square(pictures), files=files)
    weights = sampler.weights_of(seeds)
    assert weights is not None
    numbers = weights.argmax(1).tolist()
    shown = sorted(set(numbers))
    rows = [[p for p, number in zip(pictures, numbers, strict=True) if number == k] for k in shown]
    return Sheet(rows=rows, files=files, lines=["rows: " + ", ".join(sampler.classes[k] for k in shown)])


def interpolation_sheet(
    sampler: Sampler, points: Sequence[Point], frames: int, label: Label, truncation: float, loop: bool
) -> Sheet:
    """Draw the frames of a walk; a sheet of them goes row by row."""
    pictures = list(
        sampler.draw(interpolate_styles(sampler, points, frames, label=label, truncation=truncation, loop=loop))
    )
    digits = len(str(frames - 1))
    return Sheet(rows=_square(pictures), files={f"{i:0{digits}d}": picture for i, picture in enumerate(pictures)})


def arithmetic_sheet(sampler: Sampler, wanted: Arithmetic, label: Label, truncation: float) -> Sheet:
    """Draw a row for each group, its mean before its samples, and the result below."""
    result, styles = compute_style(sampler, wanted, label=label, truncation=truncation)
    rows = [list(sampler.draw(torch.cat([w.mean(0, keepdim=True), w]))) for w in styles.values()]
    (picture,) = sampler.draw(result[None])
    told = [f"{wanted.factors[name]:+g} {name}" for name in styles]
    lines = [f"rows: {', '.join(told)} (the mean first, then its samples), and the result"]
    return Sheet(rows=[*rows, [picture]], files={"result": picture}, lines=lines, style=result)


def neighbours_sheet(
    sampler: Sampler, bank: TrainingImageIndex, seeds: Sequence[int], count: int, label: Label, truncation: float
) -> Sheet:
    """Draw a row for each sample: itself, and the training pictures nearest to it."""
    pictures = sampler(seeds=seeds, label=label, truncation=truncation)
    found = bank.nearest(pictures, count)
    rows = [[sample, *near] for sample, near in zip(pictures, found.pictures, strict=True)]
    lines = [
        f"seed {seed}: " + ", ".join(f"{name} at {far:.2f}" for name, far in zip(names, distances, strict=True))
        for seed, names, distances in zip(seeds, found.names, found.distances, strict=True)
    ]
    copies = int((found.distances[:, 0] < COPY_DISTANCE).sum())
    lines.append(
        f"{copies} of {len(seeds)} samples are nearly copies (below {COPY_DISTANCE:g});"
        f" 1.00 is usual between a training picture and the nearest other one, of {len(bank.sources)}"
    )
    return Sheet(rows=rows, files=_by_seed(seeds, pictures), lines=lines)


def projection_sheet(
    sampler: Sampler, file: Path, *, starts: int, steps: int, label: Label, seed: int
) -> Sheet:  # fmt: skip
    """Draw a picture beside the nearest one that the model can draw."""
    given = read_rgb8(file)
    found = project(sampler, given, starts=starts, steps=steps, label=label, seed=seed)
    tried = ", ".join(f"{distance:.3f}" for distance in sorted(found.tried))
    lines = [
        "row: the picture, the nearest one found",
        f"distance {found.distance:.3f} (0: the same, 1: nothing in common); the starts came to {tried}",
    ]
    rows = [[square_crop(given, sampler.size), found.picture]]
    return Sheet(rows=rows, files={file.stem: found.picture}, lines=lines, style=found.w)


def directions_sheet(sampler: Sampler, seed: int, count: int, label: Label, truncation: float) -> Sheet:
    """Draw a row for each direction of most change, the picture of `seed` in its middle."""
    directions = find_directions(sampler, count=count, label=label)
    w = sampler.styles_of([seed], label, truncation)[0]
    amounts = np.linspace(-REACH, REACH, STOPS).tolist()
    rows = [list(draw_along_direction(sampler, w, directions, which, amounts)) for which in range(count)]
    files = {f"{which}_{a:+g}": p for which, row in enumerate(rows) for a, p in zip(amounts, row, strict=True)}
    lines = [
        f"rows: directions 0 to {count - 1}, from {-REACH:g} to {REACH:g} standard deviations;"
        f" seed {seed} is in the middle"
    ]
    return Sheet(rows=rows, files=files, lines=lines)


def edit_sheet(
    sampler: Sampler,
    strokes: Path | None,
    sketch: Path | None,
    *,
    start_seed: int | None,
    count: int,
    steps: int,
    label: Label,
    seed: int,
) -> Sheet:
    """Draw what was drawn on the canvas, and below it the pictures that meet it best."""
    layers = [None if file is None else read_picture(file) for file in (strokes, sketch)]
    first, second = (None if layer is None else _planes(layer) for layer in layers)
    found = edit(
        sampler, first, second, start_seed=start_seed, candidates=count, steps=steps, label=label, seed=seed
    )  # fmt: skip
    drawn = [square_crop(to_depth(on_white(layer), np.uint8), sampler.size) for layer in layers if layer is not None]
    start = [] if start_seed is None else list(sampler(seeds=[start_seed], label=label))
    pictures = list(found.pictures)
    lines = [
        "first row: the drawing" + (f", seed {start_seed}" if start else "") + "; below, the best first",
        "costs (0 is perfect): " + ", ".join(f"{cost:.3f}" for cost in found.costs),
    ]
    files = {str(i): picture for i, picture in enumerate(pictures, 1)}
    return Sheet(rows=[[*drawn, *start], *_square(pictures)], files=files, lines=lines, style=found.w[0])


def _square(pictures: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Lay pictures out in rows, as nearly a square as they fit, and no wider than high."""
    columns = math.ceil(math.sqrt(len(pictures)))
    return [pictures[i : i + columns] for i in range(0, len(pictures), columns)]


def _by_seed(seeds: Sequence[int], pictures: np.ndarray) -> dict[str, np.ndarray]:
    return {str(seed): picture for seed, picture in zip(seeds, pictures, strict=True)}


def _planes(layer: Picture) -> np.ndarray:
    """Return a layer as (H, W, 3) uint8, or (H, W, 4) where it has transparency."""
    pixels = to_depth(layer.pixels, np.uint8)
    return pixels if layer.alpha is None else np.dstack((pixels, to_depth(layer.alpha, np.uint8)))
