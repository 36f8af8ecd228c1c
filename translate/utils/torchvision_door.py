"""The only door to torchvision.

The torchvision wheel of the public index is built against CUDA. Beside a CPU-only torch its compiled
operators cannot be loaded, and `import torchvision` then fails while it describes two of them to the
tracer, although nothing here calls an operator. Declaring these two lets the import finish; transforms,
models and all that builds on them work, while the two operators themselves (box suppression) still raise
when called.
"""

__all__ = ["import_torchvision"]

import importlib
import sys
from types import ModuleType

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []  # a declaration lasts only as long as its Library object


def import_torchvision() -> ModuleType:
    """Import torchvision, also where its compiled operators do not fit the installed torch.

    Call this before importing anything that imports torchvision on its own, such as torchmetrics.image.

    Returns:
        The torchvision module.

    Raises:
        RuntimeError: torchvision cannot be imported for another reason than its missing operators.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    _forget_half_imported()
    _declare_operators()
    return importlib.import_module("torchvision")


def _forget_half_imported() -> None:
    """Drop what a failed import left behind, so that the next one starts afresh."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _SIGNATURE)
    _declared.append(library)
