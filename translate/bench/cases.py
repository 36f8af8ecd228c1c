"""What is trained in a comparison: a recipe at a size and batch, and how it travels to another process."""

__all__ = ["PRESETS", "Case", "make_case"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import torch

from translate.tasks import TASKS
from translate.training.config import Config, from_dict, load_config
from translate.training.setup import check_recipe, check_sides, make_task
from translate.utils.factory import resolve

PRESETS = ("paper", "fast")
CHANNELS = {
    "unpaired": {"a": 3, "b": 3},
    "paired": {"a": 3, "b": 3},
    "images": {"image": 3},
    "masked": {"image": 3, "mask": 1},
}
USUAL = {"generate": 64}  # px where neither the user nor the recipe says; others: 256


@dataclass(frozen=True)
class Case:
    """A training run that is measured.

    Attributes:
        config: of the run; its data.size is set.
        device: "cpu", "cuda", ...
    """

    config: Config
    device: str

    @property
    def kind(self) -> str:
        """The kind of data, as `Task.data`."""
        return TASKS[self.config.task].data

    @property
    def channels(self) -> dict[str, int]:
        """Of each part of a batch."""
        return CHANNELS[self.kind]

    @property
    def size(self) -> int:
        """Training resolution, px."""
        return self.config.data.size

    @property
    def batch_size(self) -> int:
        """Pictures in a step."""
        return self.config.data.batch_size

    def changed(self, data: Mapping[str, Any] | None = None, **train: Any) -> Self:
        """Return the case with other [data] and [train] options."""
        config = self.config
        config = replace(config, data=replace(config.data, **data or {}), train=replace(config.train, **train))
        return replace(self, config=config)

    def eager(self, precision: str, crop: int) -> Self:
        """Return the case as anybody would write it: neither compiled nor in another memory layout."""
        plain = {"precision": precision, "channels_last": "off", "compile": "off", "checkpoint": False}
        return self.changed({"crop": crop}, **plain, steps=1, epochs=0.0, minutes=0.0)

    def written_to(self, folder: str) -> Self:
        """Return the case with its run in `folder`."""
        return replace(self, config=replace(self.config, out=f"{folder}/run"))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` understands."""
        return {"config": asdict(self.config), "device": self.device}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the case that `to_json` wrote down."""
        return cls(from_dict(Config, values["config"]), values["device"])

    def check(self) -> None:
        """Check that the networks can be built for this size, without building them.

        Raises:
            OptionError: they cannot; it says which size is near.
        """
        check_recipe(self.config)
        with torch.device("meta"):
            task = make_task(self.config, self.channels, self.size)
        check_sides(task, self.size, self.config.data.crop)


def make_case(
    task: str, preset: str, device: torch.device, *, size: int = 0, batch_size: int = 0, generator: str = "",
    precision: str = "auto", checkpoint: bool = False,
) -> Case:  # fmt: skip
    """Return what `translate train-TASK` would train with these options.

    Args:
        task: of `TASKS`.
        preset: of configs/.
        device: where.
        size: px; 0: the recipe's, or the usual one.
        batch_size: 0: the recipe's.
        generator: its name, where it should be another than the recipe's.
        precision: "auto", "bf16" or "fp32".
        checkpoint: keep few activations.

    Raises:
        OptionError: an unknown name, or a size that the networks cannot take.
    """
    resolve(task, TASKS, "task")
    layer: dict[str, dict[str, Any]] = {"train": {"precision": precision, "checkpoint": checkpoint}, "data": {}}
    if generator:
        layer["generator"] = {"name": generator}
    if batch_size:
        layer["data"]["batch_size"] = batch_size
    recipe = load_config(task, preset).data
    layer["data"]["size"] = size or recipe.size or USUAL.get(task, 256)
    case = Case(load_config(task, preset, layer), str(device))
    case.check()
    return case
