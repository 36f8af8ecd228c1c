"""Heights of products: inflation of a flat mask to a volume, and slopes for shading."""

__all__ = ["inflate", "slopes"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32

NEIGHBOURS = f32([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]])
SWEEPS = (50, 20, 12, 8, 5)  # Jacobi sweeps from the coarsest level on; each starts from the coarser solution
COARSEST_PX = 10  # px, edge of the coarsest level


def inflate(mask: Array, radius: float) -> Array:
    """Inflate a mask: half a ball over a disk, half a pipe over a band, a plateau over anything much wider.

    The height is sqrt(2 u), where u solves the screened Poisson equation laplace(u) = u / radius^2 - 1 inside the
    mask and is 0 outside: unlike the distance to the edge it has no crease along the medial axis. Solved from coarse
    to fine by Jacobi sweeps.

    Args:
        mask: (H, W) coverage in [0, 1].
        radius: distance from the edge over which a wide shape rises, px.

    Returns:
        (H, W) float32 heights, px, at most sqrt(2) radius.
    """
    height, width = mask.shape
    scale = max(1, 2 ** int(np.log2(max(1, min(height, width) / COARSEST_PX))))
    u = np.zeros((2, 2), np.float32)
    for level in range(scale.bit_length()):
        shape = (max(2, round(width / scale)), max(2, round(height / scale)))
        inside = cv2.resize(mask, shape, interpolation=cv2.INTER_AREA) if scale > 1 else mask
        inside = cv2.threshold(inside, 0.5, 1, cv2.THRESH_BINARY)[1]
        damped = inside / np.float32(1 + scale**2 / (4 * radius**2))
        source = damped * np.float32(scale**2 / 4)
        u = cv2.resize(u, shape, interpolation=cv2.INTER_LINEAR)
        for _ in range(SWEEPS[min(level, len(SWEEPS) - 1)]):
            u = cv2.filter2D(u, -1, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT) * damped + source
        scale //= 2
    return np.sqrt(2 * u)


def slopes(height: Array) -> tuple[Array, Array]:
    """Return the slopes of `height` (H, W) to the right and downwards, per px."""
    return (
        cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8),
        cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8),
    )
