"""Whether pictures have colour."""

__all__ = ["colourless"]

import numpy as np


def colourless(picture: np.ndarray, *, exactly: bool = False) -> bool:
    """Whether (H, W, 3) uint8 RGB is gray; but for `exactly`, a compressed gray picture may have a breath of colour."""
    tolerance, share = (0, 0.0) if exactly else (8, 0.002)
    return bool((np.ptp(picture.astype(np.int16), axis=2) > tolerance).mean() <= share)
