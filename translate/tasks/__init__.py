"""The methods: one file each."""

__all__ = ["TASKS", "Task"]

from translate.tasks.base import Task
from translate.tasks.cycle import Cycle

TASKS: dict[str, type[Task]] = {"cycle": Cycle}
