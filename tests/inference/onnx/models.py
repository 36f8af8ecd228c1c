"""ONNX files for tests, written by hand: -x, or what the caller puts in its place."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from translate.inference.onnx.recipe import KEY, OnnxInput, OnnxRecipe

PICTURE = OnnxInput(name="picture", shape=("batch", 3, "height", "width"), about="the picture")
MASK = OnnxInput(name="mask", shape=("batch", 1, "height", "width"), about="the hole")
RECIPE = {
    "kind": "translate", "task": "cycle", "domains": ("photos", "monet"), "direction": "ab", "channels": (3, 3),
    "size": 32, "multiple": 8, "inputs": (PICTURE,),
}  # fmt: skip


def recipe(**changes):
    return OnnxRecipe(**RECIPE | changes)


def graph_of(nodes, inputs=(PICTURE,), initializers=()):
    values = [helper.make_tensor_value_info(i.name, TensorProto.FLOAT, list(i.shape)) for i in inputs]
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    return helper.make_graph(list(nodes), "test", values, [result], list(initializers))


def negative():
    return [helper.make_node("Neg", ["picture"], ["result"])]


def constant(name, values):
    return numpy_helper.from_array(np.array(values), name)


def write(path, nodes=None, made=None, *, graph=None, opsets=(("", 20),), initializers=()):
    """Write a model; without a recipe `made`, it is a foreign one."""
    inputs = made.inputs if made else (PICTURE,)
    graph = graph or graph_of(nodes or negative(), inputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=10)
    if made:
        helper.set_model_props(model, {KEY: json.dumps(made.to_json())})
    onnx.save(model, path)
    return path
