"""The networks, by name."""

__all__ = ["DISCRIMINATORS", "ENCODERS", "EXPORTABLE", "GENERATORS"]

from collections.abc import Callable

from torch import nn

from translate.networks.patch import PATCH_DISCRIMINATORS
from translate.networks.resnet import RESNETS
from translate.networks.style import ENCODERS, STYLE_GENERATORS
from translate.networks.unet import UNETS

GENERATORS: dict[str, Callable[..., nn.Module]] = {**RESNETS, **STYLE_GENERATORS, **UNETS}
DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {**PATCH_DISCRIMINATORS}
EXPORTABLE = {**GENERATORS, **ENCODERS}  # what a model file may hold
