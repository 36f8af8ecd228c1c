import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import picture
from tests.training.test_loop import assert_same, everything, stop_after
from translate import Translator
from translate.checkpoints.model_file import load_model, read_recipe
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.planning.plan import Stretch
from translate.training.previews import is_preview
from translate.utils.errors import OptionError, UserError

SMALL = {"generator": {"width": 4, "most": 8, "z_dim": 4, "w_dim": 8}, "discriminator": {"width": 4, "most": 8}}
FAST = SMALL | {
    "method": {"augment_target": 0.6, "grow": 0.5, "lambda_r2": 0.05},
    "data": {"size": 32, "batch_size": 4, "classes": "auto"},
    "train": {"steps": 8, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}
DRIFT = {
    "generator": SMALL["generator"],
    "method": {"features": "none", "queue": 6, "group": 2},
    "data": FAST["data"],
    "train": FAST["train"],
}
PAPER = {
    "generator": {"width": 2},
    "discriminator": {"width": 2},
    "data": {"size": 32, "batch_size": 4},
    "train": {"steps": 8, "precision": "fp32", "channels_last": "off", "device": "cpu", "previews": 2},
}


@pytest.fixture
def classes(tmp_path):
    """Two class folders of sixteen pictures each."""
    for k, name in enumerate(("cats", "dogs")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(16):
            cv2.imwrite(str(tmp_path / "pets" / name / f"{i:03d}.png"), picture(100 * k + i, 32, 32))
    return tmp_path / "pets"


def make_config(images, out, preset, small, **data):
    return load_config("generate", preset, small, {"data": {"images": str(images), **data}, "out": str(out)})


@pytest.mark.parametrize(("preset", "small"), [("fast", FAST), ("drift", DRIFT), ("paper", PAPER)])
def test_a_killed_run_goes_on_bit_for_bit(classes, tmp_path, monkeypatch, preset, small):
    small = small | {"train": small["train"] | {"save_minutes": 0.0}}
    train(make_config(classes, tmp_path / "whole", preset, small))
    config = make_config(classes, tmp_path / "broken", preset, small)
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 5)
        with pytest.raises(killed):
            train(config)
    train(config)
    for actual, expected in zip(everything(tmp_path / "whole"), everything(tmp_path / "broken"), strict=True):
        assert_same(actual, expected)


def test_a_run_writes_a_model_grids_a_film_and_its_variety(classes, tmp_path, capsys):
    out = train(make_config(classes, tmp_path / "run", "fast", FAST))
    recipe = read_recipe(out / "model.safetensors")
    assert recipe.task == "generate"
    assert recipe.domains == ("pets",)
    assert recipe.channels == {"image": 3, "label": 2}
    assert recipe.facts == {"classes": ["cats", "dogs"]}
    assert recipe.directions == ()
    G = load_model(out)[1]["G"]
    assert float(G.depth) == len(G.levels)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert {"G/gan", "D/gan", "D/r1", "D/real", "D/fake"} <= set().union(*lines)
    assert sum("health/spread" in line for line in lines) == 2
    assert "two samples differ" in capsys.readouterr().err
    grid = cv2.imread(str(out / "samples" / "step_0000008.png"))
    assert grid.shape[0] < grid.shape[1]  # two classes, eight of each
    film = Image.open(out / "samples" / "film.gif")
    assert film.n_frames >= 2


def test_preview_steps_of_unlabelled_sets():
    shown = [step for step in range(1, 30_001) if is_preview(step, Stretch(0, 0, 30_000, 30_000), 1, early=True)]
    assert shown == [100, 1000, 2000, 5000, 10_000, 20_000, 30_000]
    assert [step for step in range(1, 101) if is_preview(step, Stretch(0, 0, 100, 100), 4)] == [25, 50, 75, 100]


def test_a_generative_model_cannot_translate(classes, tmp_path):
    out = train(make_config(classes, tmp_path / "run", "paper", PAPER))
    with pytest.raises(UserError, match="translates no pictures"):
        Translator.load(out)


def test_batch_norm_keeps_the_averages_of_training(classes, tmp_path):
    out = train(make_config(classes, tmp_path / "run", "paper", PAPER))
    G = load_model(out)[1]["G"]
    assert G.norms[0].running_var.std() > 0
    z = torch.rand(3, G.z_dim)
    torch.testing.assert_close(G(z)[:1], G(z[:1]))


@pytest.mark.parametrize(
    ("data", "method", "complaint"),
    [
        ({"batch_size": 64}, {}, "fewer than a batch of 64; say --batch-size"),
        ({"size": 64}, {}, "smaller than 64 px"),
        ({"size": 48}, {}, "not 48; say --size 64"),
        ({}, {"grow": 1.0}, "0 to 0.9, not 1"),
        ({}, {"gan": "wasserstein"}, "unknown method.gan 'wasserstein'"),
        ({"classes": "nowhere.csv"}, {}, "nowhere.csv"),
    ],
)
def test_bad_input_is_reported_before_anything_is_written(classes, tmp_path, data, method, complaint):
    small = FAST | {"method": FAST["method"] | method, "data": FAST["data"] | data}
    with pytest.raises((OptionError, UserError), match=complaint):
        train(make_config(classes, tmp_path / "run", "fast", small))
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_the_presets_match_their_names():
    paper = load_config("generate", "paper")
    assert paper.generator == {"name": "dcgan", "width": 64, "z_dim": 100, "z_kind": "uniform"}
    assert (paper.train.lr, paper.train.betas, paper.data.batch_size) == (2e-4, (0.5, 0.999), 128)


def test_any_seed_gives_a_picture(classes, tmp_path):
    out = train(make_config(classes, tmp_path / "run", "fast", FAST))
    recipe, nets = load_model(out)
    assert np.isfinite(nets["G"](torch.randn(2, 4), torch.eye(2)).numpy()).all()
    assert recipe.size == 32


def test_a_state_without_its_configuration_is_not_mixed_into_a_new_run(classes, tmp_path):
    config = make_config(classes, tmp_path / "run", "fast", FAST)
    out = train(config)
    (out / "config.toml").unlink()
    with pytest.raises(UserError, match="holds the state of a run without its config.toml"):
        train(config)
