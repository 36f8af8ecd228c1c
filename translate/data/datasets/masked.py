"""Single pictures with holes in them, as a training run sees them."""

__all__ = ["MaskedStream", "MaskedData"]

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from translate.data.datasets.images import ImagesData
from translate.data.loading.cache import fingerprint
from translate.data.loading.loader import Batch, SingleStream
from translate.data.loading.preview_images import MASKED_PROBES, training_size
from translate.data.loading.random_masks import BANDS, check_mask_options, draw_mask, evaluation_mask
from translate.data.options import DataConfig
from translate.data.sources.mask_files import MaskFiles, StoredMasks, open_masks
from translate.utils.errors import OptionError

DrawMask = Callable[[int, int, np.random.Generator], np.ndarray]
_MULTIPLE = 16  # px: every network that fills holes takes such sides


class MaskedStream:
    """Sample i holds picture i of another stream and a mask of its own."""

    def __init__(self, pictures: SingleStream, draw: DrawMask, *, crop: int, seed: int) -> None:
        """Set up the stream.

        Args:
            pictures: whose samples have an "image" of (crop, crop, C).
            draw: returns a mask (height, width) bool, True in the hole; called by several threads.
            crop: px.
            seed: of the masks.
        """
        self.pictures, self._draw, self._crop, self._seed = pictures, draw, crop, seed
        self.epoch, self.crops = pictures.epoch, pictures.crops

    def draw(self, first: int, count: int) -> Batch:
        masks = [self._mask(index) for index in range(first, first + count)]
        return self.pictures.draw(first, count) | {"mask": torch.from_numpy(np.stack(masks)).permute(0, 3, 1, 2)}

    def cut(self, drawn: Batch) -> Batch:
        """Return {"image": (B, C, crop, crop) uint8, "mask": (B, 1, crop, crop) uint8, 255 in the hole}."""
        return self.pictures.cut(drawn)

    def _mask(self, index: int) -> np.ndarray:
        return _plane(self._draw(self._crop, self._crop, np.random.default_rng([self._seed, 2, index])))


class MaskedData(ImagesData):
    """One set of pictures, and masks: drawn, or from files; `TrainingData` says what the attributes mean."""

    _probes = MASKED_PROBES
    _deep = True

    def __init__(self, config: DataConfig, root: Path) -> None:
        if config.classes:
            raise OptionError("--labels: holes are filled without labels; leave it out")
        if not (config.images or config.a or config.b or config.root):
            raise OptionError("no pictures given; say --images FOLDER, or --images photos, which is built in")
        if config.invert_masks and not config.masks:
            raise OptionError("--invert-masks is for mask files; add --masks FOLDER, or leave it out")
        check_mask_options(config.mask_kinds, config.mask_low, config.mask_high)
        super().__init__(config, root)
        self.title = f"{self.title}_inpaint"
        self.channels["mask"] = 1
        self._kinds, self._shares = tuple(config.mask_kinds), (config.mask_low, config.mask_high)
        self._files: MaskFiles | None = None
        if config.masks:
            self._files = open_masks(config.masks, invert=config.invert_masks).usable()
            self._found_notes += self._files.notes
            self.notes = list(self._found_notes)

    def native_size(self) -> int:
        """Return the resolution worth training at, px: that of the pictures, from 32 to 256, a multiple of 16."""
        return training_size(self._sides, multiple=_MULTIPLE)

    def open(self, folder: Path, *, size: int, zoom: float, square: bool, progress: bool = True) -> None:
        """Decode all pictures into `folder`, or find them there, and read the masks.

        Raises:
            OptionError: most pictures are smaller than `size`, or too few for a batch can be read.
            UserError: none can be read, a mask cannot be read any more, or the folder cannot be written to.
        """
        self._draw = self._drawing(size)
        super().open(folder, size=size, zoom=zoom, square=square, progress=progress)
        files = self._files
        masks = fingerprint(files.files, files.white_is_hole) if files else f"{self._kinds}{self._shares}"
        self.fingerprint = hashlib.sha256(f"{self.fingerprint}{masks}".encode()).hexdigest()[:16]

    def stream(self, *, crop: int, flip: bool, seed: int) -> MaskedStream:  # type: ignore[override]
        """Return the endless stream of training samples; characters are not mirrored."""
        return MaskedStream(super().stream(crop=crop, flip=flip, seed=seed), self._draw, crop=crop, seed=seed)

    def _drawing(self, size: int) -> DrawMask:
        """Return what gives a mask at random, from files where there are any."""
        if self._files:
            return StoredMasks(self._files.files, white_is_hole=self._files.white_is_hole, side=size)
        return functools.partial(draw_mask, kinds=self._kinds, low=self._shares[0], high=self._shares[1])

    def _probe(self, size: int, square: bool) -> dict[str, Tensor]:
        """Return some pictures, held out where there are any, each with a mask that is always the same.

        Small, middle and large holes take turns; where the user has chosen the masks, they are such.
        """
        probe = super()._probe(size, square)
        chosen = bool(self._files or self._kinds)
        masks = [
            self._draw(size, size, np.random.default_rng([0, 2, i]))
            if chosen
            else evaluation_mask(size, size, i % len(BANDS), i // len(BANDS))
            for i in range(len(probe["image"]))
        ]
        return probe | {"mask": torch.from_numpy(np.stack([_plane(mask) for mask in masks])).permute(0, 3, 1, 2)}


def _plane(mask: np.ndarray) -> np.ndarray:
    """Return (H, W) bool as (H, W, 1) uint8, 255 where it is True."""
    return mask[..., None] * np.uint8(255)
