"""Opening an ONNX file, which a stranger may have made: what it holds is checked before anything runs.

Such a file is a program. It may read other files as weights, call operators that a library brings, loop for ever, or
build tensors of terabytes from a few bytes. None of that is in an exported generator, so all of it is refused.
"""

__all__ = ["open_onnx"]

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate.inference.onnx.foreign import foreign_recipe
from translate.inference.onnx.recipe import KEY, OnnxRecipe, parse_recipe
from translate.utils.errors import UserError, short_reason, shorten
from translate.utils.files import check_regular

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

EXTRA = "pip install 'image-translate[export]'"
OWN_DOMAINS = ("", "ai.onnx")
PROBE_SIDE_PX = 64  # of the picture for which all shapes are computed
MAX_ELEMENTS = 2**28  # of a tensor that a node builds from numbers in the file: a gigabyte of float32
# What makes tensors larger, and the input that says how large.
GROWING = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Resize": 3, "Pad": 1, "RandomNormal": -1, "RandomUniform": -1}


def open_onnx(path: str | Path) -> tuple[bytes, OnnxRecipe, str]:
    """Read and check an ONNX file; return its content, its recipe, and a note for the user ("": none).

    Raises:
        UserError: it is missing, damaged, not ours and not plain enough to guess, or holds what no generator needs.
    """
    path = Path(path).expanduser()
    content = _read(path)
    model = _parse(path, content)
    try:
        check_content(model, len(content))
    except ValueError as error:
        raise UserError(f"{path}: {error}, so it is not run") from None
    text = next((entry.value for entry in model.metadata_props if entry.key == KEY), None)
    note = ""
    if text is None:
        recipe, note = foreign_recipe(path, model)
    else:
        try:
            recipe = parse_recipe(text)
            _check_signature(recipe, model.graph)
        except ValueError as error:
            raise UserError(f"{path}: its recipe is damaged: {error}") from None
    if found := enormous_tensor(model, recipe):
        raise UserError(f"{path}: it makes enormous tensors ({shorten(found)}), so it is not run")
    return content, recipe, note


def _read(path: Path) -> bytes:
    if not path.exists():
        raise UserError(f"{path}: no such model; export one with tools/export.py")
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read as a model ({short_reason(error)})") from None


def _parse(path: Path, content: bytes) -> "ModelProto":
    try:
        import onnx
    except ImportError:
        raise UserError(f"{path}: an ONNX file needs onnx and onnxruntime; install them: {EXTRA}") from None
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # protobuf has its own kinds, by version
        raise UserError(f"{path}: is no ONNX file, or damaged or cut short") from None
    if not model.graph.node or not model.graph.output:
        raise UserError(f"{path}: is no ONNX file, or damaged or cut short (it has no graph)")
    return model


def check_content(model: "ModelProto", size: int) -> None:
    """Check a model whose file has `size` bytes.

    Raises:
        ValueError: it holds what no generator needs; the message says what.
    """
    domains = [entry.domain for entry in model.opset_import] + [node.domain for node in model.graph.node]
    if custom := next((domain for domain in domains if domain not in OWN_DOMAINS), None):
        raise ValueError(f"it calls custom operators (of {shorten(custom)!r})")
    if model.functions:
        raise ValueError("it defines operators of its own")
    if model.graph.sparse_initializer:
        raise ValueError("it holds sparse tensors")
    constants: dict[str, Any] = {}
    for name, tensor in _tensors(model.graph):
        _check_tensor(tensor, size)
        constants[name] = tensor
    for node in model.graph.node:
        _check_node(node, constants)


def _tensors(graph: "GraphProto") -> Iterator[tuple[str, "TensorProto"]]:
    """Yield the tensors in a graph by the names of their values."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute:
            for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
                yield (node.output[0] if node.output else ""), tensor


def _check_tensor(tensor: "TensorProto", size: int) -> None:
    if tensor.data_location != 0 or tensor.external_data:
        place = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        raise ValueError(f"its weights are in another file ({shorten(place)!r})")
    count = math.prod(tensor.dims)
    if min(tensor.dims, default=1) < 0 or count > 2 * size + 64:  # 4-bit types have two numbers in a byte
        raise ValueError(f"it says that it holds a tensor of {count:,} numbers, in {size:,} bytes")


def _check_node(node: "NodeProto", constants: dict[str, Any]) -> None:
    """Check one node for control flow, and for a tensor that it makes from numbers in the file."""
    for attribute in node.attribute:
        if (
            attribute.HasField("g")
            or attribute.graphs
            or attribute.sparse_tensors
            or attribute.HasField("sparse_tensor")
        ):
            raise ValueError(f"it has control flow ({shorten(node.op_type)})")
    for numbers in _sizes(node, constants):
        if math.prod(max(1.0, abs(float(n))) for n in numbers) > MAX_ELEMENTS:
            raise ValueError(f"it makes enormous tensors ({shorten(node.op_type)})")


def _sizes(node: "NodeProto", constants: dict[str, Any]) -> Iterator[Any]:
    """Yield the constant shapes, factors or margins by which a node makes its output larger."""
    if node.op_type not in GROWING:
        return
    place = GROWING[node.op_type]
    for attribute in node.attribute:
        if attribute.name in ("shape", "pads"):
            yield attribute.ints
    for index in {place, 2 if node.op_type == "Resize" else place}:
        if 0 <= index < len(node.input) and (tensor := constants.get(node.input[index])) is not None:
            import onnx

            yield onnx.numpy_helper.to_array(tensor).reshape(-1)


def enormous_tensor(model: "ModelProto", recipe: OnnxRecipe) -> str:
    """Return the name of a tensor that is far too large for a small picture, by the rules of the operators; "": none.

    This finds sizes that the graph computes, and growth in many small steps.
    """
    import onnx

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    side = recipe.multiple * -(-max(recipe.min_side, PROBE_SIDE_PX) // recipe.multiple)
    sizes = {"batch": 1, "height": side, "width": side, "height/8": side // 8, "width/8": side // 8}
    inputs = {value.name: value for value in probe.graph.input}
    for entry in recipe.inputs:
        for dim, size in zip(inputs[entry.name].type.tensor_type.shape.dim, entry.shape, strict=True):
            dim.dim_value = sizes[size] if isinstance(size, str) else size
    try:
        graph = onnx.shape_inference.infer_shapes(probe, data_prop=True).graph
    except Exception:  # shapes that contradict each other: onnxruntime says what is wrong
        return ""
    for value in (*graph.value_info, *graph.output):
        if math.prod(max(1, dim.dim_value) for dim in value.type.tensor_type.shape.dim) > MAX_ELEMENTS:
            return value.name
    return ""


def _check_signature(recipe: OnnxRecipe, graph: "GraphProto") -> None:
    """Raise ValueError unless the graph has the inputs and the output of the recipe."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if [value.name for value in inputs] != [entry.name for entry in recipe.inputs]:
        raise ValueError("the graph has other inputs")
    for value, entry in zip(inputs, recipe.inputs, strict=True):
        sides = [
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in value.type.tensor_type.shape.dim
        ]
        if sides != list(entry.shape) or value.type.tensor_type.elem_type != 1:
            raise ValueError(f"the input {shorten(value.name)} has another shape or type")
    if [value.name for value in graph.output] != [recipe.output]:
        raise ValueError("the graph has other outputs")
