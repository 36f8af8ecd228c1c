"""Image-to-image translation on PyTorch: two folders of pictures in, one look turned into the other.

from translate import Translator
t = Translator.load("runs/photos2monet")
painted = t("photo.jpg")

t = Translator.load("runs/sketch2shoe")
shoes = t("sketch.png", count=4)

s = Sampler.load("runs/faces")
faces = s(count=16)
"""

__all__ = ["Sampler", "Translator", "__version__", "blend", "load_config", "train"]

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from translate.inference.request import blend
    from translate.inference.sampler import Sampler
    from translate.inference.translator import Translator
    from translate.training.config import load_config
    from translate.training.loop import train

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import on first use, so that `translate --help` does not wait for torch."""
    from importlib import import_module

    homes = {
        "Sampler": "translate.inference.sampler",
        "Translator": "translate.inference.translator",
        "blend": "translate.inference.request",
        "load_config": "translate.training.config",
        "train": "translate.training.loop",
    }
    if name not in homes:
        raise AttributeError(f"module 'translate' has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)
