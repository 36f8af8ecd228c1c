"""What class each picture is of: by its folder, by a CSV table, or by an IDX file."""

__all__ = ["LabelTable", "by_folder", "check_files", "classes_of", "read_label_table"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.files.csv_tables import csv_rows
from translate.data.files.find import listed, names_below
from translate.utils.errors import UserError

_FILE, _LABEL, _SPLIT = ("file", "filename", "image", "path"), ("label", "class"), ("split",)  # names of columns
_SPLITS = ("train", "test", "val")
_WITHOUT = ("unlabelled", "unlabeled")  # folders of pictures without a class
Row = tuple[int, str, str, str]  # line, file, label, split


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """What a CSV file says of pictures.

    Attributes:
        labels: Of each picture file, in the order of the table; "" for none.
        splits: "train", "test" or "val" of each.
        labelled: Whether the table has a column of labels.
    """

    labels: dict[Path, str]
    splits: dict[Path, str]
    labelled: bool


def by_folder(files: Sequence[Path], base: Path) -> dict[Path, str]:
    """Return the label of each of `files` below `base`: its first folder; "" for those in none or in `unlabelled`."""
    labels = {}
    for file, name in zip(files, names_below(files, base), strict=True):
        folder, inside, _ = name.partition("/")
        labels[file] = folder if inside and folder.lower() not in _WITHOUT else ""
    return labels


def classes_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct labels, numbers in their own order before words in theirs: a label's place is its number."""
    return tuple(
        sorted(set(filter(None, labels)), key=lambda x: (0, int(x), x) if x.isdecimal() and len(x) < 20 else (1, 0, x))
    )


def read_label_table(file: Path, *, also: Path | None = None) -> LabelTable:
    """Read a CSV file of pictures: columns file, label (perhaps) and split (train, test, val; perhaps).

    The first line may name them; without it there are the first two. Paths count from the table's own folder.
    A picture with an empty label has none.

    Args:
        file: the table.
        also: a folder from which paths count that do not exist from the table's.

    Raises:
        UserError: no UTF-8 text, a line without a file, a wrong split, a file with two labels, or no line at all.
    """
    lines = list(csv_rows(file))
    columns = _columns([cell.lower() for cell in lines[0][1]]) if lines else None
    if columns is None and lines:
        columns = {"file": 0, "label": 1} if len(lines[0][1]) > 1 else {"file": 0}
    elif columns:
        del lines[0]
    if not lines or columns is None:
        raise UserError(f"{file} names no picture; write one a line: its path, a comma, its label")
    labels, splits = dict[Path, str](), dict[Path, str]()
    for line, name, label, split in (_row(file, line, cells, columns) for line, cells in lines):
        path = _placed(Path(name).expanduser(), file.parent, also)
        if labels.setdefault(path, label) != label:
            raise UserError(
                f"{file}, line {line}: {name} is {labels[path]!r} above and {label!r} here; remove one line"
            )
        if splits.setdefault(path, split) != split:
            raise UserError(f"{file}, line {line}: {name} is in both {splits[path]} and {split}; remove one line")
    return LabelTable(labels=labels, splits=splits, labelled="label" in columns)


def check_files(file: Path, table: LabelTable) -> None:
    """Refuse a table that names files that do not exist.

    Raises:
        UserError: names the first few.
    """
    if missing := [path for path in table.labels if not path.is_file()]:
        plural = "s" * (len(missing) > 1)
        raise UserError(
            f"{file} names {len(missing)} missing file{plural}: {listed(missing)}; paths count from the table's folder,"
            " and a first line with names of columns says file,label"
        )


def _columns(header: list[str]) -> dict[str, int] | None:
    """Return where file, label and split stand; None if this is no header."""
    found = {
        names[0]: next(header.index(name) for name in names if name in header)
        for names in (_FILE, _LABEL, _SPLIT)
        if set(names) & set(header)
    }
    return found if "file" in found else None


def _row(file: Path, line: int, cells: list[str], columns: dict[str, int]) -> Row:
    values = {key: cells[i] if i < len(cells) else "" for key, i in columns.items()}
    if not values["file"]:
        raise UserError(f"{file}, line {line}: names no file")
    split = values.get("split", "").lower() or "train"
    if split not in _SPLITS:
        raise UserError(f"{file}, line {line}: the split is {split!r}; it should be train, test or val")
    return line, values["file"], values.get("label", ""), split


def _placed(name: Path, folder: Path, also: Path | None) -> Path:
    path = folder / name
    return also / name if also and not path.exists() and (also / name).exists() else path
