"""A model as one ONNX file with its recipe, which is also written beside the file as JSON."""

__all__ = ["OPSET", "build_onnx", "dynamic_shapes", "example_size", "nested", "quiet", "set_recipe"]

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.export import Dim

from translate.export.graph import Graph
from translate.export.onnx_operators import MAX_LEVELS, translation_table
from translate.inference.onnx.recipe import KEY, OnnxRecipe
from translate.utils.errors import UserError, short_reason

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
MAX_SIDE_PX = 2**MAX_LEVELS
MAX_BATCH = 64
EXAMPLE_SIDE_PX = 64  # of the tracing example, at least: no size in the network may be 1, which would be taken as fixed


def build_onnx(graph: Graph, recipe: OnnxRecipe) -> "ModelProto":
    """Return the graph as an ONNX model with the recipe in its metadata.

    Raises:
        UserError: the package onnxscript is missing, or the exporter cannot translate the network.
    """
    model = _export(graph).model_proto
    if model.functions:  # the operators that the exporter builds from others
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    _tidy(model, recipe)
    set_recipe(model, recipe)
    return model


def set_recipe(model: "ModelProto", recipe: OnnxRecipe) -> None:
    """Write the recipe into the metadata of a model, and drop the operator sets that it does not use."""
    used = {node.domain for node in model.graph.node} | {""}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps(recipe.to_json())


def dynamic_shapes(graph: Graph) -> tuple[dict[int, Any], ...]:
    """Return, for each input, the dimensions that vary: the batch, and height and width in multiples."""
    batch = Dim("batch", min=1, max=MAX_BATCH)
    units = {side: Dim(f"{side}_cells", min=1, max=MAX_SIDE_PX // graph.multiple) for side in ("height", "width")}
    known: dict[str, Any] = {"batch": batch}
    for side, unit in units.items():
        for name, cell in ((side, graph.multiple), (f"{side}/8", graph.multiple // 8)):
            known[name] = unit if cell == 1 else cell * unit if cell else None
    if graph.fixed:
        known = {"batch": batch}
    shapes = ({i: known[d] for i, d in enumerate(entry.shape) if d in known} for entry in graph.inputs)
    return tuple(shapes)


def example_size(graph: Graph) -> tuple[int, int]:
    """Return height and width of the tracing example: unequal, and a few cells of the network."""
    if graph.fixed:
        return graph.fixed, graph.fixed
    cells = max(2, -(-EXAMPLE_SIDE_PX // graph.multiple))
    return cells * graph.multiple, (cells + 1) * graph.multiple


def _export(graph: Graph) -> Any:
    names = [entry.name for entry in graph.inputs]
    example = graph.example(2, *example_size(graph))
    shapes = dynamic_shapes(graph)
    try:
        with torch.no_grad(), quiet():
            return torch.onnx.export(
                graph.module, example, dynamo=True, opset_version=OPSET, external_data=False, verbose=False,
                input_names=names, output_names=["result"], dynamic_shapes=nested(graph, shapes),
                custom_translation_table=translation_table(),
            )  # fmt: skip
    except ImportError as error:
        raise UserError(f"an ONNX file needs {error.name}; install it: pip install 'image-translate[export]'") from None
    except Exception as error:  # the exporter has many, and none of them is the user's fault
        reason = short_reason(error.__cause__ or error)
        raise UserError(f"the network cannot be written as ONNX ({reason})") from error


def nested(graph: Graph, shapes: tuple[dict[int, Any], ...]) -> Any:
    """Return the shapes as the arguments of `forward` are nested: what follows *args is one tuple."""
    named, others = shapes[: graph.named_inputs], shapes[graph.named_inputs :]
    return (*named, others) if others else named


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the exporter, whose warnings are about its own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _tidy(model: "ModelProto", recipe: OnnxRecipe) -> None:
    """Remove what the exporter notes about this machine, and name the dimensions of inputs and output."""
    model.doc_string, model.producer_name, model.producer_version = "", "image-translate", recipe.translate
    graph = model.graph
    graph.name, graph.doc_string = recipe.task, ""
    del graph.value_info[:]
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    for value, entry in zip(graph.input, recipe.inputs, strict=True):
        _name_dims(value, entry.shape)
    factor = f"{recipe.scale}*" if recipe.scale > 1 else ""
    side = (recipe.fixed, recipe.fixed) if recipe.fixed else (f"{factor}height", f"{factor}width")
    _name_dims(graph.output[0], ("batch", recipe.channels[1], *side))


def _name_dims(value: Any, shape: tuple[int | str, ...]) -> None:
    for dim, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            dim.dim_param = size
        else:
            dim.dim_value = size
