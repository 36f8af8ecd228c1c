import json

import pytest

from tests.inference.onnx.models import recipe
from translate.inference.onnx.recipe import StyleCodes, is_onnx, parse_recipe


def test_a_recipe_survives_its_json():
    z = StyleCodes(dim=2, default=(0.0, 1.0), drawn="looks", looks=((0.0, 1.0), (2.0, 3.5)))
    made = recipe(z=z, classes=("shoe",), random=True, preprocess=("decode",))
    assert parse_recipe(json.dumps(made.to_json())) == made


def test_fields_of_later_versions_are_ignored():
    assert parse_recipe(json.dumps(recipe().to_json() | {"unheard_of": 1})) == recipe()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size": "64"}, "size is '64'"),
        ({"size": 10**9}, "out of range"),
        ({"multiple": 0}, "out of range"),
        ({"channels": [3]}, "out of range"),
        ({"kind": "segment"}, "kind is 'segment'"),
        ({"domains": ["a", "b\x1b[2J"]}, "control characters"),
        ({"inputs": [{"name": "picture"}]}, "fields are wrong"),
        ({"inputs": 3}, "fields are wrong"),
        ({"z": {"dim": 2, "default": [0.0], "drawn": "normal"}}, "style codes"),
        ({"z": {"dim": 1, "default": ["x"], "drawn": "normal"}}, "style codes"),
        ({"format": 99}, "newer version"),
    ],
)
def test_wrong_values_are_named(changes, reason):
    with pytest.raises(ValueError, match=reason):
        parse_recipe(json.dumps(recipe().to_json() | changes))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "7", '{"format": 1}', "{" + " " * 2**23 + "}"])
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(ValueError):
        parse_recipe(text)


def test_onnx_files_are_known_by_their_names():
    assert is_onnx("runs/Shoe.ONNX") and not is_onnx("runs/shoe.onnx/model.safetensors")
