"""The kinds of image that users give: paths, contents of files, file objects, PIL images, arrays and tensors."""

__all__ = [
    "KINDS", "CallOptions", "FileContent", "ImageFile", "Kind", "Readable", "check_tensor", "is_one", "is_several",
    "is_tensor", "name_index", "open_input", "read_input",
]  # fmt: skip

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeGuard, TypeVar

import numpy as np
from PIL import Image

from translate.images.decode import from_pillow
from translate.images.io import decode_picture, read_picture
from translate.images.picture import Picture, ValueRange, as_picture
from translate.utils.errors import UserError, short_reason

if TYPE_CHECKING:
    from torch import Tensor

MAX_TENSOR_VALUE = 1.5  # sharpening exceeds 1 a little; pixels of 0..255, or divided by their deviation, exceed it far
KINDS = "a path, bytes, a file object, a PIL image, an array or a tensor"


class Readable(Protocol):
    """A file object, opened in binary mode."""

    def read(self) -> bytes: ...


Kind = TypeVar("Kind", Image.Image, np.ndarray, "Tensor")  # images whose results are of the same kind
ImageFile = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable  # whose results are PIL images, or bands


class CallOptions(TypedDict, total=False):
    """The options of `Translator.__call__` that do not decide the type of its result."""

    seed: int | None
    strength: float | None
    to: Any
    hints: Any
    mask: Any
    scale: str
    consistent: bool


@dataclass(frozen=True)
class FileContent:
    """The content of an image file, and its name in errors."""

    data: bytes
    name: str


def is_several(image: Any) -> TypeGuard[Sequence[Any]]:
    """Whether `image` is a list, a tuple or another sequence, rather than one image or a batch."""
    return isinstance(image, Sequence) and not isinstance(image, str | bytes | bytearray | memoryview)


def is_one(image: Any) -> bool:
    """Whether `image` is one image, although it may be iterable: a file object yields lines, a text its letters."""
    iterable = isinstance(image, Iterable) and not hasattr(image, "read")
    return not iterable or isinstance(image, str | os.PathLike | bytes | bytearray | memoryview)


@contextmanager
def name_index(what: str, i: int) -> Iterator[None]:
    """Let errors name the element `what`[i] of a list; with "", leave errors as they are."""
    try:
        yield
    except UserError as error:
        if not what:
            raise
        raise type(error)(f"{what}[{i}]: {error}") from None


def open_input(image: Any) -> Any:
    """Read bytes and file objects to a `FileContent`, file objects from their beginning; return other kinds unchanged.

    Raises:
        UserError: a file object that is closed, empty, asynchronous or opened as text.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return FileContent(bytes(image), f"the {type(image).__name__}")
    read = getattr(image, "read", None) or getattr(image, "read_bytes", None)
    if isinstance(image, str | os.PathLike | FileContent | Image.Image) or not callable(read):
        return image
    name = getattr(image, "name", None)
    name = name if isinstance(name, str) else f"the {type(image).__name__}"
    try:
        if getattr(image, "seekable", bool)():
            image.seek(0)  # as Pillow does: what has just been written is read
        data = read()
    except (OSError, ValueError) as error:
        raise UserError(f"{name}: cannot be read ({short_reason(error)}); open it again, in binary mode") from None
    if isawaitable(data):
        getattr(data, "close", bool)()  # a coroutine that is never awaited would warn
        raise UserError(f"{name}: is read asynchronously; await its read(), and give the bytes")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UserError(f"{name}: gives {type(data).__name__}, not bytes; open it in binary mode, 'rb'")
    return FileContent(bytes(data), name)


def read_input(image: Any, values: ValueRange | None = None, channels: int = 3) -> tuple[Picture, str]:
    """Read an image of any kind but tensors; return the picture, and its name in errors.

    `values` are black and white in floats and wide integers; None: 0 and 1, or the full scale. The fourth channel of an
    array is alpha, unless the model takes four `channels`.

    Raises:
        UserError: an unreadable file, or another kind of input.
    """
    image = open_input(image)
    if isinstance(image, FileContent):
        if not image.data:
            raise UserError(f"{image.name}: is empty; give the content of an image file")
        return decode_picture(image.data, image.name, values), image.name
    if isinstance(image, str | os.PathLike):
        return read_picture(os.fspath(image), values), str(image)
    if isinstance(image, Image.Image):
        try:
            return from_pillow(image, values), "the picture"
        except (OSError, ValueError) as error:
            raise UserError(f"the PIL image of mode {image.mode} cannot be used: {error}") from None
    if isinstance(image, np.ndarray):
        return _from_array(image, values, channels), "the array"
    if is_tensor(image):
        raise UserError("a tensor cannot be used here; give a path, bytes, a file object, a PIL image or an array")
    if is_several(image) or isinstance(image, Iterable):
        raise UserError(f"a {type(image).__name__} is no picture; give a list of pictures, or a generator to .stream()")
    raise UserError(f"a {type(image).__name__} is no picture; give {KINDS}")


def _from_array(array: np.ndarray, values: ValueRange | None, channels: int) -> Picture:
    planes = array[..., None] if array.ndim == 2 else array
    known = array.dtype in (np.uint8, np.uint16) or array.dtype.kind in ("iuf" if values else "f")
    if not known or planes.ndim != 3 or not planes.size:
        raise UserError(
            f"an array of shape {array.shape} and type {array.dtype} is no picture;"
            " give (H, W), (H, W, C) or (N, H, W, C) of uint8, uint16 or float in [0, 1]"
        )
    try:
        return as_picture(planes, planes.shape[2] == 4 != channels, bands=True, values=values)
    except ValueError as error:
        raise UserError(f"the array: {error}") from None


def is_tensor(image: Any) -> "TypeGuard[Tensor]":
    """Whether `image` is a tensor; if torch has not been imported, it is none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def check_tensor(x: "Tensor", channels: int) -> None:
    """Check that a tensor is an input for a network of `channels`; reading its range makes the host wait.

    Raises:
        UserError: another shape or type, NaN, or values far outside [-1, 1].
    """
    if not x.is_floating_point() or x.ndim not in (3, 4) or x.shape[-3] != channels or not x.numel():
        convert = "; convert 0..255 with x.float() / 127.5 - 1" if str(x.dtype) == "torch.uint8" else ""
        raise UserError(
            f"cannot translate a tensor of shape {tuple(x.shape)} and type {x.dtype};"
            f" give ({channels}, H, W) or (B, {channels}, H, W), float in [-1, 1]{convert}"
        )
    low, high = (float(value) for value in x.detach().aminmax())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UserError("the tensor: it holds NaN or infinite values; put numbers in their place")
    if low < -MAX_TENSOR_VALUE or high > MAX_TENSOR_VALUE:
        remedy = "x / 127.5 - 1 for 0..255" if low >= 0 else "undo a normalisation by mean and deviation"
        raise UserError(f"the tensor: its values run from {low:g} to {high:g}; scale them to [-1, 1] ({remedy})")
