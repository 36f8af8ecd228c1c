"""The methods: one file each."""

__all__ = ["TASKS", "Task"]

from translate.tasks.base import Task
from translate.tasks.cycle import Cycle
from translate.tasks.generate import Generate
from translate.tasks.inpaint import Inpaint
from translate.tasks.pix2pix import Pix2pix

TASKS: dict[str, type[Task]] = {"cycle": Cycle, "generate": Generate, "inpaint": Inpaint, "pix2pix": Pix2pix}
