"""Interpolation in the latent space, between seeds or saved styles."""

__all__ = ["Point", "interpolate_styles", "load_style", "save_style"]

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from translate.inference.request import blend
from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write

Point = int | Tensor  # a seed, or a style (w_dim,)


def interpolate_styles(
    sampler: Sampler, points: Sequence[Point], frames: int, *,
    label: Label = None, truncation: float = 1.0, loop: bool = False,
) -> Tensor:  # fmt: skip
    """Interpolate evenly from point to point, each of which is a frame: styles (frames, w_dim) float32.

    Between seeds of a normal z, the path is an arc in z (`blend`), whose lengths the generator has seen in training,
    and label weights are linear. If a point is a style, or z is uniform, the whole path is linear in w. Label and
    truncation, as for `Sampler`, apply to seeds, not to given styles. A `loop` returns to the first point, whose frame
    is not repeated at the end, so that a film repeats smoothly.

    Raises:
        OptionError: fewer than two points, too few frames, or a seed, label or truncation that is out of range.
    """
    if len(points) < 2:
        raise OptionError("one point alone leads nowhere; give two or more seeds to go between")
    if frames < len(points):
        raise OptionError(f"{frames} frames are too few for {len(points)} points; give {len(points)} or more")
    stops = [*points, points[0]] if loop else list(points)
    seeds = [point for point in stops if not isinstance(point, Tensor)]

    # 1. between seeds of a normal z: an arc in z
    if sampler.G.z_kind == "normal" and len(seeds) == len(stops):
        weights = sampler.weights_of(seeds, label)
        mixes = None if weights is None else _join_segments(weights, frames, loop, np.linspace)
        return sampler.styles(_join_segments(sampler.latents(seeds), frames, loop, blend), mixes, truncation)

    # 2. otherwise: linear in w
    styles = [p if isinstance(p, Tensor) else sampler.styles_of([p], label, truncation)[0] for p in stops]
    return _join_segments(torch.stack([style.to(sampler.device) for style in styles]), frames, loop, np.linspace)


def _join_segments(stops: Tensor, frames: int, loop: bool, segment: Callable[..., np.ndarray]) -> Tensor:
    """Interpolate between the rows of `stops` (n, d) by `segment`: (frames, d); `loop` leaves out the last row."""
    rows = stops.cpu().numpy()
    ends = np.linspace(0, frames if loop else frames - 1, len(rows)).round().astype(int)
    parts = [segment(*pair, n + 1)[:-1] for pair, n in zip(pairwise(rows), np.diff(ends), strict=True)]
    joined = np.concatenate(parts if loop else [*parts, rows[-1:]])
    return torch.from_numpy(joined.astype(np.float32)).to(stops.device)


def save_style(path: str | Path, w: Tensor) -> None:
    """Write a style (w_dim,) as .npz, atomically; raise WriteError if the disk or the folder refuses."""
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, w=w.detach().float().cpu().numpy())


def load_style(path: str | Path, w_dim: int) -> Tensor:
    """Read a style (w_dim,) that `save_style` wrote; raise UserError if it is missing, or is no style of this size."""
    try:
        with np.load(path) as stored:
            w = np.asarray(stored["w"], np.float32)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, MemoryError, BadZipFile):
        raise UserError(f"{path}: is neither a seed nor a style that --save-style wrote") from None
    if w.shape != (w_dim,):
        raise UserError(f"{path}: holds a style of shape {w.shape}, of another model; this one's are ({w_dim},)")
    return torch.from_numpy(w)
