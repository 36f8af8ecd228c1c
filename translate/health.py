"""Whether a generator is well while it trains: does it draw many pictures, and new ones?"""

__all__ = ["Health", "Verdict"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.metrics.variety import nearest, small_copies, spread_of_copies

BANK = 2000  # training pictures that samples are compared with
COLLAPSED = 0.5  # samples that vary less than this part of what real pictures do
LEARNED_BY_HEART = 0.5  # samples this much nearer to training pictures than unseen real pictures are


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is seen in one set of samples.

    Attributes:
        spread: How far two samples are apart, over how far two real pictures are; near 1 is right.
        nearness: Median distance from a sample to the nearest training picture, over that of unseen real pictures.
        alarms: What is wrong and what to do, a line each.
    """

    spread: float
    nearness: float
    alarms: list[str]

    def __str__(self) -> str:
        told = f"two samples differ {self.spread:.2f} times as much as two real pictures"
        if self.nearness == self.nearness:
            told += f"; they are {self.nearness:.2f} times as far from the nearest training picture as unseen ones are"
        return "; ".join([told, *self.alarms])


class Health:
    """Compares samples with real pictures, all as small copies."""

    def __init__(self, unseen: Tensor, trained: Sequence[np.ndarray]) -> None:
        """Look at the real pictures.

        Args:
            unseen: (n, C, H, W) in [-1, 1]; pictures that are not trained on.
            trained: Training pictures, each (H, W, C) uint8; some of them, evenly spread, are kept.
        """
        chosen = [trained[i] for i in np.linspace(0, len(trained) - 1, min(BANK, len(trained))).astype(int)]
        shape = unseen.shape[-2:]
        same = [torch.from_numpy(p.copy()).permute(2, 0, 1) for p in chosen if p.shape[:2] == shape]
        self.channels = unseen.shape[1]
        self.bank = small_copies(torch.stack(same).float() / 127.5 - 1)
        self.usual = float(nearest(small_copies(unseen.cpu()), self.bank)[0].median())
        self.real_spread = spread_of_copies(self.bank[:: max(1, len(self.bank) // 200)])

    def look(self, samples: Tensor, *, young: bool = False) -> Verdict:
        """Judge samples of independent vectors.

        Args:
            samples: (n, C, H, W) in [-1, 1]; gray ones may come with three channels.
            young: No alarms: all samples look alike in the first minutes.
        """
        samples = samples.detach().cpu()[:, : self.channels]
        copies = small_copies(samples)
        spread = spread_of_copies(copies) / max(self.real_spread, 1e-6)
        reach = float(nearest(copies, self.bank)[0].median())
        nearness = reach / self.usual if self.usual > 0 else float("nan")
        alarms: list[str] = []
        if young:
            return Verdict(spread=spread, nearness=nearness, alarms=alarms)
        if spread < COLLAPSED:
            alarms.append("it COLLAPSES to few pictures: try half of --train.lr, or a larger --lambda-r1")
        if nearness < LEARNED_BY_HEART:
            alarms.append("it LEARNS PICTURES BY HEART: give it more of them, or --augment-target 0.6")
        return Verdict(spread=spread, nearness=nearness, alarms=alarms)
