"""Arithmetic over groups of samples: "glasses_men - men + women".

The means of a few styles that share a feature are added and subtracted: Radford, Metz and Chintala, 2016,
https://arxiv.org/abs/1511.06434, section 6.3.2. One sample alone carries too much that is its own; three or more
leave what they have in common.
"""

__all__ = ["Arithmetic", "compute_style", "parse_arithmetic", "read_groups", "save_group"]

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

import tomli_w
import torch
from torch import Tensor

from translate.inference.sampler import Sampler
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write
from translate.utils.toml_files import read_toml

Group = tuple[int, ...]  # of seeds
_EXAMPLE = 'write for example "glasses_men - men + 0.5*women" or "[3,14,27] - [5] + [8]"'


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """A parsed expression: the weighted sum that it comes to.

    Attributes:
        groups: the seeds of each group, by its name or as "[3, 14]"; in the order of the expression.
        factors: what each group is multiplied with.
    """

    groups: dict[str, Group]
    factors: dict[str, float]


def parse_arithmetic(text: str, groups: Mapping[str, Sequence[int]]) -> Arithmetic:
    """Read a sum of groups, each a name or a list of seeds, with factors and brackets as one would write them.

    Args:
        text: such as "glasses_men - men + women", "2*a - [5, 7]" or "(a + b) / 2".
        groups: the seeds of each known name.

    Raises:
        OptionError: an unknown name, or no such sum.
    """
    try:
        reader = _Reader(groups)
        factors = reader.read(ast.parse(text.strip(), mode="eval").body)
    except UserError:
        raise
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        raise OptionError(f"--arithmetic {text!r} is no sum of groups; {_EXAMPLE}") from None
    if not isinstance(factors, dict):
        raise OptionError(f"--arithmetic {text!r} names no group; {_EXAMPLE}")
    if not all(map(math.isfinite, factors.values())):
        raise OptionError(f"--arithmetic {text!r} has a factor that is not finite")
    return Arithmetic(groups={name: reader.used[name] for name in factors}, factors=factors)


class _Reader:
    """Turns a syntax tree into a number, or into the factor of each group; ValueError for all other trees."""

    def __init__(self, known: Mapping[str, Sequence[int]]) -> None:
        self.known, self.used = known, dict[str, Group]()

    def read(self, node: ast.expr) -> float | dict[str, float]:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return float(value)
            case ast.Name(id=name):
                return self._group(name, self._seeds_of(name))
            case ast.List(elts=items):
                seeds = tuple(_seed(item) for item in items)
                return self._group(str(list(seeds)), seeds)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return _times(self.read(inner), -1.0)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner)
            case ast.BinOp(left=left, op=operator, right=right):
                return _combine(self.read(left), operator, self.read(right))
        raise ValueError(ast.unparse(node))

    def _seeds_of(self, name: str) -> Group:
        if name in self.known:
            return tuple(self.known[name])
        if not self.known:
            raise OptionError(f"unknown group {name!r}; no groups are saved yet: --save-group {name} --seeds 3 14 27")
        raise OptionError(f"unknown group {name!r}; known are {', '.join(sorted(self.known))}")

    def _group(self, name: str, seeds: Group) -> dict[str, float]:
        if not seeds:
            raise ValueError(name)
        self.used[name] = seeds
        return {name: 1.0}


def _seed(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    raise ValueError(ast.unparse(node))


def _times(value: float | dict[str, float], factor: float) -> float | dict[str, float]:
    if isinstance(value, dict):
        return {name: factor * weight for name, weight in value.items()}
    return factor * value


def _combine(
    left: float | dict[str, float], operator: ast.operator, right: float | dict[str, float]
) -> float | dict[str, float]:
    """Add, subtract, multiply or divide, as far as the result is a number or a sum of groups.

    Raises:
        ValueError: it is not.
    """
    match operator, left, right:
        case ast.Add(), dict(), dict():
            return {name: left.get(name, 0.0) + right.get(name, 0.0) for name in left | right}
        case ast.Sub(), _, _:
            return _combine(left, ast.Add(), _times(right, -1.0))
        case ast.Mult(), float(), _:
            return _times(right, left)
        case ast.Mult(), dict(), float():
            return _times(left, right)
        case ast.Div(), _, float():
            return _times(left, 1 / right)
        case ast.Add(), float(), float():
            return left + right
    raise ValueError("groups are added, and multiplied with numbers")


def compute_style(
    sampler: Sampler,
    sum_: Arithmetic,
    *,
    label: str | Mapping[str, float] | None = None,
    truncation: float = 1.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Add up the mean styles of the groups.

    What is added up are the ways from the mean style of all pictures to those of the groups, which is the same where
    the factors sum to 1, and keeps the result a likely style where they do not: "glasses_men - men" is then a mean
    picture with glasses.

    Args:
        sampler: the model.
        sum_: from `parse`.
        label: as `Sampler.weights_of`; None: each seed's own class.
        truncation: as `Sampler.styles`.

    Returns:
        The style of the result (w_dim,), and the styles of each group's samples (n, w_dim).

    Raises:
        OptionError: a seed, label or truncation that is out of range.
    """
    styles = {name: sampler.styles_of(seeds, label, truncation) for name, seeds in sum_.groups.items()}
    centre = sampler.mean_styles(sampler.weights_of(range(max(len(sampler.classes), 1)), label)).mean(0)
    ways = [sum_.factors[name] * (w.mean(0) - centre) for name, w in styles.items()]
    return centre + torch.stack(ways).sum(0), styles


# ---- groups that are kept


def read_groups(path: Path) -> dict[str, list[int]]:
    """Read the groups of a TOML file of lines such as `glasses_men = [3, 14, 27]`.

    Raises:
        UserError: the file is missing, no TOML, or holds something else.
    """
    groups = read_toml(path)
    for name, seeds in groups.items():
        if not (isinstance(seeds, list) and seeds and all(type(seed) is int and seed >= 0 for seed in seeds)):
            raise UserError(f"{path}: {name} should be a list of seeds, such as {name} = [3, 14, 27]")
    return groups


def save_group(path: Path, name: str, seeds: Sequence[int]) -> None:
    """Add a group to the TOML file `path`, in the place of an earlier one of that name.

    Raises:
        OptionError: a name that no sum could use.
        UserError: `path` holds something else.
        WriteError: the disk or the folder refuses.
    """
    if not name.isidentifier() or iskeyword(name):
        raise OptionError(
            f"group name {name!r} cannot be used in a sum; use letters, digits and _, such as glasses_men"
        )
    groups = read_groups(path) if path.exists() else {}
    groups[name] = [int(seed) for seed in seeds]
    with atomic_write(path) as temporary:
        temporary.write_text(tomli_w.dumps(groups), encoding="utf-8")
