"""Many images, translated in batches as they come, and returned in order in the kind that went in."""

__all__ = ["ImageStream", "check_images", "one_each"]

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from translate.images.picture import Picture, ValueRange
from translate.inference.inpainting import fill_tensor, restore_known
from translate.inference.inputs.images import (
    check_tensor,
    is_one,
    is_several,
    is_tensor,
    name_index,
    open_input,
    read_input,
)
from translate.inference.inputs.masks import load_mask, load_mask_batch
from translate.inference.inputs.pixels import ALWAYS_FITS_PX
from translate.inference.postprocess import to_kind_of
from translate.inference.request import Conditioning, PreparedImage, Request
from translate.utils.errors import OptionError, UserError

if TYPE_CHECKING:
    from torch import Tensor

    from translate.inference.onnx.runner import OnnxRunner
    from translate.inference.runner import ModelRunner

_MISSING = object()  # in place of hints or a mask that an iterable of too few does not hold
Read = tuple[Any, PreparedImage]  # an image as the user gave it, and prepared


def check_images(images: Any) -> None:
    """Raise UserError unless `images` are an iterable of images."""
    if is_one(images):
        raise UserError(f"stream takes many pictures, not one {type(images).__name__}; give a list or a generator")


def one_each(given: Any, count: int | None, what: str) -> Iterable[Any]:
    """Return the hints or masks of `count` images, an unknown number if None: `given` for each, or its elements.

    Raises:
        UserError: another number of elements.
    """
    if is_one(given) or not (is_several(given) or isinstance(given, Iterator)):
        return repeat(open_input(given))  # a file object is read once
    if count is not None and is_several(given):
        _check_count(len(given), count, what)
    return given


def _one_each_of_stack(given: Any, stack: np.ndarray, what: str) -> Iterable[Any]:
    """Do as `one_each` for the pictures of a stack (N, H, W, C); `given` may be a stack, too."""
    if not isinstance(given, np.ndarray) or (given.ndim != 4 and given.shape != stack.shape[:3]):
        return one_each(given, len(stack), what)
    _check_count(len(given), len(stack), what)
    return given


def _check_count(has: int, needed: int, what: str) -> None:
    if has != needed:
        raise UserError(f"{has} {what} for {needed} pictures; give one for all, or one for each")


def _fits(batch: list[Read], image: PreparedImage) -> bool:
    """Whether a picture can join the batch: of equal size, and not too large in total."""
    pixels = sum(read.picture.pixels[..., 0].size for _, read in [*batch, (None, image)])
    return image.batch_key == batch[0][1].batch_key and pixels <= ALWAYS_FITS_PX


@dataclass(frozen=True)
class ImageStream:
    """Translates images of any kinds by one request."""

    runner: "ModelRunner | OnnxRunner"
    request: Request
    prepare: Callable[[Picture, Request, Conditioning | None, str], PreparedImage]
    values: ValueRange | None  # black and white in files of floats and wide integers

    def run(self, images: Iterable[Any], hints: Iterable[Any], masks: Iterable[Any], what: str) -> Iterator[list[Any]]:
        """Yield the results of each image, one for each variant; errors call an image `what`[i], unless "".

        Consecutive small pictures of one size are translated as one batch, where the device gains by batches. So many
        are read ahead, and no others.
        """
        batch: list[Read] = []
        layers = zip(chain(hints, repeat(_MISSING)), chain(masks, repeat(_MISSING)), strict=True)
        for i, (image, (hint, mask)) in enumerate(zip(images, layers, strict=False)):
            # 1. read a picture, or translate a tensor or a stack of arrays at once
            with name_index(what, i):
                if hint is _MISSING or mask is _MISSING:
                    raise UserError("no hints or mask are left for this picture; give one for all, or one for each")
                image = open_input(image)
                at_once = self._translate_at_once(image, hint, mask)
                prepared = None if at_once else self._read(image, hint, mask)
            # 2. run a batch that the image does not join
            if batch and not (prepared and _fits(batch, prepared)):
                yield from self._run(batch)
                batch = []
            # 3. run a batch that is full
            if at_once:
                yield at_once
            elif prepared:
                batch.append((image, prepared))
                if len(batch) >= self.runner.max_batch(prepared):
                    yield from self._run(batch)
                    batch = []
        yield from self._run(batch)

    def _translate_at_once(self, image: Any, hint: Any, mask: Any) -> list[Any] | None:
        """Return the results of a tensor or a stack of arrays, None for other kinds."""
        if is_tensor(image):
            return self._translate_tensor(image, hint, mask)
        if not (isinstance(image, np.ndarray) and image.ndim == 4 and len(image)):
            return None
        hints, masks = _one_each_of_stack(hint, image, "hints"), _one_each_of_stack(mask, image, "masks")
        return [np.stack(variants) for variants in zip(*self.run(image, hints, masks, "array"), strict=True)]

    def _read(self, image: Any, hint: Any, mask: Any) -> PreparedImage:
        values = None if self.runner.masked else self.values  # inpainting returns known pixels in any range
        picture, name = read_input(image, values, self.runner.channels(self.request.direction)[0])
        conditioning: Conditioning | None = None
        if mask is not None:
            conditioning = load_mask(mask)
        elif hint is not None:
            conditioning = read_input(hint)
        return self.prepare(picture, self.request, conditioning, name)

    def _run(self, batch: list[Read]) -> Iterator[list[Any]]:
        """Run the networks on a batch, and yield each image's results in its kind."""
        pending = self.runner.run_batch([prepared for _, prepared in batch], self.request) if batch else []
        for (image, prepared), result in zip(batch, pending, strict=True):
            results = [to_kind_of(image, one, keep_mode=not self.runner.paired) for one in result.pictures()]
            if prepared.hole is not None:
                results = [restore_known(image, one, prepared.hole) for one in results]
            yield results

    def _translate_tensor(self, x: "Tensor", hints: Any, mask: Any) -> "list[Tensor]":
        """Translate (C, H, W) or (B, C, H, W) in one pass for each variant."""
        from translate.inference.preprocess import prepare_hints
        from translate.inference.runner import ModelRunner

        runner = self.runner
        if not isinstance(runner, ModelRunner):
            raise OptionError("an ONNX file takes no tensors; give an array, or load the model it was exported from")
        if self.request.consistent:
            raise OptionError("consistent is for pictures of 8 or 16 bits, and a tensor has floats; leave it out")
        # 1. prepare the batch, and its hints or holes
        check_tensor(x, runner.channels(self.request.direction)[0])
        batch, size = x.detach().reshape(-1, *x.shape[-3:]), (x.shape[-2], x.shape[-1])
        hint = None
        if hints is not None:
            layer, name = read_input(hints)
            hint = prepare_hints(layer, size, size, name)
        holes = load_mask_batch(mask, batch) if runner.masked else None
        # 2. run the networks
        results = []
        for variant in self.request.variants:
            network = runner.network(self.request.direction, variant, "the tensor", hint)
            y = network(batch) if holes is None else fill_tensor(batch, holes, network, runner.fixed_size)
            results.append(y.reshape(*x.shape[:-3], *y.shape[1:]).to(x.device, x.dtype).clone())  # usable in autograd
        return results
