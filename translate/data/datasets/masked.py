"""Single pictures with inpainting masks."""

__all__ = ["MaskedData", "MaskedStream"]

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from translate.data.datasets.images import ImagesData
from translate.data.loading.cache import fingerprint, hash_text
from translate.data.loading.loader import Batch, SingleStream
from translate.data.loading.native_size import native_size
from translate.data.loading.random_masks import BANDS, check_mask_options, draw_mask, evaluation_mask
from translate.data.options import DataConfig
from translate.data.sources.mask_files import MaskFiles, StoredMasks, open_masks
from translate.utils.errors import OptionError

DrawMask = Callable[[int, int, np.random.Generator], np.ndarray]  # (height, width) bool; called by several threads
_SIZE_MULTIPLE_PX = 16  # every inpainting network takes sides that are multiples of this


class MaskedStream:
    """Sample i is picture i of another stream, and a mask drawn from a separate seed."""

    def __init__(self, pictures: SingleStream, draw: DrawMask, *, crop: int, seed: int) -> None:
        self.pictures, self._draw, self._crop, self._seed = pictures, draw, crop, seed
        self.epoch, self.crops = pictures.epoch, pictures.crops

    def sample(self, first: int, count: int) -> Batch:
        seeds = ([self._seed, 2, index] for index in range(first, first + count))
        masks = [self._draw(self._crop, self._crop, np.random.default_rng(seed)) for seed in seeds]
        return self.pictures.sample(first, count) | {"mask": _stack_masks(masks)}

    def crop(self, sampled: Batch) -> Batch:
        """Return {"image": (B, C, crop, crop), "mask": (B, 1, crop, crop) uint8, 255 in the hole}."""
        return self.pictures.crop(sampled)


class MaskedData(ImagesData):
    """One set of pictures, and masks, random or from files; `TrainingData` documents the attributes."""

    _preview_count = 6
    _deep = True

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.classes:
            raise OptionError("--labels: holes are filled without labels; leave it out")
        if not (config.images or config.a or config.b or config.root):
            raise OptionError("no pictures given; say --images FOLDER, or --images photos, which is built in")
        if config.invert_masks and not config.masks:
            raise OptionError("--invert-masks is for mask files; add --masks FOLDER, or leave it out")
        check_mask_options(config.mask_kinds, config.mask_low, config.mask_high)
        # before pictures are rendered or fetched
        self._files: MaskFiles | None = None
        if config.masks:
            self._files = open_masks(config.masks, invert=config.invert_masks).usable()
        super().__init__(config, root)
        self.title = f"{self.title}_inpaint"
        self.channels["mask"] = 1
        self._kinds, self._shares = tuple(config.mask_kinds), (config.mask_low, config.mask_high)
        if self._files:
            self._initial_notes += self._files.notes
            self.notes = list(self._initial_notes)

    def native_size(self) -> int:
        return native_size(self._sides, _SIZE_MULTIPLE_PX)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        files = self._files
        if files:
            self._draw: DrawMask = StoredMasks(files.files, white_is_hole=files.white_is_hole, side=size)
        else:
            low, high = self._shares
            self._draw = functools.partial(draw_mask, kinds=self._kinds, low=low, high=high)
        super().open(folder, size=size, zoom=zoom, square=square, progress=progress)
        masks = fingerprint(files.files, files.white_is_hole) if files else f"{self._kinds}{self._shares}"
        self.fingerprint = hash_text(f"{self.fingerprint}{masks}")

    def stream(self, *, crop: int, flip: bool, seed: int) -> MaskedStream:  # type: ignore[override]
        """Return the endless stream of training samples; characters are not mirrored."""
        return MaskedStream(super().stream(crop=crop, flip=flip, seed=seed), self._draw, crop=crop, seed=seed)

    def read_choosing(self, count: int, *, size: int, square: bool) -> dict[str, Tensor]:
        """Return pictures of the choosing half with fixed masks: the user's, or else large holes."""
        pictures = super().read_choosing(count, size=size, square=square)
        return pictures | {"mask": self._fixed_masks(len(pictures["image"]), size, lambda i: (len(BANDS) - 1, i))}

    def _previews(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return some pictures with fixed masks: the user's, or else small, middle and large holes in turn."""
        previews = super()._previews(size, square)
        bands = lambda i: (i % len(BANDS), i // len(BANDS))  # noqa: E731
        return previews | {"mask": self._fixed_masks(len(previews["image"]), size, bands)}

    def _fixed_masks(self, count: int, size: int, choose: Callable[[int], tuple[int, int]]) -> Tensor:
        """Return masks (count, 1, size, size): the user's, or else that of the band and index `choose(i)`."""
        masks = [
            self._draw(size, size, np.random.default_rng([0, 2, i]))
            if self._files or self._kinds
            else evaluation_mask(size, size, *choose(i))
            for i in range(count)
        ]
        return _stack_masks(masks)


def _stack_masks(masks: Sequence[np.ndarray]) -> Tensor:
    """Stack masks (H, W) bool to (B, 1, H, W) uint8, 255 where they are True."""
    return torch.from_numpy(np.stack([mask[..., None] * np.uint8(255) for mask in masks])).permute(0, 3, 1, 2)
