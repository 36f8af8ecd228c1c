"""Equal and nearly equal pictures, found by comparing all pairs: fast enough for tens of thousands."""

__all__ = ["DuplicateGroup", "find_duplicates"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from translate.data.checks.measure import Measurement

_MAX_HASH_DISTANCE = 8  # of 64 bits: compressing or scaling a picture changes no more
_MAX_DIFFERENCE = 0.1  # between thumbnails, over the contrast; two shoes in one pose differ more
_ROUNDING = 1.0  # of 255, allowed on top


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that look the same."""

    members: tuple[int, ...]  # indices, two or more, ascending
    exact: bool  # their files are equal byte for byte


def find_duplicates(pictures: Sequence[Measurement]) -> list[DuplicateGroup]:
    """Return disjoint groups of pictures that look the same, without unreadable and uniform pictures.

    A picture that is compressed or scaled again looks the same; one that is mirrored, cropped or recoloured does not.
    """
    copies: dict[bytes, list[int]] = {}
    for i, picture in enumerate(pictures):
        if not (picture.problem or picture.uniform):
            copies.setdefault(picture.digest, []).append(i)
    groups = []
    for near in _group_near(pictures, [same[0] for same in copies.values()]):
        members = sorted(i for first in near for i in copies[pictures[first].digest])
        if len(members) > 1:
            groups.append(DuplicateGroup(tuple(members), exact=len(near) == 1))
    return groups


def _group_near(pictures: Sequence[Measurement], which: Sequence[int]) -> list[list[int]]:
    """Group the pictures `which`: each joins the first one that it looks like, or starts a group."""
    hashes = np.array([pictures[i].hash for i in which], np.uint64)
    small = np.stack([pictures[i].thumbnail for i in which]) if which else np.empty((0, 32, 32, 3), np.uint8)
    free = np.ones(len(which), bool)
    groups = []
    for i in range(len(which)):
        if not free[i]:
            continue
        close = i + np.flatnonzero((np.bitwise_count(hashes[i:] ^ hashes[i]) <= _MAX_HASH_DISTANCE) & free[i:])
        difference = np.sqrt(np.square(small[close].astype(np.float32) - small[i]).mean(axis=(1, 2, 3)))
        members = close[difference <= _MAX_DIFFERENCE * small[i].std() + _ROUNDING]
        free[members] = False
        groups.append([which[k] for k in members.tolist()])
    return groups
