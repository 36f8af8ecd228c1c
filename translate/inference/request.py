"""Which of a model's answers is meant: the one without chance, the k-th of a seed, or that of a given look z."""

__all__ = ["Variant", "Request", "blend", "choose_variants"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.utils.errors import OptionError

_PARALLEL = 1e-4  # sine of the angle below which two looks lie on one line


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """What a model is asked for beside the picture; with neither, its one answer without chance.

    Attributes:
        z: (z_dim,) float32, the look.
        seed: of what the task draws: a look, or the dropout of a network that has no z.
    """

    z: Tensor | None = None
    seed: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What is asked of a model, the same for every picture; `Translator.wish` makes and checks it.

    Attributes:
        direction: "ab" or "ba".
        answers: to each picture.
        several: whether the answers are wanted as a list, be it of one.
        scale: "fit" or "native".
    """

    direction: str
    answers: list[Variant]
    several: bool = False
    scale: str = "fit"


def choose_variants(
    z_dim: int, varies: bool, *, count: int | None = None, seed: int | None = None, z: Any = None
) -> tuple[list[Variant], bool]:
    """Return the answers that are asked for, and whether the user asked for a list of them.

    Answer k of a seed is a function of (seed, k) alone, so that it wears the same look on every picture.

    Args:
        z_dim: of the model; 0: it has no z.
        varies: whether a seed changes what the model answers.
        count: how many answers; None: one, and no list.
        seed: of the answers; None: 0 where `count` is given, else the answer without chance.
        z: (z_dim,) or (n, z_dim), array, tensor or list, instead of both.

    Raises:
        OptionError: a count or seed out of range, a z of another shape, or a model with one answer alone.
    """
    _check(varies, count, seed)
    if z is not None:
        if count is not None or seed is not None:
            raise OptionError("z says which answers are meant; leave out count and seed")
        looks = _as_style_codes(z, z_dim)
        return [Variant(z=look) for look in looks.reshape(-1, z_dim)], looks.ndim == 2
    if count is None and seed is None:
        return [Variant()], False
    return [_draw_variant(seed or 0, k) for k in range(1 if count is None else count)], count is not None


def _check(varies: bool, count: int | None, seed: int | None) -> None:
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise OptionError(f"{name} {value!r} is out of range; give a whole number from {least} on")
        if value is not None and not varies:
            raise OptionError(f"this model has one answer per picture; leave out {name}")


def _as_style_codes(z: Any, z_dim: int) -> Tensor:
    """Return z as a float32 tensor on the CPU, (z_dim,) or (n, z_dim) with n > 0."""
    if not z_dim:
        raise OptionError("this model has no z; leave it out")
    try:
        looks = torch.as_tensor(z).detach().to("cpu", torch.float32)
    except (TypeError, ValueError, RuntimeError):
        raise OptionError(f"z is a {type(z).__name__} that is no array of numbers; give ({z_dim},) numbers") from None
    if looks.ndim not in (1, 2) or looks.shape[-1] != z_dim or not len(looks):
        raise OptionError(f"z has shape {tuple(looks.shape)}; this model takes ({z_dim},) or (n, {z_dim})")
    if not looks.isfinite().all():
        raise OptionError("z holds numbers that are not finite; give finite ones")
    return looks


def _draw_variant(seed: int, k: int) -> Variant:
    """Return answer k of `seed`."""
    return Variant(seed=int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0]) >> 1)  # fits an int64


def blend(z1: np.ndarray | Tensor | Sequence[float], z2: np.ndarray | Tensor | Sequence[float], n: int) -> np.ndarray:
    """Go from one look to another in `n` steps, both ends included.

    Spherical interpolation (Shoemake 1985, https://doi.org/10.1145/325165.325242) of the directions, with the length
    going evenly from the one's to the other's. A straight line would pass near the origin, where looks hardly ever lie
    and networks have not learned to answer.

    Args:
        z1: (z_dim,), the look to begin with.
        z2: (z_dim,), the look to end with.
        n: steps, 2 or more.

    Returns:
        (n, z_dim) float32.

    Raises:
        OptionError: looks of different shapes, or fewer than two steps.
    """
    one, two = (np.asarray(torch.as_tensor(z).detach().cpu(), np.float64) for z in (z1, z2))
    if one.ndim != 1 or one.shape != two.shape:
        raise OptionError(f"looks of shapes {one.shape} and {two.shape} cannot be blended; give two of (z_dim,)")
    if n < 2:
        raise OptionError(f"{n} steps lead from no look to another; give 2 or more")
    lengths = np.linalg.norm(one), np.linalg.norm(two)
    t = np.linspace(0, 1, n)[:, None]
    straight = (1 - t) * one + t * two
    if min(lengths) == 0:
        return straight.astype(np.float32)
    u, v = one / lengths[0], two / lengths[1]
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if np.sin(angle) < _PARALLEL:  # the same direction; or opposite ones, between which no way is the shortest
        return straight.astype(np.float32)
    directions = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
    return (directions * ((1 - t) * lengths[0] + t * lengths[1])).astype(np.float32)
