"""Model and state files that nobody vouches for: looked through before anything is built or allocated on their word.

No pickle is loaded: `torch.load(weights_only=True)` makes tensors and plain containers, safetensors nothing else. What
is left is size: a file of a few kilobytes can ask for a network of terabytes, or unpack to as much.
"""

__all__ = ["load_tensors", "parse_json", "refuse_expanded", "refuse_packed", "vet_networks", "vet_recipe"]

import json
import math
import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from translate.utils.errors import UserError
from translate.utils.factory import Factory
from translate.utils.terminal import printable

_LONGEST = 2**20  # characters of a recipe; real ones have a few thousand
_DEEPEST = 256  # blocks, levels: what a network's constructor counts up to
_WIDEST = 2**20
_LARGEST = 2**16  # px
_SHOWN = 150  # characters of what is complained of
_MOST = {"blocks": _DEEPEST, "levels": _DEEPEST, "layers": _DEEPEST, "size": _LARGEST}
_KINDS: dict[str, type] = {
    "task": str, "nets": dict, "domains": tuple, "size": int, "preset": str, "steps": int, "data": str,
    "channels": dict, "directions": tuple, "whole": bool, "facts": dict, "value_range": tuple, "format": int,
}  # fmt: skip


def load_tensors(path: Path, device: torch.device | str = "cpu") -> Any:
    """Read what `torch.save` wrote, as far as it is tensors and plain containers.

    Raises:
        pickle.UnpicklingError: it holds other things, which could run code; none was.
        OSError: it cannot be read.
        ValueError: it is damaged, or would unpack to more than it is long.
    """
    try:
        refuse_packed(path)
        return torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, OSError):
        raise
    except Exception as error:  # damaged files make it raise nearly everything
        text = str(error).strip()
        raise ValueError(_short(text.splitlines()[0] if text else type(error).__name__)) from error


def refuse_packed(path: Path) -> None:
    """Refuse an archive whose parts are compressed: `torch.save` never does that.

    Raises:
        ValueError: they are.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as pack:
        if any(part.compress_type != zipfile.ZIP_STORED for part in pack.infolist()):
            raise ValueError("its parts are compressed, as torch never writes them")


def refuse_expanded(tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are larger than what the file holds of them, by repeating it.

    Raises:
        ValueError: names the first.
    """
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.untyped_storage().nbytes() < tensor.nbytes:
            raise ValueError(f"{name} is no plain tensor")


def parse_json(text: str) -> Any:
    """Parse a recipe.

    Raises:
        ValueError: it is no JSON, or absurdly long or nested.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters, which no recipe has")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def vet_recipe(values: Mapping[str, Any]) -> None:
    """Check the kinds and ranges of what stands in a recipe, before it is used.

    Raises:
        ValueError: says what is wrong with it.
    """
    for name, value in values.items():
        if type(value) is not _KINDS[name]:
            raise ValueError(f"{name} is {_short(value)}")
    for name, low, high in (("size", 1, _LARGEST), ("steps", 0, 2**62)):
        if not low <= values.get(name, low) <= high:
            raise ValueError(f"{name} is {_short(values[name])}")
    domains, directions = values.get("domains", ()), values.get("directions", ())
    if not (1 <= len(domains) <= 2 and all(map(_is_name, domains))):
        raise ValueError(f"domains are {_short(domains)}")
    if not (len(directions) <= 2 and set(map(str, directions)) <= {"ab", "ba"}):
        raise ValueError(f"directions are {_short(directions)}")
    for name, count in values.get("channels", {}).items():
        if type(count) is not int or not 0 < count <= _LARGEST:
            raise ValueError(f"channels.{name} is {_short(count)}")
    _vet_range(values.get("value_range", (-1, 1)))
    _vet_facts(values.get("facts", {}))


def _is_name(word: Any) -> bool:
    """Whether it is what a domain or a class may be called: words that a terminal can only show."""
    return isinstance(word, str) and len(word) < 1024 and printable(word) == word


def _vet_range(ends: tuple[Any, ...]) -> None:
    if len(ends) != 2 or not all(isinstance(end, int | float) and math.isfinite(end) for end in ends):
        raise ValueError(f"value_range is {_short(ends)}")


def _vet_facts(facts: Mapping[str, Any]) -> None:
    kinds = {"sketch": bool, "labels": str, "classes": list, "value_range": str}
    for name, kind in kinds.items():
        if name in facts and type(facts[name]) is not kind:
            raise ValueError(f"facts.{name} is {_short(facts[name])}")
    if not all(map(_is_name, facts.get("classes", ()))):
        raise ValueError("facts.classes are no names")


def vet_networks(
    specs: Mapping[str, Any], table: Mapping[str, Callable[..., nn.Module]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Check that the networks of a recipe can be built, and have the very weights that a file has, of these shapes.

    They are built without memory for their weights.

    Args:
        specs: of the networks, by name.
        table: the networks that there are.
        shapes: of the tensors of the file, by name.

    Raises:
        UserError: an unknown network or option.
        ValueError: absurd numbers, or other weights; the message says which.
    """
    for name, spec in specs.items():
        _vet_spec(name, spec)
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without channels, which the file will not have
            nets = nn.ModuleDict({name: Factory(spec, table, name)() for name, spec in specs.items()})
    except UserError:
        raise
    except Exception as error:  # constructors trust the numbers that they are given
        raise ValueError(f"its networks cannot be built ({_short(error)})") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in nets.state_dict().items()}
    for name in (*wanted, *shapes):
        if wanted.get(name) != shapes.get(name):
            told = f"{name}: {shapes.get(name, 'none')} in the file, {wanted.get(name, 'none')} by the recipe"
            raise ValueError(f"its weights do not fit its recipe ({told})")


def _vet_spec(name: str, spec: Any) -> None:
    if not isinstance(spec, dict) or not isinstance(spec.get("name"), str):
        raise ValueError(f"nets.{name} is {_short(spec)}")
    for key, value in spec.items():
        if isinstance(value, int) and not 0 <= value <= _MOST.get(key, _WIDEST):
            raise ValueError(f"nets.{name}.{key} is {_short(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"nets.{name}.{key} is {value}")


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Exception | str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
