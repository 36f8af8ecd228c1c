"""The files of one domain and split, as a data check takes them."""

__all__ = ["FileSet"]

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class FileSet(NamedTuple):
    """The files of one domain to train on, or to test on.

    Attributes:
        title: Of the domain.
        side: "a" or "b"; "" of a single set, and of combined pairs.
        split: "train" or "test".
        files: Perhaps none.
    """

    title: str
    side: str
    split: str
    files: Sequence[Path]
