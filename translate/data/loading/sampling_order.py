"""Which picture a sample shows and where it is cut: functions of (seed, index), drawn for a whole pass at once."""

__all__ = ["GROUP", "Placement"]

import functools

import numpy as np

GROUP = 4  # neighbours of one class; as many as the residual discriminator compares


class Placement:
    """Goes through pictures in an order that is shuffled anew for each pass, and draws crops and mirroring.

    With labels, pictures come in groups of GROUP of one class, so that a discriminator that looks at neighbours can
    tell whether a class has more than one picture.

    Attributes:
        epoch: Samples of a pass.
    """

    def __init__(
        self,
        shapes: np.ndarray,
        *,
        crop: int,
        flip: bool,
        seed: int,
        which: int = 0,
        labels: np.ndarray | None = None,
    ) -> None:
        """Set up the draws.

        Args:
            shapes: (n, 3) of the pictures: height, width, channels; both sides at least `crop` px.
            crop: px.
            flip: mirror half of the samples.
            seed: of all draws.
            which: number of the set of pictures among those that are drawn with one seed.
            labels: (n,) of the pictures, where they are to come in groups.
        """
        self._room = shapes[:, :2] - crop + 1
        self._flip, self._seed, self._which, self._labels = flip, seed, which, labels
        self.epoch = len(shapes) if labels is None else max(1, len(shapes) // GROUP) * GROUP
        self._drawn = functools.lru_cache(maxsize=2)(self._draw)  # two: a batch may go from one pass into the next

    def __call__(self, first: int, count: int) -> np.ndarray:
        """Return (count, 4) int64 for the samples from `first` >= 0 on: number of the picture, top, left, mirrored."""
        parts, index = [], first
        while index < first + count:
            epoch, position = divmod(index, self.epoch)
            parts.append(self._drawn(epoch)[position : position + first + count - index])
            index += len(parts[-1])
        return np.concatenate(parts)

    def _draw(self, epoch: int) -> np.ndarray:
        """Return (epoch, 4) for the samples of one pass."""
        rng = np.random.default_rng([self._seed, self._which, epoch])
        order = rng.permutation(len(self._room))
        if self._labels is not None:
            order = np.resize(in_groups(order, self._labels), self.epoch)
        numbers = rng.random((self.epoch, 3))
        corners = (numbers[:, :2] * self._room[order]).astype(np.int64)
        mirrored = (numbers[:, 2] < 0.5) & self._flip
        return np.column_stack([order, corners, mirrored])


def in_groups(shuffled: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rearrange a permutation of pictures so that every GROUP neighbours share a label; what is over comes last.

    Args:
        shuffled: (n,) places of pictures; their order also decides that of the groups.
        labels: (n,) of the pictures.
    """
    sorted_ = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, first, counts = np.unique(labels[sorted_], return_index=True, return_counts=True)
    rank = np.arange(len(sorted_)) - np.repeat(first, counts)
    whole = rank < np.repeat(counts // GROUP * GROUP, counts)
    groups, over = sorted_[whole].reshape(-1, GROUP), sorted_[~whole]
    turn = np.empty(len(shuffled), np.int64)
    turn[shuffled] = np.arange(len(shuffled))
    return np.concatenate([groups[np.argsort(turn[groups].min(1))].ravel(), over])
