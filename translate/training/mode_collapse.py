"""Whether a generator is well while it trains: does it draw many pictures, and new ones?"""

__all__ = ["CollapseMonitor", "Verdict"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.transforms import center_crop
from translate.images.tensors import from_uint8
from translate.metrics.diversity import nearest_neighbours, thumbnail_spread, thumbnails

BANK = 2000  # training pictures that samples are compared with
PAIRED = 200  # of them, of which every pair is compared
COLLAPSED = 0.5  # samples that vary less than this part of what real pictures do
LEARNED_BY_HEART = 0.5  # samples this much nearer to training pictures than unseen real pictures are


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is seen in one set of samples.

    Attributes:
        spread: How far two samples are apart, over how far two real pictures are; near 1 is right.
        nearness: Median distance from a sample to the nearest training picture, over that of unseen real pictures.
        within: The same as `spread`, of samples of one class; nan where there are no classes.
        alarms: What is wrong and what to do, a line each.
    """

    spread: float
    nearness: float
    within: float
    alarms: list[str]

    def __str__(self) -> str:
        told = f"two samples differ {self.spread:.2f} times as much as two real pictures"
        if self.within == self.within:
            told += f", of one class {self.within:.2f} times"
        if self.nearness == self.nearness:
            told += f"; they are {self.nearness:.2f} times as far from the nearest training picture as unseen ones are"
        return "; ".join([told, *self.alarms])


class CollapseMonitor:
    """Compares samples with real pictures, all as small copies."""

    def __init__(self, unseen: Tensor, trained: Sequence[np.ndarray], labels: np.ndarray | None = None) -> None:
        """Look at the real pictures.

        Args:
            unseen: (n, C, S, S) in [-1, 1]; pictures that are not trained on.
            trained: Training pictures, each (H, W, C) uint8, no side below S; the middles of some of them, evenly
                spread, are kept.
            labels: Of these, (n,); -1 for none.
        """
        places = np.linspace(0, len(trained) - 1, min(BANK, len(trained))).astype(int)
        chosen = [trained[i] for i in places]
        same = [torch.from_numpy(center_crop(p, unseen.shape[-1]).copy()).permute(2, 0, 1) for p in chosen]
        self.channels = unseen.shape[1]
        self.bank = thumbnails(from_uint8(torch.stack(same)))
        self.usual = float(nearest_neighbours(thumbnails(unseen.cpu()), self.bank)[0].median())
        self.real_spread = thumbnail_spread(self.bank[:: max(1, len(self.bank) // PAIRED)])
        self.real_within = float("nan")
        if labels is not None:
            kinds = [self.bank[labels[places] == k][:PAIRED] for k in np.unique(labels[labels >= 0])]
            self.real_within = spread_within(kinds)

    def look(self, rows: Sequence[Tensor], *, young: bool = False) -> Verdict:
        """Judge samples of independent vectors.

        Args:
            rows: Each (n, C, H, W) in [-1, 1], where there are classes of one class; gray ones may come with three
                channels.
            young: No alarms: all samples look alike in the first minutes.
        """
        kinds = [thumbnails(row.detach().cpu()[:, : self.channels]) for row in rows]
        copies = torch.cat(kinds)
        spread = thumbnail_spread(copies) / max(self.real_spread, 1e-6)
        within = spread_within(kinds) / self.real_within  # nan where there are no classes
        reach = float(nearest_neighbours(copies, self.bank)[0].median())
        nearness = reach / self.usual if self.usual > 0 else float("nan")
        alarms: list[str] = []
        if young:
            return Verdict(spread=spread, nearness=nearness, within=within, alarms=alarms)
        if spread < COLLAPSED or within < COLLAPSED:
            what = "it COLLAPSES to few pictures" + (" of each class" if spread >= COLLAPSED else "")
            alarms.append(f"{what}: try half of --train.lr, or a larger --lambda-r1")
        if nearness < LEARNED_BY_HEART:
            alarms.append("it LEARNS PICTURES BY HEART: give it more of them, or --augment-target 0.6")
        return Verdict(spread=spread, nearness=nearness, within=within, alarms=alarms)


def spread_within(kinds: Sequence[Tensor]) -> float:
    """Return the mean spread of small copies, (n, d) of each kind, over the kinds that have two; nan without any."""
    spreads = [thumbnail_spread(kind) for kind in kinds if len(kind) > 1]
    return float(np.mean(spreads)) if spreads else float("nan")
