"""Networks by name: the only place where a name from a recipe becomes a call."""

__all__ = ["Factory", "check_arguments", "check_type", "options_of", "resolve", "spec_of"]

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from translate.utils.errors import OptionError, close_match, did_you_mean, short_repr
from translate.utils.plugins import PLUGIN_HINT, Registry

_TYPE_NAMES = {
    int: "a whole number", float: "a number", str: "a text", bool: "true or false", tuple: "a list", dict: "a table",
}  # fmt: skip
NO_FACTS: dict[str, Any] = {}


def resolve(name: str, table: Mapping[str, Any], what: str) -> Any:
    """Look up `name` in `table`; raise OptionError, which says `what` it should name, if it is unknown."""
    if name not in table:
        hint = f", or {PLUGIN_HINT}" if isinstance(table, Registry) and not close_match(name, table) else ""
        raise OptionError(f"unknown {what} {name!r}{did_you_mean(name, table)}{hint}")
    return table[name]


def options_of(function: Callable) -> dict[str, inspect.Parameter]:
    """Return the keyword options of a task or network: the parameters that have a default."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.default is not p.empty}


def check_arguments(function: Callable, given: Mapping[str, Any], where: str) -> None:
    """Raise OptionError if a given option is not in the signature of `function`, or not of the type of its default."""
    known = options_of(function)
    for name, value in given.items():
        if name not in known:
            raise OptionError(f"unknown option {where}.{name}{did_you_mean(name, known)}")
        check_type(f"{where}.{name}", value, type(known[name].default))


def check_type(name: str, value: Any, kind: type) -> None:
    """Raise OptionError unless `value` is of type `kind` and, if a number, finite; an int serves as a float."""
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits:
        raise OptionError(f"{name} should be {_TYPE_NAMES.get(kind, kind.__name__)}, got {short_repr(value)}")
    if kind in (int, float) and not abs(value) < 2**63:
        raise OptionError(f"{name} should be a number of reasonable size, got {short_repr(value)}")


class Factory:
    """A network by name, with the options of its recipe; the task supplies the rest and builds it.

    The network holds its complete recipe as `.spec`, from which a model file can rebuild it. `context` holds facts of
    the run (such as the trained `size`); each is passed to networks whose signature has it.
    """

    def __init__(self, spec: Mapping[str, Any], table: Mapping[str, Callable], where: str, **context: Any) -> None:
        options = dict(spec)
        if "name" not in options:
            raise OptionError(f"{where}.name is missing; choose from {', '.join(sorted(table))}")
        self.name = options.pop("name")
        check_type(f"{where}.name", self.name, str)
        self.function = resolve(self.name, table, where)
        check_arguments(self.function, options, where)
        known = options_of(self.function)
        self.options = {k: v for k, v in context.items() if k in known} | options

    def __call__(self, facts: Mapping[str, Any] = NO_FACTS, /, **fixed: Any) -> nn.Module:
        """Build the network; `fixed` are the options that the task decides, such as channel counts.

        Those of `facts` are for networks whose signature has them.
        """
        fixed |= {name: value for name, value in facts.items() if name in options_of(self.function)}
        net = self.function(**self.options, **fixed)
        net.spec = {"name": self.name, **self.options, **fixed}
        return net


def spec_of(net: nn.Module) -> dict[str, Any]:
    """Return the recipe of a network that a Factory built."""
    return dict(net.spec)  # type: ignore[arg-type]
