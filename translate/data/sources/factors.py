"""Categorical factors of pictures, such as hair colour: columns of a table factors.csv in their folder."""

__all__ = ["factors_of"]

from collections.abc import Sequence
from pathlib import Path

from translate.data.files.csv_tables import csv_rows
from translate.data.sources.labelled_image import LabelledImage
from translate.utils.errors import UserError

MAX_VALUES = 20  # of a categorical factor; a column with more values is a measurement or a name
Row = dict[str, str]


def factors_of(sources: Sequence[LabelledImage]) -> dict[str, list[str]]:
    """Return the values of the pictures by factor; {} if a picture has no row; raise UserError for a damaged table."""
    tables: dict[Path, dict[str, Row]] = {}
    rows = []
    for source in sources:
        folder = source.file.parent
        if folder not in tables:
            tables[folder] = read_factors(folder / "factors.csv")
        rows.append(tables[folder].get(source.file.name, {}))
    if not rows or not all(rows):
        return {}
    columns = {factor: [row.get(factor, "") for row in rows] for factor in rows[0]}
    return {factor: words for factor, words in columns.items() if _is_categorical(words)}


def read_factors(file: Path) -> dict[str, Row]:
    """Read the rows of a table of factors, by the name of the picture; {} if there is no table."""
    if not file.is_file():
        return {}
    lines = [cells for _, cells in csv_rows(file)]
    if not lines or lines[0][0].lower() != "file":
        raise UserError(f"{file}: its first line should be file, then the names of the factors")
    return {cells[0]: dict(zip(lines[0][1:], cells[1:], strict=False)) for cells in lines[1:]}


def _is_categorical(words: Sequence[str]) -> bool:
    """Whether a column has several values, but few, and not only numbers."""
    return 2 <= len(set(words)) <= MAX_VALUES and not all(map(_is_number, words))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
