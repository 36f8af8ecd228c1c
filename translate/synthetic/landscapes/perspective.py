"""The camera: projection from the world to the picture.

World coordinates are metres from the photographer's feet: x to the right, y up, z ahead.
"""

__all__ = ["FOCAL", "View"]

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from translate.synthetic.arrays import Array

Distance = TypeVar("Distance", float, Array)

FOCAL = 1.15  # picture heights: the field of view of a 30 mm lens on 35 mm film


@dataclass(frozen=True)
class View:
    """A level camera over flat ground.

    Attributes:
        size: edge of the square picture, px.
        horizon: row of the horizon as a share of the height.
        eye: height of the camera over the ground, m.
    """

    size: int
    horizon: float
    eye: float

    def scale(self, z: Distance) -> Distance:
        """Return pixels per metre at distance `z` m."""
        return FOCAL * self.size / z

    def row(self, z: Distance) -> Distance:
        """Return the row of the ground at distance `z` m, px."""
        return self.horizon * self.size + self.eye * self.scale(z)

    def column(self, x: Distance, z: Distance) -> Distance:
        """Return the column of a point `x` m to the right at distance `z` m, px."""
        return self.size / 2 + x * self.scale(z)

    def half_width(self, z: float) -> float:
        """Return half the width of the view at distance `z`, m."""
        return 0.5 * z / FOCAL

    @property
    def first_row(self) -> int:
        """Return the first row of pixels that shows ground."""
        return int(np.ceil(self.horizon * self.size))

    def ground(self) -> tuple[Array, Array]:
        """Return world (x, z), m, of the ground under every pixel below the horizon, each (H - first_row, W)."""
        rows = np.arange(self.first_row, self.size, dtype=np.float32)[:, None] + 0.5
        z = FOCAL * self.eye / np.maximum(rows / self.size - self.horizon, 0.25 / self.size)
        across = ((np.arange(self.size, dtype=np.float32) + 0.5) / self.size - 0.5)[None]
        return across * z / FOCAL, np.repeat(z, self.size, 1)
