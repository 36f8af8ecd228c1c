"""The methods, one file each; no task imports another.

To write a task, read `base` and `cycle`.

    base            the base class of a task
    cycle           CycleGAN: unpaired translation; the example of a task
    cut             CUT and FastCUT: unpaired translation in one direction
    distill         a student that learns to give the answers of a trained model
    drift           unpaired translation without a discriminator, at a strength that is chosen later
    feature_queue   the newest features or patches of real pictures, by class
    generate        GANs: new pictures from latent vectors
    generate_drift  new pictures from latent vectors by drifting, without a discriminator
    hint_planes     colours of a user's strokes, spread over the drawing
    image_pool      the history of fakes that a discriminator sees
    inpaint         inpainting, after LaMa
    latents         what tasks share that generate pictures from latent vectors
    losses/         loss functions that tasks share
    pix2pix         paired translation, with one output or many
    pix2pix_labels  photos to label maps, by cross-entropy
    stargan         labels that a picture gets or loses, such as facial attributes
    upscale         super-resolution
"""

__all__ = ["TASKS", "Task"]

from typing import Any

from translate.data.options import DATA_KINDS
from translate.tasks.base import Task
from translate.tasks.cut import Cut
from translate.tasks.cycle import Cycle
from translate.tasks.distill import Distill, DistillImages, DistillPairs
from translate.tasks.drift import Drift
from translate.tasks.generate import Generate
from translate.tasks.generate_drift import GenerateDrift
from translate.tasks.inpaint import Inpaint
from translate.tasks.pix2pix import Pix2pix
from translate.tasks.pix2pix_labels import Pix2pixLabels
from translate.tasks.stargan import StarGAN
from translate.tasks.upscale import Upscale
from translate.utils.errors import list_choices
from translate.utils.plugins import Registry


def _check(task: Any) -> str:
    """Return what a plugin's task lacks, or ""."""
    if not (isinstance(task, type) and issubclass(task, Task)):
        return "a task is a subclass of translate.tasks.Task"
    if getattr(task, "data", "") not in DATA_KINDS:
        return f"its `data` should be one of {list_choices(DATA_KINDS)}"
    if not getattr(task, "exports", ()):
        return "its `exports` should name the networks that inference needs"
    if task.directions not in (("ab",), ("ab", "ba"), ("ba", "ab")):
        return 'its `directions` should be ("ab",) or ("ab", "ba")'
    return ""


TASKS: Registry[type[Task]] = Registry(
    "task",
    {
        "cut": Cut, "cycle": Cycle, "distill": Distill, "distill_images": DistillImages, "distill_pairs": DistillPairs,
        "drift": Drift, "generate": Generate, "generate_drift": GenerateDrift, "inpaint": Inpaint, "pix2pix": Pix2pix,
        "pix2pix_labels": Pix2pixLabels, "stargan": StarGAN, "upscale": Upscale,
    },
    check=_check,
)  # fmt: skip
