"""The one door to torchmetrics, which is an extra and would import torchvision behind our back."""

__all__ = ["import_torchmetrics"]

import importlib
from types import ModuleType

from translate.utils import torchvision_door as vision
from translate.utils.errors import UserError


def import_torchmetrics(module: str) -> ModuleType:
    """Import a module of torchmetrics, such as "image.kid".

    Raises:
        UserError: torchmetrics is not installed.
    """
    vision.import_torchvision()  # torchmetrics imports it, and that fails beside a CPU-only torch
    try:
        importlib.import_module("torchmetrics")
    except ModuleNotFoundError as error:
        if error.name != "torchmetrics":
            raise
        message = 'scores need torchmetrics: pip install "image-translate[metrics]"'
        raise UserError(message) from error
    return importlib.import_module(f"torchmetrics.{module}")
