"""The losses of partial convolutions: perceptual and style loss on VGG-16 features, and total variation.

Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 3.3. The features are those of Simonyan and Zisserman, 2015,
https://arxiv.org/abs/1409.1556, as torchvision trained and named them; the weights are the user's file.
"""

__all__ = ["VGGFeatures", "load_vgg", "perceptual_loss", "style_loss", "total_variation"]

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from translate.networks.blocks import without_autocast
from translate.utils.errors import UserError, short_reason
from translate.utils.safe_load import load_tensors

BLOCKS = ((64, 64), (128, 128), (256, 256, 256))  # channels of VGG-16's convolutions, block by block, up to pool3
REMEDY = "give the state dict of torchvision's vgg16, .pth or .safetensors, or leave vgg empty to do without"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB in [0, 1]


class VGGFeatures(nn.Module):
    """VGG-16 up to its third pooling, with torchvision's names of the weights ("features.0.weight" ...).

    Maps pictures (B, 1 or 3, H, W) in [-1, 1], H and W at least 8, to the outputs of pool1, pool2 and pool3:
    (B, 64, H/2, W/2), (B, 128, H/4, W/4) and (B, 256, H/8, W/8).
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for block in BLOCKS:
            for width in block:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        h = ((x + 1) / 2 - self.mean) / self.std  # a grey picture becomes three equal channels
        outputs = []
        for layer in self.features:
            h = layer(h)
            if isinstance(layer, nn.MaxPool2d):
                outputs.append(h)
        return outputs


def load_vgg(path: str | Path) -> VGGFeatures:
    """Load VGG-16's features, frozen, from a state dict of torchvision's vgg16 (.pth or .safetensors).

    Raises:
        UserError: The file is missing, damaged or not VGG-16.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f"{path}: there is no such file of VGG-16 weights; {REMEDY}")
    try:
        weights: Any = load_file(path) if path.suffix == ".safetensors" else load_tensors(path)
    except Exception as error:  # a damaged pickle raises nearly everything
        raise UserError(f"{path}: cannot be read as VGG-16 weights ({short_reason(error)[:100]}); {REMEDY}") from None
    net = VGGFeatures()
    expected = net.state_dict()
    for name, tensor in expected.items():
        given = weights.get(name) if isinstance(weights, Mapping) else None
        if not isinstance(given, Tensor) or given.shape != tensor.shape:
            raise UserError(f"{path}: is not VGG-16 ({name} of shape {tuple(tensor.shape)} is missing); {REMEDY}")
    net.load_state_dict({name: weights[name] for name in expected})
    return net.eval().requires_grad_(False)


def perceptual_loss(out: Sequence[Tensor], comp: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Return the sum over layers n of |F_n(out) - F_n(truth)| / N_n + |F_n(comp) - F_n(truth)| / N_n (equation 3).

    F_n are features (B, C_n, H_n, W_n), N_n values per picture, of the output (`out`), of the output with the true
    known pixels (`comp`), and of the true picture. The loss is the mean over the batch.
    """
    return _sum_l1(_by_layer(out, comp, truth))


def style_loss(out: Sequence[Tensor], comp: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Return the sum over layers n of |K_n (S_n(out) - S_n(truth))| / C_n^2, plus that of `comp` (equations 4 and 5).

    S_n = F_n^T F_n, (C_n, C_n), is the co-occurrence of features at any position; K_n = 1 / (C_n H_n W_n). The
    arguments are those of `perceptual_loss`.
    """
    return _sum_l1([gram(x) for x in layer] for layer in _by_layer(out, comp, truth))


def total_variation(comp: Tensor, hole: Tensor) -> Tensor:
    """Sum |comp(i, j+1) - comp(i, j)| and |comp(i+1, j) - comp(i, j)| over pairs in R, over N_comp (equation 6).

    R is the hole, where `hole` (B, 1, H, W) is above 0, dilated by one pixel so that it includes the seam. `comp` is
    (B, C, H, W), N_comp = C H W, and the loss is the mean over the batch.
    """
    region = F.max_pool2d((hole > 0).to(comp.dtype), 3, stride=1, padding=1)
    across = comp.diff(dim=3).abs() * region[..., 1:] * region[..., :-1]
    down = comp.diff(dim=2).abs() * region[..., 1:, :] * region[..., :-1, :]
    return (across.sum() + down.sum()) / comp.numel()


def _by_layer(*features: Sequence[Tensor]) -> list[list[Tensor]]:
    """Group the features of several pictures by layer, in float32: sums are long and differences small."""
    return [[x.float() for x in layer] for layer in zip(*features, strict=True)]


def _sum_l1(layers: Iterable[Sequence[Tensor]]) -> Tensor:
    return torch.stack([F.l1_loss(out, truth) + F.l1_loss(comp, truth) for out, comp, truth in layers]).sum()


def gram(features: Tensor) -> Tensor:
    """Return K S, (B, C, C), of features (B, C, H, W), in float32 even under autocast."""
    _, channels, height, width = features.shape
    flat = features.flatten(2)
    with without_autocast(features):
        return flat @ flat.mT / (channels * height * width)
