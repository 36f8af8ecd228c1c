"""CSV files separated by comma, semicolon or tab, with or without a header."""

__all__ = ["check_files_exist", "csv_rows", "group_by_split", "is_table", "named_rows", "read_split"]

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from translate.data.files.counted import list_names
from translate.data.files.splits import SPLITS
from translate.utils.errors import UserError

T = TypeVar("T")
Row = tuple[int, dict[str, str]]  # line number, cells by column


def is_table(path: Path) -> bool:
    """Whether `path` is a CSV file by its suffix."""
    return path.suffix.lower() in (".csv", ".tsv")


def csv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and stripped cells of every line that is not empty; the first line decides on the separator.

    Raises:
        UserError: the file is not UTF-8 text, or not CSV.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{file} is no UTF-8 text; save the table as CSV UTF-8") from None
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), skipinitialspace=True)
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield lines.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise UserError(f"{file}, line {lines.line_num}: not CSV: {error}") from error


def named_rows(
    file: Path, headers: Sequence[Mapping[str, Sequence[str]]], required: set[str], default: Sequence[str]
) -> tuple[set[str], list[Row]]:
    """Read a table that may begin with a header; return its columns and its rows, with "" for missing cells.

    Args:
        file: The table.
        headers: Accepted headers, each with the words for every column; the first with all `required` columns counts.
        required: Columns that a header must have.
        default: Columns from the left of a table without a header.
    """
    lines = list(csv_rows(file))
    first = [cell.lower() for cell in lines[0][1]] if lines else []
    columns = {name: i for i, name in enumerate(default[: len(first)])}
    for header in headers:
        named = {name: [first.index(word) for word in words if word in first][:1] for name, words in header.items()}
        if all(named[name] for name in required):
            columns, lines = {name: index[0] for name, index in named.items() if index}, lines[1:]
            break
    rows = [(line, {name: cells[i] if i < len(cells) else "" for name, i in columns.items()}) for line, cells in lines]
    return set(columns), rows


def read_split(file: Path, line: int, cells: Mapping[str, str]) -> str:
    """Return the split of a row, "train", "test" or "val"; raise UserError for another word."""
    split = cells.get("split", "").lower() or "train"
    if split not in SPLITS:
        raise UserError(f"{file}, line {line}: the split is {split!r}; it should be train, test or val")
    return split


def group_by_split(file: Path, rows: Iterable[T], split_of: Callable[[T], str]) -> tuple[list[T], list[T]]:
    """Return the rows to train on, and to test (or else validate) on; raise UserError if none is to train on."""
    parts: dict[str, list[T]] = {split: [] for split in SPLITS}
    for row in rows:
        parts[split_of(row)].append(row)
    if not parts["train"]:
        raise UserError(f"{file} has no line whose split is train")
    return parts["train"], parts["test"] or parts["val"]


def check_files_exist(file: Path, paths: Iterable[Path], header: str) -> None:
    """Raise UserError for a table that names missing files; `header` is an example of its first line."""
    if missing := [path for path in dict.fromkeys(paths) if not path.is_file()]:
        names = f"{len(missing)} missing file{'s' * (len(missing) > 1)}: {list_names(missing)}"
        raise UserError(
            f"{file} names {names}; paths count from the table's folder,"
            f" and a first line with names of columns says {header}"
        )
