"""The folder layouts in which pairs come, and their files."""

__all__ = ["combined_pairs", "find_pairs", "matched_pairs"]

import os
from collections.abc import Sequence
from pathlib import Path

from translate.data.files.find import find_images
from translate.data.files.matching import match, stems
from translate.data.files.walk import is_inside
from translate.data.sources.pair import Pair
from translate.images.io import IMAGE_SUFFIXES
from translate.utils.errors import UserError
from translate.utils.trust import TRUST

_TREES = ("{split}{side}", "{split}_{side}", "{split}/{side}", "{side}/{split}")
_HELD_OUT = ("test", "val")


def find_pairs(root: Path) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs below `root` to train on, and those of its test (or else val) folders, perhaps none.

    Layouts: trainA and trainB, train/A and train/B, A/train and B/train, or A and B, matched by name; combined
    pictures in train, or in `root` itself.

    Raises:
        UserError: no such layout, one side lacking, or names that do not match.
    """
    for tree in _TREES:
        if train := _tree(root, tree, "train"):
            test = next(filter(None, (_tree(root, tree, split) for split in _HELD_OUT)), None)
            return matched_pairs(*train), matched_pairs(*test) if test else []
    if sides := _both(root, "A", "B"):
        return matched_pairs(*sides), []
    if (root / "train").is_dir():
        held_out = next((root / split for split in _HELD_OUT if (root / split).is_dir()), None)
        return combined_pairs(_images(root / "train")), combined_pairs(_images(held_out)) if held_out else []
    if files := sorted(path for path in root.iterdir() if _is_picture(path)):
        return combined_pairs(files), []
    found = ", ".join(sorted(entry.name for entry in root.iterdir() if entry.is_dir())) or "no folder"
    raise UserError(
        f"'{root}' has no pairs (it has {found}); give a folder of combined A|B pictures, alone or in train,"
        " or one with trainA and trainB, or a CSV file"
    )


def matched_pairs(a: Sequence[Path], b: Sequence[Path]) -> list[Pair]:
    """Return the pairs of two sides, matched by name.

    Raises:
        UserError: as `matching.match`.
    """
    return [Pair(name, source, target) for name, source, target in match(a, b)]


def combined_pairs(files: Sequence[Path]) -> list[Pair]:
    """Return the pairs that combined pictures hold.

    Raises:
        UserError: two files have the same stem.
    """
    return [Pair("/".join(filter(None, key)), file, file) for key, file in stems(files).items()]


def _tree(root: Path, tree: str, split: str) -> tuple[list[Path], list[Path]] | None:
    return _both(root, *(tree.format(split=split, side=side) for side in "AB"))


def _both(root: Path, a: str, b: str) -> tuple[list[Path], list[Path]] | None:
    """Return the pictures of two folders; None where neither exists."""
    there = [(root / name).is_dir() for name in (a, b)]
    if not any(there):
        return None
    if not all(there):
        has, lacks = (a, b) if there[0] else (b, a)
        raise UserError(f"'{root}' has {has} but no {lacks}; pairs need both")
    return _images(root / a), _images(root / b)


def _images(folder: Path) -> list[Path]:
    return find_images(str(folder))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file() and _is_here(path)


def _is_here(path: Path) -> bool:
    """Whether it is no link that leads out of its folder, or such ones are followed."""
    return TRUST.follow_links or not path.is_symlink() or is_inside(os.path.realpath(path), path.parent)
