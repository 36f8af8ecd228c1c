import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from translate.checkpoints.model_file import KEY, export_model, load_model
from translate.checkpoints.recipe import Recipe
from translate.networks import GENERATORS
from translate.utils.errors import UserError
from translate.utils.factory import Factory


def make_nets():
    factory = Factory({"name": "skip_resnet", "width": 8, "trunk": 8, "blocks": 1}, GENERATORS, "generator")
    return torch.nn.ModuleDict({"G_ab": factory(), "G_ba": factory()})


def make_recipe(nets, **changes):
    facts = {"task": "cycle", "nets": {n: net.spec for n, net in nets.items()}, "domains": ("x", "y")}
    return Recipe(**{**facts, "size": 32, "preset": "fast", "steps": 3, "data": "0", **changes})


@pytest.fixture
def model(tmp_path):
    nets = make_nets()
    export_model(nets, make_recipe(nets), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_a_model_file_is_whole(tmp_path):
    nets = make_nets()
    export_model(nets, make_recipe(nets), tmp_path / "model.safetensors")
    recipe, loaded = load_model(tmp_path)
    assert recipe == make_recipe(nets)
    assert not any(p.requires_grad for p in loaded.parameters())
    assert not loaded.training
    x = torch.rand(1, 3, 32, 32)
    for name in nets:
        assert torch.equal(loaded[name](x), nets[name].eval()(x))


def rewrite(path, change):
    recipe = load_recipe(path)
    change(recipe)
    save_file(load_file(path), path, metadata={KEY: json.dumps(recipe)})


def load_recipe(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as opened:
        return json.loads(opened.metadata()[KEY])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-100]), "damaged or cut short"),
        (lambda p: p.write_bytes(p.read_bytes()[:50]), "damaged or cut short"),
        (lambda p: p.write_bytes(b""), "damaged or cut short"),
        (lambda p: p.write_text("hello"), "damaged or cut short"),
        (lambda p: save_file({"w": torch.ones(2)}, p), "no model of this toolkit"),
        (lambda p: rewrite(p, lambda r: r.update(task="paint")), "trained for the task 'paint'"),
        (lambda p: rewrite(p, lambda r: r.update(format=99)), "newer version"),
        (lambda p: rewrite(p, lambda r: r.pop("size")), "its recipe is damaged"),
        (lambda p: rewrite(p, lambda r: r["nets"]["G_ab"].update(width=16)), "do not fit its recipe"),
        (
            lambda p: rewrite(p, lambda r: r["nets"]["G_ab"].update(name="os.system")),
            "unknown G_ab 'os.system'",
        ),
        (lambda p: rewrite(p, lambda r: r["nets"]["G_ab"].update(code="x")), "unknown option G_ab.code"),
    ],
)
def test_a_bad_model_is_one_clear_line(model, damage, message):
    damage(model)
    with pytest.raises(UserError) as caught:
        load_model(model)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_models_are_named(tmp_path):
    with pytest.raises(UserError, match="no such model; give a run folder"):
        load_model(tmp_path / "nope")
    with pytest.raises(UserError, match=r"holds no model.safetensors yet"):
        load_model(tmp_path)
