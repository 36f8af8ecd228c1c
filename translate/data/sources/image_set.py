"""A set of single pictures, with or without labels: which train, which are held out, and of what class each is."""

__all__ = ["ImageSet", "resolve_images"]

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from translate.data.files.csv_tables import is_table
from translate.data.files.find import listed, names_below, readable
from translate.data.files.idx import is_idx, labels_beside, part_to_test, read_idx
from translate.data.files.naming import clean, held_out
from translate.data.sources.image_files import ImageFiles, find_idx, find_image_files
from translate.data.sources.labelled_image import UNLABELLED, FileSource, LabelledImage, RowSource
from translate.data.sources.labels import by_folder, classes_of, read_label_table
from translate.utils.errors import OptionError, UserError

_HELD_OUT_MOST = 1000  # pictures of a set without a test part
_WAYS = "give each class a folder of its own, or --labels FILE.csv with the columns file,label, or leave --labels out"
S = TypeVar("S", FileSource, RowSource)
Labelled = tuple[list[S], list[str]]  # pictures without numbers yet, and the words of their labels


@dataclass(frozen=True)
class ImageSet:
    """Single pictures.

    Attributes:
        title: Names the set.
        train: The pictures that training may see.
        test: Those that it may not.
        classes: The labels in words, by their numbers; () where there are none or none were asked for.
        notes: What the user should know of them, a line each.
    """

    title: str
    train: Sequence[LabelledImage]
    test: Sequence[LabelledImage]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def resolve_images(images: str, classes: str, root: Path) -> ImageSet:
    """Return the pictures that `--images` stands for, labelled as `--labels` says.

    Without a test part, a tenth is held out, at most 1000 pictures; the choice follows from their names.

    Args:
        images: a folder, pattern, list file, CSV file (columns file, perhaps label and split), IDX file or a name of
            the catalog.
        classes: "": no labels; "auto": by class folders, the CSV file's column or the IDX file beside the pictures;
            else a CSV file (columns file, label) or an IDX file of labels.
        root: where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: nothing is named, or there are no labels, or one class alone, where labels are asked for.
        UserError: something named does not exist or is not as it should be.
    """
    if not images.strip():
        raise OptionError("no pictures given; say --images FOLDER, or a data set such as --images digits --labels")
    with readable(images):
        idx = find_idx(images)
        found = _from_idx(idx, classes) if idx else _from_files(find_image_files(images, root), images, classes)
    return found if found.test else _hold_out(found)


# ---- files


def _from_files(found: ImageFiles, images: str, classes: str) -> ImageSet:
    files, notes = [*found.train, *found.test], list[str]()
    parts = dict.fromkeys(found.test, "test")
    words = dict.fromkeys(files, "")
    if classes == "auto" and found.table is None:
        words = by_folder(found.train, found.bases[0]) | by_folder(found.test, found.bases[1])
    elif classes == "auto" and found.table:
        if not found.table[1].labelled:
            raise OptionError(f"{found.table[0]} has no column called label; add one, or leave --labels out")
        words = found.table[1].labels
    elif classes:
        words, splits, notes = _by_table(files, found, images, classes)
        parts = parts or {file: "test" for file, split in splits.items() if split != "train"}
    if classes and not any(words[file] for file in found.train):
        raise OptionError(f"'{images}' has no labels; {_WAYS}")
    train, test = (
        _file_sources([file for file in files if (file in parts) == held], base)
        for held, base in zip((False, True), found.bases, strict=True)
    )
    labels = [[words[source.file] for source in part] for part in (train, test)]
    return _numbered(found.title, (train, labels[0]), (test, labels[1]), notes)


def _file_sources(files: Sequence[Path], base: Path) -> list[FileSource]:
    """Name files after their paths below `base`."""
    return [FileSource(name, UNLABELLED, file) for name, file in zip(names_below(files, base), files, strict=True)]


def _by_table(
    files: Sequence[Path], found: ImageFiles, images: str, classes: str
) -> tuple[dict[Path, str], dict[Path, str], list[str]]:
    """Return the label and the split of each file after the table `classes`, and what the user should know."""
    file = Path(classes).expanduser()
    if is_idx(file):
        raise OptionError(f"--labels {file} is an IDX file, which labels the pictures of IDX files; '{images}' is none")
    if not file.is_file():
        raise UserError(f"--labels: there is no file '{file}'; {_WAYS}")
    if not is_table(file):
        raise OptionError(f"--labels {file} is no CSV file (.csv); {_WAYS}")
    table = read_label_table(file, also=found.bases[0])
    if not table.labelled:
        raise OptionError(f"{file} has no column called label; its first line should say file,label")
    rows = {_real(path): path for path in table.labels}
    matched = {picture: rows[real] for picture in files if (real := _real(picture)) in rows}
    if not matched:
        raise UserError(
            f"none of the {len(rows)} lines of {file} names a picture of '{images}': the first names"
            f" '{next(iter(table.labels))}', the first picture is '{files[0]}'"
        )
    dead = [path for path in table.labels if path not in set(matched.values())]
    notes = [f"{len(dead)} lines of {file} name no picture of '{images}': {listed(dead)}"] if dead else []
    words = {picture: table.labels[matched[picture]] if picture in matched else "" for picture in files}
    return words, {picture: table.splits[row] for picture, row in matched.items()}, notes


def _real(path: Path) -> Path:
    """Return the file by its real folder, so that a path through a link equals the direct one."""
    return _real_folder(path.parent) / path.name


@cache
def _real_folder(folder: Path) -> Path:
    return folder.resolve()


# ---- IDX files


def _from_idx(file: Path, classes: str) -> ImageSet:
    test_file = part_to_test(file)
    train_labels = _idx_labels(file, classes)
    train = _rows(file, train_labels)
    if test_file is None:
        test_labels = None
    else:
        test_labels = labels_beside(test_file) if classes == "auto" else train_labels and part_to_test(train_labels)
    test = _rows(test_file, test_labels) if test_file else ([], [])
    return _numbered(clean(file.absolute().parent.name), train, test, [])


def _idx_labels(file: Path, classes: str) -> Path | None:
    """Return the IDX file of the labels of the pictures in `file`; None where no labels are asked for."""
    if classes == "auto":
        if (beside := labels_beside(file)) is None:
            name = file.name.replace("images", "labels").replace("idx3", "idx1")
            raise OptionError(f"there are no labels '{name}' beside {file}; give --labels FILE, or leave --labels out")
        return beside
    path = Path(classes).expanduser()
    if classes and not path.is_file():
        raise UserError(f"--labels: there is no file '{path}'; the pictures of an IDX file need an IDX file of labels")
    if classes and not is_idx(path):
        raise OptionError(f"--labels {path} is no IDX file; the pictures of an IDX file need one of labels")
    return path if classes else None


def _rows(file: Path, labels: Path | None) -> Labelled[RowSource]:
    """Return the pictures of an IDX file, named after their places in it, and their labels in words."""
    pixels = read_idx(file)
    if pixels.ndim == 1:
        raise OptionError(f"{file} holds labels, not pictures; name the file of the pictures (…images-idx3-ubyte)")
    if pixels.dtype != np.uint8 or not (pixels.ndim == 3 or pixels.shape[3:] == (3,)) or not pixels.size:
        raise UserError(f"{file} holds {pixels.shape} of {pixels.dtype}; pictures are (count, height, width) of uint8")
    words = [""] * len(pixels)
    if labels:
        numbers = read_idx(labels)
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise UserError(f"{labels} holds {numbers.shape} of {numbers.dtype}; labels are (count,) of whole numbers")
        if len(numbers) != len(pixels):
            raise UserError(f"{labels} has {len(numbers):,} labels for the {len(pixels):,} pictures of {file}")
        words = [str(number) for number in numbers.tolist()]
    return [RowSource(f"{i:06d}", UNLABELLED, file, picture) for i, picture in enumerate(pixels)], words


# ---- both


def _numbered(title: str, train: Labelled[S], test: Labelled[S], notes: Sequence[str]) -> ImageSet:
    """Number the labels.

    Raises:
        OptionError: there is one class alone.
        UserError: a picture of the test part has a label that no picture to train on has.
    """
    classes = classes_of(train[1])
    if len(classes) == 1:
        count = sum(map(bool, train[1]))
        raise OptionError(f"all {count} labelled pictures are of one class, {classes[0]!r}; leave --labels out")
    if classes and (unknown := set(filter(None, test[1])) - set(classes)):
        raise UserError(f"pictures to test on are labelled {listed(sorted(unknown))}, of which none is to train on")
    number = {word: i for i, word in enumerate(classes)}
    without = [source.name for source, word in zip(*train, strict=True) if classes and not word]
    if without:
        told = f"{len(without)} of {len(train[1])} pictures have no label, and only teach what is real"
        notes = [*notes, f"{told}: {listed(without)}"]
    return ImageSet(title, _with_numbers(train, number), _with_numbers(test, number), classes, tuple(notes))


def _with_numbers(part: Labelled[S], number: Mapping[str, int]) -> list[S]:
    if not number:
        return part[0]
    return [replace(source, label=number.get(word, UNLABELLED)) for source, word in zip(*part, strict=True)]


def _hold_out(images: ImageSet) -> ImageSet:
    """Take test pictures out of the training pictures, but no class as a whole."""
    chosen = held_out(
        range(len(images.train)),
        lambda i: os.path.splitext(images.train[i].name)[0],  # noqa: PTH122 - in a tenth of the time
        _HELD_OUT_MOST,
    )
    left = Counter(source.label for i, source in enumerate(images.train) if i not in chosen)
    tested = {i for i in chosen if left[images.train[i].label]}
    train, test = ([s for i, s in enumerate(images.train) if (i in tested) == held] for held in (False, True))
    return replace(images, train=train, test=test)
