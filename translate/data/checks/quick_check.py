"""The data check before training, which takes at most two seconds whatever the size of the set."""

__all__ = ["quick_check"]

import functools
import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from translate.data.checks.full_check import find_faults, train_test_pairs
from translate.data.checks.measure import measure
from translate.data.checks.report import Finding, Part
from translate.data.sources.domains import FileSet
from translate.utils.files import read_bytes
from translate.utils.program import command_form
from translate.utils.sequences import spread

_MAX_SECONDS = 1.5
_SAMPLE = 32  # pictures of each part
_THREADS = 4
_KINDS = ("one colour", "swapped", "copies")  # faults that a sample shows, and that training does not report itself


def quick_check(sets: Sequence[FileSet], seconds: float = _MAX_SECONDS) -> list[str]:
    """Find training pictures among the test pictures, byte for byte, and faults in a sample of each set.

    Return a line for each finding; no picture is read after `seconds`.
    """
    deadline, findings = time.monotonic() + seconds, list[Finding]()
    for train, test in train_test_pairs(sets):
        if copies := _find_copies(train.files, test.files, deadline - seconds / 2):
            words = f"{test.title}: {len(copies)} of the test pictures are in the training set too"
            findings.append(Finding("copies", words, copies))
    findings += find_faults(_measure_sample(sets, deadline))
    return [f"{one}; {command_form('check-data')} says more" for one in findings if one.kind in _KINDS]


def _find_copies(train: Sequence[Path], test: Sequence[Path], deadline: float) -> list[Path]:
    """Return the files of `test` with the content of a file of `train`, as many as are found in time."""
    by_length: dict[int, list[Path]] = {}
    for path in train:
        by_length.setdefault(_length(path), []).append(path)
    digest = functools.cache(_digest)
    copies: list[Path] = []
    for path in test:
        for other in by_length.get(_length(path), ()):
            if time.monotonic() > deadline:
                return copies
            if digest(path) == digest(other) != b"":
                copies.append(path)
                break
    return copies


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reported when it is read
        return -1


def _digest(path: Path) -> bytes:
    try:
        return hashlib.blake2b(read_bytes(path)).digest()
    except OSError:
        return b""


def _measure_sample(sets: Sequence[FileSet], deadline: float) -> list[Part]:
    """Measure an evenly spread sample of every set, as large as the time allows."""
    parts = [Part(one.title, one.side, one.split) for one in sets]
    waiting = [(part, path) for part, one in zip(parts, sets, strict=True) for path in spread(one.files, _SAMPLE)]
    waiting.sort(key=lambda job: hashlib.blake2b(bytes(job[1])).digest())  # mixes the sets, in case the time runs out
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(waiting), _THREADS):
            if time.monotonic() > deadline:
                break
            batch = waiting[start : start + _THREADS]
            for (part, _), one in zip(batch, pool.map(measure, [path for _, path in batch]), strict=True):
                part.pictures.append(one)
    return parts
