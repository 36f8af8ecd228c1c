"""A set of single pictures to train on and held-out ones, with or without labels."""

__all__ = ["ImageSet", "resolve_images"]

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from translate.data.files.counted import list_names
from translate.data.files.csv_tables import is_table
from translate.data.files.find import names_below
from translate.data.files.idx import find_test_part, is_idx, labels_beside, read_idx
from translate.data.files.naming import clean
from translate.data.files.splits import choose_held_out
from translate.data.files.walk import explain_os_errors, resolve_folders
from translate.data.sources.image_files import ImageFiles, find_idx, find_image_files
from translate.data.sources.labelled_image import UNLABELLED, LabelledFile, LabelledImage, LabelledRow
from translate.data.sources.labels import classes_of, labels_by_folder, read_label_table
from translate.utils.errors import OptionError, UserError

_MAX_HELD_OUT = 1000  # pictures
_REMEDY = "give each class a folder of its own, or --labels FILE.csv with the columns file,label, or leave --labels out"
S = TypeVar("S", LabelledFile, LabelledRow)
Labelled = tuple[list[S], list[str]]  # pictures that have no class numbers yet, and their labels


@dataclass(frozen=True)
class ImageSet:
    """Single pictures."""

    title: str
    train: Sequence[LabelledImage]
    test: Sequence[LabelledImage]  # held out
    classes: tuple[str, ...] = ()  # label of each class number; () without labels
    notes: tuple[str, ...] = ()  # for the user, a line each


def resolve_images(images: str, classes: str, root: Path) -> ImageSet:
    """Return the pictures that `--images` names, labelled as `--labels` says.

    Without a test part, a tenth of the pictures, at most 1000, is held out by their names.

    Args:
        images: A folder, pattern, list file, CSV file (columns file, perhaps label and split), IDX file or a name of
            the catalog.
        classes: "": no labels; "auto": by class folders, the CSV file's column or the IDX file beside the pictures;
            else a CSV file (columns file, label) or an IDX file of labels.
        root: Where data sets of the catalog are prepared on first use.

    Raises:
        OptionError: nothing is named, or labels are requested and there is no class, or only one.
        UserError: something named does not exist or is damaged.
    """
    if not images.strip():
        raise OptionError("no pictures given; say --images FOLDER, or a data set such as --images digits --labels")
    with explain_os_errors(images):
        idx = find_idx(images)
        if classes not in ("", "auto") and not Path(classes).expanduser().is_file():  # before a set is prepared
            raise UserError(f"--labels: there is no file '{Path(classes).expanduser()}'; {_REMEDY}")
        result = _from_idx(idx, classes) if idx else _from_files(find_image_files(images, root), images, classes)
    return result if result.test else _hold_out(result)


# ---- files


def _from_files(source: ImageFiles, images: str, classes: str) -> ImageSet:
    files, notes = [*source.train, *source.test], list[str]()
    test_files = set(source.test)

    # label the files
    words = dict.fromkeys(files, "")
    if classes == "auto" and source.table:
        if not source.table[1].labelled:
            raise OptionError(f"{source.table[0]} has no column called label; add one, or leave --labels out")
        words = source.table[1].labels
    elif classes == "auto":
        words = labels_by_folder(source.train, source.bases[0]) | labels_by_folder(source.test, source.bases[1])
    elif classes:
        words, splits, notes = _labels_by_table(files, source, images, classes)
        test_files = test_files or {file for file, split in splits.items() if split != "train"}
    if classes and not any(words[file] for file in source.train):
        raise OptionError(f"'{images}' has no labels; {_REMEDY}")

    # name the pictures by their paths below the base
    parts: list[Labelled[LabelledFile]] = []
    for is_test, base in zip((False, True), source.bases, strict=True):
        paths = [file for file in files if (file in test_files) == is_test]
        named = zip(names_below(paths, base), paths, strict=True)
        parts.append(([LabelledFile(name, UNLABELLED, path) for name, path in named], [words[path] for path in paths]))
    return _number_labels(source.title, parts[0], parts[1], notes)


def _labels_by_table(
    files: Sequence[Path], source: ImageFiles, images: str, classes: str
) -> tuple[dict[Path, str], dict[Path, str], list[str]]:
    """Return the label and the split of each file from the table `classes`, and notes."""
    file = Path(classes).expanduser()
    if is_idx(file):
        raise OptionError(f"--labels {file} is an IDX file, which labels the pictures of IDX files; '{images}' is none")
    if not is_table(file):
        raise OptionError(f"--labels {file} is no CSV file (.csv); {_REMEDY}")
    table = read_label_table(file, also=source.bases[0])
    if not table.labelled:
        raise OptionError(f"{file} has no column called label; its first line should say file,label")

    # match rows and pictures by real path
    rows = dict(zip(resolve_folders(table.labels), table.labels, strict=True))
    matched = {file: rows[real] for file, real in zip(files, resolve_folders(files), strict=True) if real in rows}
    if not matched:
        raise UserError(
            f"none of the {len(rows)} lines of {file} names a picture of '{images}': the first names"
            f" '{next(iter(table.labels))}', the first picture is '{files[0]}'"
        )
    unused = [path for path in table.labels if path not in set(matched.values())]
    notes = [f"{len(unused)} lines of {file} name no picture of '{images}': {list_names(unused)}"] if unused else []
    words = {picture: table.labels[matched[picture]] if picture in matched else "" for picture in files}
    return words, {picture: table.splits[row] for picture, row in matched.items()}, notes


# ---- IDX files


def _from_idx(file: Path, classes: str) -> ImageSet:
    train_labels, test_file, test_labels = _find_idx_labels(file, classes), find_test_part(file), None
    train = _read_rows(file, train_labels)
    if test_file:
        test_labels = labels_beside(test_file) if classes == "auto" else train_labels and find_test_part(train_labels)
    test = _read_rows(test_file, test_labels) if test_file else ([], [])
    return _number_labels(clean(file.absolute().parent.name), train, test, [])


def _find_idx_labels(file: Path, classes: str) -> Path | None:
    """Return the IDX file of the labels of the pictures in `file`; None if no labels are requested."""
    if classes == "auto":
        if (beside := labels_beside(file)) is None:
            name = file.name.replace("images", "labels").replace("idx3", "idx1")
            raise OptionError(f"there are no labels '{name}' beside {file}; give --labels FILE, or leave --labels out")
        return beside
    path = Path(classes).expanduser()
    if classes and not is_idx(path):
        raise OptionError(f"--labels {path} is no IDX file; the pictures of an IDX file need one of labels")
    return path if classes else None


def _read_rows(file: Path, labels: Path | None) -> Labelled[LabelledRow]:
    """Return the pictures of an IDX file, named by their index, and their labels in words."""
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
    return [LabelledRow(f"{i:06d}", UNLABELLED, file, picture) for i, picture in enumerate(pixels)], words


# ---- both


def _number_labels(title: str, train: Labelled[S], test: Labelled[S], notes: Sequence[str]) -> ImageSet:
    """Number the labels; raise OptionError for one class, UserError for labels of test pictures alone."""
    classes = classes_of(train[1])
    if len(classes) == 1:
        count = sum(map(bool, train[1]))
        raise OptionError(f"all {count} labelled pictures are of one class, {classes[0]!r}; leave --labels out")
    if classes and (unknown := set(filter(None, test[1])) - set(classes)):
        raise UserError(f"pictures to test on are labelled {list_names(sorted(unknown))}, of which none is to train on")
    unlabelled = [source.name for source, word in zip(*train, strict=True) if classes and not word]
    if unlabelled:
        count_note = f"{len(unlabelled)} of {len(train[1])} pictures have no label, and only teach what is real"
        notes = [*notes, f"{count_note}: {list_names(unlabelled)}"]
    numbers = {word: i for i, word in enumerate(classes)}
    return ImageSet(title, _set_labels(train, numbers), _set_labels(test, numbers), classes, tuple(notes))


def _set_labels(part: Labelled[S], numbers: Mapping[str, int]) -> list[S]:
    if not numbers:
        return part[0]
    return [replace(source, label=numbers.get(word, UNLABELLED)) for source, word in zip(*part, strict=True)]


def _hold_out(images: ImageSet) -> ImageSet:
    """Hold out some training pictures, but never all pictures of a class."""
    chosen = choose_held_out(
        range(len(images.train)),
        lambda i: os.path.splitext(images.train[i].name)[0],  # noqa: PTH122 - in a tenth of the time
        _MAX_HELD_OUT,
    )
    left = Counter(source.label for i, source in enumerate(images.train) if i not in chosen)
    tested = {i for i in chosen if left[images.train[i].label]}
    train, test = ([s for i, s in enumerate(images.train) if (i in tested) == is_test] for is_test in (False, True))
    return replace(images, train=train, test=test)
