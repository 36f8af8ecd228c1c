"""The classes of pictures: by folder, or from a CSV table."""

__all__ = ["LabelTable", "classes_of", "labels_by_folder", "read_label_table"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.files.csv_tables import named_rows, read_split
from translate.data.files.find import names_below
from translate.utils.errors import UserError

_HEADER = {"file": ("file", "filename", "image", "path"), "label": ("label", "class"), "split": ("split",)}
_UNLABELLED_FOLDERS = ("unlabelled", "unlabeled")


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """A CSV file of pictures, in the order of its lines."""

    labels: dict[Path, str]  # "" for none
    splits: dict[Path, str]  # "train", "test" or "val"
    labelled: bool  # the table has a column of labels


def labels_by_folder(files: Sequence[Path], base: Path) -> dict[Path, str]:
    """Return the label of each of `files` below `base`: its first folder; "" for those in none or in `unlabelled`."""
    labels = {}
    for file, name in zip(files, names_below(files, base), strict=True):
        folder, inside, _ = name.partition("/")
        labels[file] = folder if inside and folder.lower() not in _UNLABELLED_FOLDERS else ""
    return labels


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct labels, whose order is that of the class numbers: numbers by value, then words."""
    return tuple(
        sorted(set(filter(None, labels)), key=lambda x: (0, int(x), x) if x.isdecimal() and len(x) < 20 else (1, 0, x))
    )


def read_label_table(file: Path, *, also: Path | None = None) -> LabelTable:
    """Read a CSV file of pictures: columns file, perhaps label, and perhaps split (train, test, val).

    The first line may name them; without it there are the first two. Paths count from the table's own folder.
    An empty label means none.

    Args:
        file: The table.
        also: A second folder for paths that do not exist in the table's.

    Raises:
        UserError: no UTF-8 text, a line without a file, a wrong split, a file with two labels, or no line at all.
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
