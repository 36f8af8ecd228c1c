"""The recipe of a model file: everything needed to use the model without the run that trained it."""

__all__ = ["FORMAT", "KEY", "Recipe"]

from dataclasses import dataclass, field
from typing import Any

from translate.images.label_maps import Classes

FORMAT = 1  # version of the layout of Recipe
KEY = "image-translate"  # of the recipe in the metadata of a model file


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The networks of a model, and the data and the run that trained them."""

    task: str  # key of `tasks.TASKS`
    nets: dict[str, dict[str, Any]]  # spec of each exported network, by name
    domains: tuple[str, ...]  # names of both domains, or of the one set of generated pictures
    size: int  # training resolution, px
    preset: str  # the recipe configs/TASK_PRESET.toml
    steps: int  # updates
    data: str  # fingerprint of the training data
    # channels by key of a batch: "a", "b" and perhaps "hint"; or "image" and, as "label", the number of classes; or
    # "image" and "small"; or "image" and, as "attributes" or "classes", the number of labels that the model changes
    channels: dict[str, int] = field(default_factory=lambda: {"a": 3, "b": 3})
    # of translation, the default first; none for generated pictures. A model of one direction has the --direction of
    # its training, and its `domains` are the source and the target
    directions: tuple[str, ...] = ("ab", "ba")
    whole: bool = False  # trained on whole pictures of `size` px alone
    # "sketch": True if sources are line drawings; "labels": "a" or "b", the side of label maps; "classes": their names;
    # "maps": by side, "a" or "b", the classes of one-hot label maps, see `images.label_maps.Classes`
    # "attributes": the names of those that the model changes, and "apart" the pairs of them that exclude each other
    # "degrade": what the small pictures were like from which a model of super-resolution has learned
    # "value_range": "0,4095", black and white in files of floats and wide integers
    facts: dict[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()  # titles of the frozen networks whose features took part in the training
    # of the averaged networks on the choosing half of the held-out pictures, by name; {} if this step was not scored
    scores: dict[str, float] = field(default_factory=dict)
    # of a file that holds corrections alone: "base", the path of the model that they correct, its "hash", and "rank"
    adapter: dict[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()  # file names, modules or packages that have the task and the networks
    value_range: tuple[float, float] = (-1.0, 1.0)  # of pictures inside the networks
    format: int = FORMAT

    def classes_of(self, side: str) -> Classes | None:
        """Return the classes of a side, "a" or "b", whose label maps are one-hot; None for pictures."""
        facts = self.facts.get("maps", {}).get(side)
        return Classes.from_facts(facts) if facts else None

    @property
    def summary(self) -> str:
        """Domains, task, preset and steps in a few words: "photos -> monet and back, cycle fast, 6242 steps"."""
        two_ways = len(self.directions) == 2
        names = self.domains[::-1] if two_ways and self.directions[0] == "ba" else self.domains
        way = " -> ".join(names) + " and back" * two_ways
        return ", ".join([way, f"{self.task} {self.preset}", *[f"{self.steps} steps"] * (self.steps > 0)])
