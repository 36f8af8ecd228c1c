"""A run as it lies in its folder: recipe, configuration, log, pictures, files."""

__all__ = ["TrainedRun", "count_parameters", "read_run"]

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from translate.checkpoints.hub.name import is_hub_name
from translate.checkpoints.model_file import model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.data.sources.picture_record import RecordedPictures, read_record
from translate.reports.resources import Resources, read_resources
from translate.tasks import TASKS
from translate.training.monitors.findings import Verdict
from translate.training.run_folder import RunFolder
from translate.utils.errors import UserError
from translate.utils.toml_files import read_toml

Line = dict[str, float]  # of metrics.jsonl


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What a run folder tells of a run that has saved a model."""

    folder: Path
    recipe: Recipe  # of model.safetensors
    config: dict[str, Any]  # config.toml without its [plan]
    plan: dict[str, Any]  # [plan] of config.toml: what the run has chosen itself
    lines: list[Line]  # of metrics.jsonl, by step
    verdict: Verdict | None  # on the pictures of a finished run
    record: RecordedPictures | None  # of the pictures
    resources: list[Resources]  # of the starts of the run that have been recorded
    parameters: int  # numbers in the exported networks

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.absolute().name

    @property
    def kind(self) -> str:
        """The kind of data of the task: "unpaired", "paired", "images", "labelled", "masked" or "reduced"."""
        return TASKS[self.recipe.task].data

    @property
    def is_complete(self) -> bool:
        """Whether the model is that of the last step of the plan."""
        return self.recipe.steps >= self.plan.get("steps", 0)

    @property
    def seconds(self) -> float:
        """The time that all steps took, with previews and saves."""
        return sum(line.get("seconds", 0.0) for line in self.lines)

    @property
    def seed(self) -> int:
        """The seed of all random numbers of the training."""
        return int(self.config.get("train", {}).get("seed", 0))

    @property
    def data(self) -> dict[str, Any]:
        """The [data] table of the configuration."""
        return self.config.get("data", {})

    def samples(self) -> list[Path]:
        """Return the sample grids, by step."""
        return sorted((self.folder / "samples").glob("step_*.png"))

    def file_sizes(self) -> dict[str, int]:
        """Return the bytes of the files of the run, by name; of a folder, of all files in it."""
        sizes = {path.name: _bytes_in(path) for path in sorted(self.folder.iterdir()) if path.name != ".lock"}
        return {name: size for name, size in sizes.items() if size}

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of pictures by domain and part, "train" or "test"; {} without a record."""
        found: dict[tuple[str, str], int] = {}
        for (domain, _), (split, *_) in (self.record.listing if self.record else {}).items():
            found[domain, split] = found.get((domain, split), 0) + 1
        return found

    def held_out(self) -> set[tuple[str, str, int]]:
        """Return domain, name and size in bytes of the held-out files; of rows of an array there are none."""
        listing = self.record.listing.items() if self.record else ()
        return {(domain, Path(path).name, size) for (domain, path), (split, size, _) in listing if split == "test"}


def read_run(path: str | Path) -> TrainedRun:
    """Read the run in a folder, or that of a model file in one.

    Raises:
        UserError: there is no run, or it has saved no model yet, or a file is damaged.
    """
    if is_hub_name(path):
        raise UserError(f"{path}: is a model without its run, and a report is of a run; give the folder of a run")
    file = model_file(path)
    folder = file.parent
    if not (folder / "config.toml").is_file():
        raise UserError(f"{path}: lies in no run folder (no config.toml beside the model); give the folder of a run")
    config = read_toml(folder / "config.toml")
    return TrainedRun(
        folder=folder,
        recipe=read_recipe(file),
        plan=config.pop("plan", {}),
        config=config,
        lines=read_lines(folder / "metrics.jsonl"),
        verdict=RunFolder(folder).read_verdict(),
        record=read_record(folder),
        resources=read_resources(folder),
        parameters=count_parameters(file),
    )


def read_lines(path: Path) -> list[Line]:
    """Read metrics.jsonl: the finite numbers of each line, by step; a line that was cut short is left out."""
    lines: list[Line] = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            entry = json.loads(text)
            numbers = {name: value for name, value in entry.items() if isinstance(value, int | float)}
            lines.append(
                {name: value for name, value in numbers.items() if math.isfinite(value)} | {"step": entry["step"]}
            )
        except (ValueError, KeyError, AttributeError):
            continue
    return sorted(lines, key=lambda line: line["step"])


def count_parameters(file: Path) -> int:
    """Return the number of values in a model file, from its header; 0 for files of the originals."""
    if file.suffix != ".safetensors":
        return 0
    with safe_open(file, framework="pt") as opened:
        return sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118


def _bytes_in(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
