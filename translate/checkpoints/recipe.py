"""The recipe of a model file: all that is needed to use the model without the run that made it."""

__all__ = ["FORMAT", "Recipe"]

from dataclasses import dataclass, field
from typing import Any

FORMAT = 1  # version of the layout of Recipe


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a model is, and what it was trained for.

    Attributes:
        task: Key of `tasks.TASKS`.
        nets: The spec of each exported network, by name.
        domains: The names of both domains; of the one set of a model that generates pictures.
        size: Training resolution, px.
        preset: Its recipe in configs/.
        steps: Updates that it was trained for.
        data: Fingerprint of the training data.
        channels: Number of channels by key of a batch: "a", "b", and "hint" where the model takes hints; or "image",
            and as "label" the number of classes.
        directions: Directions of translation, the default first. A model of one direction has the --direction that it
            was trained with; its `domains` are then the source and the target. A model that generates has none.
        whole: Whether it was trained on whole pictures of `size` px alone.
        facts: {"sketch": True} where it translates line drawings, {"labels": "a"} where the sources are label maps
            ("b": the targets), {"classes": [...]}: the names of the classes, {"value_range": "0,4095"}: black and white
            in files of floats and wide integers.
        value_range: Of a picture inside the networks.
        format: Version of this layout.
    """

    task: str
    nets: dict[str, dict[str, Any]]
    domains: tuple[str, ...]
    size: int
    preset: str
    steps: int
    data: str
    channels: dict[str, int] = field(default_factory=lambda: {"a": 3, "b": 3})
    directions: tuple[str, ...] = ("ab", "ba")
    whole: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    value_range: tuple[float, float] = (-1.0, 1.0)
    format: int = FORMAT
