import itertools
import os
import random
import tracemalloc
from pathlib import Path

import pytest

from translate.data.files.find import find_images, open_images
from translate.data.files.walk import FolderTree, ListedFiles, is_picture
from translate.utils.errors import UserError
from translate.utils.trust import TRUST


def touched(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def tree(tmp_path):
    return touched(
        tmp_path / "in", "b.png", "a.x.jpg", "a/z.png", "a/b/c.PNG", "a/notes.txt", "a/.hidden.png", ".cache/x.png",
        "c.png/d.bmp", "readme", "png",
    )  # fmt: skip


def test_names_are_sorted_folder_by_folder(tree):
    names = list(FolderTree(tree).walk())
    assert names == ["a/b/c.PNG", "a/z.png", "a.x.jpg", "b.png", "c.png/d.bmp"]
    assert [tree / name for name in names] == sorted(tree / name for name in names)


def test_other_files_are_counted_and_skipped_folders_are_not_entered(tree):
    source = FolderTree(tree)
    list(source.walk())
    assert source.left_out == {".txt": 1, "no suffix": 2}
    assert list(source.walk({"a", "b.png"})) == ["a.x.jpg", "c.png/d.bmp"] and source.left_out == {"no suffix": 2}


def test_folders_are_read_lazily(tree, monkeypatch):
    entered, scandir = [], os.scandir

    def noted(path):
        entered.append(Path(path).relative_to(tree).as_posix())
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)
    walk = FolderTree(tree).walk()
    assert next(walk) == "a/b/c.PNG" and entered == [".", "a", "a/b"]
    assert len(list(walk)) == 4 and entered == [".", "a", "a/b", "c.png"]


def eagerly(pattern):
    """What a pattern stands for, by the standard library."""
    base = Path(*itertools.takewhile(lambda part: not set(part) & set("*?["), pattern.parts))
    found = set()
    for match in base.glob(str(pattern.relative_to(base))):
        for path in [match, *match.rglob("*")] if match.is_dir() else [match]:
            hidden = any(part.startswith(".") for part in path.relative_to(base).parts)
            if path.is_file() and is_picture(path.name) and not hidden:
                found.add(path)
    return sorted(found)


def test_patterns_match_like_the_standard_library(tmp_path):
    chance = random.Random(0)
    words = ["a", "b", "ab", "a.png", "b.png", "[x].png", ".h", "n.txt"]
    for _ in range(60):
        parts = [chance.choice(words[:3]) for _ in range(chance.randrange(4))]
        touched(tmp_path / "tree", "/".join([*parts, chance.choice(words[3:])]))
    touched(tmp_path / "tree", "a/dir.png/a.png")
    patterns = ["*", "**", "**/*", "*/*", "*/**", "**/*.png", "a/*", "a/**/b.png", "**/a/*.png", "?.png", "*/b/**/a*"]
    patterns += ["/".join(chance.choice(["*", "**", "a", "a*", "[ab]", "*.png"]) for _ in range(3)) for _ in range(60)]
    tested = 0
    for pattern in patterns:
        if not set(pattern) & set("*?["):
            continue
        expected = eagerly(tmp_path / "tree" / pattern)
        if expected:
            assert find_images(str(tmp_path / "tree" / pattern)) == expected, pattern
            tested += 1
        else:
            with pytest.raises(UserError, match="no picture matches"):
                find_images(str(tmp_path / "tree" / pattern))
    assert tested > 30


def test_links_out_of_the_folder_are_followed_only_on_request(tree, tmp_path, monkeypatch):
    far = touched(tmp_path / "far", "x.png", "more/y.png")
    (tree / "link").symlink_to(far)
    (tree / "file.png").symlink_to(far / "x.png")
    (tree / "dead.png").symlink_to(tmp_path / "far.png")
    (tree / "inside.png").symlink_to(tree / "b.png")
    (far / "back").symlink_to(tree)
    source = FolderTree(tree)
    names = list(source.walk())
    assert "inside.png" in names and source.links == 2
    assert not {"file.png", "dead.png", "link/x.png"} & set(names)
    assert list(FolderTree(tree, ("l*",)).walk()) == [] and FolderTree(tree, ("l*",)).stems("link") == {}
    with pytest.raises(UserError, match="in: 2 links lead out of the folder; say --follow-links"):
        find_images(str(tree))
    with pytest.raises(UserError, match="1 link leads out"):
        find_images(f"{tree}/l*")
    monkeypatch.setattr(TRUST, "follow_links", True)
    followed = list(FolderTree(tree).walk())
    assert {"file.png", "dead.png", "link/x.png", "link/more/y.png"} <= set(followed)
    assert not any("back" in name for name in followed)  # a circle


def test_links_to_folders_are_followed_if_a_pattern_matches_them(tree):
    (tree / "link").symlink_to(touched(tree / ".far", "x.png", "more/y.png"))
    (tree / "a" / "up").symlink_to(tree)
    assert not any("link" in name or "up" in name for name in FolderTree(tree).walk())
    assert list(FolderTree(tree, ("l*",)).walk()) == ["link/more/y.png", "link/x.png"]
    assert list(FolderTree(tree, ("*", "x.png")).walk()) == ["link/x.png"]
    assert not any("up" in name for name in FolderTree(tree, ("**", "*.png")).walk())
    assert FolderTree(tree).stems("link") == {} and FolderTree(tree, ("l*",)).stems("link") == {"x": ["x.png"]}


def test_the_names_of_one_folder(tree):
    source = FolderTree(tree)
    assert source.stems("") == {"a.x": ["a.x.jpg"], "b": ["b.png"]}
    assert source.stems("a") == {"z": ["z.png"]} and source.stems("nowhere/at/all") == {}
    assert (
        FolderTree(tree, ("**", "c.*")).stems("a/b") == {"c": ["c.PNG"]}
        and FolderTree(tree, ("*.jpg",)).stems("a") == {}
    )
    for pattern in ((), ("**", "*.png"), ("a", "*"), ("*",)):
        source = FolderTree(tree, pattern)
        folders = {"", *(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_dir())} - {".cache"}
        named = {Path(folder, n).as_posix() for folder in folders for ns in source.stems(folder).values() for n in ns}
        assert named == set(source.walk())


def test_listed_files_are_named_below_the_list_or_their_common_folder(tree):
    near = ListedFiles([tree / "a/z.png", tree / "b.png", tree / "a/../b.png"], tree)
    assert list(near.walk()) == ["a/z.png", "b.png"] and near.root == tree
    assert near.stems("a") == {"z": ["z.png"]} and list(near.walk({"a"})) == ["b.png"]
    far = ListedFiles([tree / "a/z.png", tree / "a/b/c.PNG"], tree / "c.png")
    assert list(far.walk()) == ["z.png", "b/c.PNG"] and far.path("z.png") == tree / "a/z.png"


def test_an_unreadable_folder_is_named(tree, monkeypatch):
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(UserError, match=r"cannot read '.*a/b': Permission denied; check its permissions"):
        list(open_images(str(tree)).walk())


def test_memory_does_not_grow_with_the_tree(tmp_path):
    peaks = []
    for folders in (2, 8):
        root = tmp_path / str(folders)
        touched(root, *(f"{i:02}/{k:03}.png" for i in range(folders) for k in range(200)))
        source = FolderTree(root)
        tracemalloc.start()
        assert sum(1 for _ in source.walk()) == 200 * folders
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
