"""Sheets of pictures."""

__all__ = ["make_grid"]

from collections.abc import Sequence

import numpy as np


def make_grid(rows: Sequence[Sequence[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Lay pictures out in rows on white; all cells are as large as the largest.

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
