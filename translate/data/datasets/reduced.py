"""Single pictures with reduced copies of themselves."""

__all__ = ["ReducedData", "ReducedStream", "limit_size", "reduced"]

import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from translate.data.datasets.images import ImagesData
from translate.data.loading.cache import hash_text
from translate.data.loading.crops import Crops
from translate.data.loading.degradation import degrade
from translate.data.loading.loader import Batch, SingleStream
from translate.data.loading.transforms import fit
from translate.data.options import DataConfig
from translate.data.sources.labelled_image import LabelledImage
from translate.utils.errors import OptionError

MAX_SIDE_PX = 1024  # of the shorter side: larger pictures are reduced, which makes them sharper, and the cache small
CROP_PX = 128  # of the training crops, at most, unless the user chooses
MIN_CROP_PX = 32
MULTIPLE_PX = 4  # discriminators halve crops twice


class ReducedStream:
    """Sample i is a crop of picture i of another stream, and its reduced copy, drawn from a separate seed."""

    crops: Sequence[Crops] = ()  # `sample` does all the work, on the CPU

    def __init__(self, pictures: SingleStream, scale: int, kind: str, seed: int) -> None:
        self._pictures, self._scale, self._kind, self._seed = pictures, scale, kind, seed
        self.epoch = pictures.epoch

    def sample(self, first: int, count: int) -> Batch:
        image = self._pictures.crop(self._pictures.sample(first, count))["image"]
        seeds = [[self._seed, 4, index] for index in range(first, first + count)]
        return {"image": image, "small": reduced(image, self._scale, self._kind, seeds)}

    def crop(self, sampled: Batch) -> Batch:
        """Return {"image": (B, C, crop, crop), "small": (B, C, crop / scale, crop / scale)}."""
        return sampled


class ReducedData(ImagesData):
    """One set of pictures at their own size, and reduced copies; `TrainingData` documents the attributes.

    The training resolution is that of the crops that are enlarged copies in the end, a multiple of the scale.
    """

    _preview_count = 6
    _deep = True
    _if_small = "are left out"

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.classes:
            raise OptionError("--labels: pictures are enlarged without labels; leave it out")
        if not (config.images or config.a or config.b or config.root):
            raise OptionError("no pictures given; say --images FOLDER, or --images photos, which is built in")
        if config.square or config.zoom != 1:
            raise OptionError("--data.zoom and --data.square: pictures are learned at their own size; leave these out")
        self.scale, self._degrade = config.scale, config.degrade
        for flag, side in (("--size", config.size), ("--data.crop", config.crop)):
            if side > 0 and side % self._multiple:
                near = max(1, round(side / self._multiple)) * self._multiple
                raise OptionError(
                    f"{flag} {side} should be a multiple of {self._multiple} for --scale {self.scale}; try {near}"
                )
        super().__init__(config, root)
        self.title = f"{self.title}_x{self.scale}"
        self.channels["small"] = self.channels["image"]
        self.facts["degrade"] = self._degrade

    @property
    def _multiple(self) -> int:
        return math.lcm(MULTIPLE_PX, self.scale)

    def native_size(self) -> int:
        """Return the side of the crops, px: 128 or less, for smaller pictures and as the scale divides."""
        typical = statistics.median(self._sides) if self._sides else CROP_PX
        fitting = int(min(CROP_PX, typical) // self._multiple * self._multiple)
        return max(-(-MIN_CROP_PX // self._multiple) * self._multiple, fitting)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        super().open(folder, size=size, zoom=zoom, square=square, progress=progress)
        self.fingerprint = hash_text(f"{self.fingerprint}{self.scale}{self._degrade}")

    def stream(self, *, crop: int, flip: bool, seed: int) -> ReducedStream:  # type: ignore[override]
        """Return the endless stream of training samples; characters are not mirrored."""
        return ReducedStream(super().stream(crop=crop, flip=flip, seed=seed), self.scale, self._degrade, seed)

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        return self._with_copies(super().read_choosing(count, size=size, square=square))

    def _previews(self, size: int, square: bool) -> dict[str, Tensor]:
        return self._with_copies(super()._previews(size, square))

    def _with_copies(self, pictures: dict[str, Tensor]) -> dict[str, Tensor]:
        seeds = [[0, 4, i] for i in range(len(pictures["image"]))]
        return pictures | {"small": reduced(pictures["image"], self.scale, self._degrade, seeds)}

    def _decode(self, source: LabelledImage, side: int, square: bool) -> np.ndarray | str:
        """Return a picture as (H, W, C), or why it cannot be used; `side` is the least side, px."""
        picture = self._read_planes(source)
        if isinstance(picture, str):
            return picture
        if min(picture.shape[:2]) < side:
            return f"{source.name}: {picture.shape[1]} x {picture.shape[0]} px, and the training crops are {side} px"
        return limit_size(picture)


def limit_size(picture: np.ndarray) -> np.ndarray:
    """Reduce (H, W, C) whose shorter side is above 1024 px to that."""
    return fit(picture, MAX_SIDE_PX, square=False) if min(picture.shape[:2]) > MAX_SIDE_PX else picture


def reduced(pictures: Tensor, scale: int, kind: str, seeds: Iterable[Sequence[int]]) -> Tensor:
    """Return reduced copies of pictures (B, C, H, W), uint8 or float32 in [-1, 1], of the same type; a seed each."""
    planes = pictures if pictures.dtype == torch.uint8 else (pictures + 1) / 2
    arrays = planes.permute(0, 2, 3, 1).contiguous().numpy()
    small = [degrade(x, scale, kind, np.random.default_rng(seed)) for x, seed in zip(arrays, seeds, strict=True)]
    copies = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)
    return copies if copies.dtype == torch.uint8 else copies * 2 - 1
