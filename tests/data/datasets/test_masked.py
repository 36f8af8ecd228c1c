import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.data.album import sample
from tests.data.idx_files import write_mnist
from translate.data.datasets import TRAINING_DATA
from translate.data.datasets.images import ImagesData
from translate.data.datasets.masked import MaskedData, MaskedStream
from translate.data.loading.loader import Batches
from translate.data.loading.random_masks import BANDS, KINDS, evaluation_mask
from translate.data.options import DataConfig
from translate.utils.errors import OptionError, UserError


def write_pictures(folder, count=12, height=48, width=56, gray=False):
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = picture(i, height, width)
        cv2.imwrite(str(folder / f"{i:03d}.png"), pixels[..., 0] if gray else pixels)
    return folder


def write_masks(folder, count=5, levels=(0, 255)):
    """Write masks of 60 x 80 px with a box of 10 x (10 + i) px."""
    folder.mkdir(parents=True)
    for i in range(count):
        mask = np.full((60, 80), levels[0], np.uint8)
        mask[20:30, 20 : 30 + i] = levels[1]
        cv2.imwrite(str(folder / f"m{i}.png"), mask)
    return folder


def make(images, root, **options):
    return MaskedData(DataConfig(images=str(images), **{"batch_size": 4} | options), root)


def opened(data, folder, size=32, zoom=1.0):
    data.open(folder, size=size, zoom=zoom, square=False, progress=False)
    return data


def test_the_kind_is_registered():
    assert TRAINING_DATA["masked"] is MaskedData


def test_a_folder_of_pictures_gets_random_masks(tmp_path):
    data = make(write_pictures(tmp_path / "photos"), tmp_path)
    assert (data.names, data.title, data.notes) == (("photos",), "photos_inpaint", [])
    assert data.channels == {"image": 3, "mask": 1}
    assert (len(data.train), len(data.test), data.epoch) == (11, 1, 11)
    opened(data, tmp_path / "cache")
    assert (data.counts, data.skipped, data.facts) == ({"photos": 11}, [], {})
    batch = Batches(data.stream(crop=32, flip=True, seed=0), 11).make(0)
    assert set(batch) == {"image", "mask"}
    assert batch["image"].shape == (11, 3, 32, 32) and batch["mask"].shape == (11, 1, 32, 32)
    assert batch["image"].dtype == batch["mask"].dtype == torch.uint8
    assert set(batch["mask"].unique().tolist()) == {0, 255}
    shares = batch["mask"].float().mean((1, 2, 3)) / 255
    assert ((shares >= 0.02) & (shares <= 0.6)).all() and shares.std() > 0.05


def test_pictures_equal_those_of_the_stream_without_masks(tmp_path):
    data = opened(make(write_pictures(tmp_path / "x"), tmp_path), tmp_path / "cache", zoom=1.25)
    stream = data.stream(crop=32, flip=True, seed=3)
    assert isinstance(stream, MaskedStream) and stream.epoch == 11
    for i in range(25):
        np.testing.assert_array_equal(sample(stream, i)["image"], sample(stream.pictures, i)["image"])


def test_a_sample_is_a_function_of_seed_and_index(tmp_path):
    data = opened(make(write_pictures(tmp_path / "x"), tmp_path), tmp_path / "cache")
    other = opened(make(tmp_path / "x", tmp_path), tmp_path / "other")
    one, same, another = (d.stream(crop=32, flip=True, seed=s) for d, s in ((data, 1), (other, 1), (data, 2)))
    for i in (40, 3, 17):
        assert all(np.array_equal(sample(one, i)[key], sample(same, i)[key]) for key in ("image", "mask"))
        assert not np.array_equal(sample(one, i)["mask"], sample(another, i)["mask"])
    assert len({sample(one, i)["mask"].tobytes() for i in range(30)}) == 30
    first, again = (Batches(s, 4).make(6)["mask"] for s in (one, same))
    assert torch.equal(first, again)


def test_masks_have_the_requested_kinds_and_shares(tmp_path):
    write_pictures(tmp_path / "x")
    options = {"mask_kinds": ("boxes", "halves"), "mask_low": 0.3, "mask_high": 0.4}
    stream = opened(make(tmp_path / "x", tmp_path, **options), tmp_path / "c").stream(crop=32, flip=True, seed=0)
    shares = [sample(stream, i)["mask"].mean() / 255 for i in range(30)]
    assert 0.3 <= min(shares) < max(shares) <= 0.4
    data = opened(make(tmp_path / "x", tmp_path, mask_kinds=("centre",)), tmp_path / "c")
    centre = KINDS["centre"](32, 32, np.random.default_rng(0), 0.25)
    np.testing.assert_array_equal(sample(data.stream(crop=32, flip=True, seed=0), 5)["mask"][..., 0] > 0, centre)
    assert (data.probe["mask"][:, 0].numpy() > 0).tolist() == [centre.tolist()] * 6


def test_the_probe_has_fixed_masks_of_all_bands(tmp_path):
    data = opened(make(write_pictures(tmp_path / "x", 30), tmp_path), tmp_path / "cache")
    images, masks = data.probe["image"], data.probe["mask"]
    assert set(data.probe) == {"image", "mask"}
    assert images.shape == (6, 3, 32, 32) and masks.shape == (6, 1, 32, 32)
    assert images.dtype == masks.dtype == torch.uint8 and set(masks.unique().tolist()) == {0, 255}
    for i, mask in enumerate(masks[:, 0].numpy() > 0):
        low, high = BANDS[i % 3]
        assert low <= mask.mean() <= high
        np.testing.assert_array_equal(mask, evaluation_mask(32, 32, i % 3, i // 3))
    plain = opened(ImagesData(DataConfig(images=str(tmp_path / "x")), tmp_path), tmp_path / "cache")
    assert len(data.test) == 3 and torch.equal(images[:3], plain.probe["image"][:3])  # the held-out ones
    few = opened(make(write_pictures(tmp_path / "few", 5), tmp_path, batch_size=2), tmp_path / "cache")
    assert few.probe["mask"].shape == (5, 1, 32, 32)


def test_gray_pictures_stay_gray_and_characters_unmirrored(tmp_path):
    write_mnist(tmp_path / "mnist")
    data = opened(make(tmp_path / "mnist", tmp_path), tmp_path / "cache")
    assert data.channels == {"image": 1, "mask": 1} and data.title == "mnist_inpaint"
    assert data.notes == ["the pictures seem to be characters, so none is mirrored"]
    stream = data.stream(crop=32, flip=True, seed=0)
    assert not stream.pictures.flip
    assert set(sample(stream, 0)) == {"image", "mask"} and sample(stream, 0)["image"].shape == (32, 32, 1)


@pytest.mark.parametrize(
    ("side", "size"), [(28, 32), (47, 32), (48, 48), (100, 96), (200, 192), (255, 240), (256, 256), (900, 256)]
)
def test_the_native_size_is_a_multiple_of_16(tmp_path, side, size):
    write_pictures(tmp_path / "x", 4, side, side + 8, gray=True)
    assert make(tmp_path / "x", tmp_path, batch_size=1).native_size() == size


# ---- mask files


@pytest.mark.parametrize(("levels", "hole"), [((0, 255), "white"), ((255, 0), "black")])
def test_masks_from_files(tmp_path, levels, hole):
    write_pictures(tmp_path / "x"), write_masks(tmp_path / "m", levels=levels)
    data = make(tmp_path / "x", tmp_path, masks=str(tmp_path / "m"))
    other = {"white": "black", "black": "white"}[hole]
    told = f"masks: {hole} is the hole (2.5 % of the pixels); say --invert-masks if {other} is"
    assert data.notes == [told]
    opened(data, tmp_path / "cache", size=48)
    assert data.notes == [told]
    stream = data.stream(crop=48, flip=True, seed=0)
    masks = [sample(stream, i)["mask"] for i in range(40)]
    assert all(mask.shape == (48, 48, 1) and set(np.unique(mask)) == {0, 255} for mask in masks)
    assert all((mask > 0).sum() <= 8 * 11 for mask in masks)  # 10 x 14 px of 60 at most, at 48
    assert len({mask.tobytes() for mask in masks}) > 20
    np.testing.assert_array_equal(masks[9], sample(data.stream(crop=48, flip=True, seed=0), 9)["mask"])
    assert (data.probe["mask"] > 0).float().mean() < 0.06
    inverted = opened(
        make(tmp_path / "x", tmp_path, masks=str(tmp_path / "m"), invert_masks=True), tmp_path / "cache", size=48
    )
    assert inverted.notes == [f"masks: {other} is the hole (98 % of the pixels), as --invert-masks says"]
    holes = inverted.stream(crop=48, flip=True, seed=0)
    assert all(sample(holes, i)["mask"].mean() > 0.9 * 255 for i in range(10))


def test_the_fingerprint_depends_on_the_masks(tmp_path):
    write_pictures(tmp_path / "x"), write_masks(tmp_path / "m"), write_masks(tmp_path / "n", count=3)
    options = [
        {},
        {"mask_kinds": ("boxes",)},
        {"mask_high": 0.5},
        {"masks": str(tmp_path / "m")},
        {"masks": str(tmp_path / "n")},
        {"masks": str(tmp_path / "n"), "invert_masks": True},
    ]
    prints = [opened(make(tmp_path / "x", tmp_path, **option), tmp_path / "c").fingerprint for option in options]
    assert len(set(prints)) == len(options)
    assert prints[0] == opened(make(tmp_path / "x", tmp_path), tmp_path / "c").fingerprint
    assert len(list((tmp_path / "c").glob("*.u8"))) == 1  # the pictures are decoded once for all


def test_useless_masks_are_reported(tmp_path):
    write_pictures(tmp_path / "x"), write_masks(tmp_path / "m")
    cv2.imwrite(str(tmp_path / "m" / "empty.png"), np.zeros((20, 20), np.uint8))
    data = make(tmp_path / "x", tmp_path, masks=str(tmp_path / "m"))
    assert len(data.notes) == 2 and "1 of 6 are empty or full and are left out" in data.notes[1]


# ---- bad input


def test_contradicting_options_are_refused(tmp_path):
    write_pictures(tmp_path / "x"), write_masks(tmp_path / "m")
    with pytest.raises(OptionError, match="here give --images alone"):
        make(tmp_path / "x", tmp_path, a="y")
    with pytest.raises(OptionError, match="holes are filled without labels"):
        make(tmp_path / "x", tmp_path, classes="auto")
    with pytest.raises(OptionError, match="--invert-masks is for mask files; add --masks"):
        make(tmp_path / "x", tmp_path, invert_masks=True)
    with pytest.raises(OptionError, match="--mask-kinds: unknown kind 'box'; did you mean 'boxes'"):
        make(tmp_path / "x", tmp_path, mask_kinds=("box",))
    with pytest.raises(OptionError, match="--mask-low 0.7 and --mask-high 0.6"):
        make(tmp_path / "x", tmp_path, mask_low=0.7)
    with pytest.raises(UserError, match="--masks: no file or folder"):
        make(tmp_path / "x", tmp_path, masks=str(tmp_path / "nowhere"))
    with pytest.raises(OptionError, match="x has 11 pictures to train on .* say --batch-size 11"):
        make(tmp_path / "x", tmp_path, batch_size=64)


def test_a_mask_that_vanishes_before_training_is_named(tmp_path):
    write_pictures(tmp_path / "x"), write_masks(tmp_path / "m")
    data = make(tmp_path / "x", tmp_path, masks=str(tmp_path / "m"))
    (tmp_path / "m" / "m2.png").unlink()
    with pytest.raises(UserError, match=r"m2\.png: cannot be read"):
        opened(data, tmp_path / "cache")


def test_missing_masks_are_told_before_pictures_are_prepared(tmp_path, monkeypatch):
    from translate.data.catalog import catalog

    monkeypatch.setattr(catalog, "prepare", lambda *_, **__: pytest.fail("prepared"))
    with pytest.raises(UserError, match="--masks: no file or folder"):
        MaskedData(DataConfig(images="photos", masks=str(tmp_path / "nowhere")), tmp_path)
