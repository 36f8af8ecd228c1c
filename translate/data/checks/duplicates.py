"""Which pictures are the same, or nearly: groups of them, found among ten thousands by comparing all with all."""

__all__ = ["DuplicateGroup", "find_duplicates"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from translate.data.checks.measure import Measurement

_BITS = 8  # of 64 by which the hashes of one picture, saved or scaled anew, differ at most
_TOLERANCE = 0.1  # of its contrast, by which thumbnails of one picture differ; two shoes in one pose differ more
_ROUNDING = 1.0  # of 255


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that are one and the same.

    Attributes:
        members: their numbers, two or more, in order.
        exact: whether their files are the same to the byte.
    """

    members: tuple[int, ...]
    exact: bool


def find_duplicates(pictures: Sequence[Measurement]) -> list[DuplicateGroup]:
    """Return the groups of pictures that look the same, each picture in one group at most.

    Pictures that cannot be read, or are one colour, are left out. Those that are saved, compressed or scaled anew look
    the same; mirrored, cropped or recoloured ones do not.
    """
    looked_at = [i for i, one in enumerate(pictures) if not (one.problem or one.even)]
    copies: dict[bytes, list[int]] = {}
    for i in looked_at:
        copies.setdefault(pictures[i].digest, []).append(i)
    firsts = [found[0] for found in copies.values()]
    groups = []
    for near in _near(pictures, firsts):
        members = sorted(i for first in near for i in copies[pictures[first].digest])
        if len(members) > 1:
            groups.append(DuplicateGroup(tuple(members), exact=len(near) == 1))
    return groups


def _near(pictures: Sequence[Measurement], which: Sequence[int]) -> list[list[int]]:
    """Put each of some pictures to the first before it that it looks like, or make it the first of a new group."""
    hashes = np.array([pictures[i].hash for i in which], np.uint64)
    small = np.stack([pictures[i].thumbnail for i in which]) if which else np.empty((0, 32, 32, 3), np.uint8)
    free = np.ones(len(which), bool)
    groups = []
    for i in range(len(which)):
        if not free[i]:
            continue
        close = i + np.flatnonzero((np.bitwise_count(hashes[i:] ^ hashes[i]) <= _BITS) & free[i:])
        apart = np.sqrt(np.square(small[close].astype(np.float32) - small[i]).mean(axis=(1, 2, 3)))
        members = close[apart <= _TOLERANCE * small[i].std() + _ROUNDING]
        free[members] = False
        groups.append([which[k] for k in members.tolist()])
    return groups
