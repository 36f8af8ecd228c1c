"""Every call of albumentations, in one file: how a picture is brought to the trained size, and augmented.

The library is frozen at 2.0.8 (the last release under MIT), hence the single place.
"""

__all__ = ["Augment", "fit"]

import os
import threading

import cv2
import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or importing it asks the network for news
import albumentations as A  # noqa: E402


def fit(picture: np.ndarray, side: int, *, square: bool) -> np.ndarray:
    """Resize `picture` (H, W, 3) uint8 so that its shorter side, or with `square` both, are `side` px."""
    smaller = {"interpolation": cv2.INTER_CUBIC, "area_for_downscale": "image"}
    resize = A.Resize(side, side, **smaller) if square else A.SmallestMaxSize(side, **smaller)
    return A.Compose([resize])(image=picture)["image"]


class Augment:
    """Random crop and mirroring; the draw is a function of the seed that a call is given.

    Calls may come from several threads.
    """

    def __init__(self, crop: int, *, flip: bool) -> None:
        self.crop, self.flip = crop, flip
        self._local = threading.local()

    def __call__(self, picture: np.ndarray, seed: int) -> np.ndarray:
        """Return the crop (crop, crop, 3) of `picture` (H, W, 3), both sides at least `crop` px."""
        if not hasattr(self._local, "compose"):  # a Compose carries its generator: one for each thread
            steps = [A.RandomCrop(self.crop, self.crop), A.HorizontalFlip(p=0.5 if self.flip else 0.0)]
            self._local.compose = A.Compose(steps)
        self._local.compose.set_random_seed(seed)
        return self._local.compose(image=picture)["image"]
