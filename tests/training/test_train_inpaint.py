import cv2
import numpy as np
import pytest
import torch

from tests.conftest import TINY, picture
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import load_model, read_recipe
from translate.networks.features.vgg import VGG16
from translate.training.config import load_config
from translate.training.loop import train
from translate.utils.errors import OptionError, UserError

TRAIN = {"steps": 6, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2}
FAST = {
    "generator": {"width": 8, "trunk": 16, "blocks": 1},
    "discriminator": {"width": 4},
    "method": {"z_dim": 3},
    "data": {"size": 32, "batch_size": 2},
    "train": TRAIN,
}
PAPER = {
    "generator": {"width": 4},
    "discriminator": {"width": 2},
    "data": {"size": 32, "batch_size": 2},
    "train": TRAIN,
}
PARTIAL = {"generator": {"width": 4}, "data": {"size": 32, "batch_size": 2}, "train": TRAIN}
PRESETS = {"fast": FAST, "paper": PAPER, "partial": PARTIAL}


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(12):
        cv2.imwrite(str(tmp_path / "photos" / f"{i:03d}.png"), picture(i, 48, 40))
    return tmp_path / "photos"


def make_config(photos, out, preset="fast", small=None, **data):
    small = PRESETS[preset] if small is None else small
    return load_config("inpaint", preset, small, {"data": {"images": str(photos), **data}, "out": str(out)})


@pytest.mark.parametrize("preset", PRESETS)
def test_a_killed_run_goes_on_bit_for_bit(photos, tmp_path, monkeypatch, preset):
    small = PRESETS[preset] | {"train": TRAIN | {"save_minutes": 0.0}}
    train(make_config(photos, tmp_path / "whole", preset, small))
    config = make_config(photos, tmp_path / "broken", preset, small)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 4)
        with pytest.raises(killed):
            train(config)
    train(config)
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)


def test_a_run_writes_a_model_that_fills_holes(photos, tmp_path):
    out = train(make_config(photos, tmp_path / "run"))
    recipe = read_recipe(out / "model.safetensors")
    assert (recipe.task, recipe.channels, recipe.domains) == ("inpaint", {"image": 3, "mask": 1}, ("photos",))
    assert sorted((out / "samples").glob("step_*.png"))
    image = picture(99, 37, 51)
    mask = np.zeros((37, 51), bool)
    mask[10:20, 15:40] = True
    filled = Translator.load(out, device="cpu")(image, mask=mask)
    assert np.array_equal(filled[~mask], image[~mask])
    assert (filled[mask] != image[mask]).any()


def test_a_run_folder_is_named_after_the_pictures(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(train(make_config(photos, ""))) == "runs/photos_inpaint"


def test_training_uses_the_users_masks(photos, tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    for i in range(3):
        mask = np.full((48, 40), 255, np.uint8)
        mask[10 + i : 20, 5:30] = 0
        cv2.imwrite(str(tmp_path / "masks" / f"{i}.png"), mask)
    train(make_config(photos, tmp_path / "run", masks=str(tmp_path / "masks")))
    assert "black is the hole" in " ".join(capsys.readouterr().err.split())


def test_vgg_16_teaches_but_nothing_of_it_is_saved(photos, tmp_path, capsys):
    file = tmp_path / "vgg16.pth"
    torch.save(VGG16().state_dict(), file)
    layer = PARTIAL | {"method": {"vgg": str(file)}, "train": TRAIN | {"steps": 2, "previews": 0}}
    out = train(make_config(photos, tmp_path / "with", "partial", layer))
    assert "are left out" not in capsys.readouterr().err
    without = train(make_config(photos, tmp_path / "without", "partial", PARTIAL | {"train": layer["train"]}))
    assert "are left out; --vgg FILE names VGG-16 weights" in " ".join(capsys.readouterr().err.split())
    assert read_recipe(out / "model.safetensors").features == ("VGG-16",)
    states = [torch.load(run / "state" / "last.pt", weights_only=True)["task"] for run in (out, without)]
    assert set(states[0]) == set(states[1])
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])


def pretrained(photos, tmp_path):
    small = FAST | {"generator": TINY["generator"], "method": {"z_dim": 0}}
    return train(make_config(photos, tmp_path / "pre", small=small))


def cycle_config(two_folders, tmp_path, init):
    data = {"a": str(two_folders[0]), "b": str(two_folders[1])}
    more = {"data": data, "out": str(tmp_path / "cycle"), "train": {"init": str(init), "steps": 1, "lr": 0.0}}
    return load_config("cycle", "fast", TINY, more)


def test_an_inpainting_generator_initialises_both_generators_of_a_cyclegan(photos, two_folders, tmp_path, capsys):
    init = pretrained(photos, tmp_path)
    out = train(cycle_config(two_folders, tmp_path, init))
    _, before = load_model(init)
    _, after = load_model(out)
    for name in ("G_ab", "G_ba"):
        for key, value in after[name].state_dict().items():
            np.testing.assert_array_equal(value, before["G"].state_dict()[key])
    assert "G_ab starts from 100 % of its weights" in " ".join(capsys.readouterr().err.split())


def test_a_generator_that_hardly_fits_is_refused(photos, two_folders, tmp_path):
    init = train(make_config(photos, tmp_path / "pre"))
    with pytest.raises(UserError, match="G_ab is skip_resnet.*fourier_resnet fits; train it with --netG skip_resnet"):
        train(cycle_config(two_folders, tmp_path, init))


@pytest.mark.parametrize(
    ("preset", "layer", "message"),
    [
        ("fast", {"data": {"mask_low": 0.5, "mask_high": 0.4}}, "mask-low"),
        ("fast", {"data": {"mask_kinds": ["stroke"]}}, "strokes"),
        ("fast", {"data": {"a": "photos"}}, "--images"),
        ("fast", {"data": {"size": 36}}, "multiple of 8"),
        ("paper", {"data": {"size": 48}}, "context_encoder|power of two|32, 64"),
        ("partial", {"method": {"vgg": "missing.pth"}}, "missing.pth"),
    ],
)
def test_wrong_options_are_reported_before_anything_is_decoded(photos, tmp_path, preset, layer, message):
    with pytest.raises((OptionError, UserError), match=message):
        config = load_config(
            "inpaint", preset, PRESETS[preset], {"data": {"images": str(photos)}, "out": str(tmp_path / "r")}, layer
        )
        train(config)
    assert not (tmp_path / "r" / "config.toml").exists()
