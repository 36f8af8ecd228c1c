"""The style codes of pictures of the target domain."""

__all__ = ["encode_style"]

from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.images.picture import ValueRange
from translate.images.tensors import pad_to_multiple, to_device
from translate.inference.inputs.images import check_tensor, is_several, read_input
from translate.inference.inputs.pixels import MIN_SIDE_PX
from translate.inference.preprocess import prepare_style_image
from translate.inference.runner import ModelRunner
from translate.utils.device import autocast


def encode_style(runner: ModelRunner, values: ValueRange | None, photo: Any) -> np.ndarray:
    """Encode the style of an image as z, (z_dim,) float32; of a list or batch, (B, z_dim).

    Raises:
        UserError: an unreadable file, or another kind of input.
    """
    _, channels = runner.channels(runner.default_direction)
    if isinstance(photo, Tensor):
        check_tensor(photo, channels)
        codes = _codes(runner, photo.reshape(-1, *photo.shape[-3:]))
        return codes.reshape(*photo.shape[:-3], -1).cpu().numpy()
    if (is_several(photo) or getattr(photo, "ndim", 0) == 4) and len(photo):
        return np.stack([encode_style(runner, values, one) for one in photo])
    picture, name = read_input(photo, values, channels)
    return _codes(runner, prepare_style_image(runner.recipe, picture, channels, name))[0].cpu().numpy()


def _codes(runner: ModelRunner, photos: Tensor) -> Tensor:
    """Encode pictures of the target domain, (B, C, H, W) in [-1, 1], as style codes z, (B, z_dim) float32."""
    multiple = int(getattr(runner.nets["E"], "multiple", 1))
    x, _ = pad_to_multiple(to_device(photos, runner.device), multiple, MIN_SIDE_PX)
    with torch.inference_mode(), autocast(runner.device, runner.mode.precision):
        return runner.task.encode_style(runner.nets, x).float()  # type: ignore[attr-defined]
