"""Generators, discriminators and encoders, by name.

activation_checkpointing  recomputing activations in the backward pass
augment                   differentiable augmentation of a discriminator's inputs
blocks                    norms, padding, resampling, initialisation
context_encoder           inpainting with a fully connected bottleneck
dcgan                     DCGAN's generator and discriminator
fourier_resnet            inpainting with fast Fourier convolutions (LaMa)
frozen_norm               norms with stored statistics
partial_conv              inpainting with partial convolutions
patchgan                  PatchGAN and the multi-scale discriminator
resnet                    CycleGAN's generator, and a fast one with skips
style_resnet              a generator with style norms (AdaIN), and the encoder of styles
stylegan                  a small StyleGAN
unet                      the U-Net of pix2pix
"""

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
LATENT_GENERATORS: dict[str, Callable[..., nn.Module]] = {  # vectors to pictures
    "style_synthesis": StyleSynthesis,
    "dcgan": DCGAN,
    "dcgan_64": dcgan_64,
}
LATENT_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "residual": ResidualDiscriminator,
    "dcgan": DCGANDiscriminator,
}
MASKED: dict[str, Callable[..., nn.Module]] = {  # a picture and its mask to the filled picture
    "fourier_resnet": FourierResnet,
    "context_encoder": ContextEncoder,
    "partial_unet": PartialUNet,
}
INPAINTERS: dict[str, Callable[..., nn.Module]] = {**MASKED, **GENERATORS}
INPAINT_DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {**DISCRIMINATORS, "dcgan": DCGANDiscriminator}
EXPORTABLE = {**INPAINTERS, **ENCODERS, **LATENT_GENERATORS}  # what a model file may hold
