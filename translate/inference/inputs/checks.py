"""Checks of what a caller asks of a model, without torch."""

__all__ = ["check_conditioning", "check_direction", "check_exact"]

from typing import Any

import numpy as np

from translate.checkpoints.recipe import Recipe
from translate.images.picture import Picture
from translate.utils.errors import OptionError, UserError
from translate.utils.program import command_form


def check_direction(direction: str | None, recipe: Recipe, runner: Any) -> str:
    """Return `direction`, or the default of a model for None; raise OptionError if the model lacks it.

    `runner` tells whether it is `masked` or `paired`, and its `scale`.
    """
    if not recipe.directions:
        if direction is not None:
            does = "fills holes" if runner.masked else "enlarges pictures" if runner.scale > 1 else "changes labels"
            raise OptionError(f"this model {does}, which has no direction; leave --direction out")
        return ""
    known, (a, b) = recipe.directions, recipe.domains
    if direction is None or direction in known:
        return direction or known[0]
    if len(known) == 1:
        trained = f" (it was trained with --direction {known[0]})" if runner.paired else ""
        raise OptionError(f"this model only turns {a} into {b}{trained}; leave --direction out")
    raise OptionError(f"direction {direction!r} is neither 'ab' ({a} to {b}) nor 'ba' ({b} to {a})")


def check_conditioning(hints: bool, mask: bool, recipe: Recipe, masked: bool) -> None:
    """Raise OptionError if hints or a mask are given to a model that takes none; `masked`: it fills holes."""
    if hints and masked:
        raise OptionError("this model fills holes and takes no hints; leave them out")
    if hints and "hint" not in recipe.channels:
        raise OptionError("this model takes no hints; train one with --hints, or leave them out")
    if mask and not masked:
        trainer = command_form("train-inpaint")
        raise OptionError(f"this model fills no holes; leave the mask out, or give one of {trainer}")


def check_exact(picture: Picture, consistent: bool, name: str) -> None:
    """Raise UserError for a `consistent` enlargement of a picture that has no whole numbers of 8 or 16 bits."""
    if consistent and picture.pixels.dtype == np.float32:
        raise UserError(f"{name}: holds floats, and consistent is for 8 and 16 bits; leave it out, or convert the file")
