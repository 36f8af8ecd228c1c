import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import picture
from tests.data.album import sample
from tests.data.checks.test_pair_checks import PALETTE, labels, photo, sketch
from translate.data.datasets import TRAINING_DATA, PairedData
from translate.data.loading.loader import Batches
from translate.data.options import DataConfig
from translate.data.sources.pair import read_pair
from translate.utils.errors import OptionError, UserError


def write(root, a, b, train=12, test=6):
    for split, count, start in (("train", train, 0), ("test", test, 100)):
        for side, draw in (("A", a), ("B", b)):
            (root / f"{split}{side}").mkdir(parents=True, exist_ok=True)
            for i in range(start, start + count):
                Image.fromarray(draw(i)).save(root / f"{split}{side}" / f"{i}.png")
    return root


def paired(root, **options):
    return PairedData(DataConfig(root=str(root), **options), root.parent / "data")


def opened(root, *, size=32, zoom=1.0, square=True, **options):
    data = paired(root, **options)
    data.open(root.parent / "cache", size=size, zoom=zoom, square=square, progress=False)
    return data


def test_attributes_before_and_after_opening(tmp_path):
    root = write(tmp_path / "cups", sketch, photo)
    data = paired(root)
    assert (data.names, data.title, data.epoch) == (("cupsA", "cupsB"), "cups", 12)
    assert data.channels == {"a": 1, "b": 3}
    assert data.native_size() == 64
    data.open(tmp_path / "cache", size=32, zoom=1.25, square=False, progress=False)
    assert data.counts == {"cupsA": 12, "cupsB": 12}
    assert data.facts == {"sketch": True}
    assert (data.notes, data.skipped) == ([], [])
    assert data.cache[0].shape == (40, 40, 4)
    assert TRAINING_DATA["paired"] is PairedData
    turned = opened(root, direction="ba", zoom=1.25)
    assert (turned.names, turned.title, turned.channels) == (("cupsB", "cupsA"), "cups_ba", {"a": 3, "b": 1})
    assert turned.facts == {}
    assert len(turned.notes) == 1
    assert "--direction ab meant" in turned.notes[0]
    assert turned.fingerprint != data.fingerprint
    assert opened(root, zoom=1.25, square=False).fingerprint == data.fingerprint


def position(i):
    """A picture that tells of each of its places: x in red, y in green, its number in blue."""
    y, x = np.mgrid[:48, :48].astype(np.uint8)
    return np.stack([x * 5, y * 5, np.full_like(x, i)], -1)


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_both_pictures_stay_aligned_under_all_augmentations(tmp_path, square, direction):
    root = write(tmp_path / "x", position, lambda i: 255 - position(i))
    data = opened(root, zoom=1.25, square=square, direction=direction)
    stream = data.stream(crop=24, flip=True, seed=4)
    corners, mirrored = set(), 0
    for i in range(48):
        shown = sample(stream, i)
        assert shown["a"].shape == shown["b"].shape == (24, 24, 3)
        assert np.abs(shown["a"].astype(int) + shown["b"] - 255).max() <= 1
        source = shown["a"] if direction == "ab" else 255 - shown["a"]
        corners.add((int(source[..., 0].min()), int(source[..., 1].min())))
        mirrored += source[0, 0, 0] > source[0, -1, 0]
    assert len(corners) > 30
    assert 12 < mirrored < 36
    plain = data.stream(crop=24, flip=False, seed=4)
    sources = [sample(plain, i)["a"] for i in range(20)]
    assert all(source[0, 0, 0] < source[0, -1, 0] for source in sources) == (direction == "ab")


def test_every_epoch_has_every_pair_once_in_a_new_order(tmp_path):
    stream = opened(write(tmp_path / "x", position, lambda i: 255 - position(i))).stream(crop=32, flip=False, seed=0)
    shown = [int(sample(stream, i)["a"][0, 0, 2]) for i in range(36)]
    passes = [shown[start : start + 12] for start in (0, 12, 24)]
    assert all(sorted(one) == list(range(12)) for one in passes)
    assert passes[0] != passes[1] != passes[2]
    assert stream.epoch == 12


def test_samples_depend_on_seed_and_index_alone(tmp_path):
    root = write(tmp_path / "x", sketch, photo)
    data = opened(root, hints=True, colour_b=0.5, zoom=1.25)
    first, again, other = (data.stream(crop=32, flip=True, seed=seed) for seed in (3, 3, 4))
    wanted = [sample(first, i) for i in range(14)]
    for i in (13, 0, 7):
        assert all(np.array_equal(sample(again, i)[key], wanted[i][key]) for key in ("a", "b", "hint"))
    assert not np.array_equal(sample(other, 7)["b"], wanted[7]["b"])
    batches = iter(Batches(first, 2, start=3))
    batch = next(batches)
    batches.close()
    assert {key: tuple(part.shape) for key, part in batch.items()} == {
        "a": (2, 1, 32, 32),
        "b": (2, 3, 32, 32),
        "hint": (2, 4, 32, 32),
    }
    assert all(part.dtype == torch.uint8 for part in batch.values())
    np.testing.assert_array_equal(batch["hint"][1].permute(1, 2, 0).numpy(), wanted[7]["hint"])


def test_hints_are_drawn_from_the_cropped_target(tmp_path):
    def flat(i):
        return np.full((48, 48, 3), (40 + 10 * i % 120, 90, 200 - i), np.uint8)

    data = opened(write(tmp_path / "x", sketch, flat), hints=True)
    assert data.channels == {"a": 1, "b": 3, "hint": 4}
    drawn = 0
    for shown in (sample(data.stream(crop=32, flip=True, seed=0), i) for i in range(60)):
        marked = shown["hint"][..., 3] > 0
        drawn += marked.any()
        assert np.abs(shown["hint"][marked][:, :3].astype(int) - shown["b"][marked]).max(initial=0) <= 1
    assert 35 < drawn < 58
    assert (data.probe["hint"][:, 3].amax((1, 2)) == 255).all()


def test_colour_jitter_changes_the_requested_side_alone(tmp_path):
    root = write(tmp_path / "x", sketch, photo)
    plain = opened(root).stream(crop=32, flip=True, seed=0)
    for options, changed, kept in (({"colour_a": 0.5}, "a", "b"), ({"colour_b": 0.5}, "b", "a")):
        stream = opened(root, **options).stream(crop=32, flip=True, seed=0)
        gaps = {
            key: [np.abs(sample(stream, i)[key].astype(int) - sample(plain, i)[key]).mean() for i in range(12)]
            for key in "ab"
        }
        assert max(gaps[kept]) == 0
        assert np.mean(gaps[changed]) > 3
        assert sample(stream, 0)[changed].shape == sample(plain, 0)[changed].shape


def test_label_maps_are_never_interpolated(tmp_path):
    root = write(tmp_path / "x", lambda i: PALETTE[labels(i)], photo)
    known = {tuple(colour) for colour in PALETTE[:5]}

    def shown(data):
        stream = data.stream(crop=40, flip=True, seed=0)
        return {tuple(colour) for i in range(12) for colour in sample(stream, i)["a"].reshape(-1, 3)}

    data = opened(root, size=44, zoom=1.0, colour_a=0.5)
    assert data.labels == "a"
    assert shown(data) == known
    assert any("xA look like label maps (5 colours)" in note for note in data.notes)
    assert any("--data.colour_a would change what they mean" in note for note in data.notes)
    assert set(map(tuple, data.probe["a"].permute(0, 2, 3, 1).reshape(-1, 3).numpy())) == known
    assert len(shown(opened(root, size=44, labels="none"))) > 30
    assert opened(root, size=44, labels="none").notes == []
    assert shown(opened(root, size=44, labels="ab")) == known


def test_a_label_map_stays_aligned_with_its_photo(tmp_path):
    def blocks(i):
        return PALETTE[labels(i, 4)]

    def soft(i):
        return cv2.GaussianBlur(blocks(i), (0, 0), 0.8)

    data = opened(write(tmp_path / "x", blocks, soft, train=4), size=48)
    for both in data.cache:
        labelled, soft_one = both[..., :3].astype(int), both[..., 3:].astype(int)
        here, left, right = (np.abs(labelled[:, 1:-1] - soft_one[:, 1 + way : 47 + way]).mean() for way in (0, -1, 1))
        assert here < 0.8 * min(left, right)
        assert abs(left - right) < 0.1 * (left + right)  # half a pixel astray would favour one side


def test_gray_targets_and_a_stray_colour_source(tmp_path):
    def source(i):
        return sketch(i) if i != 5 else np.dstack([sketch(i), sketch(i) // 2, sketch(i)])

    root = write(tmp_path / "x", source, lambda i: photo(i)[..., 0], train=60)
    data = opened(root, size=64)
    assert data.channels == {"a": 1, "b": 1}
    where = data.cache.names.index("5")
    stray = cv2.cvtColor(source(5), cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(data.cache[where][..., 0], stray)


def test_an_unreadable_picture_removes_only_its_pair(tmp_path):
    root = write(tmp_path / "x", position, lambda i: 255 - position(i))
    (root / "trainA" / "3.png").write_bytes(b"no picture")
    (root / "trainB" / "7.png").write_bytes((root / "trainB" / "7.png").read_bytes()[:60])
    (root / "testA" / "100.png").write_bytes(b"no picture")
    data = opened(root)
    assert len(data.skipped) == 2
    assert "trainA/3.png" in data.skipped[0]
    assert "trainB/7.png" in data.skipped[1]
    assert data.counts == {"xA": 10, "xB": 10}
    assert data.epoch == 10
    stream = data.stream(crop=32, flip=False, seed=0)
    numbers = [(int(sample(stream, i)["a"][0, 0, 2]), 255 - int(sample(stream, i)["b"][0, 0, 2])) for i in range(10)]
    assert all(a == b for a, b in numbers)
    assert sorted(a for a, _ in numbers) == [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
    assert data.probe["a"].shape == (4, 3, 32, 32)


def test_the_probe_is_spread_over_the_test_pairs(tmp_path):
    data = opened(write(tmp_path / "x", sketch, position, test=10), zoom=1.5, square=False)
    assert data.probe["a"].shape == (4, 1, 32, 32)
    assert [int(n) for n in data.probe["b"][:, 2, 0, 0]] == [100, 103, 106, 109]
    few = opened(write(tmp_path / "y", sketch, position, test=1))
    assert [int(n) for n in few.probe["b"][:, 2, 0, 0]] == [100, 0, 1, 10]


def test_combined_pictures_of_other_shapes(tmp_path):
    root = tmp_path / "maps"
    (root / "train").mkdir(parents=True)
    for i in range(12):
        both = np.hstack([picture(i, 40, 60), picture(100 + i, 40, 60)])
        Image.fromarray(both).save(root / "train" / f"{i}.png")
    data = opened(root, size=40, square=False, direction="ba")
    pair = data.pairs.train[0]
    np.testing.assert_array_equal(data.cache[0], np.concatenate(read_pair(pair), axis=2))
    np.testing.assert_array_equal(data.cache[0][..., :3], picture(100 + int(pair.name), 40, 60))
    assert data.native_size() == 40


def test_unequal_sizes_are_refused_before_training(tmp_path):
    root = write(tmp_path / "x", sketch, photo)
    data = paired(root)
    Image.new("RGB", (64, 90)).save(root / "trainB" / "11.png")
    message = r"11.png is 64 x 64 px but .*11.png is 64 x 90 px"
    with pytest.raises(UserError, match=message):
        paired(root)
    with pytest.raises(UserError, match=message):  # also where no header told it in time
        data.open(tmp_path / "cache", size=32, zoom=1, square=True, progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_exchanged_pictures_are_reported(tmp_path):
    root = write(tmp_path / "x", sketch, photo, train=30)
    Image.fromarray(photo(9)).save(root / "trainA" / "9.png")
    Image.fromarray(sketch(9)).save(root / "trainB" / "9.png")
    data = opened(root, size=64)
    assert any("look exchanged: 9; compare" in note for note in data.notes)


def test_unknown_labels_are_refused(tmp_path):
    with pytest.raises(OptionError, match="--data.labels is 'c'; choose from auto, none, a, b, ab"):
        paired(write(tmp_path / "x", sketch, photo), labels="c")
