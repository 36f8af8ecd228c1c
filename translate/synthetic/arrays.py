"""The arrays that the renderers pass around."""

__all__ = ["Array", "Picture", "f32"]

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]  # float32 throughout; NumPy's stubs do not track the width
Picture = NDArray[np.uint8]


def f32(values: ArrayLike) -> Array:
    """Return `values` as a float32 array."""
    return np.asarray(values, np.float32)
