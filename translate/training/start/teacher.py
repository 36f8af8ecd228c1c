"""The teacher of a run: found once, and then always the same; and what the model file of its student takes from it."""

__all__ = ["load_teachers", "settle_teacher", "student_recipe"]

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from translate.checkpoints.model_file import load_model, model_file, read_recipe
from translate.checkpoints.recipe import Recipe
from translate.networks.features.load import DIGITS, file_hash
from translate.tasks import TASKS, Task
from translate.tasks.distill import Distill, Teacher
from translate.training.config import Config
from translate.utils.errors import UserError

_HASHED = re.compile(rf"(.+):([0-9a-f]{{{DIGITS}}})")


def settle_teacher(config: Config) -> Config:
    """Return `config` with the file of the teacher and its hash in place of the run or file that is named.

    Raises:
        UserError: There is no such model.
    """
    name = config.method.get("teacher", "")
    if not (issubclass(TASKS[config.task], Distill) and name) or _HASHED.fullmatch(name):
        return config
    file = model_file(name)
    return replace(config, method=config.method | {"teacher": f"{file}:{file_hash(file)[:DIGITS]}"})


def load_teachers(config: Config) -> dict[str, Any]:
    """Return the options of the task, with the teacher in place of its name.

    Raises:
        UserError: The file is missing, has changed since the run began, or is no model that translates.
    """
    name = config.method.get("teacher", "")
    if not (issubclass(TASKS[config.task], Distill) and name):
        return config.method
    return config.method | {"teacher": _load(settle_teacher(config).method["teacher"])}


@functools.lru_cache(maxsize=2)
def _load(found: str) -> Teacher:
    """Load a teacher, once for all tasks of a process, also for those that are built on no device."""
    file = _path(found)
    with torch.device("cpu"):
        recipe, nets = load_model(file)
    return Teacher(TASKS[recipe.task], nets, recipe.channels, recipe.directions, str(file))


def _path(found: str) -> Path:
    """Return the file of a settled teacher; raise UserError if it is another one by now."""
    name, _, digest = found.rpartition(":")
    file = Path(name)
    if not file.is_file():
        raise UserError(f"{file}: the teacher of this run is missing; put the file back, or choose another --out")
    if file_hash(file)[:DIGITS] != digest:
        raise UserError(f"{file}: has changed since the run began; put the old teacher back, or choose another --out")
    return file


def student_recipe(recipe: Recipe, task: Task, method: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a run's model: that of a student says what the teacher's says of its use."""
    if not isinstance(task, Distill):
        return recipe
    teacher = read_recipe(_path(method["teacher"]))
    chosen = teacher.directions if task.data == "paired" else task.directions  # pairs are reversed before
    return replace(
        recipe, task=teacher.task, domains=teacher.domains, channels=teacher.channels, directions=chosen,
        whole=recipe.whole and teacher.whole, facts=teacher.facts, value_range=teacher.value_range, preset="student",
        features=tuple(sorted({*recipe.features, *teacher.features})),
        plugins=tuple(sorted({*recipe.plugins, *teacher.plugins})),
    )  # fmt: skip
