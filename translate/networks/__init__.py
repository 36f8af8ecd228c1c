"""Generators, discriminators and encoders, by name.

activation_checkpointing  recomputing activations in the backward pass
attribute_resnet          generators that change labels of a picture, and a discriminator that names them
augment                   differentiable augmentation of a discriminator's inputs
blocks                    norms, padding, resampling, initialisation
compact_resnet            a generator for few multiplications, which learns from a larger one
context_encoder           inpainting with a fully connected bottleneck
dcgan                     DCGAN's generator and discriminator
features/                 frozen pretrained networks, for losses and discriminators
fourier_resnet            inpainting with fast Fourier convolutions (LaMa)
norms/                    statistics of norms, computed and stored
partial_conv              inpainting with partial convolutions
patchgan                  PatchGAN and the multi-scale discriminator
projected                 a discriminator on frozen features
resnet                    CycleGAN's generator, and a fast one with skips
skip_style_resnet         a generator that starts at its input and is told a style
style_resnet              a generator with style norms (AdaIN), and the encoder of styles
stylegan                  a small StyleGAN
transformers/             a U-Net with a transformer and a style token, and a discriminator
unet                      the U-Net of pix2pix
upscale_resnet            a generator for super-resolution
"""

__all__ = [
    "DISCRIMINATORS", "EDITORS", "ENCODERS", "EXPORTABLE", "GENERATORS", "INPAINTERS", "INPAINT_DISCRIMINATORS",
    "LABEL_DISCRIMINATORS", "LATENT_DISCRIMINATORS", "LATENT_GENERATORS", "MASKED", "UPSCALERS",
]  # fmt: skip

from collections.abc import Callable
from typing import Any

from torch import nn

from translate.networks.attribute_resnet import AttributeResnet, LabelDiscriminator, StarResnet
from translate.networks.compact_resnet import CompactResnet
from translate.networks.context_encoder import ContextEncoder
from translate.networks.dcgan import DCGAN, DCGANDiscriminator, dcgan_64
from translate.networks.fourier_resnet import FourierResnet
from translate.networks.partial_conv import PartialUNet
from translate.networks.patchgan import PATCH_DISCRIMINATORS
from translate.networks.projected import Projected
from translate.networks.resnet import RESNETS
from translate.networks.skip_style_resnet import SkipStyleResnet
from translate.networks.style_resnet import STYLE_ENCODERS, STYLE_GENERATORS
from translate.networks.stylegan import ResidualDiscriminator, StyleSynthesis
from translate.networks.transformers.discriminator import VitDiscriminator
from translate.networks.transformers.vit_unet import VitUNet
from translate.networks.unet import UNETS
from translate.networks.upscale_resnet import UpscaleResnet
from translate.utils.plugins import Registry

Networks = Registry[Callable[..., nn.Module]]


def _check(network: Any) -> str:
    """Return why a plugin's network cannot be one, or ""."""
    return "" if callable(network) else "a network is a class, or a function that returns a module"


GENERATORS: Networks = Registry(
    "generator",
    {
        **RESNETS, **STYLE_GENERATORS, **UNETS, "skip_style_resnet": SkipStyleResnet, "compact_resnet": CompactResnet,
        "vit_unet": VitUNet,
    },
    check=_check,
)  # fmt: skip
DISCRIMINATORS: Networks = Registry(
    "discriminator", {**PATCH_DISCRIMINATORS, "projected": Projected, "vit": VitDiscriminator}, check=_check
)
ENCODERS: Networks = Registry("encoder", STYLE_ENCODERS, check=_check)  # and other networks that a model needs
LATENT_GENERATORS: Networks = Registry(  # vectors to pictures
    "generator", {"style_synthesis": StyleSynthesis, "dcgan": DCGAN, "dcgan_64": dcgan_64}, check=_check
)
LATENT_DISCRIMINATORS: Networks = Registry(
    "discriminator",
    {"residual": ResidualDiscriminator, "dcgan": DCGANDiscriminator, "projected": Projected},
    check=_check,
)
MASKED: Networks = Registry(  # a picture and its mask to the filled picture
    "generator",
    {"fourier_resnet": FourierResnet, "context_encoder": ContextEncoder, "partial_unet": PartialUNet},
    check=_check,
)
INPAINTERS: Networks = Registry("generator", {}, MASKED, GENERATORS)
INPAINT_DISCRIMINATORS: Networks = Registry("discriminator", {"dcgan": DCGANDiscriminator}, DISCRIMINATORS)
UPSCALERS: Networks = Registry("generator", {"upscale_resnet": UpscaleResnet}, check=_check)  # to a larger picture
EDITORS: Networks = Registry(  # a picture and wishes for its labels to a picture
    "generator", {"attribute_resnet": AttributeResnet, "star_resnet": StarResnet}, check=_check
)
LABEL_DISCRIMINATORS: Networks = Registry("discriminator", {"label": LabelDiscriminator}, check=_check)
EXPORTABLE: Networks = Registry(
    "network", {}, INPAINTERS, ENCODERS, LATENT_GENERATORS, UPSCALERS, EDITORS
)  # what a model file may hold
