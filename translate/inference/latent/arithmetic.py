"""Arithmetic over groups of samples: "glasses_men - men + women".

The mean styles of a few samples that share a feature are added and subtracted: Radford, Metz and Chintala, 2016,
https://arxiv.org/abs/1511.06434, section 6.3.2. The mean of three or more samples keeps only their common features.
"""

__all__ = ["Arithmetic", "compute_style", "parse_arithmetic", "read_groups", "save_group", "sum_styles"]

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

import tomli_w
import torch
from torch import Tensor

from translate.inference.sampler import Label, Sampler
from translate.utils.errors import OptionError, UserError
from translate.utils.files import atomic_write
from translate.utils.toml_files import read_toml

_EXAMPLE = 'write for example "glasses_men - men + 0.5*women" or "[3,14,27] - [5] + [8]"'
_NUMBER = ""  # the key of the constant term in a sum; no group has this name


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """A parsed expression as a weighted sum of groups, in the order of the expression."""

    groups: dict[str, tuple[int, ...]]  # seeds of each group, by its name or as "[3, 14]"
    factors: dict[str, float]  # weight of each group


def parse_arithmetic(text: str, groups: Mapping[str, Sequence[int]]) -> Arithmetic:
    """Parse a sum of groups, such as "glasses_men - men + women", "2*a - [5, 7]" or "(a + b) / 2".

    `groups` are the seeds of each known name.

    Raises:
        OptionError: an unknown name, or no sum of groups.
    """
    try:
        factors = _parse(ast.parse(text.strip(), mode="eval").body, groups)
        if len(factors) > 1 and _NUMBER in factors:
            raise ValueError("a number is added to a group")
    except UserError:
        raise
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError):
        raise OptionError(f"--arithmetic {text!r} is no sum of groups; {_EXAMPLE}") from None
    if _NUMBER in factors:
        raise OptionError(f"--arithmetic {text!r} names no group; {_EXAMPLE}")
    if not all(map(math.isfinite, factors.values())):
        raise OptionError(f"--arithmetic {text!r} has a factor that is not finite")
    seeds = {name: ast.literal_eval(name) if name.startswith("[") else groups[name] for name in factors}
    return Arithmetic(groups={name: tuple(group) for name, group in seeds.items()}, factors=factors)


def _parse(node: ast.expr, known: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Reduce a syntax tree to the factor of each group, and of the constant term; ValueError for other trees."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return {_NUMBER: float(value)}
        case ast.Name(id=name) if name not in known:
            names, hint = ", ".join(sorted(known)), f"--save-group {name} --seeds 3 14 27"
            saved = f"known are {names}" if known else f"no groups are saved yet: {hint}"
            raise OptionError(f"unknown group {name!r}; {saved}")
        case ast.Name(id=name) if known[name]:
            return {name: 1.0}
        case ast.List():
            seeds = ast.literal_eval(node)
            if seeds and all(type(seed) is int and seed >= 0 for seed in seeds):
                return {str(seeds): 1.0}
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _scale(_parse(inner, known), -1.0)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _parse(inner, known)
        case ast.BinOp(left=left, op=operator, right=right):
            return _combine(_parse(left, known), operator, _parse(right, known))
    raise ValueError(ast.unparse(node))


def _scale(factors: dict[str, float], by: float) -> dict[str, float]:
    return {name: by * factor for name, factor in factors.items()}


def _combine(left: dict[str, float], operator: ast.operator, right: dict[str, float]) -> dict[str, float]:
    """Add or subtract two sums, or multiply or divide a sum by a number; ValueError for other operations."""
    match operator:
        case ast.Add():
            return {name: left.get(name, 0.0) + right.get(name, 0.0) for name in left | right}
        case ast.Sub():
            return _combine(left, ast.Add(), _scale(right, -1.0))
        case ast.Mult() if left.keys() == {_NUMBER}:
            return _scale(right, left[_NUMBER])
        case ast.Mult() if right.keys() == {_NUMBER}:
            return _scale(left, right[_NUMBER])
        case ast.Div() if right.keys() == {_NUMBER}:
            return _scale(left, 1 / right[_NUMBER])
    raise ValueError("groups are added, and multiplied by numbers")


def compute_style(
    sampler: Sampler, arithmetic: Arithmetic, *, label: Label = None, truncation: float = 1.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the weighted sum of the mean styles of groups; label and truncation as for `Sampler`.

    Differences from the overall mean style are summed. If the factors sum to 1, the result is the same; if not, it is
    still a likely style: "glasses_men - men" is a mean picture with glasses.

    Returns:
        The style of the result (w_dim,), and the styles of the samples of each group (n, w_dim).

    Raises:
        OptionError: a seed, label or truncation that is out of range.
    """
    styles = {name: sampler.styles_of(seeds, label, truncation) for name, seeds in arithmetic.groups.items()}
    return sum_styles(sampler, [(arithmetic.factors[name], w) for name, w in styles.items()], label), styles


def sum_styles(sampler: Sampler, terms: Sequence[tuple[float, Tensor]], label: Label = None) -> Tensor:
    """Return the style (w_dim,) that is the sum of `terms`: a factor, and the styles (n, w_dim) whose mean counts."""
    centre = sampler.mean_styles(sampler.weights_of(range(max(len(sampler.classes), 1)), label)).mean(0)
    return centre + torch.stack([factor * (w.mean(0) - centre) for factor, w in terms]).sum(0)


def read_groups(path: Path) -> dict[str, list[int]]:
    """Read a TOML file of groups such as `glasses_men = [3, 14, 27]`; raise UserError if it is missing or malformed."""
    groups = read_toml(path)
    for name, seeds in groups.items():
        if not (isinstance(seeds, list) and seeds and all(type(seed) is int and seed >= 0 for seed in seeds)):
            raise UserError(f"{path}: {name} should be a list of seeds, such as {name} = [3, 14, 27]")
    return groups


def save_group(path: Path, name: str, seeds: Sequence[int]) -> None:
    """Add a group to a TOML file, or replace the group of this name.

    Raises:
        OptionError: a name that cannot be used in an expression.
        UserError: the file holds no groups.
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
