"""What a user wishes of the labels of a picture, as the z of a model that changes labels; without torch."""

__all__ = ["label_code", "label_names"]

from collections.abc import Sequence
from typing import Any

from translate.checkpoints.recipe import Recipe
from translate.utils.errors import OptionError, did_you_mean, list_choices, short_repr


def label_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of the labels that a model changes; () for a model of another kind."""
    facts = recipe.facts
    if "attributes" in recipe.channels:
        return tuple(facts.get("attributes", ()))
    return tuple(facts.get("classes", ())) if "classes" in recipe.channels else ()


def label_code(to: Any, z: Any, recipe: Recipe) -> Any:
    """Return z for wishes such as "glasses,-blond" or ["glasses", "-blond"]: 1 to get, -1 to lose, 0 to leave.

    What never comes together with a wished attribute, such as another colour of hair, is lost. Of classes, one is
    wished for. A `z` that is given stays; models of other kinds need none.

    Raises:
        OptionError: no or unknown labels, a label that is wished both ways, two classes, or one to lose; both `to` and
            `z`; or a model that changes no labels.
    """
    names, classes = label_names(recipe), "classes" in recipe.channels
    if to is None and (z is not None or not names):
        return z
    if not names:
        raise OptionError("this model changes no labels; leave 'to' out")
    if z is not None:
        raise OptionError("z are the labels of this model; leave z or to out")
    wishes = _parse(to or "", names)
    if not wishes:
        what = "its class" if classes else "what a picture is to get, or with a minus to lose"
        raise OptionError(f"say {what}, as in to={names[0]}; this model knows {list_choices(names)}")
    if classes and (len(wishes) > 1 or -1.0 in wishes.values()):
        raise OptionError(f"a picture has one class; choose one of {list_choices(names)}")
    code = [0.0] * len(names)
    for name, sign in wishes.items():
        code[names.index(name)] = sign
    for i, j in recipe.facts.get("apart", ()):
        for wished, other in ((i, j), (j, i)):
            if code[wished] == 1 and names[other] not in wishes:
                code[other] = -1.0
    return code


def _parse(to: Any, names: Sequence[str]) -> dict[str, float]:
    """Return 1 for each label to get, and -1 for each to lose."""
    if not isinstance(to, str) and not (isinstance(to, Sequence) and all(isinstance(word, str) for word in to)):
        raise OptionError(f"to is {short_repr(to)}; give names such as {names[0]!r}")
    wishes: dict[str, float] = {}
    for word in map(str.strip, to.split(",") if isinstance(to, str) else to):
        if not word:
            continue
        name, sign = (word[1:].strip(), -1.0) if word.startswith("-") and word not in names else (word, 1.0)
        if name not in names:
            raise OptionError(f"this model knows no label {name!r}{did_you_mean(name, names)}")
        if wishes.setdefault(name, sign) != sign:
            raise OptionError(f"{name!r} is wished both ways; say {name} or -{name}")
    return wishes
