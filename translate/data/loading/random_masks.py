"""Random masks for inpainting, reproducible for evaluation.

A mask is (H, W) bool, True in the hole. Wide holes of several kinds follow LaMa (Suvorov et al., 2022,
https://arxiv.org/abs/2109.07161, section 2.3); the bands of area are those of partial convolutions, two at a time
(Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 4).
"""

__all__ = ["BANDS", "DEFAULT_KINDS", "KINDS", "check_mask_options", "draw_mask", "evaluation_mask"]

from collections.abc import Sequence

import numpy as np

from translate.data.loading.mask_shapes import KINDS
from translate.utils.errors import OptionError, did_you_mean

DEFAULT_KINDS = ("strokes",) * 9 + ("boxes",) * 4 + ("blobs",) * 4 + ("halves", "scratches", "salt")
EVALUATION_KINDS = ("strokes",) * 4 + ("boxes",) * 3 + ("blobs",) * 3
BANDS = ((0.01, 0.2), (0.2, 0.4), (0.4, 0.6))  # smallest and largest share of the hole
MAX_DRAWS = 12  # attempts to draw a mask whose area is in range


def draw_mask(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    kinds: Sequence[str] | None = None,
    low: float = 0.02,
    high: float = 0.6,
) -> np.ndarray:
    """Draw one mask of a random kind and share of the hole: (height, width) bool, neither empty nor full.

    A kind that `kinds` repeats is drawn more often; None means DEFAULT_KINDS. The share lies between `low` and `high`,
    0 to 1, for all kinds but "centre". The mask has at least two pixels.
    """
    assert height * width > 1 and low < high
    kinds = kinds or DEFAULT_KINDS
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == "centre":
        return KINDS[kind](height, width, rng, 0.25)
    low_of_kind, high_of_kind = _share_range(kind, low, high)
    for _ in range(MAX_DRAWS):
        mask = KINDS[kind](height, width, rng, rng.uniform(low_of_kind, high_of_kind))
        if 0 < (area := np.count_nonzero(mask)) < mask.size and low * mask.size <= area <= high * mask.size:
            return mask
    return _draw_rows(height, width, rng, rng.uniform(low, high))


def evaluation_mask(height: int, width: int, band: int, index: int, seed: int = 0) -> np.ndarray:
    """Return the reproducible mask number `index` >= 0 of one of BANDS, (height, width) bool."""
    assert 0 <= band < len(BANDS) and index >= 0
    rng, (low, high) = np.random.default_rng([seed, band, index]), BANDS[band]
    return draw_mask(height, width, rng, kinds=EVALUATION_KINDS, low=low, high=high)


def check_mask_options(kinds: Sequence[str], low: float, high: float) -> None:
    """Raise OptionError if a kind of random masks is unknown, or there is no area between `low` and `high`."""
    for kind in kinds:
        if kind not in KINDS:
            raise OptionError(f"--mask-kinds: unknown kind {kind!r}{did_you_mean(str(kind), KINDS)}")
    if not 0 <= low < high <= 1:
        raise OptionError(
            f"--mask-low {low:g} and --mask-high {high:g} should lie between 0 and 1, the first below the second"
        )


def _share_range(kind: str, low: float, high: float) -> tuple[float, float]:
    """Return the part of the range that suits the kind, or the whole range if no part does."""
    ranges = {"halves": (0.3, 1.0), "scratches": (0.0, 0.1), "salt": (0.0, 0.2)}
    low_of_kind, high_of_kind = ranges.get(kind, (0.0, 1.0))
    low_of_kind, high_of_kind = max(low, low_of_kind), min(high, high_of_kind)
    return (low_of_kind, high_of_kind) if low_of_kind < high_of_kind else (low, high)


def _draw_rows(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Mask whole rows and a part of one, of exactly the share: the fallback for tiny pictures and narrow ranges."""
    count = min(max(1, round(share * height * width)), height * width - 1)
    return np.roll(np.arange(height * width) < count, rng.integers(height) * width).reshape(height, width)
