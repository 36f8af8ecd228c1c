"""Ways through the latent space, from seed to seed or between styles that were saved; and how even their steps are."""

__all__ = ["load_style", "save_style", "step_sizes", "interpolate_styles"]

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from translate.inference.request import blend
from translate.inference.sampler import Sampler
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write

Point = int | Tensor  # a seed, or a style (w_dim,)


def interpolate_styles(
    sampler: Sampler,
    points: Sequence[Point],
    frames: int,
    *,
    label: str | Mapping[str, float] | None = None,
    truncation: float = 1.0,
    loop: bool = False,
) -> Tensor:
    """Go from point to point in `frames` steps that are shared out evenly; every point is a frame itself.

    Between seeds of a normal z the way is an arc in z (`blend`), whose length fits what the generator has learned; the
    weights of the labels go straight. Where a point is a style, or z is uniform, all of the way is straight in w.

    Args:
        sampler: the model.
        points: two or more seeds or styles.
        frames: how many; at least one more than ways between points, with `loop` at least as many.
        label: as `Sampler.weights_of`; None: each seed's own class.
        truncation: as `Sampler.styles`; of seeds, not of given styles.
        loop: go on to the first point again, which is not repeated at the end, so that a film repeats without a halt.

    Returns:
        (frames, w_dim) float32, for `Sampler.draw`.

    Raises:
        OptionError: fewer than two points, too few frames, or a seed, label or truncation that is out of range.
    """
    if len(points) < 2:
        raise OptionError("one point alone leads nowhere; give two or more seeds to go between")
    stops = [*points, points[0]] if loop else list(points)
    least = len(stops) - loop
    if frames < least:
        raise OptionError(f"{frames} frames are too few for {len(points)} points; give {least} or more")
    seeds = [point for point in stops if not isinstance(point, Tensor)]
    if sampler.G.z_kind == "normal" and len(seeds) == len(stops):
        weights = sampler.weights_of(seeds, label)
        mixes = None if weights is None else _join_segments(weights, frames, loop, _lerp)
        return sampler.styles(_join_segments(sampler.latents(seeds), frames, loop, blend), mixes, truncation)
    styles = [p if isinstance(p, Tensor) else sampler.styles_of([p], label, truncation)[0] for p in stops]
    return _join_segments(torch.stack([style.to(sampler.device) for style in styles]), frames, loop, _lerp)


def _join_segments(
    stops: Tensor, frames: int, loop: bool, way: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
) -> Tensor:
    """Join the ways between the rows of `stops` to (frames, d); with `loop`, the last row itself is left out."""
    rows = stops.cpu().numpy()
    steps = frames if loop else frames - 1
    ends = np.linspace(0, steps, len(rows)).round().astype(int)
    parts = [way(*pair, n + 1)[:-1] for pair, n in zip(pairwise(rows), np.diff(ends), strict=True)]
    joined = np.concatenate(parts if loop else [*parts, rows[-1:]])
    return torch.from_numpy(joined.astype(np.float32)).to(stops.device)


def _lerp(one: np.ndarray, two: np.ndarray, n: int) -> np.ndarray:
    """Go straight from (d,) to (d,) in `n` steps, both ends included."""
    return np.linspace(one, two, n)


def step_sizes(frames: np.ndarray) -> np.ndarray:
    """Return how far each frame is from the one before: root mean square differences.

    Args:
        frames: (n, H, W, 3) uint8.

    Returns:
        (n - 1,) float64, in gray levels. A walk is smooth where the largest is a small multiple of the median.
    """
    return np.sqrt(np.square(np.diff(frames.astype(np.float64), axis=0)).mean((1, 2, 3)))


def save_style(path: str | Path, w: Tensor) -> None:
    """Write a style (w_dim,) as .npz, atomically, to be a point of a walk.

    Raises:
        WriteError: the disk or the folder refuses.
    """
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, w=w.detach().float().cpu().numpy())


def load_style(path: str | Path, w_dim: int) -> Tensor:
    """Read a style (w_dim,) that `save_style` wrote.

    Raises:
        UserError: the file is missing, no such file, or of a model with another number of components.
    """
    try:
        with np.load(path) as stored:
            w = np.asarray(stored["w"], np.float32)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, MemoryError, BadZipFile):
        raise UserError(f"{path}: is neither a seed nor a style that --save-style wrote") from None
    if w.shape != (w_dim,):
        raise UserError(f"{path}: holds a style of shape {w.shape}, of another model; this one's are ({w_dim},)")
    return torch.from_numpy(w)
