"""The data check in short, before a training: a second or two, whatever the size of the set."""

__all__ = ["FileSet", "quick_check"]

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from translate.data.checks.full_check import findings_in
from translate.data.checks.measure import measure
from translate.data.checks.report import Finding, Part
from translate.utils.sequences import spread

_SECONDS = 1.5
_LOOKED_AT = 32  # pictures of each part
_TOGETHER = 4
_KINDS = ("one colour", "swapped")  # what a few pictures can tell, and nothing else in training does
_MORE = "; tools/check_data.py says more"


class FileSet(NamedTuple):
    """The files of one domain to train on, or to test on; as a `Part`, which is what becomes of them."""

    title: str
    side: str
    split: str
    files: Sequence[Path]


def quick_check(sets: Sequence[FileSet], seconds: float = _SECONDS) -> list[str]:
    """Look for test pictures that training has too, byte for byte, and at some pictures of each part.

    Args:
        sets: all that there is.
        seconds: after which no further picture is looked at.

    Returns:
        What is worth a look, a line each.
    """
    deadline = time.monotonic() + seconds
    found = [*_leaks(sets, deadline - seconds / 2), *findings_in(_looked_at(sets, deadline))]
    return [f"{one}{_MORE}" for one in found if one.kind in (*_KINDS, "copies")]


def _leaks(sets: Sequence[FileSet], deadline: float) -> list[Finding]:
    found = []
    for train, test in ((x, y) for x in sets for y in sets if (x.split, y.split) == ("train", "test")):
        if train.side != test.side:
            continue
        copies = _copies(train.files, test.files, deadline)
        if copies:
            words = f"{test.title}: {len(copies)} of the test pictures are in the training set too"
            found.append(Finding("copies", words, copies))
    return found


def _copies(train: Sequence[Path], test: Sequence[Path], deadline: float) -> list[Path]:
    """Return the files of `test` that have the content of one of `train`; of those looked at in time."""
    by_length: dict[int, list[Path]] = {}
    for path in train:
        by_length.setdefault(_length(path), []).append(path)
    digests: dict[Path, bytes] = {}
    found: list[Path] = []
    for path in test:
        for other in by_length.get(_length(path), ()):
            if time.monotonic() > deadline:
                return found
            if _digest(path, digests) == _digest(other, digests) != b"":
                found.append(path)
                break
    return found


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # whoever reads it reports it
        return -1


def _digest(path: Path, known: dict[Path, bytes]) -> bytes:
    if path not in known:
        try:
            known[path] = hashlib.blake2b(path.read_bytes()).digest()
        except OSError:
            known[path] = b""
    return known[path]


def _looked_at(sets: Sequence[FileSet], deadline: float) -> list[Part]:
    """Measure some pictures of every part, evenly spread, as many as there is time for."""
    parts = [Part(one.title, one.side, one.split) for one in sets]
    waiting = [(part, path) for part, one in zip(parts, sets, strict=True) for path in spread(one.files, _LOOKED_AT)]
    waiting.sort(key=lambda job: hashlib.blake2b(bytes(job[1])).digest())  # of all parts alike, should time run out
    with ThreadPoolExecutor(_TOGETHER) as pool:
        for start in range(0, len(waiting), _TOGETHER):
            if time.monotonic() > deadline:
                break
            some = waiting[start : start + _TOGETHER]
            for (part, _), one in zip(some, pool.map(measure, [path for _, path in some]), strict=True):
                part.pictures.append(one)
    return parts
