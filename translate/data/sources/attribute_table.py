"""Tables of attributes: a row a picture, a column an attribute, 0/1 or -1/1, or a column of a few words."""

__all__ = ["TABLES", "AttributeTable", "is_class_table", "read_attributes"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.files.counted import list_names
from translate.data.files.csv_tables import csv_rows
from translate.data.sources.labels import FILE_COLUMNS, LABEL_COLUMNS
from translate.utils.errors import OptionError, UserError, did_you_mean

TABLES = ("attributes.csv", "attributes.tsv", "list_attr_celeba.txt", "list_attr_celeba.csv", "factors.csv")
FLAGS = {"1": 1, "0": 0, "-1": 0, "1.0": 1, "0.0": 0, "-1.0": 0}  # the values of an attribute
MAX_WORDS = 20  # of a column; one with more words is a measurement or a name
Line = tuple[int, list[str]]  # number and cells


@dataclass(frozen=True, kw_only=True)
class AttributeTable:
    """The attributes of pictures.

    Attributes:
        file: that was read.
        names: of the attributes.
        rows: 0 or 1 for each of them, by the picture as the file names it.
        left_out: columns that are no attributes.
    """

    file: Path
    names: tuple[str, ...]
    rows: dict[str, tuple[int, ...]]
    left_out: tuple[str, ...] = ()

    def choose(self, wanted: Sequence[str]) -> "AttributeTable":
        """Return the table with the attributes `wanted` alone, in this order; all without any.

        A wanted column of words stands for all of its attributes. Raise OptionError for an unknown one.
        """
        if not wanted:
            return self
        columns: list[int] = []
        for word in wanted:
            found = [i for i, name in enumerate(self.names) if word in (name, name.rpartition("=")[0])]
            if not found:
                hint = did_you_mean(word, self.names)
                raise OptionError(f"--attributes: {self.file} has no column {word!r}{hint}")
            columns += [i for i in found if i not in columns]
        rows = {name: tuple(row[i] for i in columns) for name, row in self.rows.items()}
        return AttributeTable(file=self.file, names=tuple(self.names[i] for i in columns), rows=rows)


def is_class_table(file: Path) -> bool:
    """Whether a table gives each picture one class: its header has the column label or class, or it has no header."""
    lines = read_lines(file)
    header = [cell.lower() for cell in lines[0][1]]
    if header[0] in FILE_COLUMNS:
        return any(word in header[1:] for word in LABEL_COLUMNS)
    return len(header) == 2 and not is_flag(lines[-1][1][-1])


def read_attributes(file: Path) -> AttributeTable:
    """Read a table whose first line names the columns, the picture's file first; also CelebA's list_attr_celeba.txt.

    A column of 0 and 1, or -1 and 1, is an attribute. A column of 2 to 20 words is one attribute for each word, called
    column=word; of two words of which one is none, no or "", the other alone, called as the column.

    Raises:
        UserError: the table is no text, has no columns, or a line is short, repeats a picture or mixes values.
    """
    lines = read_lines(file)
    header, rows = lines[0][1], lines[1:]
    if len(header) < 2 or not rows:
        usage = "the first line says file, then the name of each attribute; then comes a line for each picture"
        raise UserError(f"{file} is no table of attributes: {usage}")
    check_rows(file, header, rows)
    names: list[str] = []
    columns: list[list[int]] = []
    left_out = []
    for place, column in enumerate(header[1:], 1):
        found = read_column(file, column, [(line, cells[place]) for line, cells in rows])
        if not found:
            left_out.append(column)
        names += [name for name, _ in found]
        columns += [values for _, values in found]
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{file} has the column {repeated[0]!r} twice; rename or remove one")
    values = zip(*columns, strict=True) if columns else [()] * len(rows)
    table = {cells[0]: row for (_, cells), row in zip(rows, values, strict=True)}
    return AttributeTable(file=file, names=tuple(names), rows=table, left_out=tuple(left_out))


def read_lines(file: Path) -> list[Line]:
    """Return the lines of a table, the header first; of CelebA's text, without its first line, and split at spaces."""
    lines = list(csv_rows(file))
    if len(lines) > 1 and file.suffix.lower() not in (".csv", ".tsv"):
        lines = [(number, " ".join(cells).split()) for number, cells in lines]
        if lines[0][1][0].isdecimal() and len(lines[0][1]) == 1:  # the number of pictures
            lines = lines[1:]
        if len(lines) > 1 and len(lines[1][1]) == len(lines[0][1]) + 1:
            lines[0] = lines[0][0], ["file", *lines[0][1]]
    if not lines:
        raise UserError(f"{file} is empty; name a picture a line, and its attributes, below a line with their names")
    return lines


def check_rows(file: Path, header: Sequence[str], rows: Sequence[Line]) -> None:
    """Raise UserError for a row with another number of cells than the header, or a picture with two rows."""
    seen: dict[str, int] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise UserError(f"{file}, line {line}: has {len(cells)} cells, and the first line {len(header)}")
        if cells[0] in seen:
            raise UserError(f"{file}, line {line}: {cells[0]} is in line {seen[cells[0]]} already; remove one of them")
        seen[cells[0]] = line


def read_column(file: Path, column: str, cells: Sequence[tuple[int, str]]) -> list[tuple[str, list[int]]]:
    """Return the attributes of a column, name and values; none for a measurement; raise UserError for mixed values."""
    words = Counter(word for _, word in cells)
    flags = [word for word in words if is_flag(word)]
    if len(flags) == len(words):
        return [(column, [FLAGS[word] for _, word in cells])]
    if sum(words[word] for word in flags) > len(cells) / 2:
        line, word = next((line, word) for line, word in cells if not is_flag(word))
        raise UserError(f"{file}, line {line}: {column} is {word!r}; give 0 or 1, or -1 or 1")
    if not 2 <= len(words) <= MAX_WORDS or all(map(is_number, words)):
        return []
    chosen = sorted(words)
    if len(chosen) == 2 and (present := [word for word in chosen if word.lower() not in ("none", "no", "")]) != chosen:
        return [(column, [int(word == present[0]) for _, word in cells])] if present else []
    return [(f"{column}={word}", [int(own == word) for _, own in cells]) for word in chosen]


def is_flag(word: str) -> bool:
    """Whether a cell is a value of an attribute."""
    return word in FLAGS


def is_number(word: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def describe_missing(table: AttributeTable, missing: Sequence[str], total: int) -> str:
    """Say in one line which pictures have no row."""
    count = f"{len(missing)} of {total} pictures have no row in {table.file}"
    return f"{count}: {list_names(missing)}; add rows, or move these pictures away"
