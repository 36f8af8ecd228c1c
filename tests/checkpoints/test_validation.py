"""Models and states that ask for too much, or are other things than they seem."""

import json
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.campaigns.folder_runs import tiny_model
from tests.images.test_label_maps import CLASSES
from translate.checkpoints.model_file import KEY, load_model
from translate.checkpoints.original import load_original
from translate.checkpoints.validation import parse_json
from translate.training.state_file import load_state
from translate.utils.errors import UserError
from translate.utils.safe_load import load_tensors, refuse_expanded


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "model") / "model.safetensors"


def rewritten(file, change):
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        recipe = json.loads(opened.metadata()[KEY])
    change(recipe)
    save_file(load_file(file), file, metadata={KEY: json.dumps(recipe)})


def refusal(file):
    with pytest.raises(UserError) as caught:
        load_model(file)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(file))
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 10**9}, "nets.G_ab.width is 1000000000"),
        ({"blocks": 10**6}, "nets.G_ab.blocks is 1000000"),
        ({"width": 2**19}, "its weights do not fit its recipe (G_ab."),
        ({"width": -4}, "nets.G_ab.width is -4"),
        ({"in_channels": 0}, "cannot be built (division by zero)"),
        ({"name": "../x"}, "unknown G_ab '../x'"),
        ({"name": 3}, "nets.G_ab is {"),
    ],
)
def test_an_absurd_network_is_refused_before_it_is_built(model, change, words):
    rewritten(model, lambda recipe: recipe["nets"]["G_ab"].update(change))
    assert words in refusal(model)


@pytest.mark.parametrize(
    "change",
    [
        {"size": 10**9}, {"size": 0}, {"size": 32.0}, {"steps": -1}, {"domains": []}, {"domains": ["a", 3]},
        {"domains": ["x" * 3000, "y"]}, {"domains": ["\x1b[2J", "y"]},
        {"directions": ["up"]}, {"channels": {"a": -3}}, {"channels": {"a": "3"}},
        {"nets": []}, {"task": None}, {"whole": 1}, {"facts": {"labels": 3}},
        {"facts": {"classes": [1]}}, {"facts": {"classes": ["a\nb"]}},
        {"value_range": [0]}, {"value_range": [0, float("nan")]}, {"facts": {"classes": "abc"}},
        {"facts": {"maps": []}}, {"facts": {"maps": {"a": 3}}}, {"facts": {"maps": {"a": {"form": "gray"}}}},
        {"facts": {"maps": {"a": CLASSES["gray"].to_facts()}}},  # four, for three channels
        {"facts": {"maps": {"c": CLASSES["gray"].to_facts()}}, "channels": {"a": 3, "b": 3, "c": 4}},
        {"channels": {"a": 4}, "facts": {"maps": {"a": CLASSES["gray"].to_facts() | {"names": ["a\nb", *"bcd"]}}}},
    ],
    ids=str,
)  # fmt: skip
def test_a_recipe_of_wrong_types_is_refused(model, change):
    rewritten(model, lambda recipe: recipe.update(change))
    assert "its recipe is damaged" in refusal(model)


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**4, "9" * 5000, " " * 2**21, "null", "{"])
def test_absurd_json_is_refused(model, text):
    save_file(load_file(model), model, metadata={KEY: text})
    assert "its recipe is damaged" in refusal(model)


def test_terminal_commands_in_a_recipe_are_not_executed(model):
    rewritten(model, lambda recipe: recipe.update(task="\x1b[2J\nfine"))
    assert "'\\x1b[2J\\nfine'" in refusal(model)


def test_sound_json_is_parsed():
    assert parse_json('{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


def packed(path, grown):
    """Write the archive of torch anew, compressed, with `grown` zeros after each tensor."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content + b"\0" * grown if "/data/" in name else content)


def test_an_archive_that_would_unpack_to_more_is_refused(tmp_path):
    torch.save({"step": torch.ones(3)}, tmp_path / "x.pt")
    assert load_tensors(tmp_path / "x.pt")["step"].sum() == 3
    packed(tmp_path / "x.pt", 10**6)
    with pytest.raises(ValueError, match="compressed"):
        load_tensors(tmp_path / "x.pt")
    with pytest.raises(UserError, match="is not a state of this run"):
        load_state(tmp_path / "x.pt", {}, torch.device("cpu"))


def test_damage_of_any_kind_is_one_error(tmp_path):
    for content in (b"", b"x" * 100, pickle.dumps({"a": print}), b"\x80\x02}q\x00.", b"PK\x03\x04" + b"\0" * 200):
        (tmp_path / "x.pt").write_bytes(content)
        with pytest.raises((ValueError, pickle.UnpicklingError)):
            load_tensors(tmp_path / "x.pt")


def test_expanded_tensors_are_refused(tmp_path):
    refuse_expanded({"a": torch.ones(3, 4)[:2]})
    with pytest.raises(ValueError, match="wide is no plain tensor"):
        refuse_expanded({"wide": torch.ones(1).expand(10**6, 10**6)})
    torch.save({"model.model.0.weight": torch.ones(1).expand(2**20, 2**20, 4, 4)}, tmp_path / "latest_net_G.pth")
    with pytest.raises(UserError, match="is no plain tensor"):
        load_original(tmp_path / "latest_net_G.pth")


def test_a_checkpoint_whose_layers_would_be_absurdly_wide_is_refused_before_they_are_built(tmp_path):
    torch.save({"model.model.0.weight": torch.ones(2**20, 1, 1, 1)}, tmp_path / "latest_net_G.pth")
    with pytest.raises(UserError, match="latest_net_G.pth: "):
        load_original(tmp_path / "latest_net_G.pth")
