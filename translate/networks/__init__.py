"""The networks, by name."""

__all__ = [
    "DISCRIMINATORS", "ENCODERS", "EXPORTABLE", "GENERATORS", "INPAINTERS", "INPAINT_DISCRIMINATORS",
    "LATENT_DISCRIMINATORS", "LATENT_GENERATORS", "MASKED",
]  # fmt: skip

from collections.abc import Callable

from torch import nn

from translate.networks.context_encoder import ContextEncoder
from translate.networks.dcgan import DCGAN, DCGANDiscriminator, dcgan_64
from translate.networks.fourier_resnet import FourierResnet
from translate.networks.partial_conv import PartialUNet
from translate.networks.patchgan import PATCH_DISCRIMINATORS
from translate.networks.resnet import RESNETS
from translate.networks.style_resnet import ENCODERS, STYLE_GENERATORS
from translate.networks.stylegan import ResidualDiscriminator, StyleSynthesis
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
MASKED: dict[str, Callable[..., nn.Module]] = {  # a picture with a hole and the mask to the whole picture
    "fourier_resnet": FourierResnet,
    "context_encoder": ContextEncoder,
    "partial_unet": PartialUNet,
}
INPAINTERS: dict[str, Callable[..., nn.Module]] = {**MASKED, **GENERATORS}
INPAINT_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {**DISCRIMINATORS, "dcgan": DCGANDiscriminator}
EXPORTABLE = {**INPAINTERS, **ENCODERS, **LATENT_GENERATORS}  # what a model file may hold
