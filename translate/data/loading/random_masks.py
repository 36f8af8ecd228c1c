"""Masks of holes to be filled: drawn at random for training, fixed by a seed for evaluation.

A mask is (H, W) bool, True in the hole. That holes should be wide, and of several kinds, is what LaMa found (Suvorov
et al., 2022, https://arxiv.org/abs/2109.07161, section 2.3); the bands of area are those that partial convolutions
were measured in, two at a time (Liu et al., 2018, https://arxiv.org/abs/1804.07723, section 4).
"""

__all__ = ["BANDS", "DEFAULT_KINDS", "KINDS", "check_mask_options", "draw_mask", "evaluation_mask"]

from collections.abc import Sequence

import numpy as np

from translate.data.loading.mask_shapes import KINDS
from translate.utils.errors import OptionError, did_you_mean

DEFAULT_KINDS = ("strokes",) * 9 + ("boxes",) * 4 + ("blobs",) * 4 + ("halves", "scratches", "salt")
EVALUATED_KINDS = ("strokes",) * 4 + ("boxes",) * 3 + ("blobs",) * 3
BANDS = ((0.01, 0.2), (0.2, 0.4), (0.4, 0.6))  # least and largest share of the hole, by the number of the band
TRIES = 12  # masks drawn for one whose area is as wanted


def draw_mask(
    height: int,
    width: int,
    rng: np.random.Generator,
    *,
    kinds: Sequence[str] | None = None,
    low: float = 0.02,
    high: float = 0.6,
) -> np.ndarray:
    """Draw one mask: its kind and the share of its hole are drawn first.

    Args:
        height: px.
        width: px; the mask has at least two pixels.
        rng: all that is random.
        kinds: names of KINDS; one that is named twice is drawn twice as often. None: DEFAULT_KINDS.
        low: least share of the hole, 0 to 1; "centre" has its own.
        high: largest share, above `low`.

    Returns:
        (height, width) bool, neither empty nor full.
    """
    assert height * width > 1 and low < high
    kinds = kinds or DEFAULT_KINDS
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == "centre":
        return KINDS[kind](height, width, rng, 0.25)
    least, most = _usual_shares(kind, low, high)
    for _ in range(TRIES):
        mask = KINDS[kind](height, width, rng, rng.uniform(least, most))
        if 0 < (area := np.count_nonzero(mask)) < mask.size and low * mask.size <= area <= high * mask.size:
            return mask
    return _rows(height, width, rng, rng.uniform(low, high))


def evaluation_mask(height: int, width: int, band: int, index: int, seed: int = 0) -> np.ndarray:
    """Return mask number `index` >= 0 of one of BANDS: strokes, boxes and blobs, the same for ever.

    Returns:
        (height, width) bool; the share of the hole lies in the band.
    """
    assert 0 <= band < len(BANDS) and index >= 0
    low, high = BANDS[band]
    return draw_mask(
        height, width, np.random.default_rng([seed, band, index]), kinds=EVALUATED_KINDS, low=low, high=high
    )


def check_mask_options(kinds: Sequence[str], low: float, high: float) -> None:
    """Check what a user wants to be drawn; no `kinds` stand for the usual mixture.

    Raises:
        OptionError: a kind is unknown, or there is no area between `low` and `high`.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise OptionError(f"--mask-kinds: unknown kind {kind!r}{did_you_mean(str(kind), KINDS)}")
    if not 0 <= low < high <= 1:
        raise OptionError(
            f"--mask-low {low:g} and --mask-high {high:g} should lie between 0 and 1, the first below the second"
        )


def _usual_shares(kind: str, low: float, high: float) -> tuple[float, float]:
    """Return the least and the largest share to draw, those usual for the kind where the two given leave the choice."""
    usual = {"halves": (0.3, 1.0), "scratches": (0.0, 0.1), "salt": (0.0, 0.2)}
    least, most = usual.get(kind, (0.0, 1.0))
    least, most = max(low, least), min(high, most)
    return (least, most) if least < most else (low, high)


def _rows(height: int, width: int, rng: np.random.Generator, share: float) -> np.ndarray:
    """Take whole rows and a part of one, of exactly the share: the last resort of tiny pictures and narrow wishes."""
    count = min(max(1, round(share * height * width)), height * width - 1)
    return np.roll(np.arange(height * width) < count, rng.integers(height) * width).reshape(height, width)
