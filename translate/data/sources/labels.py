"""The classes of pictures: by folder, or from a CSV table."""

__all__ = ["FILE_COLUMNS", "LABEL_COLUMNS", "LabelTable", "classes_of", "labels_by_folder", "read_label_table"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.files.csv_tables import named_rows, read_split
from translate.data.files.find import names_below
from translate.utils.errors import UserError

FILE_COLUMNS, LABEL_COLUMNS = ("file", "filename", "image", "path"), ("label", "class")
_HEADER = {"file": FILE_COLUMNS, "label": LABEL_COLUMNS, "split": ("split",)}
_UNLABELLED_FOLDERS = ("unlabelled", "unlabeled")


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """A CSV file of pictures, in the order of its lines."""

    labels: dict[Path, str]  # "" for none
    splits: dict[Path, str]  # "train", "test" or "val"
    labelled: bool  # the table has a column of labels


def labels_by_folder(files: Sequence[Path], base: Path) -> dict[Path, str]:
    """Label each file by its first folder below `base`; "" for files in no folder or in `unlabelled`."""
    labels = {}
    for file, name in zip(files, names_below(files, base), strict=True):
        folder, inside, _ = name.partition("/")
        labels[file] = folder if inside and folder.lower() not in _UNLABELLED_FOLDERS else ""
    return labels


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct labels in the order of the class numbers: numbers by value, then words."""
    return tuple(
        sorted(set(filter(None, labels)), key=lambda x: (0, int(x), x) if x.isdecimal() and len(x) < 20 else (1, 0, x))
    )


def read_label_table(file: Path, *, also: Path | None = None) -> LabelTable:
    """Read a CSV file of pictures with the columns file, label and split (train, test, val), the last two optional.

    Without a header, the columns are file and label. Paths are relative to the table's folder, or to the folder `also`
    if they do not exist there. An empty label means none.

    Raises:
        UserError: the table is no UTF-8 text or has no line; a line has no file, a wrong split, or contradicts another.
    """
    columns, rows = named_rows(file, [_HEADER], {"file"}, ("file", "label"))
    if not rows:
        raise UserError(f"{file} names no picture; write one a line: its path, a comma, its label")
    labels, splits = dict[Path, str](), dict[Path, str]()
    for line, cells in rows:
        name, label = cells["file"], cells.get("label", "")
        if not name:
            raise UserError(f"{file}, line {line}: names no file")
        split = read_split(file, line, cells)
        path = file.parent / Path(name).expanduser()
        if also and not path.exists() and (second := also / Path(name).expanduser()).exists():
            path = second
        if labels.setdefault(path, label) != label:
            raise UserError(
                f"{file}, line {line}: {name} is {labels[path]!r} above and {label!r} here; remove one line"
            )
        if splits.setdefault(path, split) != split:
            raise UserError(f"{file}, line {line}: {name} is in both {splits[path]} and {split}; remove one line")
    return LabelTable(labels=labels, splits=splits, labelled="label" in columns)
