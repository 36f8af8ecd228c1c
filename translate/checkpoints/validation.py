"""Checks of a model file's recipe before networks are built: a few kilobytes can describe a network of terabytes."""

__all__ = ["parse_json", "validate_networks", "validate_recipe"]

import itertools
import json
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_origin, get_type_hints

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from translate.checkpoints.recipe import Recipe
from translate.images.label_maps import Classes
from translate.utils.errors import UserError, short_reason, short_repr, shorten
from translate.utils.factory import Factory
from translate.utils.terminal import printable

MAX_CHARACTERS = 2**20  # real recipes have a few thousand
MAX_NUMBER = 2**20  # of channels and all that MAX_BY_OPTION does not name
MAX_SIDE_PX = 2**16
MAX_NAMES = 16
MAX_PARTS_PER_TENSOR = 32  # modules and parameters of a network; most modules hold weights
MAX_BY_OPTION = {"blocks": 256, "levels": 256, "layers": 256, "size": MAX_SIDE_PX}  # constructors loop over these
TYPES = {name: get_origin(hint) or hint for name, hint in get_type_hints(Recipe).items()}  # of a recipe's values
FACT_TYPES = {"sketch": bool, "labels": str, "classes": list, "value_range": str, "maps": dict, "degrade": str}
FACT_TYPES |= {"attributes": list, "apart": list}  # names, and pairs of their numbers


def parse_json(text: str) -> Any:
    """Parse a recipe.

    Raises:
        ValueError: The text is no JSON, or absurdly long or nested.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has {len(text):,} characters, which no recipe has")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def validate_recipe(values: Mapping[str, Any]) -> None:
    """Check the types and ranges of a recipe's values.

    Raises:
        ValueError: A value is wrong; the message names it.
    """
    for name, value in values.items():
        if type(value) is not TYPES[name]:
            raise ValueError(f"{name} is {short_repr(value)}")
    for name, low, high in (("size", 1, MAX_SIDE_PX), ("steps", 0, 2**62)):
        if not low <= values.get(name, low) <= high:
            raise ValueError(f"{name} is {short_repr(values[name])}")
    domains, directions = values.get("domains", ()), values.get("directions", ())
    if not (1 <= len(domains) <= 2 and all(map(_is_printable, domains))):
        raise ValueError(f"domains are {short_repr(domains)}")
    if not (len(directions) <= 2 and set(map(str, directions)) <= {"ab", "ba"}):
        raise ValueError(f"directions are {short_repr(directions)}")
    for name, count in values.get("channels", {}).items():
        if type(count) is not int or not 0 < count <= MAX_SIDE_PX:
            raise ValueError(f"channels.{name} is {short_repr(count)}")
    _validate_names(values)
    _validate_data(values.get("value_range", (-1, 1)), values.get("facts", {}), values.get("adapter", {}))
    _validate_maps(values.get("facts", {}).get("maps", {}), values.get("channels", {}))


def _validate_names(values: Mapping[str, Any]) -> None:
    for name in ("plugins", "features"):
        names = values.get(name, ())
        if not (len(names) <= MAX_NAMES and all(map(_is_printable, names))):
            raise ValueError(f"{name} are {short_repr(names)}")
    for name, score in values.get("scores", {}).items():
        if not (_is_printable(name) and isinstance(score, int | float) and math.isfinite(score)):
            raise ValueError(f"scores.{shorten(str(name))} is {short_repr(score)}")


def _validate_data(ends: tuple[Any, ...], facts: Mapping[str, Any], adapter: Mapping[str, Any]) -> None:
    if len(ends) != 2 or not all(isinstance(end, int | float) and math.isfinite(end) for end in ends):
        raise ValueError(f"value_range is {short_repr(ends)}")
    for name, kind in FACT_TYPES.items():
        if name in facts and type(facts[name]) is not kind:
            raise ValueError(f"facts.{name} is {short_repr(facts[name])}")
    if not all(_is_printable(value) for key, value in adapter.items() if key != "rank"):
        raise ValueError("adapter names no base")
    for name in ("classes", "attributes"):
        if not all(map(_is_printable, facts.get(name, ()))):
            raise ValueError(f"facts.{name} are no names")
    count, pairs = len(facts.get("attributes", ())), facts.get("apart", [])
    numbers = [number for pair in pairs for number in (pair if isinstance(pair, list) and len(pair) == 2 else [None])]
    if not all(type(number) is int and 0 <= number < count for number in numbers):
        raise ValueError("facts.apart are no pairs of attributes")


def _validate_maps(maps: Mapping[str, Any], channels: Mapping[str, int]) -> None:
    for side, facts in maps.items():
        try:
            classes = Classes.from_facts(facts)
        except (TypeError, ValueError, AttributeError):
            raise ValueError(f"facts.maps.{shorten(side)} is {short_repr(facts)}") from None
        if channels.get(side) != len(classes) or side not in ("a", "b"):
            raise ValueError(f"facts.maps.{shorten(side)} has other classes than channels")
        if not all(map(_is_printable, classes.names)):
            raise ValueError(f"facts.maps.{shorten(side)} has names that are none")


def _is_printable(word: Any) -> bool:
    """Whether a value can name a domain or a class: a string without control characters."""
    return isinstance(word, str) and len(word) < 1024 and printable(word) == word


def validate_networks(
    specs: Mapping[str, Any], table: Mapping[str, Callable[..., nn.Module]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Build the networks of `specs` on the meta device, without memory, and compare their weights with `shapes`.

    `table` holds all known networks by name, `shapes` the shapes of the tensors in the model file.

    Raises:
        UserError: A network or an option is unknown.
        ValueError: A number is absurd, or the weights differ; the message names the culprit.
    """
    for name, spec in specs.items():
        _validate_spec(name, spec)
    try:
        with (
            torch.device("meta"),
            warnings.catch_warnings(),
            _limit_parts(MAX_PARTS_PER_TENSOR * (len(shapes) + 16)),
        ):
            warnings.simplefilter("ignore")  # layers without channels warn, and fail the comparison below
            nets = nn.ModuleDict({name: Factory(spec, table, name)() for name, spec in specs.items()})
    except UserError:
        raise
    except Exception as error:  # constructors trust their arguments
        raise ValueError(f"its networks cannot be built ({short_reason(error)})") from error
    expected = {name: tuple(tensor.shape) for name, tensor in nets.state_dict().items()}
    for name in (*expected, *shapes):
        if expected.get(name) != shapes.get(name):
            difference = f"{name}: {shapes.get(name, 'none')} in the file, {expected.get(name, 'none')} by the recipe"
            raise ValueError(f"its weights do not fit its recipe ({difference})")


@contextmanager
def _limit_parts(most: int) -> Iterator[None]:
    """Raise ValueError in a block that builds more than `most` modules and parameters.

    An option of a plugin's network, by whatever name, may be a number of layers.
    """
    thread, built = threading.get_ident(), itertools.count(1)

    def count(parent: nn.Module, name: str, part: nn.Module | nn.Parameter | None) -> None:
        if threading.get_ident() == thread and next(built) > most:
            raise ValueError("more parts than the weights in the file need")

    hooks = register_module_module_registration_hook(count), register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _validate_spec(name: str, spec: Any) -> None:
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str):
        raise ValueError(f"nets.{name} is {short_repr(spec)}")
    for key, value in spec.items():
        if isinstance(value, int) and not 0 <= value <= MAX_BY_OPTION.get(key, MAX_NUMBER):
            raise ValueError(f"nets.{name}.{key} is {short_repr(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"nets.{name}.{key} is {value}")
