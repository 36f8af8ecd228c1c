"""The methods, one file each.

To write one, read `base` and `cycle`; no task imports another.

    base          the contract of a task with the trainer
    cycle         CycleGAN: unpaired translation; the example of a task
    generate      GANs: new pictures from latent vectors
    hint_planes   colours of a user's strokes, spread over the drawing
    image_pool    the history of fakes that a discriminator sees
    inpaint       holes to pictures, after LaMa
    losses/       loss functions that tasks share
    pix2pix       paired translation, with one answer or many
"""

__all__ = ["TASKS", "Task"]

from translate.tasks.base import Task
from translate.tasks.cycle import Cycle
from translate.tasks.generate import Generate
from translate.tasks.inpaint import Inpaint
from translate.tasks.pix2pix import Pix2pix

TASKS: dict[str, type[Task]] = {"cycle": Cycle, "generate": Generate, "inpaint": Inpaint, "pix2pix": Pix2pix}
