import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.data.idx_files import write_idx, write_mnist
from translate.data.catalog import catalog
from translate.data.sources.image_set import resolve_images
from translate.utils.errors import OptionError, UserError


def write(root, *names):
    """Write a picture at each path below `root`; picture i differs from the others."""
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), picture(i, 34, 40))
    return root


def numbered(folder, count, start=0):
    return [f"{folder}{i}.png" for i in range(start, start + count)]


def labels(images, part="train"):
    return {source.name: source.label for source in getattr(images, part)}


# ---- what `images` may be


def test_a_folder_without_labels_holds_out_a_tenth(tmp_path):
    write(tmp_path / "cats", *numbered("", 15), *numbered("more/", 15))
    found = resolve_images(str(tmp_path / "cats"), "", tmp_path)
    assert (found.title, found.classes, found.notes) == ("cats", (), ())
    assert (len(found.train), len(found.test)) == (27, 3)
    assert {s.name for s in (*found.train, *found.test)} == {*numbered("", 15), *numbered("more/", 15)}
    assert {s.label for s in found.train} == {-1}
    expected = cv2.cvtColor(cv2.imread(str(found.train[0].file)), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(found.train[0].read(), expected)


def test_the_hold_out_depends_on_names_alone(tmp_path):
    places = [write(tmp_path / place, *numbered("", 40)) for place in ("one", "two")]
    first, second = (resolve_images(str(place), "", tmp_path) for place in places)
    assert [s.name for s in first.test] == [s.name for s in second.test]
    assert len(first.test) == 4


def test_the_hold_out_has_a_limit(tmp_path):
    images = write_idx(tmp_path / "pictures", np.zeros((12_000, 1, 1), np.uint8))
    found = resolve_images(str(images), "", tmp_path)
    assert (len(found.train), len(found.test)) == (11_000, 1000)


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("below", ["", "train"])
def test_a_test_folder_is_used(tmp_path, part, below):
    write(tmp_path / "x", *numbered("train/a/", 4), *numbered("train/b/", 4), f"{part}/b/9.png", f"{part}/a/8.png")
    found = resolve_images(str(tmp_path / "x" / below), "auto", tmp_path)
    assert (found.title, found.classes) == ("x", ("a", "b"))
    assert len(found.train) == 8
    assert labels(found, "test") == {"a/8.png": 0, "b/9.png": 1}


def test_patterns_lists_and_single_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("x"), *numbered("cat/", 3), *numbered("dog/", 3))
    found = resolve_images("x/*/*.png", "auto", tmp_path)
    assert (found.title, found.classes) == ("x", ("cat", "dog"))
    Path("some.txt").write_text("x/cat/0.png\nx/dog/1.png\nx/dog/2.png\n")
    found = resolve_images("some.txt", "auto", tmp_path)
    assert (found.title, found.classes) == ("some", ("cat", "dog"))
    assert {s.name for s in (*found.train, *found.test)} == {"cat/0.png", "dog/1.png", "dog/2.png"}
    assert len(resolve_images("x/cat/0.png", "", tmp_path).train) == 1


def test_a_domain_of_the_catalog_and_its_test_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalog, "prepare", lambda name, root: root / name)
    write(tmp_path / "data" / "photos2monet", *numbered("trainB/", 5), *numbered("testB/", 2))
    found = resolve_images("monet", "", Path("data"))
    assert (found.title, len(found.train), len(found.test)) == ("monet", 5, 2)


def test_digits_are_labelled_by_their_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalog, "prepare", lambda name, root: root / name)
    names = [f"{part}/{k % 10}/{k:05d}.png" for part in ("train", "test") for k in range(20)]
    write(tmp_path / "data" / "digits", *names)
    found = resolve_images("digits", "auto", Path("data"))
    assert (found.title, found.classes) == ("digits", tuple("0123456789"))
    assert all(source.name.startswith(f"{source.label}/") for source in (*found.train, *found.test))


# ---- classes


def test_class_folders_with_pictures_without_a_class(tmp_path):
    write(tmp_path / "x", *numbered("2/", 6), *numbered("10/", 6), "loose.png", *numbered("unlabelled/", 2))
    found = resolve_images(str(tmp_path / "x"), "auto", tmp_path)
    assert found.classes == ("2", "10")
    everything = labels(found) | labels(found, "test")
    assert {everything[name] for name in ("loose.png", "unlabelled/0.png", "unlabelled/1.png")} == {-1}
    assert everything["10/3.png"] == 1
    assert found.notes == (
        "3 of 15 pictures have no label, and only teach what is real: loose.png, unlabelled/0.png, unlabelled/1.png",
    )


def test_a_rare_class_is_not_held_out(tmp_path):
    for rare in range(20):
        write(tmp_path / f"x{rare}", *numbered("a/", 19), f"b/rare{rare}.png")
        found = resolve_images(str(tmp_path / f"x{rare}"), "auto", tmp_path)
        assert Counter(labels(found).values())[1] == 1


def test_a_table_of_images_with_and_without_labels(tmp_path):
    write(tmp_path / "x", *numbered("p/", 8))
    rows = [f"p/{i}.png,{'ab'[i % 2] if i else ''},{'test' if i > 5 else 'train'}" for i in range(8)]
    (tmp_path / "x" / "labels.csv").write_text("\n".join(["file,label,split", *rows]))
    found = resolve_images(str(tmp_path / "x" / "labels.csv"), "auto", tmp_path)
    assert (found.title, found.classes) == ("x", ("a", "b"))
    assert labels(found) == {"0.png": -1, "1.png": 1, "2.png": 0, "3.png": 1, "4.png": 0, "5.png": 1}
    assert labels(found, "test") == {"6.png": 0, "7.png": 1}
    plain = resolve_images(str(tmp_path / "x" / "labels.csv"), "", tmp_path)
    assert plain.classes == () and len(plain.train) == 6


def test_a_table_of_labels_for_a_folder(tmp_path):
    write(tmp_path / "x", *numbered("", 6))
    (tmp_path / "y.csv").write_text("\n".join(f"x/{i}.png,{'ab'[i % 2]}" for i in range(5)) + "\nx/gone.png,a\n")
    found = resolve_images(str(tmp_path / "x"), str(tmp_path / "y.csv"), tmp_path)
    everything = labels(found) | labels(found, "test")
    assert everything == {"0.png": 0, "1.png": 1, "2.png": 0, "3.png": 1, "4.png": 0, "5.png": -1}
    assert len(found.notes) == 2
    assert "1 lines of" in found.notes[0] and "gone.png" in found.notes[0]
    assert "1 of" in found.notes[1] and "5.png" in found.notes[1]


def test_a_table_of_labels_may_be_relative_to_the_pictures_and_state_splits(tmp_path):
    write(tmp_path / "x", *numbered("", 6))
    rows = [f"{i}.png,{'ab'[i % 2]},{'train' if i < 4 else 'test'}" for i in range(6)]
    (tmp_path / "y.csv").write_text("\n".join(["file,label,split", *rows]))
    (tmp_path / "link").symlink_to(tmp_path / "x")
    found = resolve_images(str(tmp_path / "link"), str(tmp_path / "y.csv"), tmp_path)
    assert set(labels(found)) == set(numbered("", 4))
    assert labels(found, "test") == {"4.png": 0, "5.png": 1}


# ---- IDX files


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("which", ["", "train-images-idx3-ubyte"])
def test_mnist(tmp_path, suffix, which):
    write_mnist(tmp_path / "mnist", suffix=suffix)
    spec = tmp_path / "mnist" / f"{which}{suffix if which else ''}"
    found = resolve_images(str(spec), "auto", tmp_path)
    assert (found.title, found.classes, found.notes) == ("mnist", ("0", "1", "2"), ())
    assert [s.label for s in found.train] == [i % 3 for i in range(30)]
    assert [s.label for s in found.test] == [i % 3 for i in range(10)]
    assert len({s.name for s in found.train}) == 30
    assert found.train[7].read().shape == (28, 28, 3)
    assert found.train[7].read()[10, 10].tolist() == [47, 47, 47]
    assert resolve_images(str(spec), "", tmp_path).classes == ()


def test_idx_files_with_explicit_labels_colour_and_no_test_part(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 18, 3), np.uint8)
    images = write_idx(tmp_path / "pictures", pixels)
    numbers = write_idx(tmp_path / "numbers.gz", (np.arange(20) % 2 * 300).astype(np.int32))
    found = resolve_images(str(images), str(numbers), tmp_path)
    assert found.classes == ("0", "300")
    assert (len(found.train), len(found.test)) == (18, 2)
    for source in (*found.train, *found.test):
        assert source.label == int(source.name) % 2
        np.testing.assert_array_equal(source.read(), pixels[int(source.name)])


# ---- bad input


def refused(kind, message, images, classes="", root=Path("data")):
    with pytest.raises(kind, match=message) as raised:
        resolve_images(str(images), str(classes), root)
    assert type(raised.value) is kind and "\n" not in str(raised.value)


def test_bad_images_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "prepare", lambda *_: pytest.fail("prepared"))
    refused(OptionError, "no pictures given; say --images FOLDER", "")
    refused(UserError, "no file or folder 'digit'; did you mean 'digits'", "digit")
    refused(OptionError, "'horse2zebra' has two domains; say --images horses or --images zebras", "horse2zebra")
    refused(OptionError, "'maps' is a set of combined A|B pairs", "maps")
    refused(OptionError, "'street_maps' is one half of the combined pictures of 'maps'", "street_maps")
    (tmp_path / "x" / "trainA").mkdir(parents=True)
    refused(OptionError, "holds two domains; name one of its folders, such as .*trainB", tmp_path / "x")
    (tmp_path / "empty").mkdir()
    refused(UserError, "is empty; give a folder of pictures", tmp_path / "empty")
    (tmp_path / "t.csv").write_text("file,label\ngone.png,a\n")
    refused(UserError, "names 1 missing file: .*gone.png", tmp_path / "t.csv")
    write(tmp_path, "a.png")
    (tmp_path / "t.csv").write_text("file,split\na.png,test\n")
    refused(UserError, "has no line whose split is train", tmp_path / "t.csv")


def test_incomplete_labels_are_refused(tmp_path):
    write(tmp_path / "x", *numbered("", 6))
    write(tmp_path / "one", *numbered("cat/", 6))
    refused(
        OptionError, "'.*x' has no labels; give each class a folder of its own, or --labels", tmp_path / "x", "auto"
    )
    refused(OptionError, "all 6 labelled pictures are of one class, 'cat'; leave --labels", tmp_path / "one", "auto")
    refused(UserError, "--labels: there is no file '.*gone.csv'", tmp_path / "x", tmp_path / "gone.csv")
    (tmp_path / "notes.txt").write_text("hello")
    refused(OptionError, "notes.txt is no CSV file", tmp_path / "x", tmp_path / "notes.txt")
    (tmp_path / "t.csv").write_text("x/0.png\nx/1.png\n")
    refused(OptionError, "has no column called label", tmp_path / "x", tmp_path / "t.csv")
    refused(OptionError, "has no column called label", tmp_path / "t.csv", "auto")
    (tmp_path / "t.csv").write_text("other/0.png,a\nother/1.png,b\n")
    message = "none of the 2 lines of .*t.csv names a picture of '.*x': the first names '.*other/0.png'"
    refused(UserError, message, tmp_path / "x", tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("x/0.png,\nx/1.png,\n")
    refused(OptionError, "'.*x' has no labels", tmp_path / "x", tmp_path / "t.csv")


def test_a_label_of_the_test_part_alone_is_refused(tmp_path):
    write(tmp_path / "x", *numbered("train/a/", 2), *numbered("train/b/", 2), "test/c/1.png")
    refused(UserError, "pictures to test on are labelled c, of which none is to train on", tmp_path / "x", "auto")


def test_idx_files_that_do_not_fit_are_refused(tmp_path):
    folder = write_mnist(tmp_path / "m")
    images, numbers = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
    refused(OptionError, "holds labels, not pictures", numbers)
    write(tmp_path / "x", *numbered("", 6))
    refused(OptionError, "is an IDX file, which labels the pictures of IDX files", tmp_path / "x", numbers)
    (tmp_path / "t.csv").write_text("a.png,1\n")
    refused(OptionError, "t.csv is no IDX file", images, tmp_path / "t.csv")
    refused(UserError, "there is no file '.*gone'", images, tmp_path / "gone")
    refused(UserError, r"holds \(30, 28, 28\) of uint8; labels are \(count,\)", images, images)
    write_idx(numbers, np.zeros(29, np.uint8))
    refused(UserError, "has 29 labels for the 30 pictures of", images, "auto")
    write_idx(numbers, np.zeros(30, np.uint8))
    refused(OptionError, "all 30 labelled pictures are of one class, '0'", images, "auto")
    numbers.unlink()
    refused(OptionError, "no labels 'train-labels-idx1-ubyte' beside .*; give --labels FILE", images, "auto")
    write_idx(images, np.zeros((3, 4), np.float32))
    refused(UserError, r"holds \(3, 4\) of float32; pictures are", images)
    write_idx(folder / "emnist-train-images-idx3-ubyte", np.zeros((3, 4, 4), np.uint8))
    refused(UserError, "has 2 IDX files to train on .*; name one of them", folder)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read anything")
def test_a_forbidden_folder_is_reported_in_one_line(tmp_path):
    write(tmp_path / "x", "0.png").chmod(0)
    refused(UserError, "cannot read", tmp_path / "x")


def test_a_missing_file_of_labels_is_told_before_a_set_is_prepared(tmp_path, monkeypatch):
    from translate.data.catalog import catalog

    monkeypatch.setattr(catalog, "prepare", lambda *_, **__: pytest.fail("prepared"))
    with pytest.raises(UserError, match="--labels: there is no file 'nowhere.csv'"):
        resolve_images("digits", "nowhere.csv", tmp_path)
