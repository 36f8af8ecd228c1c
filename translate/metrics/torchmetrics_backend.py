"""The one import of torchmetrics, an optional extra that imports torchvision."""

__all__ = ["import_torchmetrics"]

import importlib
from types import ModuleType

from translate.utils.errors import UserError
from translate.utils.torchvision_door import import_torchvision


def import_torchmetrics(module: str) -> ModuleType:
    """Import a module of torchmetrics, such as "image.kid".

    Raises:
        UserError: torchmetrics is not installed.
    """
    import_torchvision()  # first, since torchmetrics' own import of it fails beside a CPU-only torch
    try:
        importlib.import_module("torchmetrics")
    except ModuleNotFoundError as error:
        if error.name != "torchmetrics":
            raise
        message = 'scores need torchmetrics: pip install "image-translate[metrics]"'
        raise UserError(message) from error
    return importlib.import_module(f"torchmetrics.{module}")
