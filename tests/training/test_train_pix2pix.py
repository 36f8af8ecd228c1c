import json

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import picture
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import read_recipe
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError

FAST = {
    "generator": {"width": 8, "most": 8, "blocks": 1, "fold": 2},
    "discriminator": {"width": 4, "window": 32},
    "data": {"size": 40, "crop": 32, "batch_size": 2, "hints": True},
    "train": {"steps": 8, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}
PAPER = {
    "generator": {"width": 2},
    "discriminator": {"width": 2},
    "data": {"size": 64},
    "train": {"steps": 8, "channels_last": "off", "device": "cpu", "previews": 1},
}


@pytest.fixture
def pairs(tmp_path):
    """A folder of twelve gray drawings and one of photos, matched by name."""
    for name in ("drawings", "photos"):
        (tmp_path / name).mkdir()
    for i in range(12):
        photo = picture(i, 64, 64)
        drawing = np.full((64, 64), 255, np.uint8)
        cv2.circle(drawing, (32, 32), 10 + i, 0, 1, cv2.LINE_AA)
        cv2.imwrite(str(tmp_path / "photos" / f"{i:03d}.png"), photo)
        cv2.imwrite(str(tmp_path / "drawings" / f"{i:03d}.png"), drawing)
    return tmp_path / "drawings", tmp_path / "photos"


def make_config(pairs, out, preset, small, **data):
    where = {"data": {"a": str(pairs[0]), "b": str(pairs[1]), **data}, "out": str(out)}
    return load_config("pix2pix", preset, small, where)


@pytest.mark.parametrize(("preset", "small"), [("fast", FAST), ("paper", PAPER)])
def test_a_killed_run_goes_on_bit_for_bit(pairs, tmp_path, monkeypatch, preset, small):
    small = small | {"train": small["train"] | {"save_minutes": 0.0}}
    train(make_config(pairs, tmp_path / "whole", preset, small))
    config = make_config(pairs, tmp_path / "broken", preset, small)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 5)
        with pytest.raises(killed):
            train(config)
    assert torch.load(tmp_path / "broken" / "state" / "last.pt", weights_only=True)["step"] == 5
    train(config)
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)


def test_the_model_file_holds_the_facts_that_inference_needs(pairs, tmp_path):
    out = train(make_config(pairs, tmp_path / "run", "fast", FAST))
    recipe = read_recipe(out / "model.safetensors")
    assert recipe.domains == ("drawings", "photos")
    assert recipe.channels == {"a": 1, "b": 3, "hint": 4}
    assert recipe.directions == ("ab",)
    assert recipe.facts == {"sketch": True}
    assert not recipe.whole  # it saw crops
    assert set(recipe.nets) == {"G", "E"}
    assert recipe.nets["G"]["z_dim"] == 8
    assert load_file(out / "model.safetensors")["E.looks"].shape == (256, 8)
    terms = set(json.loads((out / "metrics.jsonl").read_text().splitlines()[-1]))
    assert {"G/gan", "G/l1", "G/fm", "G/kl", "G/z", "G/seek", "D/gan"} <= terms
    t = Translator.load(out)
    assert len(t(cv2.imread(str(pairs[0] / "000.png")), count=2)) == 2


def test_the_other_direction_trains_the_other_model(pairs, tmp_path):
    whole = FAST | {"data": {"size": 32, "batch_size": 2}}
    out = train(make_config(pairs, tmp_path / "run", "fast", whole, direction="ba", hints=False))
    recipe = read_recipe(out / "model.safetensors")
    assert recipe.domains == ("photos", "drawings")
    assert recipe.channels == {"a": 3, "b": 1}
    assert recipe.directions == ("ba",)
    assert recipe.whole
    assert Translator.load(out)(np.zeros((32, 32, 3), np.uint8)).shape[:2] == (32, 32)


def test_a_run_from_an_earlier_version_is_resumed(pairs, tmp_path):
    config = make_config(pairs, tmp_path / "run", "fast", FAST)
    out = train(config)
    text = (out / "config.toml").read_text()
    assert 'labels = "auto"\n' in text
    (out / "config.toml").write_text(text.replace('labels = "auto"\n', ""))  # as if nobody had known this option
    assert train(config) == out
    with pytest.raises(OptionError, match="holds a run with other options"):
        train(make_config(pairs, tmp_path / "run", "fast", FAST, labels="a"))


def test_contradictory_options_are_reported_before_pictures_are_read(pairs, tmp_path):
    small = FAST | {"generator": {"name": "unet", "width": 2}}
    with pytest.raises(OptionError, match="generator 'unet' gives one answer; say --z-dim 0"):
        train(make_config(pairs, tmp_path / "run", "fast", small))
    assert not (tmp_path / "run").exists()
