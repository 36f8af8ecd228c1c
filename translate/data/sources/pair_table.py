"""Pairs listed in a CSV file."""

__all__ = ["read_pair_table"]

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from translate.data.files.csv_tables import check_files_exist, group_by_split, named_rows, read_split
from translate.data.sources.pair import Pair
from translate.utils.errors import UserError

_HEADERS = [{"a": (a,), "b": (b,), "split": ("split",)} for a, b in (("a", "b"), ("source", "target"))]


def read_pair_table(file: Path) -> tuple[list[Pair], list[Pair]]:
    """Read the pairs to train on, and the pairs to test on if the table has a column of splits.

    A header may name the columns `a` and `b`, or `source` and `target`, and `split` (train, test, val). Paths are
    relative to the table's folder. A source may have several targets.

    Raises:
        UserError: the table is no UTF-8 text, a line is too short or has a wrong split, or files or pairs are missing.
    """
    rows: list[tuple[Path, Path, str]] = []
    for line, cells in named_rows(file, _HEADERS, {"a", "b"}, ("a", "b"))[1]:
        if not cells["a"] or not cells.get("b"):
            raise UserError(f"{file}, line {line}: a pair needs two paths, with a comma between them")
        split = read_split(file, line, cells)
        a, b = (file.parent / Path(cells[side]).expanduser() for side in "ab")
        if a == b:
            raise UserError(f"{file}, line {line}: {a} is paired with itself; combined pictures go into a folder")
        rows.append((a, b, split))
    if not rows:
        raise UserError(f"{file} lists no pair; write one a line: the source's path, a comma, the target's path")
    check_files_exist(file, (path for a, b, _ in rows for path in (a, b)), "a,b or source,target")
    train, test = (_name_pairs(file.parent, part) for part in group_by_split(file, rows, itemgetter(2)))
    if shared := {pair.files for pair in train} & {pair.files for pair in test}:
        raise UserError(f"{file}: {next(iter(shared))[0]} and its partner are in both train and test; remove one line")
    return train, test


def _name_pairs(folder: Path, rows: Sequence[tuple[Path, Path, str]]) -> list[Pair]:
    """Name the pairs after their sources; the second pair of one name becomes name-2."""
    used, pairs = Counter[str](), []
    for a, b, _ in rows:
        below = a.relative_to(folder) if a.is_relative_to(folder) and ".." not in a.parts else Path(a.name)
        name = below.with_suffix("").as_posix()
        used[name] += 1
        pairs.append(Pair(name if used[name] == 1 else f"{name}-{used[name]}", a, b))
    return pairs
