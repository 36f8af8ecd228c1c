"""A training recipe at one size and batch size, sent to other processes as JSON."""

__all__ = ["PRESETS", "Case", "make_case"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import torch

from translate.bench.pictures import ATTRIBUTES
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
    "labelled": {"image": 3, "attributes": ATTRIBUTES},
    "reduced": {"image": 3, "small": 3},
}


@dataclass(frozen=True)
class Case:
    """A training run to measure."""

    config: Config  # with a data.size
    device: str  # "cpu", "cuda", ...

    @property
    def kind(self) -> str:
        """`Task.data` of the run."""
        return TASKS[self.config.task].data

    @property
    def channels(self) -> dict[str, int]:
        """Channels of each tensor of a batch."""
        return CHANNELS[self.kind]

    @property
    def size(self) -> int:
        """Training resolution, px."""
        return self.config.data.size

    @property
    def batch_size(self) -> int:
        """Pictures in a step."""
        return self.config.data.batch_size

    def with_options(self, data: Mapping[str, Any] | None = None, **train: Any) -> Self:
        """Return the case with other [data] and [train] options."""
        config = self.config
        config = replace(config, data=replace(config.data, **data or {}), train=replace(config.train, **train))
        return replace(self, config=config)

    def as_eager(self, precision: str, crop: int) -> Self:
        """Return the case in plain PyTorch: not compiled, default memory layout, nothing to autotune."""
        plain = {"precision": precision, "channels_last": "off", "compile": "off", "checkpoint": False}
        return self.with_options({"crop": crop}, **plain, steps=1, epochs=0.0, minutes=0.0)

    def to_json(self) -> dict[str, Any]:
        """Return the case as JSON values."""
        return {"config": asdict(self.config), "device": self.device}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a case from the values of `to_json`."""
        return cls(from_dict(Config, values["config"]), values["device"])

    def check(self) -> None:
        """Raise OptionError if the networks cannot be built for this size; the error names a valid size nearby."""
        check_recipe(self.config)
        with torch.device("meta"):
            task = make_task(self.config, self.channels, self.size)
        check_sides(task, self.size, self.config.data.crop)


def make_case(
    task: str, preset: str, device: torch.device, *, size: int = 0, batch_size: int = 0, generator: str = "",
    precision: str = "auto", checkpoint: bool = False,
) -> Case:  # fmt: skip
    """Return the run that `translate train-TASK` would start with these options; 0 and "" are the recipe's values.

    If the recipe has no size, it is 256 px, or 64 px for generation. `checkpoint` is activation checkpointing.

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
    layer["data"]["size"] = size or recipe.size or (64 if task == "generate" else 256)
    case = Case(load_config(task, preset, layer), str(device))
    case.check()
    return case
