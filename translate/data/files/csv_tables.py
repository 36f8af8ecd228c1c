"""CSV files of any of the usual kinds, line by line."""

__all__ = ["csv_rows", "is_table"]

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from translate.utils.errors import UserError


def is_table(path: Path) -> bool:
    """Whether `path` is a CSV file by its suffix."""
    return path.suffix.lower() in (".csv", ".tsv")


def csv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells, without the blanks around them, of every line that is not empty.

    Cells are parted by whichever of comma, semicolon and tab the first line has most of.

    Raises:
        UserError: no UTF-8 text, or no CSV.
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
