import json
from functools import partial

import pytest
from safetensors.torch import load_file

from tests.cli.test_run import call, complaint
from tests.conftest import picture
from tests.training.test_loop import assert_killed_run_goes_on
from translate import Translator
from translate.training.config import load_config
from translate.training.loop import train

FAST = {
    "generator": {"width": 8, "trunk": 8, "blocks": 1},
    "discriminator": {"width": 8},
    "method": {"patches": 32, "pool_size": 5},
    "data": {"size": 32, "crop": 32, "batch_size": 2},
    "train": {"steps": 8, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}


def make_config(folders, out, **train_options):
    data = {"data": {"a": str(folders[0]), "b": str(folders[1])}, "out": str(out)}
    return load_config("cut", "fast", FAST, data, {"train": train_options})


@pytest.fixture
def run(two_folders, tmp_path):
    return train(make_config(two_folders, tmp_path / "run"))


def test_a_killed_run_goes_on_bit_for_bit(run, two_folders, tmp_path, monkeypatch):
    assert_killed_run_goes_on(partial(make_config, two_folders), run, tmp_path, monkeypatch)
    assert {name.split(".")[0] for name in load_file(run / "model.safetensors")} == {"G"}  # the heads teach only


def test_the_model_translates_in_one_direction(run, capsys, two_folders, tmp_path):
    translator = Translator.load(run, device="cpu", precision="fp32")
    image = picture(5, 30, 41)
    assert translator.recipe.directions == ("ab",)
    assert translator(image).shape == image.shape
    words = f"--model {run} --input {two_folders[0]} --output {tmp_path / 'out'} --direction ba".split()
    status, error = complaint(capsys, "translate-folder", *words)
    assert status == 2 and error == "error: this model only turns reds into blues; leave --direction out"
    scores = tmp_path / "scores.json"
    words = f"--model {run} --a {two_folders[0]} --b {two_folders[1]} --json {scores} --device cpu".split()
    status, out, err = call(capsys, "evaluate", *words)
    assert status == 0, err
    assert [way["direction"] for way in json.loads(scores.read_text())["directions"]] == ["ab"]


def test_the_command_trains_beside_the_run_of_train_cycle(two_folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = f"train-cut --a {two_folders[0]} --b {two_folders[1]} --steps 2 --size 32 --patches 16 --device cpu".split()
    small = [
        "--generator.width",
        "8",
        "--generator.trunk",
        "8",
        "--generator.blocks",
        "1",
        "--discriminator.width",
        "8",
    ]
    status, _, err = call(capsys, *words, *small)
    assert status == 0, err
    (made,) = (tmp_path / "runs").iterdir()
    assert made.name.endswith("_cut") and (made / "model.safetensors").exists()
    status, error = complaint(capsys, *words, "--netG", "unet", "--out", str(tmp_path / "other"))
    assert status == 2 and "--netG unet shows no layers to compare; say --netG resnet or skip_resnet" in error
