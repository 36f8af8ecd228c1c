import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.data.album import album, sample
from tests.data.idx_files import write_mnist
from translate.data.datasets import TRAINING_DATA
from translate.data.datasets.images import ImagesData, pad_with_edge_colour
from translate.data.loading.loader import Batches, SingleStream
from translate.data.loading.native_size import power_of_two_size
from translate.data.options import DataConfig
from translate.utils.errors import OptionError, UserError


def write_classes(root, counts, height=48, width=56, gray=False):
    """Write counts[name] pictures to each folder; gray level or hue tells the number of the picture."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = picture(i + 100 * len(name), height, width)
            cv2.imwrite(str(root / name / f"{i:03d}.png"), pixels[..., 0] if gray else pixels)
    return root


def make(images, classes="", root=None, **options):
    options = {"batch_size": 4, "flip": False} | options
    return ImagesData(DataConfig(images=str(images), classes=classes, **options), root)


def opened(data, folder, size=32, zoom=1.0, square=False):
    data.open(folder, size=size, zoom=zoom, square=square, progress=False)
    return data


def test_the_kind_is_registered():
    assert TRAINING_DATA["images"] is ImagesData


def test_pictures_without_labels(tmp_path):
    write_classes(tmp_path / "x", {"": 40})
    data = make(tmp_path / "x", root=tmp_path, flip=True)
    assert (data.names, data.title, data.channels, data.facts) == (("x",), "x", {"image": 3}, {})
    assert (len(data.train), len(data.test), data.epoch, data.notes) == (36, 4, 36, [])
    opened(data, tmp_path / "cache")
    assert (data.counts, data.skipped) == ({"x": 36}, [])
    assert set(data.probe) == {"image"}
    assert data.probe["image"].shape == (32, 3, 32, 32) and data.probe["image"].dtype == torch.uint8
    shown = sample(data.stream(crop=32, flip=True, seed=0), 0)
    assert set(shown) == {"image"} and shown["image"].shape == (32, 32, 3)


def test_batches_have_the_labels_of_their_pictures(tmp_path):
    write_mnist(tmp_path / "mnist")
    data = opened(make(tmp_path / "mnist", "auto", tmp_path), tmp_path / "cache")
    assert data.channels == {"image": 1, "label": 3}
    assert data.facts == {"classes": ["0", "1", "2"]}
    batch = Batches(data.stream(crop=32, flip=False, seed=1), 28).make(0)
    assert batch["image"].shape == (28, 1, 32, 32) and batch["image"].dtype == torch.uint8
    assert batch["label"].shape == (28,) and batch["label"].dtype == torch.int64
    levels = batch["image"][:, 0, 16, 16].long() - 40  # picture i is a square of gray level 40 + i
    assert len(set(levels.tolist()) & set(range(30))) == 28  # whole groups of four
    assert torch.equal(levels % 3, batch["label"])
    probe = data.probe
    assert probe["label"].dtype == torch.int64 and set(probe["label"].tolist()) == {0, 1, 2}
    held_out = (probe["image"][:10, 0, 16, 16].long() - 40) % 3
    assert torch.equal(held_out, probe["label"][:10])


def test_pictures_without_a_label_have_minus_one(tmp_path):
    write_classes(tmp_path / "x", {"a": 12, "b": 12, "unlabelled": 12})
    data = opened(make(tmp_path / "x", "auto", tmp_path), tmp_path / "cache")
    stream = data.stream(crop=32, flip=False, seed=0)
    seen = {int(sample(stream, i)["label"]) for i in range(stream.epoch)}
    assert seen == {-1, 0, 1}
    assert -1 not in data.probe["label"].tolist()
    assert any("have no label" in note for note in data.notes)


def test_an_unreadable_file_does_not_shift_the_labels(tmp_path):
    write_classes(tmp_path / "x", {"a": 10, "b": 10, "c": 10}, gray=True)
    broken = make(tmp_path / "x", "auto", tmp_path).train[3].file
    broken.write_bytes(b"no picture")
    data = opened(make(tmp_path / "x", "auto", tmp_path), tmp_path / "cache")
    assert data.channels["image"] == 1
    assert len(data.skipped) == 1 and str(broken) in data.skipped[0]
    assert data.counts == {"x": len(data.train) - 1}
    labels = {source.name: source.label for source in data.train}
    assert [labels[name] for name in data.cache.names] == data.stream(crop=32, flip=False, seed=0).labels.tolist()


def test_the_cache_is_reused_and_labels_change_the_fingerprint(tmp_path):
    write_classes(tmp_path / "x", {"a": 10, "b": 10})
    first = opened(make(tmp_path / "x", "auto", tmp_path), tmp_path / "cache")
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()}
    again = opened(make(tmp_path / "x", "auto", tmp_path), tmp_path / "cache")
    plain = opened(make(tmp_path / "x", "", tmp_path), tmp_path / "cache")
    assert first.fingerprint == again.fingerprint != plain.fingerprint
    assert before.items() <= {p.name: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()}.items()


def test_every_epoch_has_every_picture_once_cropped_and_mirrored(tmp_path):
    numbers = np.arange(8)
    pictures = [np.arange(120, dtype=np.uint8).reshape(10, 12, 1) + np.uint8(i) for i in numbers]
    stream = SingleStream(album(pictures), numbers.astype(np.int64), crop=8, flip=True, seed=3)
    assert stream.epoch == 8
    for start in (0, 8, 16):
        assert sorted(int(sample(stream, i)["label"]) for i in range(start, start + 8)) == numbers.tolist()
    mirrored, corners = 0, set()
    for i in range(140):
        shown = sample(stream, i)
        cut, label = shown["image"].astype(int), int(shown["label"])
        mirrored += cut[0, 0, 0] > cut[0, 1, 0]
        cut = cut[:, ::-1] if cut[0, 0, 0] > cut[0, 1, 0] else cut
        top, left = divmod(cut[0, 0, 0] - label, 12)
        np.testing.assert_array_equal(cut, pictures[label][top : top + 8, left : left + 8])
        corners.add((top, left))
    assert 45 < mirrored < 95
    assert corners == {(top, left) for top in range(3) for left in range(5)}
    plain = SingleStream(album(pictures), None, crop=8, flip=False, seed=3)
    assert set(sample(plain, 0)) == {"image"}
    assert all(sample(plain, i)["image"][0, 0, 0] < sample(plain, i)["image"][0, 1, 0] for i in range(50))


def test_labelled_pictures_are_grouped_in_fours_of_a_class():
    labels = np.random.default_rng(0).integers(-1, 5, 103)
    pictures = [np.full((8, 8, 1), i, np.uint8) for i in range(103)]
    stream = SingleStream(album(pictures), labels, crop=8, flip=False, seed=3)
    assert stream.epoch == 100
    shown = [int(sample(stream, i)["image"][0, 0, 0]) for i in range(200)]
    first, second = shown[:100], shown[100:]
    assert len(set(first)) == len(set(second)) == 100
    assert first != second
    fours = labels[np.array(first)].reshape(-1, 4)
    whole = sum(count // 4 for count in np.unique(labels, return_counts=True)[1])
    assert (fours[:whole] == fours[:whole, :1]).all()
    assert len(np.unique(fours[:8, 0])) > 2


def test_batches_depend_on_seed_and_step_alone():
    pictures = [np.random.default_rng(i).integers(0, 256, (9, 9, 3), np.uint8) for i in range(6)]

    def batch(seed, step):
        return Batches(SingleStream(album(pictures), np.arange(6), crop=8, flip=True, seed=seed), 4).make(step)

    assert all(torch.equal(batch(0, 5)[key], batch(0, 5)[key]) for key in ("image", "label"))
    assert not torch.equal(batch(0, 5)["image"], batch(1, 5)["image"])
    assert not torch.equal(batch(0, 5)["image"], batch(0, 6)["image"])


# ---- sizes


@pytest.mark.parametrize(
    ("side", "size"),
    [
        (16, 32),
        (28, 32),
        (31, 32),
        (32, 32),
        (63, 32),
        (64, 64),
        (100, 64),
        (128, 128),
        (255, 128),
        (256, 256),
        (999, 256),
    ],
)
def test_the_native_size_is_a_power_of_two(side, size):
    assert power_of_two_size([side, side + 1, side - 1]) == size


def test_the_native_size_is_that_of_the_files(tmp_path):
    write_classes(tmp_path / "x", {"": 6}, height=70, width=130)
    assert make(tmp_path / "x", root=tmp_path).native_size() == 64
    write_mnist(tmp_path / "mnist")
    assert make(tmp_path / "mnist", root=tmp_path).native_size() == 32


@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (255, 0), (200, 30)])
def test_small_pictures_are_padded_with_their_edge_colour(paper, ink):
    source = np.full((28, 26, 3), paper, np.uint8)
    source[8:20, 8:20] = ink
    source[0, :5] = 99  # a few odd pixels at the edge
    made = pad_with_edge_colour(source, 32)
    assert made.shape == (32, 32, 3)
    np.testing.assert_array_equal(made[2:30, 3:29], source)
    assert (made[0] == paper).all() and (made[:, -1] == paper).all()


def test_mnist_is_not_interpolated(tmp_path):
    write_mnist(tmp_path / "mnist")
    data = opened(make(tmp_path / "mnist", "auto", tmp_path), tmp_path / "cache")
    original = data.train[0].read()[..., :1]
    np.testing.assert_array_equal(data.cache[0][2:30, 2:30], original)
    assert data.cache[0].shape == (32, 32, 1)


def test_larger_pictures_are_resized_by_the_shorter_side_or_both(tmp_path):
    write_classes(tmp_path / "x", {"": 6}, height=96, width=144)
    assert opened(make(tmp_path / "x", root=tmp_path), tmp_path / "c").cache[0].shape == (32, 48, 3)
    assert opened(make(tmp_path / "x", root=tmp_path), tmp_path / "c", square=True).cache[0].shape == (32, 32, 3)
    assert opened(make(tmp_path / "x", root=tmp_path), tmp_path / "c", size=64, zoom=1.125).cache[0].shape == (
        72,
        108,
        3,
    )


def test_pictures_smaller_than_the_size_are_refused_with_a_suggested_size(tmp_path):
    write_classes(tmp_path / "x", {"": 10}, height=70, width=80)
    with pytest.raises(OptionError, match=r"9 of 9 pictures .* smaller than 128 px .*: 70 px\); say --size 64$"):
        opened(make(tmp_path / "x", root=tmp_path), tmp_path / "cache", size=128)
    write_mnist(tmp_path / "mnist")
    with pytest.raises(OptionError, match="say --size 32$"):
        opened(make(tmp_path / "mnist", root=tmp_path), tmp_path / "cache", size=64)
    write_classes(tmp_path / "tiny", {"": 10}, height=8, width=8)
    with pytest.raises(OptionError, match="smaller than 32 px .*; enlarge them first$"):
        opened(make(tmp_path / "tiny", root=tmp_path), tmp_path / "cache")


def test_a_few_small_pictures_are_enlarged_with_a_note(tmp_path):
    write_classes(tmp_path / "x", {"": 10}, height=64, width=64)
    data = make(tmp_path / "x", root=tmp_path)
    for source, side in zip(data.train[:2], (50, 30), strict=True):
        cv2.imwrite(str(source.file), picture(0, side, side))
    data = make(tmp_path / "x", root=tmp_path)
    assert data.native_size() == 64
    opened(data, tmp_path / "cache", size=64)
    assert {data.cache[i].shape for i in range(9)} == {(64, 64, 3)}
    assert data.notes == ["2 of 9 pictures looked at are smaller than 64 px and are enlarged"]


# ---- bad input


def test_fewer_pictures_than_a_batch_are_refused(tmp_path):
    write_classes(tmp_path / "x", {"": 10})
    message = r"x has 9 pictures to train on \(1 are held out\), fewer than a batch of 16; say --batch-size 9"
    with pytest.raises(OptionError, match=message):
        make(tmp_path / "x", root=tmp_path, batch_size=16)
    data = make(tmp_path / "x", root=tmp_path, batch_size=9)
    data.train[0].file.write_bytes(b"no picture")
    with pytest.raises(OptionError, match="has 8 pictures to train on .* say --batch-size 8"):
        opened(make(tmp_path / "x", root=tmp_path, batch_size=9), tmp_path / "cache")


def test_no_readable_picture_is_an_error(tmp_path):
    (tmp_path / "x").mkdir()
    for i in range(6):
        (tmp_path / "x" / f"{i}.png").write_bytes(b"no picture")
    data = make(tmp_path / "x", root=tmp_path)
    with pytest.raises(UserError, match="none of the 5 files can be read as an image"):
        opened(data, tmp_path / "cache")


@pytest.mark.parametrize("classes", ["", "auto"])
def test_characters_are_not_mirrored(tmp_path, classes):
    write_classes(tmp_path / "x", {"3": 5, "7": 5}, gray=True)
    data = make(tmp_path / "x", classes, tmp_path, flip=True)
    assert data.notes == ["the pictures seem to be characters, so none is mirrored"]
    opened(data, tmp_path / "cache")
    assert not data.stream(crop=32, flip=True, seed=0).flip
    assert make(tmp_path / "x", classes, tmp_path).notes == []


def test_words_are_not_characters(tmp_path):
    write_classes(tmp_path / "x", {"cat": 5, "dog": 5})
    data = make(tmp_path / "x", "auto", tmp_path, flip=True)
    assert data.notes == []
    opened(data, tmp_path / "cache")
    assert data.stream(crop=32, flip=True, seed=0).flip
