import cv2
import pytest

from tests.conftest import picture
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError

TRAIN = {"steps": 6, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2}
SMALL = {
    "generator": {"width": 8, "blocks": 1, "detail": 4},
    "data": {"size": 32, "batch_size": 2},
    "train": TRAIN,
}
PRESETS = {"fast": SMALL | {"discriminator": {"width": 4, "window": 16}}, "l1": SMALL}


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(12):
        cv2.imwrite(str(tmp_path / "photos" / f"{i:03d}.png"), picture(i, 48, 40))
    return tmp_path / "photos"


def make_config(photos, out, preset="fast", small=None, **data):
    small = PRESETS[preset] if small is None else small
    return load_config("upscale", preset, small, {"data": {"images": str(photos), **data}, "out": str(out)})


@pytest.mark.parametrize(("preset", "degrade"), [("fast", "real"), ("l1", "clean")])
def test_a_killed_run_goes_on_bit_for_bit(photos, tmp_path, monkeypatch, preset, degrade):
    small = PRESETS[preset] | {"train": TRAIN | {"save_minutes": 0.0}}
    train(make_config(photos, tmp_path / "whole", preset, small, degrade=degrade))
    config = make_config(photos, tmp_path / "broken", preset, small, degrade=degrade)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 4)
        with pytest.raises(killed):
            train(config)
    train(config)
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)


def test_a_run_writes_a_model_that_enlarges(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = train(make_config(photos, "", "l1", scale=2))
    assert str(out) == "runs/photos_x2"
    recipe = read_recipe(out / "model.safetensors")
    assert (recipe.task, recipe.channels, recipe.domains) == ("upscale", {"image": 3, "small": 3}, ("photos",))
    assert recipe.nets["G"]["scale"] == 2 and recipe.facts["degrade"] == "clean" and not recipe.whole
    assert sorted((out / "samples").glob("step_*.png"))
    assert Translator.load(out, device="cpu")(picture(99, 37, 51)).shape == (74, 102, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"size": 40, "scale": 3}, "--size 40 should be a multiple of 12 for --scale 3; try 36"),
        ({"size": 36, "crop": 32, "scale": 3}, "--data.crop 32 should be a multiple of 12"),
        ({"scale": 5}, "--scale should lie between 2 and 4, got 5"),
        ({"degrade": "dirty"}, "--degrade"),
        ({"zoom": 1.1}, "pictures are learned at their own size"),
        ({"classes": "auto"}, "--labels: pictures are enlarged without labels"),
        ({"size": 64}, "pictures looked at are smaller than 64 px .*; say --size 40"),
    ],
)
def test_wrong_data_get_one_line(photos, tmp_path, data, message):
    with pytest.raises(OptionError, match=message):
        train(make_config(photos, tmp_path / "run", "l1", **data))
