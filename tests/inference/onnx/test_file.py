import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.cli.test_run import complaint
from tests.inference.onnx.models import PICTURE, constant, graph_of, negative, recipe, write
from translate.inference.onnx.file import open_onnx
from translate.inference.onnx.recipe import KEY
from translate.utils.errors import UserError


def refused(path):
    with pytest.raises(UserError) as info:
        open_onnx(path)
    message = str(info.value)
    assert "\n" not in message and str(path) in message
    return message


def test_a_file_of_ours_opens(tmp_path):
    made = recipe(size=64)
    content, found, note = open_onnx(write(tmp_path / "x.onnx", made=made))
    assert found == made and not note and content == (tmp_path / "x.onnx").read_bytes()


def test_damaged_files_are_refused(tmp_path):
    whole = write(tmp_path / "x.onnx", made=recipe()).read_bytes()
    path = tmp_path / "cut.onnx"
    for content in (b"", whole[: len(whole) // 2], whole[:40], b"PK\3\4 not a model", b"\0" * 100, bytes(range(256))):
        path.write_bytes(content)
        assert "damaged" in refused(path)
    assert "no such model" in refused(tmp_path / "missing.onnx")
    (tmp_path / "folder.onnx").mkdir()
    assert "cannot be read" in refused(tmp_path / "folder.onnx")


def test_weights_in_other_files_are_refused(tmp_path):
    tensor = constant("w", np.ones(3, np.float32))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    path = tmp_path / "x.onnx"
    path.write_bytes(helper.make_model(graph_of(negative(), initializers=[tensor])).SerializeToString())
    assert "'../../../etc/passwd'" in refused(path)
    hidden = helper.make_node("Constant", [], ["c"], value=tensor)
    path.write_bytes(helper.make_model(graph_of([hidden, *negative()])).SerializeToString())
    assert "in another file" in refused(path)


def test_operators_from_elsewhere_are_refused(tmp_path):
    node = helper.make_node("Steal", ["picture"], ["result"], domain="evil.ops")
    opsets = (("", 20), ("evil.ops", 1))
    assert "custom operators (of 'evil.ops')" in refused(write(tmp_path / "x.onnx", [node], recipe(), opsets=opsets))
    assert "custom operators" in refused(write(tmp_path / "y.onnx", [node], recipe()))
    function = helper.make_function("", "Own", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])], [])
    model = helper.make_model(graph_of(negative()), functions=[function])
    (tmp_path / "z.onnx").write_bytes(model.SerializeToString())
    assert "operators of its own" in refused(tmp_path / "z.onnx")


def test_loops_are_refused(tmp_path):
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["", ""], [], body=body)
    assert "control flow (Loop)" in refused(write(tmp_path / "x.onnx", [loop, *negative()], recipe()))


@pytest.mark.parametrize(
    ("op", "inputs", "numbers"),
    [
        ("ConstantOfShape", ["n"], np.array([10**6, 10**6])),
        ("Expand", ["picture", "n"], np.array([10**4, 3, 10**4, 10**4])),
        ("Tile", ["picture", "n"], np.array([1, 1, 2**20, 2**20])),
        ("Resize", ["picture", "", "n"], np.array([1, 1, 1e6, 1e6], np.float32)),
        ("Pad", ["picture", "n"], np.array([0, 0, 10**5, 10**5, 0, 0, 10**5, 10**5])),
    ],
)
def test_enormous_tensors_are_refused(tmp_path, op, inputs, numbers):
    path = tmp_path / "x.onnx"
    stored = graph_of([helper.make_node(op, inputs, ["big"]), *negative()], initializers=[constant("n", numbers)])
    write(path, made=recipe(), graph=stored)
    assert f"enormous tensors ({op})" in refused(path)
    node = helper.make_node("Constant", [], ["n"], value=constant("n", numbers))
    write(path, [node, helper.make_node(op, inputs, ["big"]), *negative()], recipe())
    assert f"enormous tensors ({op})" in refused(path)


def test_sizes_that_the_graph_computes_are_refused(tmp_path):
    """A product of the picture's own size, and doubling thirty times."""
    path = tmp_path / "x.onnx"
    nodes = [
        helper.make_node("Shape", ["picture"], ["size"]),
        helper.make_node("Mul", ["size", "many"], ["large"]),
        helper.make_node("Expand", ["one", "large"], ["big"]),
    ]
    numbers = [constant("many", np.array([1000, 1, 1000, 1000])), constant("one", np.ones(1, np.float32))]
    write(path, made=recipe(), graph=graph_of([*nodes, *negative()], initializers=numbers))
    assert "it makes enormous tensors (big)" in refused(path)
    steps = [helper.make_node("Tile", [f"x{i}", "two"], [f"x{i + 1}"]) for i in range(30)]
    first = helper.make_node("Neg", ["picture"], ["x0"])
    doubled = graph_of([first, *steps, *negative()], initializers=[constant("two", np.array([1, 2, 1, 1]))])
    write(path, made=recipe(), graph=doubled)
    assert "it makes enormous tensors (x" in refused(path)


@pytest.mark.parametrize("command", ["translate-folder", "sample"])
@pytest.mark.parametrize("kind", ["damaged", "foreign", "outside", "enormous", "custom"])
def test_commands_answer_in_one_line(tmp_path, capsys, command, kind):
    path = tmp_path / "x.onnx"
    tensor = constant("w", np.ones(3, np.float32))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    made = {
        "damaged": lambda: path.write_bytes(b"\x08\x0a no graph"),
        "foreign": lambda: write(path),
        "outside": lambda: write(path, made=recipe(), graph=graph_of(negative(), initializers=[tensor])),
        "enormous": lambda: write(
            path, [helper.make_node("ConstantOfShape", ["n"], ["big"]), *negative()], recipe(),
            initializers=[constant("n", np.array([10**6, 10**6]))],
        ),
        "custom": lambda: write(path, [helper.make_node("Steal", ["picture"], ["result"], domain="evil")], recipe()),
    }  # fmt: skip
    made[kind]()
    reasons = {
        "damaged": "damaged or cut short", "foreign": "was not written by this toolkit", "outside": "in another file",
        "enormous": "enormous tensors", "custom": "custom operators",
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    places = ["--input", tmp_path / "in", "--output", tmp_path / "out"]
    status, error = complaint(capsys, command, "--model", path, *(places if command == "translate-folder" else ()))
    assert status == 1 and reasons[kind] in error
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "x.onnx"]


def test_a_tensor_larger_than_its_file_is_refused(tmp_path):
    tensor = constant("w", np.ones(3, np.float32))
    tensor.dims[0] = 10**12
    path = tmp_path / "x.onnx"
    path.write_bytes(helper.make_model(graph_of(negative(), initializers=[tensor])).SerializeToString())
    assert "a tensor of 1,000,000,000,000 numbers" in refused(path)


def test_a_recipe_that_does_not_fit_its_graph_is_refused(tmp_path):
    path = write(tmp_path / "x.onnx", made=recipe())
    model = onnx.load(path)
    for change, reason in (
        ({"inputs": []}, "other inputs"),
        ({"output": "y"}, "other outputs"),
        ({"size": 0}, "range"),
    ):
        helper.set_model_props(model, {KEY: json.dumps(recipe().to_json() | change)})
        onnx.save(model, path)
        assert reason in refused(path)
    helper.set_model_props(model, {KEY: "{"})
    onnx.save(model, path)
    assert "recipe is damaged" in refused(path)


def test_a_plain_file_of_another_program_is_taken_with_a_note(tmp_path):
    path = write(tmp_path / "x.onnx", [helper.make_node("Tanh", ["picture"], ["result"])])
    _, found, note = open_onnx(path)
    assert "not written by this toolkit" in note and found.channels == (3, 3) and found.inputs[0].name == "picture"


def test_what_another_program_leaves_unsaid_is_named(tmp_path):
    assert "range of values is missing: it ends in Neg" in refused(write(tmp_path / "x.onnx"))
    two = graph_of([helper.make_node("Add", ["picture", "other"], ["result"])], (PICTURE, PICTURE))
    two.input[1].name = "other"
    assert "2 inputs (picture, other)" in refused(write(tmp_path / "y.onnx", graph=two))
    flat = graph_of([helper.make_node("Tanh", ["picture"], ["result"])])
    del flat.input[0].type.tensor_type.shape.dim[3]
    assert "does not map float32 (N, 3, H, W)" in refused(write(tmp_path / "z.onnx", graph=flat))
