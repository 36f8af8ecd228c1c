"""A trained model as one callable: a picture of any kind and size in, the same kind and size out."""

__all__ = ["Translator"]

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from translate import memory
from translate.checkpoint import Recipe, load_model, model_file
from translate.decode import from_pillow
from translate.encode import to_pillow
from translate.errors import OptionError, UserError
from translate.images import pad_to_multiple, read_picture, to_array, to_tensor
from translate.picture import Picture, as_picture, to_gray
from translate.precision import pick_inference_precision
from translate.step import autocast, pick_device
from translate.tasks import TASKS

_MINIMUM = 16  # px; below, networks that shrink a picture leave their norms nothing to average over
_ALWAYS_FITS = 2**20  # pixels; memory is not asked about for pictures up to this
_BESIDE = 40  # bytes a pixel of the copies around the networks' pass
_KEPT_MODES = ("CMYK", "YCbCr", "I")  # PIL modes that are not translated as they are but can be returned to


class Translator:
    """Translates pictures between the two domains of a model.

    `Translator.load("runs/photos2monet")("photo.jpg")` is a painting.

    Attributes:
        recipe: what the model is; `recipe.domains` names a and b.
        device: where it computes.
        precision: "fp32" or "bf16".
        file: the model file, or None where the networks were given.
    """

    def __init__(
        self, recipe: Recipe, nets: nn.ModuleDict, device: str | torch.device = "cpu", precision: str = "fp32"
    ) -> None:
        if TASKS[recipe.task].data not in ("paired", "unpaired"):
            raise UserError(f"a model of the task {recipe.task!r} translates no pictures; give another model")
        self.recipe = recipe
        self.device = torch.device(device)
        nets.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.nets = nets.eval().requires_grad_(False)
        self.file: Path | None = None
        self._multiple = max(int(getattr(net, "multiple", 1)) for net in nets.values())
        self.precision = pick_inference_precision(partial(self._run, "ab"), self.device, precision)

    @classmethod
    def load(cls, path: str | Path, device: str = "auto", precision: str = "auto") -> "Translator":
        """Load a run folder or a model.safetensors.

        Args:
            path: the run folder or the file.
            device: "auto", "cpu", "cuda", "cuda:1" or "mps".
            precision: "auto", "bf16" or "fp32".

        Raises:
            OptionError: no such device or precision.
            UserError: there is no model, it is damaged, or it translates no pictures.
        """
        where = pick_device(device)
        recipe, nets = load_model(path, where)
        translator = cls(recipe, nets, where, precision)
        translator.file = model_file(path)
        return translator

    def __call__(self, image: Any, direction: str = "ab") -> Any:
        """Translate a picture of any of these kinds to one of the same kind and size.

        Args:
            image: a path (the result is then a PIL image); a PIL image; an array (H, W), (H, W, 1), (H, W, 3)
                or (H, W, 4) of uint8, uint16 or float in [0, 1]; or a tensor (3, H, W) or (B, 3, H, W),
                float in [-1, 1]. Gray stays gray, alpha is carried over, EXIF's rotation is carried out.
            direction: "ab" or "ba".

        Raises:
            OptionError: a wrong direction.
            UserError: a file that cannot be read, an input of no such kind, or one too large for the memory.
        """
        self.check_direction(direction)
        if isinstance(image, str | Path):
            return to_pillow(self.picture(read_picture(image), direction, str(image)))
        if isinstance(image, Image.Image):
            return self._pillow(image, direction)
        if isinstance(image, np.ndarray):
            return self._array(image, direction)
        if isinstance(image, Tensor):
            return self._tensor(image, direction)
        raise UserError(f"cannot translate a {type(image).__name__}; give a path, PIL image, array or tensor")

    def picture(self, picture: Picture, direction: str = "ab", name: str = "the picture") -> Picture:
        """Translate a picture, keeping size, depth, gray and alpha; errors call it `name`.

        Raises:
            OptionError: a wrong direction.
            UserError: its pass would take more memory than there is.
        """
        y = self._checked_run(to_tensor(picture.pixels), direction, name)
        pixels = to_array(y, picture.pixels.dtype)
        if picture.gray:
            pixels = to_gray(pixels)[..., None].repeat(3, axis=2)
        return Picture(pixels, picture.alpha, picture.gray, picture.frames)

    def peak_bytes(self, height: int, width: int) -> int:
        """Estimate the memory that translating a picture of height x width px takes, beside the model."""
        return round(max(height, _MINIMUM) * max(width, _MINIMUM) * (self._bytes_per_pixel + _BESIDE))

    @cached_property
    def _bytes_per_pixel(self) -> float:
        # Counted in fp32 for both precisions: with bf16 the tensors take less, the backend's own copies more.
        return memory.bytes_per_pixel(lambda x: self._run("ab", x, "fp32"), self.device)

    def check_direction(self, direction: str) -> None:
        """Raise OptionError, naming the two domains, unless `direction` is "ab" or "ba"."""
        if direction not in ("ab", "ba"):
            a, b = self.recipe.domains
            raise OptionError(f"direction {direction!r} is neither 'ab' ({a} to {b}) nor 'ba' ({b} to {a})")

    def _run(self, direction: str, x: Tensor, precision: str) -> Tensor:
        """Translate (B, 3, H, W) in [-1, 1] of any size; the result is float32 on the translator's device."""
        x = x.to(self.device, torch.float32)
        x, (rows, columns) = pad_to_multiple(x, self._multiple, _MINIMUM)
        batch = {direction[0]: x.contiguous(memory_format=torch.channels_last)}
        with torch.inference_mode(), autocast(self.device, precision):
            y = TASKS[self.recipe.task].predict(self.nets, batch, direction=direction)
        assert y.shape == x.shape, (y.shape, x.shape)
        return y[..., rows, columns].float()

    def _checked_run(self, x: Tensor, direction: str, name: str) -> Tensor:
        batch, _, height, width = x.shape
        self.check_direction(direction)
        if batch * height * width > _ALWAYS_FITS:
            free = memory.free_bytes(self.device)
            if free is not None and batch * self.peak_bytes(height, width) > free:
                raise self._too_large(x, name, free)
        try:
            return self._run(direction, x, self.precision)
        except RuntimeError as error:  # the estimate was too low, or others took the memory meanwhile
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                raise self._too_large(x, name, memory.free_bytes(self.device) or 0) from None
            raise

    def _too_large(self, x: Tensor, name: str, free: int) -> UserError:
        batch, _, height, width = x.shape
        need, there = memory.gigabytes(batch * self.peak_bytes(height, width)), memory.gigabytes(free)
        return UserError(
            f"{name}: {width} x {height} px would need about {need} of memory, {there} are free;"
            " shrink it first or use a machine with more memory"
        )

    def _pillow(self, image: Image.Image, direction: str) -> Image.Image:
        try:
            picture = from_pillow(image)
        except (OSError, ValueError) as error:
            raise UserError(f"the PIL image of mode {image.mode} cannot be translated: {error}") from None
        result = to_pillow(self.picture(picture, direction))
        return result.convert(image.mode) if image.mode in _KEPT_MODES else result

    def _array(self, array: np.ndarray, direction: str) -> np.ndarray:
        known = array.dtype in (np.uint8, np.uint16) or array.dtype.kind == "f"
        planes = array[..., None] if array.ndim == 2 else array
        if not known or planes.ndim != 3 or planes.shape[2] not in (1, 3, 4) or not planes.size:
            raise UserError(
                f"cannot translate an array of shape {array.shape} and type {array.dtype};"
                " give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 or float in [0, 1]"
            )
        try:
            picture = self.picture(as_picture(planes), direction, "the array")
        except ValueError as error:
            raise error if isinstance(error, UserError) else UserError(f"the array: {error}") from None
        stack = picture.pixels[..., :1] if picture.gray else picture.pixels
        if picture.alpha is not None:
            stack = np.dstack((stack, picture.alpha))
        return stack.reshape(array.shape).astype(array.dtype, copy=False)

    def _tensor(self, x: Tensor, direction: str) -> Tensor:
        shape = tuple(x.shape)
        if not x.is_floating_point() or x.ndim not in (3, 4) or x.shape[-3] != 3 or not x.numel():
            raise UserError(
                f"cannot translate a tensor of shape {shape} and type {x.dtype};"
                " give (3, H, W) or (B, 3, H, W), float in [-1, 1]"
            )
        y = self._checked_run(x.detach().reshape(-1, *shape[-3:]), direction, "the tensor")
        return y.reshape(shape).to(x.device, x.dtype).clone()  # a clone may be used in autograd
