"""Random square crops of stored pictures: boxes are drawn as a function of (seed, index), and cropped later.

The CPU copies the pixels of a box out of memory; a device that holds all pictures gathers them.
"""

__all__ = ["GROUP_SIZE", "Crops", "crop_on_device", "upload"]

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from translate.data.loading.cache import Pictures
from translate.data.loading.file_kind import to_unit_range
from translate.utils.memory import free_bytes

GROUP_SIZE = 4  # neighbours of one class, as many as the residual discriminator compares
_MAX_DEVICE_SHARE = 0.25  # of a device's free memory may hold pictures: networks need the rest
_UPLOAD_CHUNK_VALUES = 1 << 26  # values copied at a time, as a read-only map is copied in memory first
_OPENCV_MAX_CHANNELS = 128  # cv2.flip takes no more
_TENSORS = {np.dtype(np.uint8): torch.uint8, np.dtype(np.int16): torch.int16, np.dtype(np.float32): torch.float32}


class Crops:
    """Crops of a set of pictures, shuffled anew in each epoch of `epoch` samples.

    With labels, pictures come in groups of GROUP_SIZE of one class, so that a discriminator that compares neighbours
    can see whether a class has more than one picture.
    """

    def __init__(
        self, pictures: Pictures, *, crop: int, flip: bool, seed: int, which: int = 0, labels: np.ndarray | None = None
    ) -> None:
        """Set up crops of `crop` px from pictures whose sides are at least as long; `flip` mirrors half of the samples.

        `which` numbers the sets of pictures that share the seed; pictures are grouped by `labels`, (n,).
        """
        self.pictures, self._side = pictures, crop
        self._flip, self._seed, self._which, self._labels = flip, seed, which, labels
        count = len(pictures)
        self.epoch = count if labels is None else max(1, count // GROUP_SIZE) * GROUP_SIZE
        self._boxes_of_epoch = functools.lru_cache(maxsize=2)(self._draw_epoch)  # a batch may span two epochs
        self._resident: tuple[Tensor, Tensor, Tensor] | None = None

    def sample(self, first: int, count: int) -> Tensor:
        """Return boxes, (count, 4) int64: picture, top, left, mirrored, of the samples from number `first` >= 0 on."""
        parts, index = [], first
        while index < first + count:
            epoch, position = divmod(index, self.epoch)
            parts.append(self._boxes_of_epoch(epoch)[position : position + first + count - index])
            index += len(parts[-1])
        return torch.from_numpy(np.concatenate(parts))

    def _draw_epoch(self, epoch: int) -> np.ndarray:
        rng = np.random.default_rng([self._seed, self._which, epoch])
        order = rng.permutation(len(self.pictures))
        if self._labels is not None:
            order = np.resize(group_by_label(order, self._labels), self.epoch)
        numbers = rng.random((self.epoch, 3))
        corners = (numbers[:, :2] * (self.pictures.shapes[order, :2] - self._side + 1)).astype(np.int64)
        mirrored = (numbers[:, 2] < 0.5) & self._flip
        return np.column_stack([order, corners, mirrored])

    def crop(self, boxes: Tensor) -> Tensor:
        """Return the pixels in `boxes`, (B, 4), on their device: (B, C, crop, crop), uint8 or float32 in [-1, 1]."""
        if self._resident is None:
            return to_unit_range(_crop_in_memory(self.pictures, boxes, self._side)).permute(0, 3, 1, 2)
        return _uploaded_to_unit_range(crop_on_device(*self._resident, boxes, self._side)).permute(0, 3, 1, 2)

    def upload(self, device: torch.device) -> None:
        """Copy all pixels to `device`, from which `crop` then gathers them."""
        flat, channels = self.pictures.pixels, int(self.pictures.shapes[0, 2])
        stored = np.dtype(np.int16) if flat.dtype == np.uint16 else flat.dtype  # the same bits: torch gathers int16
        pixels = torch.empty(flat.size, dtype=_TENSORS[stored], device=device)
        for start in range(0, flat.size, _UPLOAD_CHUNK_VALUES):
            chunk = np.array(flat[start : start + _UPLOAD_CHUNK_VALUES]).view(stored)  # a copy, as the map is read-only
            pixels[start : start + _UPLOAD_CHUNK_VALUES] = torch.from_numpy(chunk)
        starts = torch.from_numpy(self.pictures.starts[:-1] // channels).to(device)
        widths = torch.from_numpy(self.pictures.shapes[:, 1]).to(device)
        self._resident = pixels.view(-1, channels), starts, widths


def upload(parts: Sequence[Crops], device: torch.device) -> bool:
    """Copy the pictures of all `parts` to `device` if its free memory suffices; return whether it does."""
    free = free_bytes(device)
    if free is None or sum(part.pictures.pixels.nbytes for part in parts) > _MAX_DEVICE_SHARE * free:
        return False
    for part in parts:
        part.upload(device)
    return True


def crop_on_device(pixels: Tensor, starts: Tensor, widths: Tensor, boxes: Tensor, crop: int) -> Tensor:
    """Gather crops from the flat pixels of all pictures, without waiting for the device.

    Args:
        pixels: (P, C) of any type, row by row.
        starts: (n,) int64, index of each picture's first pixel.
        widths: (n,) int64, px.
        boxes: (B, 4) int64: picture, top, left, mirrored.
        crop: Side of the crops, px.

    Returns:
        (B, crop, crop, C) of the same type.
    """
    which, top, left, mirrored = boxes.unbind(1)
    steps = torch.arange(crop, device=pixels.device)
    columns = torch.where(mirrored[:, None] > 0, crop - 1 - steps, steps)
    rows = (top[:, None] + steps) * widths[which][:, None] + (starts[which] + left)[:, None]
    return pixels[rows[:, :, None] + columns[:, None, :]]


def _uploaded_to_unit_range(x: Tensor) -> Tensor:
    """Convert uploaded pixels, 16 bits as int16, as `file_kind.to_unit_range` converts arrays."""
    if x.dtype == torch.uint8:
        return x
    unit = (x.int() & 0xFFFF).float().div_(65535) if x.dtype == torch.int16 else x
    return unit.mul(2).sub_(1)


def _crop_in_memory(pictures: Pictures, boxes: Tensor, crop: int) -> np.ndarray:
    """Copy crops of `pictures`: (B, crop, crop, C)."""
    crops = np.empty((len(boxes), crop, crop, int(pictures.shapes[0, 2])), pictures.pixels.dtype)
    for out, (which, top, left, mirrored) in zip(crops, boxes.tolist(), strict=True):
        view = pictures[which][top : top + crop, left : left + crop]
        if mirrored and view.shape[2] <= _OPENCV_MAX_CHANNELS:
            cv2.flip(view, 1, dst=out)  # NumPy takes forty times as long for mirrored rows of small pixels
        else:
            out[:] = view[:, ::-1] if mirrored else view
    return crops


def group_by_label(shuffled: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Reorder `shuffled`, (n,) indices of pictures, so that GROUP_SIZE neighbours share a label of `labels`, (n,).

    Groups are ordered by their first member in `shuffled`; incomplete groups come last.
    """
    # split each class into full groups and a remainder
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, first, counts = np.unique(labels[by_label], return_index=True, return_counts=True)
    rank = np.arange(len(by_label)) - np.repeat(first, counts)
    is_full = rank < np.repeat(counts // GROUP_SIZE * GROUP_SIZE, counts)
    groups, remainder = by_label[is_full].reshape(-1, GROUP_SIZE), by_label[~is_full]

    # order the groups by their earliest member in the permutation
    position = np.empty(len(shuffled), np.int64)
    position[shuffled] = np.arange(len(shuffled))
    return np.concatenate([groups[np.argsort(position[groups].min(1))].ravel(), remainder])
