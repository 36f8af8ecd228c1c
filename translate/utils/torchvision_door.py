"""The only import of torchvision.

PyPI's torchvision wheel is built against CUDA. With a CPU-only torch its compiled operators cannot be loaded, and
`import torchvision` fails as it registers two of them for tracing. Declaring these two lets the import finish;
transforms and models work, and the two operators (non-maximum suppression) raise only when they are called.
"""

__all__ = ["import_torchvision"]

import importlib
import sys
from types import ModuleType

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []  # a declaration lasts only as long as its Library object


def import_torchvision() -> ModuleType:
    """Import torchvision, even if its compiled operators do not match the installed torch.

    Call this before importing a package that imports torchvision itself, such as torchmetrics.image.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # partially initialised
    _declare_operators()
    return importlib.import_module("torchvision")


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _SIGNATURE)
    _declared.append(library)
