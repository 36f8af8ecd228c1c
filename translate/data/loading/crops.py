"""Squares cut from pictures: copied from memory on the CPU, gathered on a device that holds all pixels."""

__all__ = ["Crops", "cut_on_device", "upload"]

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from translate.data.loading.cache import Pictures
from translate.data.loading.file_kind import as_unit
from translate.data.loading.sampling_order import Placement
from translate.utils.memory import free_bytes

_SHARE = 0.25  # of a device's free memory that pictures may take
_PIECE = 1 << 26  # numbers that are uploaded at a time
_FLIPPED = 128  # channels that OpenCV can mirror
_TENSORS = {np.dtype(np.uint8): torch.uint8, np.dtype(np.int16): torch.int16, np.dtype(np.float32): torch.float32}


class Crops:
    """The crops of a set of pictures: where they are is drawn first, and their pixels are fetched later.

    Attributes:
        epoch: Samples of a pass over the pictures.
    """

    def __init__(
        self,
        pictures: Pictures,
        *,
        crop: int,
        flip: bool,
        seed: int,
        which: int = 0,
        labels: np.ndarray | None = None,
    ) -> None:
        """Set up the crops of `pictures`; `Placement` says what else is given."""
        self.pictures, self.crop = pictures, crop
        self._placement = Placement(pictures.shapes, crop=crop, flip=flip, seed=seed, which=which, labels=labels)
        self.epoch = self._placement.epoch
        self._resident: tuple[Tensor, Tensor, Tensor] | None = None

    def places(self, first: int, count: int) -> Tensor:
        """Return where the samples from `first` >= 0 on are cut, as `Placement` does: (count, 4) int64."""
        return torch.from_numpy(self._placement(first, count))

    def cut(self, places: Tensor) -> Tensor:
        """Return the pixels at `places`, (B, 4), on the device that they are on.

        Returns:
            (B, C, crop, crop), uint8 of pictures of 8 bits, else float32 in [-1, 1].
        """
        if self._resident is None:
            return as_unit(_cut_views(self.pictures, places, self.crop)).permute(0, 3, 1, 2)
        return _as_unit_there(cut_on_device(*self._resident, places, self.crop)).permute(0, 3, 1, 2)

    def upload(self, device: torch.device) -> None:
        """Bring all pixels to `device`, from where crops, given places there, are cut from now on."""
        flat, channels = self.pictures.pixels, int(self.pictures.shapes[0, 2])
        stored = np.dtype(np.int16) if flat.dtype == np.uint16 else flat.dtype  # of the same bits: torch gathers these
        pixels = torch.empty(flat.size, dtype=_TENSORS[stored], device=device)
        for start in range(0, flat.size, _PIECE):
            piece = np.array(flat[start : start + _PIECE]).view(stored)  # a copy, for what is mapped is read-only
            pixels[start : start + _PIECE] = torch.from_numpy(piece)
        starts = torch.from_numpy(self.pictures.starts[:-1] // channels).to(device)
        widths = torch.from_numpy(self.pictures.shapes[:, 1]).to(device)
        self._resident = pixels.view(-1, channels), starts, widths


def upload(parts: Sequence[Crops], device: torch.device) -> bool:
    """Bring the pictures of all `parts` to `device` if they take little of its free memory; return whether it did."""
    free = free_bytes(device)
    if free is None or sum(part.pictures.pixels.nbytes for part in parts) > _SHARE * free:
        return False
    for part in parts:
        part.upload(device)
    return True


def cut_on_device(pixels: Tensor, starts: Tensor, widths: Tensor, places: Tensor, crop: int) -> Tensor:
    """Gather squares out of pictures that lie one behind the other; nothing waits for the device.

    Args:
        pixels: (P, C) of any type, row by row.
        starts: (n,) int64, of each picture the number of its first pixel.
        widths: (n,) int64, px.
        places: (B, 4) int64: number of the picture, top, left, mirrored.
        crop: side of the squares, px.

    Returns:
        (B, crop, crop, C) of the same type.
    """
    which, top, left, mirrored = places.unbind(1)
    steps = torch.arange(crop, device=pixels.device)
    columns = torch.where(mirrored[:, None] > 0, crop - 1 - steps, steps)
    rows = (top[:, None] + steps) * widths[which][:, None] + (starts[which] + left)[:, None]
    return pixels[rows[:, :, None] + columns[:, None, :]]


def _as_unit_there(x: Tensor) -> Tensor:
    """Do as `depth.as_unit` with what `upload` brought to a device, 16 bits as int16."""
    if x.dtype == torch.uint8:
        return x
    unit = (x.int() & 0xFFFF).float().div_(65535) if x.dtype == torch.int16 else x
    return unit.mul(2).sub_(1)


def _cut_views(pictures: Pictures, places: Tensor, crop: int) -> np.ndarray:
    """Copy squares out of `pictures`: (B, crop, crop, C)."""
    squares = np.empty((len(places), crop, crop, int(pictures.shapes[0, 2])), pictures.pixels.dtype)
    for square, (which, top, left, mirrored) in zip(squares, places.tolist(), strict=True):
        view = pictures[which][top : top + crop, left : left + crop]
        if mirrored and view.shape[2] <= _FLIPPED:
            cv2.flip(view, 1, dst=square)  # NumPy takes forty times as long for turned rows of small pixels
        else:
            square[:] = view[:, ::-1] if mirrored else view
    return squares
