"""Picture files in and out, any kind in and the same kind out; and arrays to tensors and back.

Outside, pictures are (H, W, 3) RGB arrays, or (H, W, C) with bands; inside, (B, C, H, W) float32 tensors in [-1, 1].
"""

__all__ = [
    "IMAGE_SUFFIXES",
    "Picture",
    "make_grid",
    "pad_to_multiple",
    "picture_of_bytes",
    "read_picture",
    "read_rgb8",
    "save_png",
    "to_array",
    "to_tensor",
    "write_picture",
]

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import DTypeLike
from torch import Tensor

from translate.images.decode import decode
from translate.images.encode import FORMATS, encode, refusal
from translate.images.picture import Picture, ValueRange, on_white, to_depth
from translate.utils.errors import UserError, short_reason
from translate.utils.files import atomic_write

IMAGE_SUFFIXES: frozenset[str] = frozenset(FORMATS)


# ---- files


def read_picture(path: str | Path, values: ValueRange | None = None) -> Picture:
    """Read a picture of any kind, turned upright.

    Args:
        path: of the file.
        values: what is black and white in floats and wide integers; None: 0 and 1, or the full scale.

    Raises:
        UserError: the file is missing, no picture, damaged, truncated, or larger than `trust.TRUST` allows.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as an image ({short_reason(error)})") from error
    return picture_of_bytes(data, str(path), values)


def picture_of_bytes(data: bytes, name: str, values: ValueRange | None = None) -> Picture:
    """Decode the content of a file that errors call `name`; as `read_picture`."""
    try:
        return decode(data, values)
    except Exception as error:  # damaged files make decoders raise nearly everything
        raise UserError(f"{name}: cannot be read as an image ({short_reason(error)})") from error


def read_rgb8(path: str | Path, values: ValueRange | None = None) -> np.ndarray:
    """Read a picture as (H, W, 3) uint8 RGB, white shining through where it is transparent; `values` as above.

    Raises:
        UserError: as `read_picture`, or it has bands instead of colours.
    """
    picture = read_picture(path, values)
    if picture.channels not in (1, 3):
        raise UserError(f"{path}: has {picture.channels} channels; here only gray and RGB pictures can be used")
    return to_depth(on_white(picture), np.uint8)


def write_picture(path: str | Path, picture: Picture, quality: int = 95) -> None:
    """Write a picture in the format that the suffix names, atomically.

    Gray, depth and alpha stay what they are where the format can hold them; else the nearest that it can:
    fewer bits, or white where it is transparent.

    Args:
        path: its folder is made where it is missing.
        picture: what to write; with `gray`, the luma of its pixels.
        quality: of JPEG, WebP and AVIF, 1 to 100.

    Raises:
        WriteError: the disk or the folder refuses.
        UserError: the suffix names no known format, or the format cannot hold a picture of this size.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        known = ", ".join(sorted(FORMATS))
        raise UserError(f"{path}: {path.suffix or 'no suffix'!r} names no known image format; use one of {known}")
    if why := refusal(picture, form):
        raise UserError(f"{path}: {why}")
    try:
        data = encode(picture, form, quality)
    except Exception as error:  # OpenCV and Pillow have no error in common
        raise UserError(f"{path}: cannot be written as {form.name} ({short_reason(error)}); use .png") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def save_png(path: str | Path, array: np.ndarray) -> None:
    """Write (H, W, 3) RGB, uint8 or uint16, as PNG, atomically.

    Raises:
        WriteError: the disk or the folder refuses.
    """
    assert Path(path).suffix.lower() == ".png", path
    write_picture(path, Picture(array))


# ---- tensors


def to_tensor(array: np.ndarray) -> Tensor:
    """Convert (H, W, 3), uint8, uint16 or float in [0, 1], to (1, 3, H, W) float32 in [-1, 1]."""
    floats = array.dtype.kind == "f"
    unit = array.astype(np.float32) if floats else to_depth(array, np.float32)
    return torch.from_numpy(unit).mul_(2).sub_(1).permute(2, 0, 1)[None]


def to_array(tensor: Tensor, dtype: DTypeLike = np.uint8) -> np.ndarray:
    """Convert (1, 3, H, W) or (3, H, W) in [-1, 1] to (H, W, 3) of `dtype`, clamped and rounded."""
    planes = tensor.detach().reshape(tensor.shape[-3:])
    unit = planes.float().cpu().add(1).div_(2).clamp_(0, 1)
    return to_depth(np.ascontiguousarray(unit.permute(1, 2, 0).numpy()), dtype)


def make_grid(rows: Sequence[Sequence[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Lay pictures out in rows on white, all cells as large as the largest, `gap` px apart.

    Args:
        rows: of (H, W, C) uint8 arrays; rows and arrays may differ in length and size. Of more than three channels
            the first three are shown, of two the first.
        gap: px of white between cells.

    Returns:
        (H', W', 3) uint8.
    """
    height = max(cell.shape[0] for row in rows for cell in row)
    width = max(cell.shape[1] for row in rows for cell in row)
    columns = max(len(row) for row in rows)
    shape = (len(rows) * (height + gap) - gap, columns * (width + gap) - gap, 3)
    grid = np.full(shape, 255, np.uint8)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            top, left = i * (height + gap), j * (width + gap)
            grid[top : top + cell.shape[0], left : left + cell.shape[1]] = cell[..., : 3 if cell.shape[2] > 2 else 1]
    return grid


def pad_to_multiple(x: Tensor, multiple: int, minimum: int = 1) -> tuple[Tensor, tuple[slice, slice]]:
    """Pad height and width, evenly on both sides, up to multiples of `multiple` that are at least `minimum`.

    Mirrors the picture at its edge; where it is too small for that, repeats its edge.

    Args:
        x: (B, C, H, W), any size from 1 px on.
        multiple: px.
        minimum: px.

    Returns:
        The padded tensor, and the slices of its rows and columns that hold `x`.
    """
    assert multiple >= 1 and minimum >= 1
    (top, bottom), (left, right) = (_margins(size, multiple, minimum) for size in x.shape[-2:])
    padded = _pad(_pad(x, (0, 0, top, bottom), x.shape[-2]), (left, right, 0, 0), x.shape[-1])
    return padded, (slice(top, top + x.shape[-2]), slice(left, left + x.shape[-1]))


def _margins(size: int, multiple: int, minimum: int) -> tuple[int, int]:
    missing = -(-max(size, minimum) // multiple) * multiple - size
    return missing // 2, missing - missing // 2


def _pad(x: Tensor, margins: tuple[int, int, int, int], size: int) -> Tensor:
    if not any(margins):
        return x
    return F.pad(x, margins, mode="reflect" if max(margins) < size else "replicate")
