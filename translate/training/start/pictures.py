"""The pictures that a run began with, and a report of changes since, because the bits of the result depend on them."""

__all__ = ["PictureRecord", "check_apart", "report_pictures", "settle_pictures"]

import os
from collections import defaultdict
from pathlib import Path

from translate.data.datasets import TrainingData
from translate.data.files.counted import list_names
from translate.data.files.walk import resolve_folders
from translate.data.options import DataConfig
from translate.data.sources.picture_record import (
    Listing,
    RecordedPictures,
    paths_to_train_on,
    read_record,
    write_record,
)
from translate.training.start.messages import print_note
from translate.utils.errors import OptionError


class PictureRecord:
    """The file pictures.json.gz of a run: domain, path, split, size and time of each picture, and their fingerprint."""

    def __init__(self, folder: Path, data: TrainingData) -> None:
        """Read the record in `folder`, if any, and list the files of `data`."""
        self.folder, self.now = folder, list_pictures(data)
        record = read_record(folder)
        # the pictures that the run began with, and the fingerprint of its data; None and "" without a record
        self.before: Listing | None = record.listing if record else None
        self.fingerprint = record.fingerprint if record else ""
        self.learned: frozenset[str] = record.learned if record else frozenset()

    def write(self, fingerprint: str) -> None:
        """Write the pictures as they are now, in place of those that the run began with.

        Raises:
            WriteError: The disk refuses.
        """
        self._write(RecordedPictures(self.now, fingerprint, self.learned.union(paths_to_train_on(self.now))))

    def note_learned(self) -> None:
        """Add to the record the pictures that this start trains on; `evaluate` never scores a model on them.

        Raises:
            WriteError: The disk refuses.
        """
        learned = self.learned.union(paths_to_train_on(self.now))
        if self.before is not None and learned != self.learned:
            self._write(RecordedPictures(self.before, self.fingerprint, learned))

    def _write(self, record: RecordedPictures) -> None:
        write_record(self.folder, record)
        self.learned = record.learned

    def changes(self, fingerprint: str = "") -> list[str]:
        """Describe what became of the pictures since the run began, a phrase a domain.

        Args:
            fingerprint: Of the data as it is now, where it is known: it covers labels and masks too.
        """
        if self.before is None:
            return []
        before, now = self.before, self.now
        both = [key for key in now if key in before]
        groups = {
            "more": [key for key in now if key not in before],
            "fewer": [key for key in before if key not in now],
            "changed": [key for key in both if now[key][1:] != before[key][1:]],
            "held out no longer": [key for key in both if (before[key][0], now[key][0]) == ("test", "train")],
        }
        by_domain: dict[str, list[str]] = defaultdict(list)
        for word, keys in groups.items():
            names: dict[str, list[str]] = defaultdict(list)
            for domain, path in sorted(keys):
                names[domain].append(Path(path).name)
            for domain, files in names.items():
                by_domain[domain].append(f"{len(files)} {word} ({list_names(files)})")
        phrases = [f"{domain} has {', '.join(parts)}" for domain, parts in by_domain.items()]
        if not phrases and fingerprint and self.fingerprint and fingerprint != self.fingerprint:
            return ["labels, masks or the way in which pictures are read have changed"]
        return phrases

    def changes_training(self, fingerprint: str) -> bool:
        """Whether what is learned from differs, and not only what is held out.

        Args:
            fingerprint: Of the data as it is now, which covers labels and masks too; "" where it is not known.
        """
        before = {} if self.before is None else {k: state for k, state in self.before.items() if state[0] == "train"}
        now = {key: state for key, state in self.now.items() if state[0] == "train"}
        return before != now or bool(fingerprint and self.fingerprint and fingerprint != self.fingerprint)


def check_apart(out: Path, options: DataConfig, data: TrainingData) -> None:
    """Check that the samples of a new run will not be among the pictures of its next start.

    Raises:
        OptionError: The run folder `out` lies in a folder of pictures, or the reverse.
    """
    real, folders = out.resolve(), [Path(text).expanduser() for text in (options.a, options.b, options.images) if text]
    for folder in folders:
        if folder.is_dir() and real.is_relative_to(folder.resolve()):
            raise OptionError(f"{out}: lies in {folder}, whose pictures are trained on; choose another --out")
    for _, _, _, files in data.file_sets():
        if any(Path(path).is_relative_to(real) for path in resolve_folders(files)):
            raise OptionError(f"{out}: holds pictures to train on; choose another --out")


def list_pictures(data: TrainingData) -> Listing:
    """Return size and time of all files of `data`; those that are gone have none."""
    listing: Listing = {}
    for domain, side, split, files in data.file_sets():
        for path in files:
            try:
                status = os.stat(path)  # noqa: PTH116 - of a hundred thousand files, in half the time
                state = (status.st_size, status.st_mtime_ns)
            except OSError:
                state = (0, 0)
            listing[domain or side, str(path)] = (split, *state)
    return listing


def report_pictures(record: PictureRecord, *, complete: bool) -> None:
    """Print what became of the pictures since the run began, before they are decoded."""
    if complete and (changes := record.changes()):
        effect = "only held-out pictures are concerned"
        if record.changes_training(""):
            effect = (
                "the model has not learned from that; --extend and a larger --steps, --epochs or --minutes train it on "
                "with the pictures as they are"
            )
        print_note(f"since the run began, {'; '.join(changes)}: {effect}")


def settle_pictures(record: PictureRecord, fingerprint: str, trained_on: str, *, new: bool, accept: bool) -> None:
    """Compare the decoded pictures with those that the run began with, print what it means, and keep the record.

    Args:
        record: Of the run.
        fingerprint: Of the data as it is now.
        trained_on: Fingerprint in the run's model; "" without one. It serves runs of versions that kept no record.
        new: Whether the run begins.
        accept: Whether the pictures as they are now become those of the run (--extend).
    """
    unrecorded = record.before is None and not new
    changes = [] if new else record.changes(fingerprint)
    if unrecorded and trained_on and trained_on != fingerprint:
        changes = ["pictures were added, removed or changed"]
    if changes:
        effect = "the run goes on with the pictures as they are now"
        if not (unrecorded or record.changes_training(fingerprint)):
            effect = "only held-out pictures are concerned, and the bits of the result are the same"
        elif not accept:
            effect += ", and its result will not have the bits of an uninterrupted run; --extend accepts them"
        print_note(f"since the run began, {'; '.join(changes)}: {effect}")
    if new or accept or unrecorded:
        record.write(fingerprint)
    else:
        record.note_learned()
