"""Points of a latent space in requests, and pictures with their styles in answers."""

__all__ = ["Point", "as_points", "directions_of", "image_of", "images_of", "move_styles", "styles_of_points"]

import base64
import threading
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor

from translate.images.encode import encode
from translate.images.io import FORMATS
from translate.images.picture import Picture
from translate.inference.latent.directions import Directions, find_directions
from translate.inference.latent.interpolate import Point as StyleOrSeed
from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError

MAX_POINTS = 64  # in a request
MAX_DIRECTIONS = 16
_LARGEST = 1e6  # of a number in a style: larger ones overflow in the generator

_directions: WeakKeyDictionary[Sampler, dict[Label, Directions]] = WeakKeyDictionary()
_lock = threading.Lock()


class Point(BaseModel):
    """A sample: by its seed, or by its style as an earlier answer had it."""

    seed: int | None = Field(default=None, ge=0, lt=2**63)
    w: list[float] | None = None


def as_points(sampler: Sampler, points: Sequence[Point]) -> list[StyleOrSeed]:
    """Return seeds as numbers, and styles as tensors (w_dim,).

    Raises:
        OptionError: there are no points or too many, or one is neither a seed nor a style of this model.
    """
    if not 1 <= len(points) <= MAX_POINTS:
        raise OptionError(f"{len(points)} samples are given; give 1 to {MAX_POINTS}")
    return [_as_point(sampler, point) for point in points]


def _as_point(sampler: Sampler, point: Point) -> StyleOrSeed:
    if point.w is None:
        if point.seed is None:
            raise OptionError("a sample is given by its seed, or by its style w")
        return point.seed
    w = torch.tensor(point.w, dtype=torch.float32)
    if w.shape != (sampler.w_dim,):
        raise OptionError(f"a style has {len(point.w)} numbers, of another model; this one's have {sampler.w_dim}")
    if not bool((w.abs() < _LARGEST).all()):
        raise OptionError(f"a style holds a number that is not finite, or beyond {_LARGEST:g}")
    return w.to(sampler.device)


def styles_of_points(sampler: Sampler, points: Sequence[Point], label: Label, truncation: float) -> Tensor:
    """Return the styles (n, w_dim) of points; label and truncation apply to seeds alone.

    Raises:
        OptionError: as `as_points`, or a label or truncation that is out of range.
    """
    found = as_points(sampler, points)
    seeds = [point for point in found if not isinstance(point, Tensor)]
    drawn = iter(sampler.styles_of(seeds, label, truncation) if seeds else ())
    return torch.stack([point if isinstance(point, Tensor) else next(drawn) for point in found])


def directions_of(sampler: Sampler, label: Label) -> Directions:
    """Return the first principal directions of a model's styles, computed once."""
    with _lock:
        known = _directions.setdefault(sampler, {})
        if label not in known:
            known[label] = find_directions(sampler, count=min(MAX_DIRECTIONS, sampler.w_dim), label=label)
        return known[label]


def move_styles(sampler: Sampler, w: Tensor, amounts: Sequence[float], label: Label) -> Tensor:
    """Move styles (n, w_dim) along the first directions, by `amounts` in standard deviations.

    Raises:
        OptionError: there are more amounts than directions, or one is not from -20 to 20.
    """
    if not amounts or not any(amounts):
        return w
    directions = directions_of(sampler, label)
    if len(amounts) > len(directions.stds):
        raise OptionError(f"{len(amounts)} amounts are given; this model has {len(directions.stds)} directions")
    if not all(abs(amount) <= 20 for amount in amounts):
        raise OptionError("amounts are standard deviations from -20 to 20")
    steps = torch.tensor(amounts, device=w.device) * directions.stds[: len(amounts)]
    return w + steps @ directions.vectors[: len(amounts)]


def images_of(sampler: Sampler, w: Tensor, names: Sequence[str]) -> list[dict[str, Any]]:
    """Draw styles (n, w_dim); return the pictures as JSON, with their styles."""
    pictures = sampler.draw(w)
    return [image_of(*one, gray=sampler.gray) for one in zip(names, pictures, w, strict=True)]


def image_of(name: str, picture: np.ndarray, w: Tensor | None = None, *, gray: bool = False) -> dict[str, Any]:
    """Return a picture (H, W, 3) uint8 as JSON: its name, type, base64 of a PNG, and its style."""
    data = base64.b64encode(encode(Picture(picture, gray=gray), FORMATS[".png"], 95)).decode("ascii")
    style = None if w is None else [round(value, 6) for value in w.tolist()]
    return {"name": f"{name}.png", "type": "image/png", "data": data, "w": style}
