"""The folder layouts of pairs."""

__all__ = ["combined_pairs", "find_pairs", "matched_pairs"]

from collections.abc import Sequence
from pathlib import Path

from translate.data.files.find import find_images, list_folders
from translate.data.files.matching import match, stems
from translate.data.files.splits import TEST_SPLITS, find_test_folder, has_test_pictures
from translate.data.files.walk import FolderTree
from translate.data.sources.pair import Pair
from translate.utils.errors import UserError

_TREES = ("{split}{side}", "{split}_{side}", "{split}/{side}", "{side}/{split}")


def find_pairs(root: Path) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs below `root` to train on, and the pairs of its test (or else val) folders.

    Layouts: trainA and trainB, train/A and train/B, A/train and B/train, or A and B, matched by name; combined
    pictures in train, or in `root` itself.

    Raises:
        UserError: the folder has another layout or lacks one side, or names do not match.
    """
    # two sides, with or without splits
    for tree in _TREES:
        if train := _find_sides(root, tree, "train"):
            test = next(filter(None, (_find_test_sides(root, tree, split) for split in TEST_SPLITS)), None)
            return matched_pairs(*train), matched_pairs(*test) if test else []
    if sides := _find_sides(root, "{side}"):
        return matched_pairs(*sides), []

    # combined pictures
    if (root / "train").is_dir():
        test_folder = find_test_folder(root / "train")
        train_pairs = combined_pairs(find_images(str(root / "train")))
        return train_pairs, combined_pairs(find_images(str(test_folder))) if test_folder else []
    if names := FolderTree(root).stems(""):
        return combined_pairs(sorted(root / name for same_stem in names.values() for name in same_stem)), []
    raise UserError(
        f"'{root}' has no pairs (it has {list_folders(root)}); give a folder of combined A|B pictures, alone or in"
        " train, or one with trainA and trainB, or a CSV file"
    )


def matched_pairs(a: Sequence[Path], b: Sequence[Path]) -> list[Pair]:
    """Return the pairs of two sides, matched by name; see `matching.match`."""
    return [Pair(name, source, target) for name, source, target in match(a, b)]


def combined_pairs(files: Sequence[Path]) -> list[Pair]:
    """Return the pairs of combined pictures."""
    return [Pair("/".join(filter(None, key)), file, file) for key, file in stems(files).items()]


def _find_test_sides(root: Path, tree: str, split: str) -> tuple[list[Path], list[Path]] | None:
    """Return the pictures of both sides of a test part; None where there is none, or none with pictures."""
    folders = [root / tree.format(split=split, side=side) for side in "AB"]
    if all(folder.is_dir() for folder in folders) and not all([has_test_pictures(folder) for folder in folders]):
        return None
    return _find_sides(root, tree, split)


def _find_sides(root: Path, tree: str, split: str = "") -> tuple[list[Path], list[Path]] | None:
    """Return the pictures of both sides' folders, or None if neither exists."""
    a, b = (tree.format(split=split, side=side) for side in "AB")
    exists = [(root / name).is_dir() for name in (a, b)]
    if not any(exists):
        return None
    if not all(exists):
        has, lacks = (a, b) if exists[0] else (b, a)
        raise UserError(f"'{root}' has {has} but no {lacks}; pairs need both")
    return find_images(str(root / a)), find_images(str(root / b))
