"""The record of a run's pictures: which it has learned from, and which it holds out."""

__all__ = [
    "HELD_OUT", "Listing", "RecordedPictures", "find_states", "paths_to_train_on", "read_record", "split_as_recorded",
    "write_record",
]  # fmt: skip

import gzip
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from translate.data.files.counted import list_names
from translate.data.files.walk import make_absolute, resolve_folders
from translate.utils.files import atomic_write

FILE_NAME = "pictures.json.gz"
FORMAT = 1
LEARNED, HELD_OUT, NEW = "learned", "held out", "new"
Listing = dict[tuple[str, str], tuple[str, int, int]]  # (domain, path): split, size in bytes, time in ns
T = TypeVar("T")


@dataclass(frozen=True)
class RecordedPictures:
    """The pictures that a run began with, and all that it has learned from since."""

    listing: Listing
    fingerprint: str = ""  # of the data that the run began with
    learned: frozenset[str] = frozenset()  # paths of all pictures to train on, of every start of the run

    def state(self, path: str) -> str:
        """Return what the picture `path` of the listing is to the model."""
        return LEARNED if path in self.learned else HELD_OUT


def read_record(run: Path) -> RecordedPictures | None:
    """Read the record in the folder of a run; None if there is none, or a damaged one."""
    try:
        with gzip.open(run / FILE_NAME, "rt", encoding="ascii") as file:
            record = json.load(file)
        listing = {(domain, name): (split, size, time) for domain, name, split, size, time in record["pictures"]}
        learned = {*paths_to_train_on(listing), *record.get("learned", ())}
        return RecordedPictures(listing, record["fingerprint"], frozenset(learned))
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def write_record(run: Path, record: RecordedPictures) -> None:
    """Write the record into the folder of a run; raise WriteError if the disk refuses."""
    rows = [[*key, *state] for key, state in record.listing.items()]
    others = sorted(record.learned.difference(paths_to_train_on(record.listing)))
    table = {"format": FORMAT, "fingerprint": record.fingerprint, "pictures": rows, "learned": others}
    with atomic_write(run / FILE_NAME) as temporary:
        temporary.write_bytes(gzip.compress(json.dumps(table).encode("ascii"), 6, mtime=0))


def paths_to_train_on(listing: Listing) -> list[str]:
    """Return the paths of the training part."""
    return [path for (_, path), (split, *_) in listing.items() if split == "train"]


def split_as_recorded(
    record: RecordedPictures | None, domains: Collection[str], train: Sequence[T], test: Sequence[T],
    files: Callable[[T], Sequence[Path]], *, same: bool,
) -> tuple[list[T], list[T], list[str]]:  # fmt: skip
    """Split pictures, or pairs, so that none of the test part was learned from.

    Args:
        record: of the run; without one, nothing changes.
        domains: names of the pictures in the record; the first one begins the notes.
        train: what a new run would train on.
        test: what a new run would hold out.
        files: returns the files of one of these; none for rows of an array, which stay where they are.
        same: whether these are the pictures of the run: then the test part is what it held out when it began, and the
            training part what it has learned from. Other pictures only lose what it has learned from.

    Returns:
        The training part, the test part, and a note on each difference.
    """
    states = find_states(record, [file for item in (*train, *test) for file in files(item)]) if record else {}
    if record is None or not states:
        return list(train), list(test), []
    title, notes = next(iter(domains)), list[str]()
    parts: dict[str, list[T]] = {LEARNED: [], HELD_OUT: [], NEW: []}
    items = sorted((*train, *test), key=lambda item: tuple(files(item))) if same else test
    for item in items:
        found = {states.get(file, NEW) for file in files(item)}
        parts[next(word for word in parts if word in found)].append(item)
    # other pictures
    if not same:
        if seen := [files(item)[0].name for item in parts[LEARNED]]:
            notes = [f"{title}: {len(seen)} to test on are left out: the model has learned from {list_names(seen)}"]
        return list(train), [*parts[HELD_OUT], *parts[NEW]], notes
    # the run's own
    if new := [files(item)[0].name for item in parts[NEW]]:
        notes.append(f"{title}: {len(new)} added since the run began are not scored: {list_names(new)}")
    held = [path for (domain, path) in record.listing if domain in domains and record.state(path) == HELD_OUT]
    if gone := [Path(path).name for path in held if not Path(path).exists()]:
        notes.append(f"{title}: {len(gone)} of {len(held)} held-out pictures are gone: {list_names(gone)}")
    return parts[LEARNED], parts[HELD_OUT], notes


def find_states(record: RecordedPictures, files: Sequence[Path]) -> dict[Path, str]:
    """Return the states of the files that the record has: by their paths, or if all have moved, by names and sizes."""
    paths = [*{path for _, path in record.listing} | record.learned]
    by_path = {real: record.state(path) for real, path in zip(resolve_folders(map(Path, paths)), paths, strict=True)}
    real_paths = zip(files, resolve_folders(files), strict=True)
    if found := {file: by_path[real] for file, real in real_paths if real in by_path}:
        return found
    moved = {(Path(path).parts[-2:], size): record.state(path) for (_, path), (_, size, _) in record.listing.items()}
    keys = ((file, (make_absolute(file).parts[-2:], file.stat().st_size)) for file in files if file.exists())
    return {file: moved[key] for file, key in keys if key in moved}
