"""Masks of holes from files: any gray picture, and which of its colours is the hole."""

__all__ = ["MaskFiles", "StoredMasks", "judge_masks", "open_masks", "read_mask"]

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from translate.data.files.find import find_images, listed
from translate.data.loading.random_masks import draw_mask
from translate.images.io import read_picture
from translate.images.picture import Picture, colourless, to_depth, to_gray
from translate.utils.errors import UserError
from translate.utils.sequences import spread

DOUBT = 0.6  # white may cover this much and still be the hole: that white is, is the custom
SOFT = (0.1, 0.9)  # what lies between is neither hole nor known
MUCH = 0.02  # soft pixels of a mask that are worth telling; fewer are smooth edges
STORED = 10_000  # masks kept in memory, 8 KB each at 256 px
TRIES = 8  # cuts of masks for one that is neither empty nor full


@dataclass(frozen=True, kw_only=True)
class MaskFiles:
    """Mask files and what they mean.

    Attributes:
        files: Those that can be read.
        holes: The share of the hole, 0 to 1, in each.
        white_is_hole: Else black is.
        notes: What the user should know of them, a line each; which colour is the hole comes first.
    """

    files: tuple[Path, ...]
    holes: tuple[float, ...]
    white_is_hole: bool
    notes: tuple[str, ...]

    def usable(self) -> "MaskFiles":
        """Return these without the empty and the full ones, from which nothing can be learned, and with a note of them.

        Raises:
            UserError: none is left.
        """
        useless = [file for file, hole in zip(self.files, self.holes, strict=True) if hole in (0, 1)]
        if not useless:
            return self
        if len(useless) == len(self.files):
            raise UserError(f"--masks: all {len(useless)} masks are empty or full; give masks with a hole in each")
        note = f"masks: {len(useless)} of {len(self.files)} are empty or full and are left out: {listed(useless)}"
        kept = [pair for pair in zip(self.files, self.holes, strict=True) if 0 < pair[1] < 1]
        files, holes = zip(*kept, strict=True)
        return replace(self, files=files, holes=holes, notes=(*self.notes, note))


def open_masks(spec: str, *, invert: bool | None = None) -> MaskFiles:
    """Find mask files, and judge them; see `judge_masks`.

    Args:
        spec: a folder, a pattern, a list file or one mask.
        invert: whether the hole is the other colour.

    Raises:
        UserError: there is none, or none can be read.
    """
    try:
        files = find_images(spec)
    except UserError as error:
        raise type(error)(f"--masks: {error}") from None
    return judge_masks(files, invert=invert)


def judge_masks(files: Sequence[Path], *, invert: bool | None = None) -> MaskFiles:
    """Tell from all of these masks together which colour is the hole: that of the smaller part.

    White may be somewhat the larger part, and is the hole still.

    Args:
        files: masks, all or some of those that are meant.
        invert: whether the hole is the other colour.

    Raises:
        UserError: none can be read.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = list(zip(files, pool.map(_look, files), strict=True))
    broken = [(file, reason) for file, reason in seen if isinstance(reason, str)]
    good = [(file, *facts) for file, facts in seen if not isinstance(facts, str)]
    if not good:
        raise UserError(f"--masks: none of {len(files)} masks can be read; the first: {broken[0][1]}")
    white = sum(part * size for _, part, _, size in good) / sum(size for *_, size in good)
    white_is_hole = (white <= DOUBT) != bool(invert)
    notes = [_polarity(white_is_hole, white, bool(invert))]
    if gray := [(file, soft) for file, _, soft, _ in good if soft > MUCH]:
        notes.append(
            f"masks: {len(gray)} of {len(good)} have gray values between black and white"
            f" ({_percent(gray[0][1])} of {gray[0][0].name}); they are split at half"
        )
    if broken:
        notes.append(f"masks: {len(broken)} of {len(files)} are left out; the first: {broken[0][1]}")
    return MaskFiles(
        files=tuple(file for file, *_ in good),
        holes=tuple(part if white_is_hole else 1 - part for _, part, *_ in good),
        white_is_hole=white_is_hole,
        notes=tuple(notes),
    )


def read_mask(path: str | Path, *, white_is_hole: bool = True) -> tuple[np.ndarray, float]:
    """Read a mask from a picture of any kind: gray, of one bit, of two colours, or with the hole cut out or left alone.

    Transparent counts as black where some of it is transparent; 1 counts as white where nothing is brighter.

    Returns:
        (H, W) bool, True in the hole, which is what is brighter or darker than half; and the share of pixels, 0 to 1,
        that are neither nearly black nor nearly white.

    Raises:
        UserError: the file cannot be read as an image, or has bands instead of colours.
    """
    picture = read_picture(path)
    if picture.channels not in (1, 3):
        raise UserError(f"{path}: has {picture.channels} channels; a mask is gray or RGB")
    plane = _plane(picture)
    soft = float(((plane > SOFT[0]) & (plane < SOFT[1])).mean())
    return (plane >= 0.5) == white_is_hole, soft


class StoredMasks:
    """The masks of files, small and packed in memory; called, they give one of them at random, cut to size."""

    def __init__(self, files: Sequence[Path], *, white_is_hole: bool, side: int) -> None:
        """Read them; of very many, some.

        Args:
            files: that can be read.
            white_is_hole: as `read_mask`.
            side: px of the shorter side that they are kept at.

        Raises:
            UserError: a file cannot be read any more.
        """

        def pack(file: Path) -> tuple[np.ndarray, tuple[int, ...]]:
            mask = covering(read_mask(file, white_is_hole=white_is_hole)[0], side, side)
            return np.packbits(mask), mask.shape

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self._packed = list(pool.map(pack, spread(files, STORED)))

    def __call__(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return (height, width) bool: a random cut of a random mask, perhaps mirrored; neither empty nor full.

        Where many cuts in a row are, it is drawn.
        """
        for _ in range(TRIES):
            bits, shape = self._packed[rng.integers(len(self._packed))]
            mask = np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(bool)
            mask = covering(mask, height, width)
            top, left = rng.integers(mask.shape[0] - height + 1), rng.integers(mask.shape[1] - width + 1)
            down, across = 1 - 2 * rng.integers(2, size=2)
            cut = mask[top : top + height, left : left + width][::down, ::across]
            if 0 < np.count_nonzero(cut) < cut.size:
                return cut
        return draw_mask(height, width, rng)


def covering(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (H, W) bool, its shape kept, to the least size of at least (height, width); no value is in between."""
    if mask.shape == (height, width):
        return mask
    scale = max(height / mask.shape[0], width / mask.shape[1])
    size = max(width, round(scale * mask.shape[1])), max(height, round(scale * mask.shape[0]))
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)


def _look(file: Path) -> tuple[float, float, int] | str:
    """Return the share of white, that of soft pixels and the number of pixels of a mask; or why it cannot be read."""
    try:
        white, soft = read_mask(file)
    except UserError as error:
        return str(error)
    return float(white.mean()), soft, white.size


def _plane(picture: Picture) -> np.ndarray:
    """Return what says where the hole is, (H, W) float32 in [0, 1]: alpha where it varies, else the brightness."""
    if picture.alpha is not None:
        alpha = to_depth(picture.alpha, np.float32)
        if alpha.min() < 0.5 <= alpha.max():
            return alpha
    gray = picture.pixels[..., 0] if picture.gray else to_gray(picture.pixels)
    if gray.dtype.kind == "u" and gray.max() == 1:  # as segmentation writes them
        return gray.astype(np.float32)
    plane = to_depth(gray, np.float32)
    if picture.gray or colourless(to_depth(picture.pixels, np.uint8)):
        return plane
    return (plane - plane.min()) / max(float(np.ptp(plane)), 1e-6)  # red on black is darker than half, too


def _polarity(white_is_hole: bool, white: float, inverted: bool) -> str:
    """Tell which colour is the hole, and how to say that it is the other one."""
    hole, other = ("white", "black") if white_is_hole else ("black", "white")
    told = f"masks: {hole} is the hole ({_percent(white if white_is_hole else 1 - white)} of the pixels)"
    return f"{told}, as --invert-masks says" if inverted else f"{told}; say --invert-masks if {other} is"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.095 else f"{100 * share:.0f} %"
