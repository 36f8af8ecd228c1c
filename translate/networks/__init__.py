"""The networks, by name."""

__all__ = ["DISCRIMINATORS", "GENERATORS"]

from collections.abc import Callable

from torch import nn

from translate.networks.patch import PATCH_DISCRIMINATORS
from translate.networks.resnet import RESNETS

GENERATORS: dict[str, Callable[..., nn.Module]] = {**RESNETS}
DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {**PATCH_DISCRIMINATORS}
