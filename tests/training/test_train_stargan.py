import cv2
import numpy as np
import pytest

from tests.conftest import picture
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError

TRAIN = {"steps": 5, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2}
PRESETS = {
    "fast": {
        "generator": {"width": 8, "most": 8, "blocks": 1},
        "discriminator": {"width": 4},
        "data": {"size": 32, "batch_size": 4},
        "train": TRAIN,
    },
    "paper": {
        "generator": {"width": 4, "blocks": 1},
        "discriminator": {"width": 4, "layers": 3},
        "method": {"critic": 2},
        "data": {"size": 32, "batch_size": 4},
        "train": TRAIN,
    },
}


@pytest.fixture
def faces(tmp_path):
    (tmp_path / "faces").mkdir()
    for i in range(16):
        cv2.imwrite(str(tmp_path / "faces" / f"{i:03d}.png"), picture(i, 32, 32))
    rows = "".join(f"{i:03d}.png,{i % 2},{i // 2 % 2}\n" for i in range(16))
    (tmp_path / "faces" / "attributes.csv").write_text(f"file,glasses,blond\n{rows}", encoding="utf-8")
    return tmp_path / "faces"


def make_config(faces, out, preset="fast", *layers, **data):
    given = {"images": str(faces), "classes": "auto", **data}
    return load_config("stargan", preset, PRESETS[preset], *layers, {"data": given, "out": str(out)})


@pytest.mark.parametrize("preset", PRESETS)
def test_a_killed_run_goes_on_bit_for_bit(faces, tmp_path, monkeypatch, preset):
    often = {"train": {"save_minutes": 0.0}}
    train(make_config(faces, tmp_path / "whole", preset, often))
    config = make_config(faces, tmp_path / "broken", preset, often)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train(config)
    train(config)
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)


def test_a_run_prints_its_labels_and_writes_a_model_that_changes_them(faces, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    out = train(make_config(faces, ""))
    assert str(out) == "runs/faces_stargan"
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert ["attribute", "with", "it", "without"] in lines and any(line[:1] == ["glasses"] for line in lines)
    recipe = read_recipe(out / "model.safetensors")
    assert (recipe.task, recipe.channels) == ("stargan", {"image": 3, "attributes": 2})
    assert recipe.facts["attributes"] == ["glasses", "blond"] and recipe.directions == ()
    assert sorted((out / "samples").glob("step_*.png"))
    t, x = Translator.load(out, device="cpu"), picture(99, 37, 51)
    assert t(x, to="glasses").shape == x.shape and not np.array_equal(t(x, to="glasses"), t(x, to="-glasses"))


def test_class_folders_train_as_well(tmp_path):
    for k, kind in enumerate(("cats", "dogs", "foxes")):
        (tmp_path / "kinds" / kind).mkdir(parents=True)
        for i in range(6):
            cv2.imwrite(str(tmp_path / "kinds" / kind / f"{i}.png"), picture(10 * k + i, 32, 32))
    out = train(make_config(tmp_path / "kinds", tmp_path / "run"))
    t = Translator.load(out, device="cpu")
    assert t(picture(0, 32, 32), to="foxes").shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"data": {"classes": ""}}, "no labels given; say --labels: give each class a folder of its own"),
        ({"data": {"attributes": "blnd"}}, "--attributes: .* has no column 'blnd'; did you mean 'blond'"),
        ({"data": {"batch_size": 30}}, "fewer than a batch of 30"),
        ({"method": {"critic": 0}}, "--critic 0 should be 1 or more"),
        ({"generator": {"name": "resnet"}}, "unknown generator 'resnet'"),
    ],
)
def test_wrong_options_get_one_line(faces, tmp_path, layer, message):
    data = {"images": str(faces), "classes": "auto", **layer.get("data", {})}
    with pytest.raises(OptionError, match=message):
        train(load_config("stargan", "fast", PRESETS["fast"], layer, {"data": data, "out": str(tmp_path / "run")}))
