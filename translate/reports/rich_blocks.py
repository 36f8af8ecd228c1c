"""The tables and lines that a command prints with rich, as plain rows and texts for a page."""

__all__ = ["Block", "Cell", "TextBlock", "to_blocks"]

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    right: bool  # whether it stands at the right of its column, as numbers do


@dataclass(frozen=True)
class Block:
    """A table."""

    header: list[Cell]
    rows: list[list[Cell]]
    titles: set[int]  # numbers of the rows that are the title of those below


@dataclass(frozen=True)
class TextBlock:
    """A line of text."""

    text: str


def to_blocks(renderable: RenderableType) -> Iterator[Block | TextBlock]:
    """Yield the tables and lines of a report in their order; empty lines are left out."""
    if isinstance(renderable, Group):
        for part in renderable.renderables:
            yield from to_blocks(part)
    elif isinstance(renderable, Table):
        yield _table(renderable)
    elif words := plain(renderable):
        yield from (TextBlock(line) for line in words.splitlines())


def plain(cell: RenderableType) -> str:
    """Return the words of a cell or a line, without markup."""
    if isinstance(cell, Padding):
        return plain(cell.renderable)
    if isinstance(cell, str):
        return Text.from_markup(cell).plain
    return cell.plain if isinstance(cell, Text) else ""


def _table(table: Table) -> Block:
    right = [column.justify == "right" for column in table.columns]
    header = [Cell(plain(column.header), side) for column, side in zip(table.columns, right, strict=True)]
    cells = zip(*(column.cells for column in table.columns), strict=True)
    rows = [[Cell(plain(cell), side) for cell, side in zip(row, right, strict=True)] for row in cells]
    titles = {i for i, row in enumerate(rows) if row[0].text and not any(cell.text for cell in row[1:])}
    return Block([Cell(_unbroken(cell.text), cell.right) for cell in header], rows, titles)


def _unbroken(title: str) -> str:
    """Return the title of a column in one line: hyphens stay in front of a capital letter, as in EfficientNet-Lite0."""
    return " ".join(re.sub(r"-\n(?=[a-z])", "", title).replace("-\n", "-").split())
