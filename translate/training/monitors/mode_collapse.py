"""Mode collapse and memorization of a generator: how much its samples vary, and how near training pictures are."""

__all__ = ["CollapseMonitor", "CollapseReport"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.data.loading.transforms import center_crop
from translate.images.tensors import from_uint8
from translate.metrics.diversity import nearest_neighbours, thumbnail_spread, thumbnails
from translate.training.monitors.findings import Finding

MAX_BANK = 2000  # training pictures to compare samples with
MAX_PAIRED = 200  # training pictures of which every pair is compared
COLLAPSED_SPREAD = 0.5  # of the spread of real pictures: samples that vary less have collapsed to few pictures
MEMORIZED_DISTANCE = 0.5  # of the distance from unseen pictures to the training pictures: nearer samples are copies


@dataclass(frozen=True, kw_only=True)
class CollapseReport:
    """The variety of one set of samples, and the faults in it."""

    spread: float  # mean distance between two samples, over that between two real pictures; near 1 is right
    nearness: float  # median distance from a sample to the nearest training picture, over that of unseen real pictures
    within: float  # `spread` among samples of one class; nan without classes
    findings: list[Finding]

    def __str__(self) -> str:
        text = f"two samples differ {self.spread:.2f} times as much as two real pictures"
        if self.within == self.within:
            text += f", of one class {self.within:.2f} times"
        if self.nearness == self.nearness:
            text += f"; they are {self.nearness:.2f} times as far from the nearest training picture as unseen ones are"
        return "; ".join([text, *map(str, self.findings)])


class CollapseMonitor:
    """A comparison of samples with real pictures, as thumbnails."""

    def __init__(self, unseen: Tensor, trained: Sequence[np.ndarray], labels: np.ndarray | None = None) -> None:
        """Measure the real pictures: the centers of at most MAX_BANK, evenly spaced in `trained`.

        `unseen` (n, C, S, S) in [-1, 1] are held out of training. `trained` are (H, W, C) uint8 each, no side below S,
        and `labels` (n,) their classes, -1 for none.
        """
        indices = np.linspace(0, len(trained) - 1, min(MAX_BANK, len(trained))).astype(int)
        centers = [center_crop(trained[i], unseen.shape[-1]) for i in indices]
        self.channels = unseen.shape[1]
        self.bank = thumbnails(from_uint8(torch.from_numpy(np.stack(centers)).permute(0, 3, 1, 2)))
        self.usual_distance = float(nearest_neighbours(thumbnails(unseen.cpu()), self.bank)[0].median())
        self.real_spread = thumbnail_spread(self.bank[:: max(1, len(self.bank) // MAX_PAIRED)])
        self.real_within = float("nan")
        if labels is not None:
            classes = np.unique(labels[labels >= 0])
            self.real_within = spread_within([self.bank[labels[indices] == k][:MAX_PAIRED] for k in classes])

    def assess(self, rows: Sequence[Tensor], *, young: bool = False) -> CollapseReport:
        """Measure samples of independent z, (n, C, H, W) in [-1, 1] each, a row per class if there are classes.

        Gray rows may have 3 channels. A `young` generator gets no findings: at first, all samples look alike.
        """
        # measure
        kinds = [thumbnails(row.detach().cpu()[:, : self.channels]) for row in rows]
        samples = torch.cat(kinds)
        spread = thumbnail_spread(samples) / max(self.real_spread, 1e-6)
        within = spread_within(kinds) / self.real_within  # nan where there are no classes
        distance = float(nearest_neighbours(samples, self.bank)[0].median())
        nearness = distance / self.usual_distance if self.usual_distance > 0 else float("nan")
        # judge
        findings: list[Finding] = []
        if not young and (spread < COLLAPSED_SPREAD or within < COLLAPSED_SPREAD):
            of_what = " of each class" if spread >= COLLAPSED_SPREAD else ""
            remedy = "try half of --train.lr, or a larger --lambda-r1"
            findings.append(Finding.of("few_pictures", remedy, of_what=of_what))
        if not young and nearness < MEMORIZED_DISTANCE:
            findings.append(Finding.of("memorized", "give it more of them, or --augment-target 0.6"))
        return CollapseReport(spread=spread, nearness=nearness, within=within, findings=findings)


def spread_within(kinds: Sequence[Tensor]) -> float:
    """Return the mean spread of the thumbnails (n, d) of each kind, over kinds of two or more; nan without any."""
    spreads = [thumbnail_spread(kind) for kind in kinds if len(kind) > 1]
    return float(np.mean(spreads)) if spreads else float("nan")
