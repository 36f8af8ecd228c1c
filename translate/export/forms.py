"""Networks as a graph can hold them: without noise of their own, without dropout, and without loops over sizes.

The forms compute what the networks compute. Noise becomes an input; a Fourier transform becomes products with matrices
of cosines and sines, which every runtime and every browser has; a pyramid whose number of levels depends on the size
becomes an operator whose translation has a fixed number of levels.
"""

__all__ = [
    "FourierByMatrices", "Noise", "UnshuffleByConvolution", "noise_inputs", "pull_push_operator", "to_graph_form",
    "without_dropout",
]  # fmt: skip

import copy
import math
from types import MethodType
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.inference.onnx.recipe import OnnxInput
from translate.networks.fourier_resnet import COARSE_NOISE_PLANES, FourierResnet, FourierUnit, pull_push
from translate.networks.stylegan import StyleSynthesis
from translate.networks.unet import UNet
from translate.utils.errors import OptionError

N = TypeVar("N", bound=nn.Module)


class Noise:
    """The noise of one pass, in the order in which the network asks for it."""

    def __init__(self) -> None:
        self.given: list[Tensor] = []

    def take(self) -> Tensor:
        """Return the next noise."""
        return self.given.pop(0)


class FourierByMatrices(nn.Module):
    """A `FourierUnit` whose transforms are matrix products: (B, C, H, W) to (B, C, H, W).

    For the few dozen rows and columns at an eighth of the size, this is no slower.
    """

    def __init__(self, unit: FourierUnit) -> None:
        super().__init__()
        self.conv, self.norm = unit.conv, unit.norm

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        # rfft2: real rows to half a spectrum, then columns, which are complex
        cos_w, sin_w = _waves(width, width // 2 + 1, x)
        cos_h, sin_h = _waves(height, height, x)
        real, imaginary = x @ cos_w, -(x @ sin_w)
        real, imaginary = cos_h @ real + sin_h @ imaginary, cos_h @ imaginary - sin_h @ real
        scale = 1 / torch.sqrt(torch.ones_like(x[:1, :1]).sum())  # 1 / sqrt(H W), for any size
        h = F.relu(self.norm(self.conv(torch.cat([real, imaginary], 1) * scale)))
        real, imaginary = h.chunk(2, dim=1)
        # irfft2: columns, then rows, whose other half is the mirrored conjugate; the first and last column have none
        real, imaginary = cos_h @ real - sin_h @ imaginary, cos_h @ imaginary + sin_h @ real
        column = torch.arange(width // 2 + 1, device=x.device)
        single = (column == 0) | (2 * column == _count(torch.arange(width, device=x.device)))
        weight = torch.where(single, 1.0, 2.0) * scale
        return (real * weight) @ cos_w.T - (imaginary * weight) @ sin_w.T


class UnshuffleByConvolution(nn.Module):
    """`nn.PixelUnshuffle` as a convolution of each channel with one-hot weights, which gives the same bits.

    The exporter turns the original into reshapes whose sizes onnxruntime does not always accept.
    """

    kernel: Tensor

    def __init__(self, factor: int) -> None:
        super().__init__()
        places = factor * factor
        self.factor = factor
        self.register_buffer("kernel", torch.eye(places).reshape(places, 1, factor, factor))

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        return F.conv2d(x, self.kernel.repeat(channels, 1, 1, 1), stride=self.factor, groups=channels)


def _waves(size: int, frequencies: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cos and sin of 2 pi n k / size, (size, frequencies) each; n k is reduced first, to keep all digits."""
    n, k = torch.arange(size, device=like.device), torch.arange(frequencies, device=like.device)
    product, count = n[:, None] * k[None, :], _count(n)
    angle = torch.remainder(product, count).to(like.dtype) * (2 * math.pi / count.to(like.dtype))
    return angle.cos(), angle.sin()


def _count(indices: Tensor) -> Tensor:
    """Return the length of arange(length) as a tensor: the exporter does not take a varying size as a number."""
    return indices[-1] + 1


@torch.library.custom_op("image_translate::pull_push", mutates_args=())
def pull_push_operator(picture: Tensor, known: Tensor) -> Tensor:
    """Call `fourier_resnet.pull_push` as one operator, for `onnx_operators` to translate."""
    return pull_push(picture, known).clone()


@pull_push_operator.register_fake
def _(picture: Tensor, known: Tensor) -> Tensor:
    return torch.empty_like(picture)


def to_graph_form(net: nn.Module, noise: Noise, *, dropout: bool) -> nn.Module:
    """Return a copy of a network in a form that a graph can hold; its noise is taken from `noise`.

    Raises:
        OptionError: the network has dropout after training, and `dropout` is to stay.
    """
    if dropout and _has_dropout(net):
        raise OptionError("this network draws dropout for every picture, which no file can hold; say --no-dropout")
    form = without_dropout(net).cpu().float().eval()
    if isinstance(form, UNet):
        form.draw_noise = MethodType(lambda self, like: noise.take(), form)  # type: ignore[method-assign]
    if isinstance(form, FourierResnet):
        form.draw_noise = MethodType(lambda self, inside, planes: noise.take(), form)  # type: ignore[method-assign]
        form.fill_smoothly = pull_push_operator  # type: ignore[method-assign]
    if isinstance(form, StyleSynthesis):
        depth = float(form.depth)
        del form.depth
        form.depth = depth  # type: ignore[assignment]
    for module in list(form.modules()):
        for name, child in module.named_children():
            if isinstance(child, FourierUnit):
                setattr(module, name, FourierByMatrices(child))
            elif isinstance(child, nn.PixelUnshuffle):
                setattr(module, name, UnshuffleByConvolution(child.downscale_factor))
    return form


def without_dropout(net: N) -> N:
    """Return a copy of networks without dropout."""
    form = copy.deepcopy(net)
    for module in form.modules():
        if getattr(module, "dropout", 0.0):
            module.dropout = 0.0  # type: ignore[assignment]
    return form


def _has_dropout(net: nn.Module) -> bool:
    """Whether a network draws dropout; in a U-Net, only inner levels have it."""
    if isinstance(net, UNet):
        return net.random and net.dropout > 0 and len(net.up) > 5
    return any(getattr(module, "dropout", 0.0) for module in net.modules())


def noise_inputs(net: nn.Module) -> list[OnnxInput]:
    """Return the inputs for the noise of a network, in the order in which the network draws it."""
    about = "N(0, 1), by the seed; the same for all pictures of a batch"
    if isinstance(net, FourierResnet):
        coarse = ("batch", COARSE_NOISE_PLANES, "height/8", "width/8")
        return [
            OnnxInput(name="noise", shape=("batch", 1, "height", "width"), about=about, values=None),
            OnnxInput(name="coarse_noise", shape=coarse, about=about, values=None),
        ]
    if isinstance(net, UNet) and net.noise != "none":
        planes = 1 if net.noise == "concat" else int(net.down[0].in_channels)  # type: ignore[arg-type]
        return [OnnxInput(name="noise", shape=("batch", planes, "height", "width"), about=about, values=None)]
    return []
