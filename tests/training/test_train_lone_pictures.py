"""CUT on one picture a side (SinCUT)."""

from functools import partial

import cv2
import numpy as np
import pytest

from tests.cli.test_run import call
from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.data.datasets.unpaired import UnpairedData, copy_sides
from translate.data.options import DataConfig
from translate.training.config import load_config
from translate.training.loop import train

SMALL = {
    "generator": {"width": 8, "trunk": 8, "blocks": 1},
    "discriminator": {"width": 8},
    "method": {"patches": 16, "pool_size": 5},
    "data": {"crop": 32, "batch_size": 2},
    "train": {"steps": 6, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 1},
}


@pytest.fixture
def two_pictures(tmp_path):
    paths = tmp_path / "photo.png", tmp_path / "painting.jpg"
    for seed, (path, size) in enumerate(zip(paths, [(130, 170), (110, 160)], strict=True)):
        cv2.imwrite(str(path), picture(seed, *size))
    return paths


def make_config(paths, out, **train_options):
    where = {"data": {"a": str(paths[0]), "b": str(paths[1])}, "out": str(out)}
    return load_config("cut", "sincut", SMALL, where, {"train": train_options})


def test_crops_come_from_copies_of_several_scales(two_pictures, tmp_path):
    a, b = map(str, two_pictures)
    data = UnpairedData(DataConfig(a=a, b=b, crop=32), tmp_path)
    assert data.native_size() == 96  # of the smaller one, in steps of 16
    data.open(tmp_path / "cache", size=96, zoom=1.0, square=False, progress=False)
    heights = [int(min(shape[:2])) for shape in data.caches["a"].shapes]
    assert heights == copy_sides(96, 32) == [32, 41, 50, 59, 69, 78, 87, 96]
    assert data.counts == {"photo": 1, "painting": 1}
    sampled = data.stream(crop=32, flip=False, seed=0)
    which = {int(box[0]) for box in sampled.sample(0, 64)["a"]}
    assert which == set(range(8)) and sampled.crop(sampled.sample(0, 4))["b"].shape == (4, 3, 32, 32)


def test_no_copy_is_smaller_than_the_crop():
    assert copy_sides(96, 64) == [64, 69, 73, 78, 82, 87, 91, 96]
    assert set(copy_sides(64, 64)) == {64}


def test_a_killed_run_goes_on_and_the_whole_picture_comes_out(two_pictures, tmp_path, monkeypatch):
    whole = train(make_config(two_pictures, tmp_path / "run"))
    assert_killed_run_goes_on(partial(make_config, two_pictures), whole, tmp_path, monkeypatch)
    x = cv2.imread(str(two_pictures[0]))
    found = Translator.load(whole, device="cpu", precision="fp32")(x)
    assert found.shape == x.shape and np.abs(found.astype(int) - x).mean() > 0


def test_files_in_the_place_of_folders_choose_the_recipe(two_pictures, two_folders, tmp_path, capsys):
    small = "--generator.width 8 --generator.trunk 8 --generator.blocks 1 --discriminator.width 8 --data.crop 32"
    options = f"{small} --steps 1 --patches 16 --device cpu --precision fp32 --out".split()
    for (a, b), preset in ((two_pictures, "sincut"), (two_folders, "fast")):
        run = tmp_path / f"run_{preset}"
        status, _, err = call(capsys, "train-cut", "--a", str(a), "--b", str(b), *options, str(run))
        assert status == 0, err
        assert read_recipe(run / "model.safetensors").preset == preset
