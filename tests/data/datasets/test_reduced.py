import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from translate.data.datasets import TRAINING_DATA, ReducedData
from translate.data.datasets.reduced import MAX_SIDE_PX
from translate.data.loading.loader import Batches
from translate.data.options import DataConfig
from translate.utils import dist


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(12):
        cv2.imwrite(str(tmp_path / "photos" / f"{i:03d}.png"), picture(i, 60, 70))
    return tmp_path / "photos"


def opened(folder, tmp_path, size=48, **options):
    data = ReducedData(DataConfig(images=str(folder), **options), tmp_path)
    data.open(tmp_path / "cache", size=size, zoom=1.0, square=False, progress=False)
    return data


def test_it_is_the_kind_of_the_registry():
    assert TRAINING_DATA["reduced"] is ReducedData


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_clean_copies_are_the_means_of_blocks_of_the_crops(photos, tmp_path, scale):
    data = opened(photos, tmp_path, scale=scale)
    batch = Batches(data.stream(crop=48, flip=True, seed=0), 5).make(0)
    assert batch["image"].shape == (5, 3, 48, 48) and batch["small"].shape == (5, 3, 48 // scale, 48 // scale)
    means = torch.nn.functional.avg_pool2d(batch["image"].float(), scale)
    assert (batch["small"].float() - means).abs().max() <= 0.5
    # pictures keep their own size: crops are cut out of them
    crop = batch["image"][0].permute(1, 2, 0).numpy()
    pictures = [cv2.imread(str(file))[..., ::-1] for file in sorted(photos.iterdir())]
    found = [
        m
        for p in pictures
        for q in (p, p[:, ::-1])
        if (m := cv2.matchTemplate(np.ascontiguousarray(q), crop, cv2.TM_SQDIFF)).min() < 1
    ]
    assert found


@pytest.mark.parametrize("degrade", ["clean", "real"])
def test_samples_follow_from_seed_and_number_alone(photos, tmp_path, degrade, monkeypatch):
    data = opened(photos, tmp_path, degrade=degrade)
    stream = data.stream(crop=48, flip=True, seed=3)
    whole = Batches(stream, 4).make(7)
    for rank in (0, 1):
        monkeypatch.setattr(dist, "local_indices", lambda size, rank=rank: range(rank, size, 2))
        part = Batches(stream, 4).make(7)
        assert all(torch.equal(part[key], whole[key][rank::2]) for key in whole)
    monkeypatch.undo()
    other = Batches(data.stream(crop=48, flip=True, seed=4), 4).make(7)
    assert not torch.equal(other["small"], whole["small"])
    assert opened(photos, tmp_path, degrade=degrade).fingerprint == data.fingerprint
    assert opened(photos, tmp_path, degrade=degrade, scale=2).fingerprint != data.fingerprint


def test_previews_and_choosing_pictures_have_fixed_copies(photos, tmp_path):
    data = opened(photos, tmp_path, degrade="real", scale=2)
    again = opened(photos, tmp_path, degrade="real", scale=2)
    assert data.probe["small"].shape[2:] == (24, 24) and torch.equal(data.probe["small"], again.probe["small"])
    assert data.channels == {"image": 3, "small": 3} and data.title == "photos_x2"


def test_small_pictures_are_left_out_and_huge_ones_reduced(photos, tmp_path):
    cv2.imwrite(str(photos / "small.png"), picture(0, 40, 90))
    cv2.imwrite(str(photos / "huge.png"), picture(0, MAX_SIDE_PX + 26, MAX_SIDE_PX + 126))
    data = opened(photos, tmp_path)
    assert len(data.skipped) + len(data.test) >= 1 and all("small.png" in line for line in data.skipped)
    assert max(data.cache.shapes[:, :2].min(1)) <= MAX_SIDE_PX
    assert any("are left out" in note for note in data.notes)


@pytest.mark.parametrize(("scale", "size"), [(2, 60), (3, 60), (4, 60)])
def test_the_automatic_crop_fits_scale_and_pictures(photos, tmp_path, scale, size):
    data = ReducedData(DataConfig(images=str(photos), scale=scale), tmp_path)
    assert data.native_size() == size


def test_deep_pictures_keep_their_depth(tmp_path):
    (tmp_path / "deep").mkdir()
    for i in range(12):
        cv2.imwrite(str(tmp_path / "deep" / f"{i}.png"), picture(i, 60, 60).astype(np.uint16) * 256 + i)
    batch = Batches(opened(tmp_path / "deep", tmp_path).stream(crop=48, flip=False, seed=0), 2).make(0)
    assert batch["image"].dtype == batch["small"].dtype == torch.float32
    means = torch.nn.functional.avg_pool2d(batch["image"], 4)
    torch.testing.assert_close(batch["small"], means, atol=1e-5, rtol=0)
