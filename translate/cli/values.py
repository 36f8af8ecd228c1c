"""Texts of the command line, and values of a TOML file, as values of an option's type; errors in plain words."""

__all__ = ["Kind", "check_value", "kind_of_option", "parse_value"]

import re
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from translate.utils.errors import OptionError, short_repr, shorten

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_HUB_OPTIONS = ("model", "init")  # which take the name of a model on the Hub, hf://user/name
_NUMBERS = {int: "a whole number", float: "a number"}


class Kind(NamedTuple):
    """The type of an option."""

    types: tuple[type, ...]  # of a value, or of each item
    choices: tuple[str, ...]  # words that are values as well
    many: bool = False  # takes several words
    repeated: bool = False  # takes one word, and may be repeated

    @property
    def is_flag(self) -> bool:
        """Whether the option needs no value."""
        return self.types == (bool,)

    def __str__(self) -> str:
        words = [_NUMBERS[kind] for kind in self.types if kind in _NUMBERS]
        words += ["true or false"] if bool in self.types else ["a text"] if str in self.types else []
        choices = [word for word in self.choices if word]
        words += [", ".join(choices)] if words or len(choices) < 2 else [f"one of {', '.join(choices)}"]
        return " or ".join(word for word in words if word)


def kind_of_option(hint: Any) -> Kind:
    """Return the kind that a type hint describes: int, float, str, bool, Literal, unions, tuples, repeated texts."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    origin = get_origin(hint)
    if origin is tuple:
        return kind_of_option(get_args(hint)[0])._replace(many=True)
    if origin is Sequence:
        return kind_of_option(get_args(hint)[0])._replace(repeated=True)
    members = get_args(hint) if origin in (Union, UnionType) else (hint,)
    types: list[type] = []
    choices: list[str] = []
    for member in members:
        if get_origin(member) is Literal:
            choices += get_args(member)
        elif member is not NoneType:
            types.append(member)
    return Kind(tuple(types), tuple(choices))


def parse_value(flag: str, kind: Kind, text: str) -> Any:
    """Parse one word.

    Raises:
        OptionError: it is not of the kind, or empty.
    """
    if text in kind.choices:
        return text
    if not text.strip():
        raise OptionError(f"{flag} is empty; give it a value, {kind}, or leave it out")
    for one in kind.types:
        if one is bool and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if one is str:
            return _check_text(flag, text)
        if one in (int, float):
            try:
                value = one(text)
            except ValueError:
                continue
            if abs(value) < 2**63:  # neither infinite nor NaN
                return value
    raise _wrong_value(flag, kind, text)


def check_value(name: str, kind: Kind, value: Any) -> Any:
    """Return a value of a TOML file, a list as a tuple; raise OptionError unless it is of the kind."""
    if kind.many or kind.repeated:
        single = kind._replace(many=False, repeated=False)
        items = value if isinstance(value, list) else [value]
        if kind.many and kind.types == (str,):  # seeds among the styles of an interpolation
            items = [str(item) if type(item) is int else item for item in items]
        return tuple(check_value(name, single, item) for item in items)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63
    for one in kind.types:
        if type(value) is one and (is_number or one not in (int, float)):
            return _check_text(name, value) if isinstance(value, str) else value
        if one is float and is_number:
            return float(value)
    if isinstance(value, str) and value in kind.choices:
        return value
    raise _wrong_value(name, kind, value)


def _check_text(name: str, text: str) -> str:
    """Return a text unless no file, folder or name can be called so."""
    if "\0" in text:
        raise OptionError(f"{name} holds a character of code 0; leave it out")
    of_hub = text.lower().startswith("hf://") and name.removeprefix("--").rpartition(" ")[2] in _HUB_OPTIONS
    if _ADDRESS.match(text) and not of_hub:
        raise OptionError(
            f"{name} {shorten(text)}: is an address; fetch it, and give the file or folder on this machine"
        )
    return text


def _wrong_value(name: str, kind: Kind, value: Any) -> OptionError:
    shown = shorten(value if isinstance(value, str) else short_repr(value))
    return OptionError(f"{name} should be {kind}, got {shown!r}")
