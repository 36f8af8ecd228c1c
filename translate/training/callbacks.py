"""Functions that the caller of `train` gives: called after every step and every sample grid, on the main process."""

__all__ = ["Callbacks", "OnPreview", "OnStep", "Preview", "StopTraining"]

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from translate.training.start.messages import print_note
from translate.utils import dist
from translate.utils.errors import OptionError, UserError, short_repr

RESERVED = {"step", "lr", "images_per_second", "waiting", "seconds"}  # names of the log itself, beside the terms'
RESERVED_GROUPS = ("lr_factor/", "health/", "score/")


class StopTraining(Exception):
    """Raised by a callback of `train` to end training early: the run is saved, and `train` returns its folder."""


@dataclass(frozen=True, eq=False)
class Preview:
    """A sample grid of a run."""

    path: Path  # of the PNG; the file is missing while the disk is full
    grid: np.ndarray  # (H, W, 3) uint8 RGB, as in the file
    rows: Mapping[str, Tensor]  # pictures (B, 3, H, W) in [-1, 1] by title, on the device


OnStep = Callable[[int, Mapping[str, Tensor]], Any]
OnPreview = Callable[[int, Preview], Any]


class Callbacks:
    """The callbacks of a training.

    Attributes:
        error: what a callback has raised, kept until the run is saved; no callback is called after that.
    """

    def __init__(self, on_step: OnStep | None = None, on_preview: OnPreview | None = None) -> None:
        for name, function in (("on_step", on_step), ("on_preview", on_preview)):
            if not (function is None or callable(function)):
                raise OptionError(f"{name} should be a function of two arguments, got {short_repr(function)}")
        self.on_step, self.on_preview = on_step, on_preview
        self.error: BaseException | None = None
        self._noted = False

    def after_step(self, step: int, terms: Mapping[str, Tensor]) -> dict[str, float | Tensor]:
        """Call `on_step` with the loss terms of a step, on their device; return the numbers that it returns."""
        return self._call("on_step", self.on_step, step, MappingProxyType(terms), terms)

    def after_preview(self, step: int, preview: Preview) -> dict[str, float | Tensor]:
        """Call `on_preview` with a sample grid; return the numbers that it returns."""
        return self._call("on_preview", self.on_preview, step, preview)

    def _call(
        self, name: str, function: Callable[..., Any] | None, step: int, given: Any, terms: Mapping[str, Any] = {}
    ) -> dict[str, float | Tensor]:
        if function is None or self.error or not dist.is_main_process():
            return {}
        try:
            result = function(step, given)
            if isinstance(result, Mapping):
                return {key: _check_number(name, key, value, terms) for key, value in result.items()}
        except BaseException as error:  # Ctrl-C and sys.exit, too: first the run is saved
            self.error = error
            return {}
        if result is not None and not self._noted:
            self._noted = True
            print_note(
                f"{name} returned {short_repr(result)}, which is not logged; it may return a mapping of names to"
                " numbers, and raise translate.StopTraining to stop"
            )
        return {}


def _check_number(function: str, name: Any, value: Any, terms: Mapping[str, Any]) -> float | Tensor:
    """Return a number that is to be logged, a tensor without waiting for it; raise UserError for anything else."""
    if not isinstance(name, str) or name in RESERVED or name in terms or name.startswith(RESERVED_GROUPS):
        why = "is a name of the log itself" if isinstance(name, str) else "is no text"
        raise UserError(f"{function}: the name {short_repr(name)} {why}; choose another, such as 'mine/score'")
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.detach().reshape(()).clone()  # the next replay of a CUDA graph overwrites the terms
    with suppress(TypeError, ValueError):
        if not isinstance(value, Tensor | str | bytes):
            return float(value)
    raise UserError(f"{function}: {name!r} is {short_repr(value)}; give a number, or a tensor of one")
