"""Sheets of pictures, and lines of text, for each use of the latent space in the command `sample`."""

__all__ = [
    "arithmetic_sheet", "directions_sheet", "edit_sheet", "interpolation_sheet", "neighbours_sheet", "projection_sheet",
]  # fmt: skip

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from translate.images.io import read_picture, read_rgb8
from translate.images.picture import flatten_alpha, to_depth
from translate.inference.latent.arithmetic import Arithmetic, compute_style
from translate.inference.latent.directions import draw_along_direction, find_directions
from translate.inference.latent.edit import as_layer, edit
from translate.inference.latent.interpolate import Point, interpolate_styles
from translate.inference.latent.neighbours import COPY_DISTANCE, TrainingImageIndex, square_crop
from translate.inference.latent.project import project
from translate.inference.latent.sheet import Sheet, by_seed, in_square
from translate.inference.sampler import Label, Sampler


def interpolation_sheet(
    sampler: Sampler, points: Sequence[Point], frames: int, label: Label, truncation: float, loop: bool
) -> Sheet:
    """Draw the frames of an interpolation, row by row."""
    styles = interpolate_styles(sampler, points, frames, label=label, truncation=truncation, loop=loop)
    pictures = sampler.draw(styles)
    digits = len(str(frames - 1))
    return Sheet(rows=in_square(pictures), files={f"{i:0{digits}d}": picture for i, picture in enumerate(pictures)})


def arithmetic_sheet(sampler: Sampler, arithmetic: Arithmetic, label: Label, truncation: float) -> Sheet:
    """Draw a row for each group, the mean picture before the samples, and the result below."""
    result, styles = compute_style(sampler, arithmetic, label=label, truncation=truncation)
    rows = [list(sampler.draw(torch.cat([w.mean(0, keepdim=True), w]))) for w in styles.values()]
    (picture,) = sampler.draw(result[None])
    terms = ", ".join(f"{arithmetic.factors[name]:+g} {name}" for name in styles)
    lines = [f"rows: {terms} (the mean first, then its samples), and the result"]
    return Sheet(rows=[*rows, [picture]], files={"result": picture}, lines=lines, style=result)


def neighbours_sheet(
    sampler: Sampler, index: TrainingImageIndex, seeds: Sequence[int], count: int, label: Label, truncation: float
) -> Sheet:
    """Draw a row for each sample: the sample, and the training pictures nearest to it."""
    pictures = sampler(seeds=seeds, label=label, truncation=truncation)
    neighbours = index.nearest(pictures, count)
    rows = [[sample, *near] for sample, near in zip(pictures, neighbours.pictures, strict=True)]
    lines = [
        f"seed {seed}: " + ", ".join(f"{name} at {far:.2f}" for name, far in zip(names, distances, strict=True))
        for seed, names, distances in zip(seeds, neighbours.names, neighbours.distances, strict=True)
    ]
    copies = int((neighbours.distances[:, 0] < COPY_DISTANCE).sum())
    lines.append(
        f"{copies} of {len(seeds)} samples are nearly copies (below {COPY_DISTANCE:g});"
        f" 1.00 is usual between a training picture and the nearest other one, of {len(index.sources)}"
    )
    return Sheet(rows=rows, files=by_seed(seeds, pictures), lines=lines)


def projection_sheet(sampler: Sampler, file: Path, *, starts: int, steps: int, label: Label, seed: int) -> Sheet:
    """Draw a picture beside its projection."""
    given = read_rgb8(file)
    projection = project(sampler, given, starts=starts, steps=steps, label=label, seed=seed)
    tried = ", ".join(f"{distance:.3f}" for distance in sorted(projection.tried))
    lines = [
        "row: the picture, the nearest one found",
        f"distance {projection.distance:.3f} (0: the same, 1: nothing in common); the starts came to {tried}",
    ]
    rows = [[square_crop(given, sampler.size), projection.picture]]
    return Sheet(rows=rows, files={file.stem: projection.picture}, lines=lines, style=projection.w)


def directions_sheet(sampler: Sampler, seed: int, count: int, label: Label, truncation: float) -> Sheet:
    """Draw a row for each principal direction, with the picture of `seed` in its middle."""
    directions = find_directions(sampler, count=count, label=label)
    w = sampler.styles_of([seed], label, truncation)[0]
    amounts = np.linspace(-3, 3, 7).tolist()  # standard deviations
    rows = [list(draw_along_direction(sampler, w, directions, i, amounts)) for i in range(count)]
    files = {f"{i}_{a:+g}": p for i, row in enumerate(rows) for a, p in zip(amounts, row, strict=True)}
    lines = [f"rows: directions 0 to {count - 1}, from -3 to 3 standard deviations; seed {seed} is in the middle"]
    return Sheet(rows=rows, files=files, lines=lines)


def edit_sheet(
    sampler: Sampler, strokes: Path | None, sketch: Path | None, *,
    start_seed: int | None, count: int, steps: int, label: Label, seed: int,
) -> Sheet:  # fmt: skip
    """Draw the canvas, and below it the pictures that match best."""
    layers = [None if file is None else read_picture(file) for file in (strokes, sketch)]
    first, second = (None if layer is None else as_layer(layer) for layer in layers)
    edits = edit(sampler, first, second, start_seed=start_seed, candidates=count, steps=steps, label=label, seed=seed)
    canvas = [square_crop(to_depth(flatten_alpha(x), np.uint8), sampler.size) for x in layers if x is not None]
    start = [] if start_seed is None else list(sampler(seeds=[start_seed], label=label))
    lines = [
        "first row: the drawing" + (f", seed {start_seed}" if start else "") + "; below, the best first",
        "costs (0 is perfect): " + ", ".join(f"{cost:.3f}" for cost in edits.costs),
    ]
    files = {str(i): picture for i, picture in enumerate(edits.pictures, 1)}
    return Sheet(rows=[[*canvas, *start], *in_square(edits.pictures)], files=files, lines=lines, style=edits.w[0])
