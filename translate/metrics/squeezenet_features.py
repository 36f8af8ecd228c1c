"""SqueezeNet 1.0 features of a picture's content, from weights that the user provides.

Iandola et al. 2016 (https://arxiv.org/abs/1602.07360), table 1, up to the mean over fire9. Scores by these features
cannot be compared with FID, KID or LPIPS, which use other networks.
"""

__all__ = ["SqueezeNetFeatures"]

import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from translate.utils.errors import UserError
from translate.utils.safe_load import load_tensors
from translate.utils.torchvision_door import import_torchvision

MEAN_BGR = (104.0, 117.0, 123.0)  # subtracted when the published weights were trained
INPUT_SIDE_PX = 227


class SqueezeNetFeatures(nn.Module):
    """Mean activations of the last fire module, divided by their root mean square.

    Attributes:
        num_features: length of the vector.
        title: the network in a word.
        version: to report with every number computed from these features.
    """

    title = "SqueezeNet"
    version = "SqueezeNet 1.0, fire9"
    num_features = 512
    mean: Tensor

    def __init__(self, path: str | Path) -> None:
        """Read weights with the keys of torchvision's `squeezenet1_0`.

        Raises:
            UserError: the file is missing, unreadable, or of another network.
        """
        super().__init__()
        self.features = import_torchvision().models.squeezenet1_0().features
        self.register_buffer("mean", torch.tensor(MEAN_BGR)[:, None, None], persistent=False)
        self.load_state_dict(read_weights(Path(path), self.state_dict()))
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the features of (B, 3, H, W) RGB, uint8 or in [-1, 1]: (B, num_features) float32."""
        levels = pictures.float() if pictures.dtype == torch.uint8 else (pictures.float() + 1) * 127.5
        if levels.shape[-2:] != (INPUT_SIDE_PX, INPUT_SIDE_PX):
            levels = F.interpolate(levels, (INPUT_SIDE_PX, INPUT_SIDE_PX), mode="bilinear", antialias=True)
        features = self.features(levels.flip(1) - self.mean).mean(dim=(2, 3))
        # normalise to a mean square of 1, so that all pictures have the same weight in the cubic kernel
        return features / features.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)


def read_weights(path: Path, template: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the weights with the names and shapes of `template`; ignore those of the classifier."""
    path = path.expanduser()
    try:
        weights = load_tensors(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give the SqueezeNet 1.0 weights with --features") from None
    except (pickle.UnpicklingError, ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a file of weights ({type(error).__name__})") from None
    for name, tensor in template.items():
        weight = weights.get(name) if isinstance(weights, dict) else None
        if not (isinstance(weight, Tensor) and weight.shape == tensor.shape):
            raise UserError(f"{path}: holds no weights of SqueezeNet 1.0 ({name} is missing or of another shape)")
    return {name: weights[name].float() for name in template}
