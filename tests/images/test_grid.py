import numpy as np

from translate.images.grid import make_grid


def test_make_grid():
    small, wide = np.zeros((2, 3, 3), np.uint8), np.full((4, 5, 3), 7, np.uint8)
    grid = make_grid([[small, wide], [wide]], gap=2)
    assert grid.shape == (4 + 2 + 4, 5 + 2 + 5, 3) and grid.dtype == np.uint8
    assert (grid[:2, :3] == 0).all() and (grid[:4, 7:] == 7).all() and (grid[6:, :5] == 7).all()
    assert (grid[4:6] == 255).all() and (grid[:, 5:7] == 255).all() and (grid[2:4, :5] == 255).all()
    assert (grid[6:, 7:] == 255).all()
