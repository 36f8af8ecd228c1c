"""VGG-16 up to its third or a later pooling, trained on ImageNet.

Simonyan and Zisserman, 2015, https://arxiv.org/abs/1409.1556, with torchvision's names of the weights.
"""

__all__ = ["VGG16"]

import torch
from torch import Tensor, nn

BLOCKS = ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3)  # channels of the convolutions, block by block
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB in [0, 1]


class VGG16(nn.Module):
    """VGG-16 up to the pooling of one of its blocks, with weights named as torchvision's ("features.0.weight" ...).

    Maps pictures (B, 1 or 3, H, W) in [-1, 1], H and W at least 2^blocks, to the outputs of pool1, pool2, pool3 ...:
    (B, 64, H/2, W/2), (B, 128, H/4, W/4), (B, 256, H/8, W/8) ...
    """

    title = "VGG-16"
    mean: Tensor
    std: Tensor

    def __init__(self, blocks: int = 3) -> None:
        super().__init__()
        self.channels = tuple(block[-1] for block in BLOCKS[:blocks])
        layers: list[nn.Module] = []
        channels = 3
        for block in BLOCKS[:blocks]:
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
