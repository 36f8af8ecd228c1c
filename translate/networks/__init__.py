"""The networks, by name."""

__all__ = ["DISCRIMINATORS", "ENCODERS", "EXPORTABLE", "GENERATORS", "LATENT_DISCRIMINATORS", "LATENT_GENERATORS"]

from collections.abc import Callable

from torch import nn

from translate.networks.dcgan import DCGAN, DCGANDiscriminator, dcgan_64
from translate.networks.patch import PATCH_DISCRIMINATORS
from translate.networks.resnet import RESNETS
from translate.networks.style import ENCODERS, STYLE_GENERATORS
from translate.networks.synthesis import ResidualDiscriminator, StyleSynthesis
from translate.networks.unet import UNETS

GENERATORS: dict[str, Callable[..., nn.Module]] = {**RESNETS, **STYLE_GENERATORS, **UNETS}
DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {**PATCH_DISCRIMINATORS}
LATENT_GENERATORS: dict[str, Callable[..., nn.Module]] = {  # pictures from vectors
    "style_synthesis": StyleSynthesis,
    "dcgan": DCGAN,
    "dcgan_64": dcgan_64,
}
LATENT_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "residual": ResidualDiscriminator,
    "dcgan": DCGANDiscriminator,
}
EXPORTABLE = {**GENERATORS, **ENCODERS, **LATENT_GENERATORS}  # what a model file may hold
