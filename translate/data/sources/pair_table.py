"""Pairs listed in a CSV file."""

__all__ = ["read_table"]

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from translate.data.files.csv_tables import csv_rows
from translate.data.files.find import listed
from translate.data.sources.pair import Pair
from translate.utils.errors import UserError

_HEADERS = (("a", "b"), ("source", "target"))
_SPLITS = ("train", "test", "val")
Row = tuple[int, Path, Path, str]  # line, source, target, split


def read_table(file: Path) -> tuple[list[Pair], list[Pair]]:
    """Read the pairs to train on, and to test on if the table says which, from a CSV file.

    The first line may name the columns: `a` and `b`, or `source` and `target`, and perhaps `split` (train, test,
    val); without it there are two columns. Paths count from the table's own folder. One source may have several
    targets.

    Raises:
        UserError: no UTF-8 text, a line too short, a wrong split, missing files, nothing to train on.
    """
    rows = list(_rows(file))
    if not rows:
        raise UserError(f"{file} lists no pair; write one a line: the source's path, a comma, the target's path")
    missing = [path for path in dict.fromkeys(path for row in rows for path in row[1:3]) if not path.is_file()]
    if missing:
        plural = "s" * (len(missing) > 1)
        raise UserError(
            f"{file} names {len(missing)} missing file{plural}: {listed(missing)}; paths count from the table's folder,"
            " and a first line with names of columns says a,b or source,target"
        )
    splits = {split: _pairs(file.parent, [row for row in rows if row[3] == split]) for split in _SPLITS}
    if not splits["train"]:
        raise UserError(f"{file} has no line whose split is train")
    test = splits["test"] or splits["val"]
    if both := {pair.files for pair in splits["train"]} & {pair.files for pair in test}:
        raise UserError(f"{file}: {next(iter(both))[0]} and its partner are in both train and test; remove one line")
    return splits["train"], test


def _rows(file: Path) -> Iterator[Row]:
    columns = None
    for line, cells in csv_rows(file):
        if columns is None:
            columns = _columns([cell.lower() for cell in cells])
            if columns:
                continue
            columns = [0, 1]
        yield _row(file, line, cells, columns)


def _columns(header: list[str]) -> list[int]:
    """Return where source, target and perhaps split stand; [] if this is no header."""
    names = next((pair for pair in _HEADERS if set(pair) <= set(header)), ())
    split = ("split",) if "split" in header else ()
    return [header.index(name) for name in (*names, *split)] if names else []


def _row(file: Path, line: int, cells: list[str], columns: list[int]) -> Row:
    values = [cells[i] if i < len(cells) else "" for i in columns]
    if not values[0] or not values[1]:
        raise UserError(f"{file}, line {line}: a pair needs two paths, with a comma between them")
    split = (values[2].lower() or "train") if len(values) > 2 else "train"
    if split not in _SPLITS:
        raise UserError(f"{file}, line {line}: the split is {split!r}; it should be train, test or val")
    a, b = (file.parent / Path(value).expanduser() for value in values[:2])
    if a == b:
        raise UserError(f"{file}, line {line}: {a} is paired with itself; combined pictures go into a folder")
    return line, a, b, split


def _pairs(folder: Path, rows: list[Row]) -> list[Pair]:
    """Name the pairs after their sources; the second of one name becomes name-2."""
    used, pairs = Counter[str](), []
    for _, a, b, _ in rows:
        below = a.relative_to(folder) if a.is_relative_to(folder) and ".." not in a.parts else Path(a.name)
        name = below.with_suffix("").as_posix()
        used[name] += 1
        pairs.append(Pair(name if used[name] == 1 else f"{name}-{used[name]}", a, b))
    return pairs
