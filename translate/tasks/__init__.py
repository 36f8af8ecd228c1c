"""The methods, one file each; no task imports another.

To write a task, read `base` and `cycle`.

    base          the base class of a task
    cycle         CycleGAN: unpaired translation; the example of a task
    generate      GANs: new pictures from latent vectors
    hint_planes   colours of a user's strokes, spread over the drawing
    image_pool    the history of fakes that a discriminator sees
    inpaint       inpainting, after LaMa
    losses/       loss functions that tasks share
    pix2pix       paired translation, with one output or many
"""

__all__ = ["TASKS", "Task"]

from translate.tasks.base import Task
from translate.tasks.cycle import Cycle
from translate.tasks.generate import Generate
from translate.tasks.inpaint import Inpaint
from translate.tasks.pix2pix import Pix2pix

TASKS: dict[str, type[Task]] = {"cycle": Cycle, "generate": Generate, "inpaint": Inpaint, "pix2pix": Pix2pix}
