"""Postprocessing: from network outputs back to pictures of the size, depth and kind of the user's."""

__all__ = ["PendingResult", "postprocess"]

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from translate.images.picture import Picture, to_gray
from translate.images.tensors import HostCopy
from translate.inference.preprocess import resize


def postprocess(output: np.ndarray, like: Picture, paired: bool) -> Picture:
    """Convert a network output (h, w, C) to the size and kind of the picture that was translated, of the same depth.

    The result of an unpaired model keeps gray, alpha and the colour profile. That of a paired one has the channels and
    the colours of the target domain, whatever scanner the sketch came from.
    """
    pixels = resize(output, like.pixels.shape[:2])
    gray = pixels.shape[2] == 1
    if gray:
        pixels = pixels.repeat(3, axis=2)
    if paired:
        return replace(like, pixels=pixels, alpha=None, gray=gray, icc=None)
    if like.gray:
        pixels = to_gray(pixels)[..., None].repeat(3, axis=2)
    return replace(like, pixels=pixels)


@dataclass(frozen=True)
class PendingResult:
    """The variants of one picture, which may still be on their way from the device."""

    outputs: Sequence[HostCopy | np.ndarray | Picture]  # batches being copied, arrays (h, w, C), or finished pictures
    like: Picture  # as for `postprocess`
    paired: bool = False
    index: int = 0  # of the picture in its batch

    def pictures(self) -> list[Picture]:
        """Wait for the results and postprocess them."""
        return [self._finish(output) for output in self.outputs]

    def _finish(self, output: HostCopy | np.ndarray | Picture) -> Picture:
        if isinstance(output, Picture):
            return output
        array = output.array(self.index) if isinstance(output, HostCopy) else output
        return postprocess(array, self.like, self.paired)
