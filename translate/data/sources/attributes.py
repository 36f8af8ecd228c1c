"""A set of single pictures with several labels each: attributes of a table; or one of several classes."""

__all__ = ["LabelledSet", "resolve_labelled", "split_names"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from translate.data.files.counted import list_names
from translate.data.sources.attribute_table import (
    TABLES,
    describe_missing,
    is_class_table,
    read_attributes,
)
from translate.data.sources.image_set import ImageSet, resolve_images
from translate.data.sources.labelled_image import UNLABELLED, LabelledFile, LabelledImage
from translate.utils.errors import OptionError, UserError

USAGE = "give each class a folder of its own, or --labels FILE.csv: a column file, and one of 0 and 1 an attribute"
MAX_TOGETHER = 0.01  # of the pictures with the rarer of two attributes: those with both, if the two exclude each other
MIN_EXPECTED = 5  # pictures with both, were they independent; with fewer, nothing says that they exclude each other


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """Single pictures and their labels.

    Attributes:
        images: the pictures.
        names: of the labels.
        exclusive: whether each picture has exactly one label, its class.
        rows: (labels,) of 0 and 1, by picture.
    """

    images: ImageSet
    names: tuple[str, ...]
    exclusive: bool
    rows: dict[LabelledImage, tuple[int, ...]]

    def values(self, sources: Sequence[LabelledImage]) -> np.ndarray:
        """Return the labels of pictures, (n, labels) int64 of 0 and 1."""
        return np.array([self.rows[source] for source in sources], np.int64).reshape(-1, len(self.names))

    @cached_property
    def counts(self) -> np.ndarray:
        """How many pictures to train on have each label, (labels,)."""
        return self.values(self.images.train).sum(0)

    def apart(self) -> list[list[int]]:
        """Return the pairs of attributes that exclude each other, such as colours of hair; none of classes."""
        if self.exclusive:
            return []
        values = self.values(self.images.train)
        together, expected = values.T @ values, np.outer(self.counts, self.counts) / max(1, len(values))
        rarer = np.minimum.outer(self.counts, self.counts)
        i, j = np.nonzero(np.triu((together <= MAX_TOGETHER * rarer) & (expected >= MIN_EXPECTED), 1))
        return [[int(a), int(b)] for a, b in zip(i, j, strict=True)]


def split_names(text: str) -> list[str]:
    """Split the names of a list such as "glasses, blond"."""
    return [word for part in text.split(",") if (word := part.strip())]


def resolve_labelled(images: str, labels: str, wanted: str, root: Path) -> LabelledSet:
    """Return the pictures that `--images` names, labelled as `--labels` and `--attributes` say.

    Args:
        images: as for `resolve_images`.
        labels: "auto": a table beside the pictures (see `TABLES`), or else classes as for `resolve_images`; or a table
            of attributes, or of classes.
        wanted: names of the attributes to learn, separated by commas; "": all.
        root: where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: no labels are named, or a label that all pictures have, or none; or an unknown attribute.
        UserError: something named does not exist or is damaged, or pictures are missing from the table.
    """
    if not labels:
        raise OptionError(f"no labels given; say --labels: {USAGE}")
    if labels != "auto" and not Path(labels).expanduser().is_file():
        raise UserError(f"--labels: there is no file '{Path(labels).expanduser()}'; {USAGE}")
    table = None if labels == "auto" else Path(labels).expanduser()
    if table is None or not is_class_table(table):
        found = resolve_images(images, "", root)
        tables = tables_beside(found) if table is None else dict.fromkeys(found_folders(found), table)
        if tables:
            return check_values(with_attributes(found, tables, split_names(wanted)))
    if wanted:
        raise OptionError("--attributes chooses columns of a table, and these are classes; leave it out")
    return check_values(with_classes(resolve_images(images, labels, root)))


def found_folders(images: ImageSet) -> set[Path]:
    """Return the folders that hold the pictures."""
    return {source.file.parent for source in (*images.train, *images.test)}


def tables_beside(images: ImageSet) -> dict[Path, Path]:
    """Return the table in each folder of pictures, or in the folder above them; {} unless all have one."""
    places = {
        folder: [file for parent in (folder, folder.parent) for name in TABLES if (file := parent / name).is_file()]
        for folder in found_folders(images)
    }
    return {folder: files[0] for folder, files in places.items()} if all(places.values()) else {}


def with_attributes(images: ImageSet, tables: dict[Path, Path], wanted: Sequence[str]) -> LabelledSet:
    """Label pictures by the table of their folder."""
    # 1. read the tables
    read = {file: read_attributes(file).choose(wanted) for file in dict.fromkeys(tables.values())}
    names = next(iter(read.values())).names
    for file, table in read.items():
        if table.names != names:
            raise UserError(f"{file} has other columns than {next(iter(read))}; both should have the same")
    if not names:
        raise UserError(f"{next(iter(read))} has no column of 0 and 1 or of a few words; {USAGE}")
    # 2. find the row of each picture
    rows: dict[LabelledImage, tuple[int, ...]] = {}
    used: dict[tuple[Path, str], LabelledImage] = {}
    missing: dict[Path, list[str]] = {file: [] for file in read}
    for source in (*images.train, *images.test):
        table = read[tables[source.file.parent]]
        key = next((key for key in keys_of(source, table.file) if key in table.rows), None)
        if key is None or used.setdefault((table.file, key), source) is not source:
            missing[table.file].append(source.name)
        else:
            rows[source] = table.rows[key]
    # 3. refuse pictures without one, and note rows without a picture
    notes = []
    for file, table in read.items():
        if missing[file]:
            raise UserError(describe_missing(table, missing[file], len(images.train) + len(images.test)))
        if spare := [name for name in table.rows if (file, name) not in used]:
            notes.append(f"{len(spare)} rows of {file} name no picture: {list_names(spare)}")
        if table.left_out:
            notes.append(f"{file}: {', '.join(table.left_out)}: no column of 0 and 1 or of a few words, and left out")
    images = replace(images, notes=(*images.notes, *notes))
    return LabelledSet(images=images, names=names, exclusive=False, rows=rows)


def keys_of(source: LabelledImage, table: Path) -> list[str]:
    """Return the names by which a table may call a picture, the surest first."""
    keys = [source.name, source.file.name] if isinstance(source, LabelledFile) else [source.name]
    file, folder = source.file.absolute(), table.absolute().parent
    return [file.relative_to(folder).as_posix(), *keys] if file.is_relative_to(folder) else [str(source.file), *keys]


def with_classes(images: ImageSet) -> LabelledSet:
    """Convert the classes of pictures to labels, and leave out pictures without one."""
    parts = [[source for source in part if source.label != UNLABELLED] for part in (images.train, images.test)]
    count = len(images.classes)
    rows = {source: tuple(int(k == source.label) for k in range(count)) for part in parts for source in part}
    return LabelledSet(
        images=replace(images, train=parts[0], test=parts[1]), names=images.classes, exclusive=True, rows=rows
    )


def check_values(found: LabelledSet) -> LabelledSet:
    """Return the set; raise OptionError for a label that all pictures have, or none: there is nothing to learn."""
    total = len(found.images.train)
    constant = [(name, n) for name, n in zip(found.names, found.counts.tolist(), strict=True) if n in (0, total)]
    if not constant:
        return found
    name, count = constant[0]
    others = f"; so are {len(constant) - 1} more" if len(constant) > 1 else ""
    kept = ",".join(name for name in found.names if name not in dict(constant))
    remedy = f"choose the columns to learn: --attributes {kept}" if kept and not found.exclusive else USAGE
    raise OptionError(f"{name!r} is the same in all {total} pictures ({1 if count else 0}){others}; {remedy}")
