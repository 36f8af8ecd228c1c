import json
import shutil
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.cli.test_run import call, complaint
from tests.conftest import TINY, picture
from tests.training.test_loop import assert_killed_run_goes_on
from translate import Translator
from translate.checkpoints.adapters import PART
from translate.checkpoints.model_file import load_model, read_recipe
from translate.evaluation.evaluation import EvaluationOptions
from translate.evaluation.registry import load_evaluation
from translate.export.run import ExportOptions, export_model
from translate.networks.patchgan import MultiScale
from translate.networks.stylegan import ResidualDiscriminator
from translate.training.config import load_config
from translate.training.loop import train
from translate.training.start.adaptation import lower_layers
from translate.utils.errors import OptionError, UserError

FEW = {"data": {"batch_size": 2}, "train": {"steps": 6, "previews": 1}}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders of pictures, and the run `base`."""
    place = tmp_path_factory.mktemp("adapt")
    for name, seed in (("reds", 0), ("blues", 100), ("greens", 200)):
        (place / name).mkdir()
        for i in range(8):
            cv2.imwrite(str(place / name / f"{i}.png"), picture(seed + i, 36, 36))
    train(config_of(place, place / "base", b="blues"))
    return place


def config_of(place, out, b="greens", **options):
    data = {"data": {"a": str(place / "reds"), "b": str(place / b)}, "out": str(out)}
    return load_config("cycle", "fast", TINY, FEW, data, {"train": options})


@pytest.fixture(scope="module")
def adapted(place):
    return train(config_of(place, place / "adapted", init=str(place / "base"), adapt=True))


@pytest.fixture(scope="module")
def adapter(place):
    return train(config_of(place, place / "adapter", init=str(place / "base"), adapter=True))


def weights_of(run):
    return torch.load(run / "state" / "last.pt", weights_only=True)["task"]


def test_the_lower_layers_of_discriminators_stay_and_all_else_learns(place, adapted):
    before, after = weights_of(place / "base"), weights_of(adapted)
    changed = {name for name in before if name.startswith(("D", "G")) and not torch.equal(before[name], after[name])}
    convs = sorted({name.split(".")[2] for name in before if name.startswith("D_a.body")}, key=int)
    assert len(convs) == 4  # 2 of which are the lower half
    for D in ("D_a", "D_b"):
        moved = {name.split(".")[2] for name in changed if name.startswith(f"{D}.body")}
        assert moved == {*convs[2:]}
    assert all(any(name.startswith(G) for name in changed) for G in ("G_ab", "G_ba"))
    assert read_recipe(adapted / "model.safetensors").adapter == {}


def test_a_killed_run_goes_on_bit_for_bit(place, adapted, adapter, tmp_path, monkeypatch):
    for whole, option in ((adapted, "adapt"), (adapter, "adapter")):
        make = partial(config_of, place, init=str(place / "base"), **{option: True})
        assert_killed_run_goes_on(make, whole, tmp_path / option, monkeypatch)


def test_an_adapter_holds_corrections_of_a_frozen_model(place, adapter):
    base, file = load_file(place / "base" / "model.safetensors"), load_file(adapter / "model.safetensors")
    assert all(PART in name for name in file)
    assert any(value.any() for name, value in file.items() if name.endswith("up"))
    # every convolution, whose weight is W + up @ down, by hand
    expected = {name: value.double() for name, value in base.items()}
    for name in {name.partition(PART)[0] for name in file}:
        up, down = (file[f"{name}{PART}{part}"].double() for part in ("up", "down"))
        assert torch.linalg.matrix_rank(up @ down) <= read_recipe(adapter / "model.safetensors").adapter["rank"]
        expected[f"{name}.weight"] += (up @ down).reshape(expected[f"{name}.weight"].shape)
    assert len(file) == 2 * sum(value.ndim == 4 for value in base.values())
    found = load_model(adapter)[1].state_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=1e-6)
    # the weights that are corrected, and all others, have not moved
    after = weights_of(adapter)
    for name, value in base.items():
        frozen = name.replace(".weight", ".parametrizations.weight.original")
        assert torch.equal(after[frozen if frozen in after else name], value)


def test_the_loaded_adapter_answers_as_the_trained_networks_do(place, adapter):
    image = picture(7, 32, 32)
    answer = Translator.load(adapter, device="cpu", precision="fp32")(image)
    plain = Translator.load(place / "base", device="cpu", precision="fp32")(image)
    assert (answer != plain).any() and np.abs(answer.astype(int) - plain).mean() < 40
    scored = read_recipe(adapter / "model.safetensors")
    assert (scored.domains, scored.adapter["rank"]) == (("reds", "greens"), 1)


def test_the_base_is_found_or_named_and_never_another_model(place, adapter, tmp_path, capsys):
    shutil.copy(adapter / "model.safetensors", tmp_path / "look.safetensors")
    look, image = tmp_path / "look.safetensors", picture(3, 32, 32)
    load = partial(Translator.load, device="cpu", precision="fp32")
    expected = load(adapter)(image)
    assert np.array_equal(load(look)(image), expected)  # by the recorded path
    moved = place / "elsewhere"
    (place / "base").rename(moved)
    try:
        with pytest.raises(UserError, match="is not there; put that model beside it, or name it with --base"):
            load(look)
        assert np.array_equal(load(look, base=str(moved))(image), expected)
        with pytest.raises(OptionError, match="is another model .*; name that one with --base"):
            load(look, base=str(place / "adapted"))
        with pytest.raises(OptionError, match="is an adapter, too, and no base"):
            load(look, base=str(adapter))
        (tmp_path / "out").mkdir()
        words = f"--model {look} --input {place / 'reds'} --output {tmp_path / 'out'} --device cpu".split()
        status, error = complaint(capsys, "translate-folder", *words)
        assert status == 1 and "put that model beside it, or name it with --base" in error
        status, _, error = call(capsys, "translate-folder", *words, "--base", moved)
        assert status == 0, error
        others = {
            "evaluate": ["--a", place / "reds", "--b", place / "greens"],
            "export": ["--output", tmp_path / "x.onnx"],
        }
        for command, words in others.items():
            status, error = complaint(capsys, command, "--model", look, *words)
            assert status == 1 and "put that model beside it, or name it with --base" in error
            status, error = complaint(capsys, command, "--model", look, *words, "--base", place / "adapted")
            assert status == 2 and "is another model" in error and "name that one with --base" in error
        options = {"a": str(place / "reds"), "b": str(place / "greens"), "device": "cpu", "precision": "fp32"}
        evaluation = load_evaluation(EvaluationOptions(model=str(look), base=str(moved), **options))
        assert np.array_equal(evaluation.translator(image), expected)
        with pytest.raises(OptionError, match="say what to compare on"):  # the model itself was loaded
            export_model(look, tmp_path / "x.onnx", ExportOptions(base=str(moved)))
        shutil.copy(moved / "model.safetensors", tmp_path / "model.safetensors")
        assert np.array_equal(load(look)(image), expected)  # beside it
    finally:
        moved.rename(place / "base")
    with pytest.raises(OptionError, match="--base is for an adapter"):
        load(place / "base", base=str(adapter))


def test_a_model_without_a_state_is_adapted_with_new_discriminators(place, tmp_path, capsys):
    shutil.copy(place / "base" / "model.safetensors", tmp_path / "model.safetensors")
    run = train(config_of(place, tmp_path / "run", init=str(tmp_path / "model.safetensors"), adapt=True))
    assert "has no state with discriminators: they start anew, and nothing is frozen" in capsys.readouterr().err
    assert json.loads((run / "adaptation.json").read_text()) == {"judges": [], "adapter": {}}


def test_length_and_rate_follow_from_adapting_unless_they_are_given():
    plain = load_config("cycle").train
    adapting = load_config("cycle", "fast", {"train": {"init": "x", "adapt": True}}).train
    assert (adapting.steps, adapting.minutes, adapting.lr) == (600, 0, plain.lr / 4)
    corrected = load_config("cycle", "fast", train={"init": "x", "adapter": True}).train
    assert (corrected.steps, corrected.lr) == (600, plain.lr)
    given = load_config("cycle", "fast", train={"init": "x", "adapt": True, "minutes": 2.0, "lr": 1e-5}).train
    assert (given.steps, given.minutes, given.lr) == (0, 2.0, 1e-5)
    assert load_config("cycle", "fast", train={"init": "x", "adapt": False}).train.lr == plain.lr


def test_layers_are_counted_from_the_picture_on():
    D = ResidualDiscriminator(size=32, width=4, most=8, norm="spectral")
    layers = [one for one in D.modules_by_depth() if isinstance(one, torch.nn.Conv2d | torch.nn.Linear)]
    every = [one for one in D.modules() if isinstance(one, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == len(every) and {*layers} == {*every}
    assert layers[0] is D.from_rgb[-1] and layers[-1] is D.score
    frozen = {id(p) for p in lower_layers(D, 0.5)}
    assert {id(p) for p in D.from_rgb[-1].parameters()} <= frozen and not {id(p) for p in D.score.parameters()} & frozen
    judges = MultiScale(width=4, layers=2)
    assert len(lower_layers(judges, 0.5)) == 2 * 2 * 2  # of each of two scales two layers, weight and bias
    assert lower_layers(judges, 0.0) == []


def test_what_cannot_be_adapted_is_refused_in_one_line(place, adapter, tmp_path):
    for option in ("adapt", "adapter"):
        with pytest.raises(OptionError, match=f"--{option} starts from a model; name it with --init"):
            load_config("cycle", "fast", train={option: True})
    with pytest.raises(OptionError, match="is an adapter itself"):
        train(config_of(place, tmp_path / "x", init=str(adapter), adapter=True))
