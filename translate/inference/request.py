"""Requests to a model, and pictures prepared for its networks; torch is imported only for a style code."""

__all__ = [
    "Conditioning",
    "NamedHole",
    "PreparedImage",
    "Request",
    "Variant",
    "blend",
    "check_strength",
    "check_whole",
    "choose_variants",
    "strength_code",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from translate.images.picture import Picture
from translate.utils.errors import OptionError, short_repr
from translate.utils.program import command_form

if TYPE_CHECKING:
    from torch import Tensor

MIN_ARC_SINE = 1e-4  # dividing by a smaller sine of the angle between two z would amplify rounding errors

NamedHole = tuple[np.ndarray, str]  # bool (H, W), True where to fill, and its name in errors
Conditioning = tuple[Picture, str] | NamedHole  # the colour hints or the hole of a picture, and their name in errors


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """One of a model's possible results for a picture; without z and seed, the deterministic one."""

    z: "Tensor | None" = None  # style code, (z_dim,) float32
    seed: int | None = None  # of the style code that the task draws, or of the dropout in a network without z


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """The request that a model applies to every picture, checked by `Translator.request`."""

    direction: str  # "ab" or "ba"; "" for inpainting
    variants: list[Variant]  # results for each picture
    as_list: bool = False  # whether even a single result is returned as a list
    scale: str = "fit"  # or "native"
    consistent: bool = False  # of super-resolution: means over the pixels of a result are the bits of the picture


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """A picture and its network input."""

    picture: Picture
    name: str  # in errors
    network_input: "Tensor | None" = None  # (1, C, h, w), uint8 or float32 in [-1, 1]; None for inpainting, in windows
    hint: "Tensor | None" = None  # colour hints, (1, 4, h, w)
    hole: np.ndarray | None = None  # (H, W) bool

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the network input, px; for inpainting, of the picture."""
        height, width = self.picture.pixels.shape[:2] if self.network_input is None else self.network_input.shape[2:]
        return height, width

    @property
    def batch_key(self) -> tuple[Any, ...]:
        """Size and depth, which all pictures of a batch share."""
        return (*self.size, self.picture.pixels.dtype)


def choose_variants(
    z_dim: int, varies: bool, *, count: int | None = None, seed: int | None = None, z: Any = None,
    tensors: bool = True,
) -> tuple[list[Variant], bool]:  # fmt: skip
    """Return the requested variants, and whether the user wants a list; arguments as for `Translator.__call__`.

    Variant k of a seed is a function of (seed, k) alone, so it has the same style on every picture. `varies`: whether a
    seed changes the model's result. `tensors`: whether style codes are tensors, else arrays.

    Raises:
        OptionError: a count or seed out of range, a z of another shape, or a model with only one result per picture.
    """
    _check_count_and_seed(varies, count, seed)
    if z is not None:
        if count is not None or seed is not None:
            raise OptionError("z says which answers are meant; leave out count and seed")
        codes: Any = _to_style_codes(z, z_dim)
        if tensors:
            import torch

            codes = torch.from_numpy(codes)
        return [Variant(z=code) for code in codes.reshape(-1, z_dim)], codes.ndim == 2
    if count is None and seed is None:
        return [Variant()], False
    return [_draw_variant(seed or 0, k) for k in range(1 if count is None else count)], count is not None


def _check_count_and_seed(varies: bool, count: int | None, seed: int | None) -> None:
    for name, value, minimum in (("count", count, 1), ("seed", seed, 0)):
        if value is None:
            continue
        check_whole(name, value, minimum)
        if not varies:
            raise OptionError(f"this model has one answer per picture; leave out {name}")


def strength_code(strength: Any, default: float | None) -> list[float]:
    """Return the style code of a strength from 0 to 1, for a model whose `default` is None if it has no strength.

    Raises:
        OptionError: a strength out of range, or a model without one.
    """
    if default is None:
        raise OptionError(f"this model has no strength; leave it out, or train one with {command_form('train-drift')}")
    check_strength(strength)
    return [float(strength)]


def check_strength(strength: Any) -> None:
    """Raise OptionError unless `strength` is a number from 0 to 1."""
    number = isinstance(strength, int | float | np.integer | np.floating) and not isinstance(strength, bool)
    if not (number and 0 <= strength <= 1):
        raise OptionError(
            f"strength {short_repr(strength)} is out of range; give a number from 0, near the picture, to 1"
        )


def check_whole(name: str, value: Any, minimum: int) -> None:
    """Raise OptionError unless the argument `name` is a whole number of at least `minimum`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and value >= minimum):
        raise OptionError(f"{name} {short_repr(value)} is out of range; give a whole number from {minimum} on")


def _to_style_codes(z: Any, z_dim: int) -> np.ndarray:
    """Convert z to float32, (z_dim,) or (n, z_dim) with n > 0; raise OptionError for anything else."""
    if not z_dim:
        raise OptionError("this model has no z; leave it out")
    try:
        codes = _to_numbers(z)
    except (TypeError, ValueError, RuntimeError):
        raise OptionError(f"z is a {type(z).__name__} that is no array of numbers; give ({z_dim},) numbers") from None
    if codes.ndim not in (1, 2) or codes.shape[-1] != z_dim or not len(codes):
        raise OptionError(f"z has shape {codes.shape}; this model takes ({z_dim},) or (n, {z_dim})")
    if not np.isfinite(codes).all():
        raise OptionError("z holds numbers that are not finite; give finite ones")
    return codes


def _to_numbers(z: Any) -> np.ndarray:
    """Convert an array, a tensor of any device, or a sequence of numbers or of these, to a new float32 array."""
    if hasattr(z, "detach"):
        return np.array(z.detach().cpu().float().numpy())
    if isinstance(z, list | tuple):
        return np.array([_to_numbers(part) if hasattr(part, "detach") else part for part in z], np.float32)
    return np.array(z, np.float32)


def _draw_variant(seed: int, k: int) -> Variant:
    return Variant(seed=int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0]) >> 1)  # fits an int64


def blend(
    z1: "np.ndarray | Tensor | Sequence[float]", z2: "np.ndarray | Tensor | Sequence[float]", n: int
) -> np.ndarray:  # fmt: skip
    """Interpolate from one style code (z_dim,) to another in `n` steps, both included: (n, z_dim) float32.

    Directions are interpolated spherically (Shoemake 1985, https://doi.org/10.1145/325165.325242), lengths linearly. A
    straight line would pass near the origin, where style codes are rare and networks were not trained.

    Raises:
        OptionError: style codes of different shapes, or fewer than two steps.
    """
    # 1. check
    one, two = (np.asarray(z.detach().cpu() if hasattr(z, "detach") else z, np.float64) for z in (z1, z2))
    if one.ndim != 1 or one.shape != two.shape:
        raise OptionError(f"looks of shapes {one.shape} and {two.shape} cannot be blended; give two of (z_dim,)")
    if n < 2:
        raise OptionError(f"{n} steps lead from no look to another; give 2 or more")
    # 2. follow a straight line where no arc is defined: from or to 0, or between parallel or opposite directions
    lengths = np.linalg.norm(one), np.linalg.norm(two)
    t = np.linspace(0, 1, n)[:, None]
    straight = ((1 - t) * one + t * two).astype(np.float32)
    if min(lengths) == 0:
        return straight
    u, v = one / lengths[0], two / lengths[1]
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if np.sin(angle) < MIN_ARC_SINE:
        return straight
    # 3. follow the arc
    directions = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
    return (directions * ((1 - t) * lengths[0] + t * lengths[1])).astype(np.float32)
