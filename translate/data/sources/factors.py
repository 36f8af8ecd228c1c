"""What is known of the pictures of a set: a table factors.csv beside them, a column for each factor, in words."""

__all__ = ["factors_of"]

from collections.abc import Sequence
from pathlib import Path

from translate.data.files.csv_tables import csv_rows
from translate.data.sources.labelled_image import LabelledImage
from translate.utils.errors import UserError

TABLE = "factors.csv"
MOST_WORDS = 20  # what takes more values is a measure and no kind
Row = dict[str, str]


def factors_of(sources: Sequence[LabelledImage]) -> dict[str, list[str]]:
    """Return a word for each picture, by factor; {} where some picture has no row, or there is no table.

    Columns of numbers, of one word alone or of very many are left out.

    Raises:
        UserError: a table is damaged.
    """
    tables: dict[Path, dict[str, Row]] = {}
    rows = []
    for source in sources:
        folder = source.file.parent
        if folder not in tables:
            tables[folder] = read_factors(folder / TABLE)
        rows.append(tables[folder].get(source.file.name))
    known = [row for row in rows if row]
    if not known or len(known) < len(rows):
        return {}
    columns = {factor: [row.get(factor, "") for row in known] for factor in known[0]}
    return {factor: words for factor, words in columns.items() if are_kinds(words)}


def read_factors(file: Path) -> dict[str, Row]:
    """Read a table of factors: a row by the name of the picture; {} where there is no such file.

    Raises:
        UserError: it has no column called file, or is no CSV.
    """
    if not file.is_file():
        return {}
    lines = [cells for _, cells in csv_rows(file)]
    if not lines or lines[0][0].lower() != "file":
        raise UserError(f"{file}: its first line should be file, then the names of the factors")
    return {cells[0]: dict(zip(lines[0][1:], cells[1:], strict=False)) for cells in lines[1:]}


def are_kinds(words: Sequence[str]) -> bool:
    """Whether a column sorts pictures into kinds."""
    return 2 <= len(set(words)) <= MOST_WORDS and not all(is_number(word) for word in words)


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True
