"""The style codes of pictures of the target domain."""

__all__ = ["encode_style"]

from typing import Any

import numpy as np
from torch import Tensor

from translate.images.picture import ValueRange
from translate.inference.inputs.images import check_tensor, is_several, read_input
from translate.inference.preprocess import prepare_style_image
from translate.inference.runner import ModelRunner


def encode_style(runner: ModelRunner, values: ValueRange | None, photo: Any) -> np.ndarray:
    """Encode the style of an image as z, (z_dim,) float32; of a list or batch, (B, z_dim).

    Raises:
        UserError: an unreadable file, or another kind of input.
    """
    _, channels = runner.channels(runner.default_direction)
    if isinstance(photo, Tensor):
        check_tensor(photo, channels)
        codes = runner.style_code(photo.reshape(-1, *photo.shape[-3:]))
        return codes.reshape(*photo.shape[:-3], -1).cpu().numpy()
    if (is_several(photo) or getattr(photo, "ndim", 0) == 4) and len(photo):
        return np.stack([encode_style(runner, values, one) for one in photo])
    picture, name = read_input(photo, values, channels)
    return runner.style_code(prepare_style_image(runner.recipe, picture, channels, name))[0].cpu().numpy()
