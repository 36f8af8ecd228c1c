"""Near-copies: results that are their input nearly unchanged, such as those of a network that has learned nothing."""

__all__ = ["is_near_copy"]

from torch import Tensor

from translate.metrics.similarity import l1, pad_to_window, ssim_map

# Of photos and paintings of 256 px, 20 % more contrast, a tint of 10 levels, JPEG of quality 75 or a blur of 1 px stay
# within these limits; the same scene in the other look has 25 levels and an SSIM of 0.44.
MAX_L1 = 12.0  # of 255 levels
MIN_SSIM = 0.85


def is_near_copy(output: Tensor, source: Tensor) -> Tensor:
    """Whether each picture of (B, 3, H, W) in [-1, 1] is its source with slight changes that none would ask for: (B,).

    The mean difference is at most 12 of 255 levels, and SSIM at least 0.85.

    >>> is_near_copy(torch.full((1, 3, 16, 16), 0.02), torch.zeros(1, 3, 16, 16))
    tensor([True])
    """
    near = l1(output, source) <= MAX_L1
    for i in near.nonzero().flatten().tolist():  # SSIM takes much longer
        one, other = (pad_to_window(pictures[i : i + 1]) for pictures in (output, source))
        near[i] = bool(ssim_map(one, other).mean() >= MIN_SSIM)
    return near
