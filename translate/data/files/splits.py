"""Training and test parts: by the names of folders, or held out by the names of pictures."""

__all__ = ["SPLITS", "TEST_SPLITS", "find_test_folder", "has_two_domains", "choose_held_out", "has_test_pictures"]

import hashlib
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from translate.data.files.walk import FolderTree
from translate.utils.terminal import console, escape

TEST_SPLITS = ("test", "val")  # the first that has pictures is used
SPLITS = ("train", *TEST_SPLITS)
_TRAIN_FOLDER = re.compile(r"train(?:_?[AB])?$")
_HELD_OUT_SHARE = 0.1
T = TypeVar("T")
_NOTED: set[Path] = set()  # empty test folders that were reported


def choose_held_out(items: Collection[T], stem: Callable[[T], str], limit: int = 100) -> set[T]:
    """Choose the held-out `items`: a tenth, 1 to `limit` of them, by the hash of the stem; none of fewer than 2.

    Order, folder and suffix do not matter, so that a scene that both domains have under one stem is held out of both.
    """
    if len(items) < 2:
        return set()
    count = min(max(round(len(items) * _HELD_OUT_SHARE), 1), limit)
    return set(sorted(items, key=lambda item: (hashlib.sha256(os.fsencode(stem(item))).digest(), str(item)))[:count])


def find_test_folder(train: Path) -> Path | None:
    """Return the test (or val) folder, if it has pictures, beside a folder called train, trainA or train_A, or None."""
    if not _TRAIN_FOLDER.match(train.name):
        return None
    folders = (train.with_name(train.name.replace("train", split)) for split in TEST_SPLITS)
    return next((folder for folder in folders if folder.is_dir() and has_test_pictures(folder)), None)


def has_test_pictures(folder: Path) -> bool:
    """Whether a test folder has pictures; print a note, once a run, if it has none."""
    tree = FolderTree(folder)
    if any(True for _ in tree.walk()) or tree.links:
        return True
    if folder not in _NOTED:
        _NOTED.add(folder)
        _note_empty(folder)
    return False


def _note_empty(folder: Path) -> None:
    note = f"'{folder}' has no pictures and counts as no test folder: some pictures to train on are held out instead"
    console.print(escape(note), soft_wrap=True)


def has_two_domains(folder: Path) -> bool:
    """Whether `folder` has a folder trainA or train_A."""
    return (folder / "trainA").is_dir() or (folder / "train_A").is_dir()
