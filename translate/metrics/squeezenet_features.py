"""Features of SqueezeNet 1.0, from a file of weights that the user has: what a picture shows, not only its look.

Iandola et al. 2016 (https://arxiv.org/abs/1602.07360), table 1, up to the mean over fire9; no weights come with this
toolkit. Scores made with it are no FID, KID or LPIPS, which stand on other networks.
"""

__all__ = ["SqueezeNetFeatures"]

import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.utils.errors import UserError
from translate.utils.safe_load import load_tensors

MEAN_BGR = (104.0, 117.0, 123.0)  # of blue, green, red: what the published weights were trained with
INPUT_SIDE_PX = 227  # px
# (channels in, squeezed, expanded by 1 x 1 and by 3 x 3 each) of the fire modules; None: a max pool
LAYOUT = (
    None, (96, 16, 64), (128, 16, 64), (128, 32, 128), None, (256, 32, 128), (256, 48, 192), (384, 48, 192),
    (384, 64, 256), None, (512, 64, 256),
)  # fmt: skip


class Fire(nn.Module):
    """A 1 x 1 convolution that narrows, then one of 1 x 1 and one of 3 x 3 side by side, each with a ReLU."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.expand1x1(narrow), self.expand3x3(narrow)], dim=1))


class SqueezeNetFeatures(nn.Module):
    """Mean activations of the last fire module, each picture's divided by their root mean square.

    Attributes:
        num_features: length of the vector.
        version: goes beside every number that was made with these features.
    """

    version = "SqueezeNet 1.0, fire9"
    num_features = 512
    mean: Tensor

    def __init__(self, path: str | Path) -> None:
        """Read the weights, keyed as torchvision's `squeezenet1_0` keys them.

        Raises:
            UserError: the file is missing, no file of weights, or one of another network.
        """
        super().__init__()
        blocks = [nn.MaxPool2d(3, 2, ceil_mode=True) if wide is None else Fire(*wide) for wide in LAYOUT]
        self.features = nn.Sequential(nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(), *blocks)
        self.register_buffer("mean", torch.tensor(MEAN_BGR)[:, None, None], persistent=False)
        self.load_state_dict(read_weights(Path(path), self.state_dict()))
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """Describe (B, 3, H, W) RGB, uint8 or floating point in [-1, 1], by (B, num_features) float32."""
        levels = pictures.float() if pictures.dtype == torch.uint8 else (pictures.float() + 1) * 127.5
        if levels.shape[-2:] != (INPUT_SIDE_PX, INPUT_SIDE_PX):
            levels = F.interpolate(levels, (INPUT_SIDE_PX, INPUT_SIDE_PX), mode="bilinear", antialias=True)
        found = self.features(levels.flip(1) - self.mean).mean(dim=(2, 3))
        # their mean square becomes 1, so that the cubic kernel weighs all pictures alike
        return found / found.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)


def read_weights(path: Path, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the weights named and shaped as in `wanted`, and leave the others, of the classes, in the file.

    Raises:
        UserError: as `SqueezeNetFeatures`.
    """
    path = path.expanduser()
    try:
        found = load_tensors(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give the SqueezeNet 1.0 weights with --features") from None
    except (pickle.UnpicklingError, ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a file of weights ({type(error).__name__})") from None
    for name, tensor in wanted.items():
        if not (isinstance(found, dict) and isinstance(found.get(name), Tensor) and found[name].shape == tensor.shape):
            raise UserError(f"{path}: holds no weights of SqueezeNet 1.0 ({name} is missing or of another shape)")
    return {name: found[name].float() for name in wanted}
