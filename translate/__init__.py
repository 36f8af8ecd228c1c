"""Image-to-image translation on PyTorch: unpaired, paired, unconditional and label-conditional generation, inpainting.

from translate import Sampler, Translator, load_config, train

painted = Translator.load("runs/photos2monet")("photo.jpg")
shoes = Translator.load("runs/sketch2shoe")("sketch.png", count=4)
faces = Sampler.load("runs/faces")(count=16)
train(load_config("cycle", data={"a": "summer/", "b": "winter/"}))

    cli/          the command line: options in, exit status out
    bench/        speed and memory beside a textbook implementation and the original repositories
    studio/       the page in the browser and the HTTP API
    export/       a model as a file that other programs run, or as a small model
    reports/      the page of a run, and runs side by side
    evaluation/   scores of a model beside baselines
    training/     the training core: one loop that knows no method
    inference/    translating arrays, files, folders and videos; sampling and the latent space
    checkpoints/  the model file, its recipe, and checkpoints of the original repositories
    tasks/        the methods, one file each, and their losses
    networks/     generators, discriminators and encoders, by name
    metrics/      functions of images or features
    data/         data sets: catalog, files, sources, checks, loading, batches
    synthetic/    the built-in images, rendered on the user's machine
    images/       one image, in memory and in files
    utils/        errors, terminal, files, devices, processes; imports nothing from the other rooms
    __main__      `python -m translate`
"""

__all__ = [
    "TRUST", "FolderOptions", "OptionError", "Sampler", "StopTraining", "Translator", "UserError", "VideoOptions",
    "__version__", "blend", "load_config", "load_plugin", "train", "translate_folder", "translate_video",
]  # fmt: skip

import os

TYPE_CHECKING = False  # as type checkers know it; importing `typing` would take most of the time of `import translate`
if TYPE_CHECKING:
    from typing import Any

    from translate.inference.folder.run import translate_folder
    from translate.inference.options import FolderOptions, VideoOptions
    from translate.inference.request import blend
    from translate.inference.sampler import Sampler
    from translate.inference.translator import Translator
    from translate.inference.video.run import translate_video
    from translate.training.callbacks import StopTraining
    from translate.training.config import load_config
    from translate.training.loop import train
    from translate.utils.errors import OptionError, UserError
    from translate.utils.plugins import load_plugin
    from translate.utils.trust import TRUST

__version__ = "0.1.0"

# The threads of GNU OpenMP spin 300,000 times at a barrier before they sleep. On a busy machine, where the thread that
# they wait for has no core, a training step then takes up to eighty times as long; with 10,000 times, two. On a free
# machine both take the same time. OpenMP reads this when torch is imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

_HOMES = {
    "TRUST": "utils.trust",
    "FolderOptions": "inference.options",
    "OptionError": "utils.errors",
    "Sampler": "inference.sampler",
    "StopTraining": "training.callbacks",
    "Translator": "inference.translator",
    "UserError": "utils.errors",
    "VideoOptions": "inference.options",
    "blend": "inference.request",
    "load_config": "training.config",
    "load_plugin": "utils.plugins",
    "train": "training.loop",
    "translate_folder": "inference.folder.run",
    "translate_video": "inference.video.run",
}


def __getattr__(name: str) -> "Any":
    """Import a public name on first use, so that `translate --help` does not wait for torch."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'translate' has no attribute {name!r}")
    return getattr(import_module(f"translate.{_HOMES[name]}"), name)
