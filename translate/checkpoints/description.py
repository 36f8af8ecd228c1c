"""What a page in the browser needs to know of a model."""

__all__ = ["describe"]

from typing import Any

import torch

from translate.checkpoints.recipe import Recipe
from translate.networks import EXPORTABLE
from translate.tasks import TASKS
from translate.utils.factory import Factory

PAGES = {
    "paired": ["draw", "translate"],
    "unpaired": ["translate"],
    "masked": ["fill"],
    "images": ["generate"],
    "labelled": [],
    "reduced": [],
}  # pages of the studio, by the kind of the task's data


def describe(recipe: Recipe) -> dict[str, Any]:
    """Return what the page needs to know of a model, from its recipe."""
    task, facts = TASKS[recipe.task], recipe.facts
    with torch.device("meta"):  # the properties of networks, without their weights
        nets = [Factory(spec, EXPORTABLE, name)() for name, spec in recipe.nets.items()]
    chosen = task.strength is not None or task.data == "labelled"  # z is no source of several results
    has_z = any(getattr(net, "z_dim", 0) for net in nets)
    return {
        "task": recipe.task,
        "title": recipe.summary,
        "domains": list(recipe.domains),
        "directions": list(recipe.directions) if task.data in ("paired", "unpaired") else [],
        "size": recipe.size,
        "channels": recipe.channels,
        "latent": "E" in recipe.nets,
        "many": not chosen and (has_z or any(getattr(net, "random", False) for net in nets)),
        "hints": "hint" in recipe.channels,
        "labels": [str(name) for name in facts.get("classes", ())],
        "strength": task.strength is not None,
        "default_strength": task.strength,
        "sketch": bool(facts.get("sketch")),
        "pages": ["translate"] if facts.get("maps") else PAGES[task.data],
        "step": recipe.steps,
    }
