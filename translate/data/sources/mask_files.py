"""Inpainting masks from files: reading them, and finding whether white or black is the hole."""

__all__ = ["MaskFiles", "StoredMasks", "inspect_masks", "open_masks", "read_mask", "split_mask"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from translate.data.files.counted import list_names
from translate.data.files.find import find_images
from translate.data.loading.random_masks import draw_mask
from translate.images.io import read_picture
from translate.images.picture import Picture, is_colourless, to_depth, to_gray
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.sequences import spread

MAX_WHITE_HOLE = 0.6  # share of white up to which white is the hole: above half, as white holes are usual
SOFT_RANGE = (0.1, 0.9)  # values in between are neither hole nor known area
MAX_SOFT_SHARE = 0.02  # of soft pixels; smooth edges have fewer, so more are worth a note
MAX_STORED_MASKS = 10_000  # in memory, 8 KB each at 256 px
MAX_CROPS = 8  # attempts at a crop that is neither empty nor full


@dataclass(frozen=True, kw_only=True)
class MaskFiles:
    """Readable mask files and their meaning."""

    files: tuple[Path, ...]
    holes: tuple[float, ...]  # share of the hole in each, 0 to 1
    white_is_hole: bool  # else black is
    notes: tuple[str, ...]  # for the user, a line each; the first says which colour is the hole

    def usable(self) -> "MaskFiles":
        """Leave out empty and full masks, which teach nothing, with a note; raise UserError if none is left."""
        useless = [file for file, hole in zip(self.files, self.holes, strict=True) if hole in (0, 1)]
        if not useless:
            return self
        if len(useless) == len(self.files):
            raise UserError(f"--masks: all {len(useless)} masks are empty or full; give masks with a hole in each")
        note = f"masks: {len(useless)} of {len(self.files)} are empty or full and are left out: {list_names(useless)}"
        kept = [pair for pair in zip(self.files, self.holes, strict=True) if 0 < pair[1] < 1]
        files, holes = zip(*kept, strict=True)
        return replace(self, files=files, holes=holes, notes=(*self.notes, note))


def open_masks(spec: str, *, invert: bool | None = None) -> MaskFiles:
    """Find the mask files of a folder, pattern, list file or path, and inspect them; see `inspect_masks`."""
    try:
        files = find_images(spec)
    except UserError as error:
        raise type(error)(f"--masks: {error}") from None
    return inspect_masks(files, invert=invert)


def inspect_masks(files: Sequence[Path], *, invert: bool | None = None) -> MaskFiles:
    """Find from all masks together which colour is the hole: white up to MAX_WHITE_HOLE, else black.

    With `invert`, the hole is the other colour. Raise UserError if no mask can be read.
    """
    # measure all masks
    results = list(zip(files, map_in_threads(_measure_mask, files), strict=True))
    broken = [reason for _, reason in results if isinstance(reason, str)]
    good = [(file, *shares) for file, shares in results if not isinstance(shares, str)]
    if not good:
        raise UserError(f"--masks: none of {len(files)} masks can be read; the first: {broken[0]}")

    # find the hole's colour, and note what is unusual
    white = sum(part * size for _, part, _, size in good) / sum(size for *_, size in good)
    white_is_hole = (white <= MAX_WHITE_HOLE) != bool(invert)
    notes = [_polarity_note(white_is_hole, white, bool(invert))]
    if gray := [(file, soft) for file, _, soft, _ in good if soft > MAX_SOFT_SHARE]:
        notes.append(
            f"masks: {len(gray)} of {len(good)} have gray values between black and white"
            f" ({_percent(gray[0][1])} of {gray[0][0].name}); they are split at half"
        )
    if broken:
        notes.append(f"masks: {len(broken)} of {len(files)} are left out; the first: {broken[0]}")
    return MaskFiles(
        files=tuple(file for file, *_ in good),
        holes=tuple(part if white_is_hole else 1 - part for _, part, *_ in good),
        white_is_hole=white_is_hole,
        notes=tuple(notes),
    )


def read_mask(path: str | Path, *, white_is_hole: bool = True) -> tuple[np.ndarray, float]:
    """Read a mask from a picture of any kind: gray, of one bit, of two colours, or with a transparent part.

    In a picture with transparent pixels, these are black; 1 is white if no pixel is brighter.

    Returns:
        (H, W) bool, True in the hole, split at half brightness; and the share of pixels, 0 to 1, that are neither
        nearly black nor nearly white.

    Raises:
        UserError: the file cannot be read as an image, or has bands instead of colours.
    """
    return split_mask(read_picture(path), str(path), white_is_hole=white_is_hole)


def split_mask(picture: Picture, name: str, *, white_is_hole: bool = True) -> tuple[np.ndarray, float]:
    """Split a picture into hole and known area as `read_mask` does; errors call it `name`."""
    if picture.channels not in (1, 3):
        raise UserError(f"{name}: has {picture.channels} channels; a mask is gray or RGB")
    plane = _mask_plane(picture)
    soft = float(((plane > SOFT_RANGE[0]) & (plane < SOFT_RANGE[1])).mean())
    return (plane >= 0.5) == white_is_hole, soft


class StoredMasks:
    """Masks from files, resized and packed to bits in memory; a call returns a random crop of one mask."""

    def __init__(self, files: Sequence[Path], *, white_is_hole: bool, side: int) -> None:
        """Read at most MAX_STORED_MASKS masks, with shorter sides of `side` px."""

        def pack(file: Path) -> tuple[np.ndarray, tuple[int, ...]]:
            mask = resize_to_cover(read_mask(file, white_is_hole=white_is_hole)[0], side, side)
            return np.packbits(mask), mask.shape

        self._packed = list(map_in_threads(pack, spread(files, MAX_STORED_MASKS)))

    def __call__(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return (height, width) bool: a random crop of a random mask, perhaps mirrored; neither empty nor full.

        After MAX_CROPS empty or full crops, a random mask is drawn.
        """
        for _ in range(MAX_CROPS):
            bits, shape = self._packed[rng.integers(len(self._packed))]
            mask = np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)
            mask = resize_to_cover(mask, height, width)
            top, left = rng.integers(mask.shape[0] - height + 1), rng.integers(mask.shape[1] - width + 1)
            down, across = 1 - 2 * rng.integers(2, size=2)
            crop = mask[top : top + height, left : left + width][::down, ::across]
            if 0 < np.count_nonzero(crop) < crop.size:
                return crop
        return draw_mask(height, width, rng)


def resize_to_cover(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W) bool to the smallest size of its aspect ratio that covers (height, width)."""
    if mask.shape == (height, width):
        return mask
    scale = max(height / mask.shape[0], width / mask.shape[1])
    size = max(width, round(scale * mask.shape[1])), max(height, round(scale * mask.shape[0]))
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)


def _measure_mask(file: Path) -> tuple[float, float, int] | str:
    """Return the shares of white and of soft pixels and the number of pixels, or why a mask cannot be read."""
    try:
        white, soft = read_mask(file)
    except UserError as error:
        return str(error)
    return float(white.mean()), soft, white.size


def _mask_plane(picture: Picture) -> np.ndarray:
    """Return the plane of the hole, (H, W) float32 in [0, 1]: alpha if it varies, else brightness."""
    if picture.alpha is not None:
        alpha = to_depth(picture.alpha, np.float32)
        if alpha.min() < 0.5 <= alpha.max():
            return alpha
    gray = picture.pixels[..., 0] if picture.gray else to_gray(picture.pixels)
    if gray.dtype.kind == "u" and gray.max() == 1:  # masks of 0 and 1, as segmentation tools write them
        return gray.astype(np.float32)
    plane = to_depth(gray, np.float32)
    if picture.gray or is_colourless(to_depth(picture.pixels, np.uint8)):
        return plane
    return (plane - plane.min()) / max(float(np.ptp(plane)), 1e-6)  # red on black is darker than half, too


def _polarity_note(white_is_hole: bool, white: float, inverted: bool) -> str:
    """Return a note on which colour is the hole, and the option to invert it."""
    hole, other = ("white", "black") if white_is_hole else ("black", "white")
    note = f"masks: {hole} is the hole ({_percent(white if white_is_hole else 1 - white)} of the pixels)"
    return f"{note}, as --invert-masks says" if inverted else f"{note}; say --invert-masks if {other} is"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.095 else f"{100 * share:.0f} %"
