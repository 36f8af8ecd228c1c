"""Seeds and labels of new pictures, as users give them."""

__all__ = ["Label", "check_seeds", "class_weights"]

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from translate.utils.errors import OptionError, did_you_mean, short_repr

Label = str | Mapping[str, float] | None  # a class, or weights of several; None: for each seed the class seed modulo K


def check_seeds(seeds: Iterable[int]) -> list[int]:
    """Return seeds as a list; raise OptionError unless they are whole numbers from 0 on, at least one."""
    try:
        numbers = [index(seed) for seed in seeds]
    except TypeError:
        raise OptionError(f"seeds {short_repr(seeds)} are no whole numbers; give a list such as [3, 8]") from None
    if not numbers:
        raise OptionError("no seeds are given; give one or more")
    if min(numbers) < 0:
        raise OptionError(f"seed {min(numbers)} is out of range; give a whole number from 0 on")
    return numbers


def class_weights(classes: Sequence[str], seeds: Sequence[int], label: Label = None) -> np.ndarray | None:
    """Return the weights of K classes for each seed, (n, K) float32, each row of sum 1; None without classes.

    A label is a class ("7"), or weights of several classes ({"3": 0.5, "8": 0.5}, also as text: "3:0.5,8:0.5"),
    which need not sum to 1; None: class number `seed` modulo K.

    Raises:
        OptionError: an unknown class, weights below 0 or all 0, or a label where there are no classes.
    """
    if not classes:
        if label is not None:
            raise OptionError("this model was trained without labels; leave --label out")
        return None
    if label is None:
        return np.eye(len(classes), dtype=np.float32)[[int(seed) % len(classes) for seed in seeds]]
    row = np.zeros(len(classes), np.float32)
    for name, weight in _parse(label, classes).items():
        row[classes.index(name)] = weight
    return np.repeat((row / row.sum())[None], len(seeds), axis=0)


def _parse(label: str | Mapping[str, float], classes: Sequence[str]) -> dict[str, float]:
    """Return the weight of each class in `label`; raise OptionError as `class_weights`."""
    if isinstance(label, Mapping):
        weights = {str(name): _parse_weight(weight, str(dict(label))) for name, weight in label.items()}
    else:
        weights = {str(label): 1.0} if str(label) in classes else _parse_mix(str(label))
    for name in weights:
        if name not in classes:
            raise OptionError(f"the model knows no class {name!r}{did_you_mean(name, classes)}")
    total = sum(weights.values())
    if not (math.isfinite(total) and total > 0 and min(weights.values()) >= 0):
        raise OptionError(f"label {label!r}: weights are 0 or more, and not all 0")
    return weights


def _parse_mix(text: str) -> dict[str, float]:
    """Parse "3:0.5,8:0.5"; a class without weight counts 1."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, colon, weight = part.strip().rpartition(":")
        weights[name if colon else weight] = _parse_weight(weight, text) if colon else 1.0
    return weights


def _parse_weight(weight: Any, label: str) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise OptionError(f"label {label!r}: the weight {weight!r} is no number; write 3:0.5,8:0.5") from None
