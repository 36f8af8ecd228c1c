import cv2
import numpy as np
import pytest
import torch

from tests.conftest import picture
from tests.data.album import album, sample
from translate.data.datasets import TRAINING_DATA, UnpairedData
from translate.data.datasets.unpaired import open_file_cache
from translate.data.loading.file_kind import FileKind
from translate.data.loading.loader import Batches, UnpairedStream
from translate.data.loading.transforms import Jitter, fit, resize
from translate.data.options import DataConfig
from translate.utils.errors import UserError


@pytest.mark.parametrize(("square", "shape"), [(False, (20, 30)), (True, (20, 20))])
def test_fit_resizes_the_shorter_side_or_both(square, shape):
    assert fit(picture(0, 40, 60), 20, square=square).shape == (*shape, 3)
    assert fit(picture(0, 10, 15), 20, square=square).shape == (*shape, 3)
    assert fit(picture(0, 1, 1), 20, square=square).shape == (20, 20, 3)


def test_fit_averages_when_it_shrinks():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert abs(int(fit(stripes, 16, square=True).mean()) - 127) <= 1
    assert fit(stripes, 16, square=True).std() < 2


def write_folder(folder, count):
    folder.mkdir()
    paths = [folder / f"{i}.png" for i in range(count)]
    for i, path in enumerate(paths):
        cv2.imwrite(str(path), picture(i, 24 + i, 30))
    return paths


def test_cache_holds_the_pictures_and_is_reused(tmp_path):
    paths = write_folder(tmp_path / "a", 5)
    cache = open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=False, progress=False)
    assert len(cache) == 5
    assert cache.names == [str(p) for p in paths]
    for path, stored in zip(paths, cache, strict=True):
        expected = fit(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), 24, square=False)
        np.testing.assert_array_equal(stored, expected)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()}
    open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=False, progress=False)
    assert before == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "cache").iterdir()}


def test_a_changed_file_is_read_again(tmp_path):
    paths = write_folder(tmp_path / "a", 2)
    old = open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)[0].copy()
    cv2.imwrite(str(paths[0]), picture(77, 24, 24))
    new = open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)[0]
    assert not np.array_equal(old, new)


def test_unreadable_files_are_listed_and_skipped(tmp_path):
    paths = write_folder(tmp_path / "a", 3)
    paths[1].write_text("this is no picture")
    cache = open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)
    assert len(cache) == 2
    assert len(cache.skipped) == 1
    assert str(paths[1]) in cache.skipped[0]
    again = open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)
    assert again.skipped == cache.skipped


def test_nothing_readable_is_an_error_and_leaves_no_file(tmp_path):
    paths = write_folder(tmp_path / "a", 2)
    for path in paths:
        path.write_text("no")
    with pytest.raises(UserError, match="none of the 2 files can be read as an image"):
        open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_index_is_written_last(tmp_path, monkeypatch):
    paths = write_folder(tmp_path / "a", 2)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".u8"]
    assert len(open_file_cache(paths, tmp_path / "cache", FileKind(), 24, square=True, progress=False)) == 2


def make_stream(seed=0):
    a = [np.full((8, 8, 3), i, np.uint8) for i in range(5)]
    b = [np.full((8, 8, 3), 100 + i, np.uint8) for i in range(3)]
    return UnpairedStream({"a": album(a), "b": album(b)}, crop=8, flip=True, seed=seed)


def test_every_epoch_has_every_picture_once():
    stream = make_stream()
    samples = [sample(stream, i) for i in range(15)]
    shown = [(int(s["a"][0, 0, 0]), int(s["b"][0, 0, 0])) for s in samples]
    for start in (0, 5, 10):
        assert sorted(a for a, _ in shown[start : start + 5]) == [0, 1, 2, 3, 4]
    for start in range(0, 15, 3):
        assert sorted(b for _, b in shown[start : start + 3]) == [100, 101, 102]
    orders = [tuple(int(sample(stream, 5 * epoch + i)["a"][0, 0, 0]) for i in range(5)) for epoch in range(20)]
    assert len(set(orders)) > 10
    assert stream.epoch == 5


def test_domains_are_shuffled_independently():
    stream = make_stream()
    partners = {}
    for i in range(60):
        shown = sample(stream, i)
        partners.setdefault(int(shown["a"][0, 0, 0]), set()).add(int(shown["b"][0, 0, 0]))
    assert all(len(found) == 3 for found in partners.values())


def test_batches_depend_on_seed_and_step_alone():
    def first(count, start=0, seed=0):
        batches = iter(Batches(make_stream(seed), 2, start=start))
        found = [next(batches) for _ in range(count)]
        batches.close()
        return found

    whole = first(9)
    resumed = first(4, start=5)
    for early, late in zip(whole[5:], resumed, strict=True):
        assert all(torch.equal(early[k], late[k]) for k in "ab")
    assert not all(torch.equal(x["a"], y["a"]) for x, y in zip(whole, first(9, seed=1), strict=True))
    assert whole[0]["a"].shape == (2, 3, 8, 8)
    assert whole[0]["a"].dtype == torch.uint8


def test_an_error_in_a_loader_thread_reaches_the_consumer():
    class Broken:
        epoch, crops = 1, ()

        def sample(self, first, count):
            raise RuntimeError("disk gone")

    with pytest.raises(RuntimeError, match="disk gone"):
        next(iter(Batches(Broken(), 1)))


def write_layout(root, train_a, train_b, test_a):
    root.mkdir()
    parts = {"trainA": train_a, "trainB": train_b, "testA": test_a}
    return {name: write_folder(root / name, count) for name, count in parts.items()}


def test_the_probe_has_held_out_pictures(tmp_path):
    files = write_layout(tmp_path / "x", 6, 4, 2)
    for i, path in enumerate(files["testA"]):
        cv2.imwrite(str(path), picture(500 + i, 32, 32))
    data = UnpairedData(DataConfig(root=str(tmp_path / "x")), tmp_path)
    assert data.names == ("xA", "xB")
    assert data.title == "xA2xB"
    assert data.channels == {"a": 3, "b": 3}
    assert data.epoch == 6
    data.open(tmp_path / "cache", size=16, zoom=1.25, square=True, progress=False)
    assert data.counts == {"xA": 6, "xB": 3}  # one of the four is held out
    assert (data.facts, data.notes, data.skipped) == ({}, [], [])
    assert data.caches["a"][0].shape == (20, 20, 3)
    assert data.probe["a"].shape == (4, 3, 16, 16)
    expected = fit(cv2.cvtColor(cv2.imread(str(files["testA"][0])), cv2.COLOR_BGR2RGB), 16, square=True)
    np.testing.assert_array_equal(data.probe["a"][0].permute(1, 2, 0).numpy(), expected)
    assert sample(data.stream(crop=16, flip=True, seed=0), 0)["b"].shape == (16, 16, 3)
    assert TRAINING_DATA["unpaired"] is UnpairedData


def test_the_native_size_is_clamped(tmp_path):
    files = write_layout(tmp_path / "x", 3, 3, 1)
    data = UnpairedData(DataConfig(root=str(tmp_path / "x")), tmp_path)
    assert data.native_size() == 32
    for shape, size in (((71, 90), 68), ((300, 400), 256)):
        for path in [*files["trainA"], *files["trainB"]]:
            cv2.imwrite(str(path), picture(0, *shape))
        assert data.native_size() == size


@pytest.mark.parametrize("channels", [1, 4, 6])
def test_any_number_of_channels_is_resized(channels):
    source = np.dstack([picture(0, 40, 60), picture(1, 40, 60)])[..., :channels]
    assert fit(source, 20, square=False).shape == (20, 30, channels)
    assert resize(source, 33, 17).shape == (33, 17, channels)


@pytest.mark.parametrize(("height", "width"), [(11, 17), (97, 140)])
def test_nearest_creates_no_new_values(height, width):
    source = np.random.default_rng(0).choice(np.array([3, 90, 200], np.uint8), (40, 60, 1))
    assert set(np.unique(resize(source, height, width, nearest=True))) == {3, 90, 200}
    assert set(np.unique(fit(source, 23, square=True, nearest=True))) == {3, 90, 200}
    assert len(np.unique(resize(source, height, width))) > 3


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_changes_colours_within_its_strength(channels):
    source = np.clip(picture(0, 32, 32), 60, 190)[..., :channels]
    assert np.array_equal(Jitter(0.3)(source, 5), Jitter(0.3)(source, 5))
    gaps = [[np.abs(Jitter(s)(source, seed).astype(int) - source).mean() for seed in range(20)] for s in (0.1, 0.6)]
    assert 1 < np.mean(gaps[0]) < np.mean(gaps[1]) < 60
    assert Jitter(1.0)(source, 0).shape == source.shape
