import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import picture
from tests.data.album import sample
from tests.data.datasets.test_paired import opened, paired
from tests.data.label_scenes import FORMS, PALETTE, scene, write_scenes
from translate.data.loading.loader import Batches
from translate.utils.errors import OptionError


def numbers_of(planes):
    """Return class numbers of one-hot planes (H, W, K) uint8, 255 where all are 0."""
    assert set(np.unique(planes)) <= {0, 255} and planes.astype(int).sum(2).max() <= 255
    return np.where(planes.max(2) > 0, planes.argmax(2), 255)


@pytest.mark.parametrize("form", ["palette", "gray", "rgb"])
@pytest.mark.parametrize("order", ["AB", "BA"])
def test_maps_become_planes_that_stay_aligned_with_their_photos(tmp_path, form, order):
    root = write_scenes(tmp_path / "s", form, order=order)
    unlabelled = "#e0e0c0" if form == "rgb" else "auto"
    data = opened(root, size=48, one_hot=True, unlabelled=unlabelled)
    side, other = ("b", "a") if order == "AB" else ("a", "b")
    assert data.channels == {side: 4, other: 3} and data.labels == side
    assert data.facts["maps"][side]["form"] == form and "sketch" not in data.facts
    known = {}
    for i in range(12):
        photo, numbers = scene(i)
        known[photo.tobytes()] = numbers
        known[photo[:, ::-1].tobytes()] = numbers[:, ::-1]
    table = np.full(256, 255)
    packed = [int(r) << 16 | int(g) << 8 | int(b) for r, g, b in PALETTE[:4]]
    table[:4] = np.argsort(np.argsort(packed)) if form == "rgb" else range(4)  # colours are numbered in their order
    stream = data.stream(crop=48, flip=True, seed=1)
    for i in range(12):
        shown = sample(stream, i)
        np.testing.assert_array_equal(numbers_of(shown[side]), table[known[shown[other].tobytes()]])
    assert data.probe[side].shape == (4, 4, 48, 48)
    assert data.probe[other].shape == (4, 3, 48, 48)


def test_maps_are_never_interpolated_and_photos_are(tmp_path):
    root = write_scenes(tmp_path / "s", side=96)
    data = opened(root, size=32, one_hot=True)
    shown = sample(data.stream(crop=32, flip=False, seed=0), 0)
    numbers = numbers_of(shown["b"])
    assert set(np.unique(numbers)) <= {0, 1, 2, 3, 255}
    batches = Batches(data.stream(crop=32, flip=False, seed=0), 2)
    assert batches.make(0)["b"].shape == (2, 4, 32, 32)


def test_photos_of_16_bits_keep_them(tmp_path):
    root = write_scenes(tmp_path / "s", train=4, test=2)
    for file in [*root.glob("trainA/*.png"), *root.glob("testA/*.png")]:
        pixels = np.asarray(Image.open(file)).astype(np.uint16) * 257
        cv2.imwrite(str(file), pixels[..., ::-1])
    data = opened(root, size=48, one_hot=True)
    shown = sample(data.stream(crop=48, flip=False, seed=0), 0)
    assert shown["a"].dtype == np.float32 and shown["b"].dtype == np.uint8
    photo = np.rint((shown["a"] + 1) * 127.5).astype(np.uint8)
    [numbers] = [numbers for photo_of, numbers in map(scene, range(4)) if np.array_equal(photo_of, photo)]
    np.testing.assert_array_equal(numbers_of(shown["b"]), numbers)


@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_halves_of_combined_pictures(tmp_path, direction):
    for split, start in (("train", 0), ("test", 50)):
        (tmp_path / "c" / split).mkdir(parents=True)
        for i in range(start, start + 4):
            photo, numbers = scene(i, border=False)
            both = np.hstack([photo, PALETTE[numbers]])
            Image.fromarray(both).save(tmp_path / "c" / split / f"{i}.png")
    data = opened(tmp_path / "c", size=48, one_hot=True, direction=direction)
    side = "b" if direction == "ab" else "a"
    assert data.channels[side] == 4 and list(data.facts["maps"]) == [side]
    shown = sample(data.stream(crop=48, flip=False, seed=0), 0)
    assert numbers_of(shown[side]).max() < 4


def test_options_that_do_not_go_with_one_hot_maps(tmp_path):
    root = write_scenes(tmp_path / "s", train=3, test=1)
    with pytest.raises(OptionError, match="--hints are not for one-hot label maps; leave one of the two out"):
        paired(root, one_hot=True, hints=True)
    with pytest.raises(OptionError, match="--value-range is not for one-hot label maps"):
        paired(root, one_hot=True, value_range="0,1")
    for file in root.glob("*B/*.png"):
        Image.fromarray(picture(1, 48, 48)).save(file)
    with pytest.raises(OptionError, match="--one-hot: neither sA nor sB look like label maps; say which are, such as"):
        paired(root, one_hot=True)


def test_many_classes_in_gray_are_found_without_a_word(tmp_path):
    """As ADE20K has them: gray files with more values than pictures of few colours."""
    root = tmp_path / "ade"
    for split, count in (("train", 6), ("test", 2)):
        for letter in "AB":
            (root / f"{split}{letter}").mkdir(parents=True)
        for i in range(count):
            blocks = np.random.default_rng(i).integers(0, 150, (8, 8)).astype(np.uint8)
            Image.fromarray(np.kron(blocks, np.ones((8, 8), np.uint8))).save(root / f"{split}B" / f"{i}.png")
            Image.fromarray(picture(i, 64, 64)).save(root / f"{split}A" / f"{i}.png")
    data = paired(root, one_hot=True)
    assert data.labels == "b" and data.channels["b"] > 100
    assert paired(root).channels["b"] == 1  # as before


def test_detected_maps_name_the_option(tmp_path):
    root = write_scenes(tmp_path / "s", train=3, test=1)
    [note] = [note for note in paired(root).notes if "never interpolated" in note]
    assert "--one-hot gives each class a channel" in note
    assert paired(root).channels["b"] == 3 and "maps" not in paired(root).facts
    assert torch.is_tensor(opened(root, size=48).probe["b"]) and set(FORMS) == {"palette", "gray", "gray16", "rgb"}
