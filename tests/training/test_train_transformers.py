"""Runs with a generator and a discriminator that have attention."""

from functools import partial

import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on
from translate import Translator
from translate.export.run import ExportOptions, export_model
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import UserError

SMALL = {
    "generator": {"name": "vit_unet", "width": 8, "most": 8, "blocks": 1, "heads": 2},
    "discriminator": {"name": "vit", "width": 8, "layers": 1, "heads": 2},
    "data": {"size": 32, "crop": 32, "batch_size": 2},
    "train": {"steps": 6, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 1},
}
PAIRED = {"method": {"z_dim": 3, "lambda_features": 0.0}}


def make_config(task, folders, out, *layers, **train_options):
    where = {"data": {"a": str(folders[0]), "b": str(folders[1])}, "out": str(out)}
    return load_config(task, "fast", SMALL, *layers, where, {"train": train_options})


@pytest.fixture
def run(two_folders, tmp_path):
    return train(make_config("cycle", two_folders, tmp_path / "run"))


def test_a_killed_run_of_cycle_goes_on_bit_for_bit(run, two_folders, tmp_path, monkeypatch):
    assert_killed_run_goes_on(partial(make_config, "cycle", two_folders), run, tmp_path, monkeypatch)


def test_a_killed_run_of_pix2pix_goes_on_bit_for_bit_and_has_styles(two_folders, tmp_path, monkeypatch):
    targets = tmp_path / "targets"
    targets.mkdir()
    for path in two_folders[0].iterdir():
        cv2.imwrite(str(targets / path.name), 255 - cv2.imread(str(path)))

    def make(out, **options):
        return make_config("pix2pix", (two_folders[0], targets), out, PAIRED, **options)

    whole = train(make(tmp_path / "whole"))
    assert_killed_run_goes_on(make, whole, tmp_path, monkeypatch)
    translator = Translator.load(whole, device="cpu", precision="fp32")
    one, other = translator(picture(1, 40, 56), count=2)
    assert one.shape == (40, 56, 3) and (one != other).any()


def test_the_model_translates_at_other_sizes_than_that_of_training(run):
    translator = Translator.load(run, device="cpu", precision="fp32")
    for size in ((53, 70), (9, 200), (120, 121)):
        x = picture(3, *size)
        found = translator(x)
        assert found.shape == x.shape
        assert np.abs(found.astype(int) - x).mean() < 60  # after six steps, it is still about the picture


def test_a_picture_larger_than_the_memory_is_refused_with_the_way_out(run):
    translator = Translator.load(run, device="cpu", precision="fp32")
    translator.runner.memory.limit = 1
    refused = "vit_unet cannot run tile by tile: its Transformer needs the whole picture at once; leave out --memory"
    with pytest.raises(UserError, match=refused):
        translator(picture(0, 300, 300))


def test_an_exported_file_gives_the_same_at_other_sizes(run, two_folders, tmp_path):
    made = export_model(run, tmp_path / "x.onnx", ExportOptions(pictures=str(two_folders[0])))
    assert max(row.difference for row in made.rows) < 1e-4
    own, exported = Translator.load(run, device="cpu", precision="fp32"), Translator.load(made.file, device="cpu")
    for size in ((40, 56), (75, 49)):
        differences = np.abs(own(picture(5, *size)).astype(int) - exported(picture(5, *size)))
        assert differences.max() <= 1 and (differences > 0).mean() < 0.01


def test_a_strength_is_chosen_and_never_drawn(two_folders, tmp_path):
    small = {name: SMALL[name] for name in ("generator", "train")} | {"method": {"queue": 24, "features": "none"}}
    data = {"a": str(two_folders[0]), "b": str(two_folders[1]), "size": 32, "crop": 32, "batch_size": 2}
    model = train(
        load_config("drift", "fast", small, {"data": data, "out": str(tmp_path / "run"), "train": {"steps": 1}})
    )
    translator = Translator.load(model, device="cpu", precision="fp32")
    assert translator.strength == 0.5 and not translator.random
    x = picture(2, 40, 40)
    assert (translator(x, strength=0.0) != translator(x, strength=1.0)).any()
