"""Postprocessing: from network outputs back to pictures of the size, depth and kind of the user's."""

__all__ = ["PendingResult", "postprocess"]

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from translate.images.picture import Picture, to_gray
from translate.images.tensors import HostCopy
from translate.inference.preprocess import resize


def postprocess(output: np.ndarray, like: Picture, paired: bool) -> Picture:
    """Convert a network output to a picture of the size and kind of the one that was translated.

    The colour profile is kept only by unpaired models, which change a picture; the result of a paired one has the
    colours of its target domain, whatever scanner the sketch came from.

    Args:
        output: (h, w, C) of the picture's depth.
        like: the picture that was translated.
        paired: whether the result has the target's channels and no alpha; else gray stays gray, and alpha is kept.
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
    """The variants of one picture, which may still be on their way from the device.

    Attributes:
        outputs: for each variant a batch that is being copied to the host, an array (h, w, C), or a finished picture.
        like, paired: as for `postprocess`.
        index: of the picture in its batch.
    """

    outputs: Sequence[HostCopy | np.ndarray | Picture]
    like: Picture
    paired: bool = False
    index: int = 0

    def pictures(self) -> list[Picture]:
        """Wait for the results and postprocess them."""
        return [self._finish(output) for output in self.outputs]

    def _finish(self, output: HostCopy | np.ndarray | Picture) -> Picture:
        if isinstance(output, Picture):
            return output
        array = output.array(self.index) if isinstance(output, HostCopy) else output
        return postprocess(array, self.like, self.paired)
