"""ONNX files of other programs, which say nothing of how pictures are to be prepared."""

__all__ = ["foreign_recipe"]

from pathlib import Path
from typing import TYPE_CHECKING

from translate.inference.onnx.recipe import KEY, OnnxInput, OnnxRecipe
from translate.utils.errors import UserError

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

FLOAT32 = 1  # onnx.TensorProto.FLOAT
MULTIPLE = 32  # px; no usual generator halves its input more than five times
SIZE = 256  # px, for messages alone


def foreign_recipe(path: Path, model: "ModelProto") -> tuple[OnnxRecipe, str]:
    """Guess the recipe of a plain generator, one picture NCHW to another; return also a note on what was guessed.

    Only a graph that ends in a tanh leaves no doubt about its values: they are in [-1, 1], and so is its input, by the
    custom of all image-to-image networks.

    Raises:
        UserError: it is not plain; the message says what is missing.
    """
    # one input, one output
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    lacks = f"{path}: was not written by this toolkit (no metadata {KEY!r})"
    if len(inputs) != 1 or len(graph.output) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise UserError(
            f"{lacks}, and has {len(inputs)} inputs ({names}) and {len(graph.output)} outputs; one each is plain"
        )
    sides = [_sides(value) for value in (inputs[0], graph.output[0])]
    if any(len(shape) != 4 or shape[1] not in (1, 3) for shape in sides) or not _is_float(inputs[0]):
        raise UserError(f"{lacks}, and does not map float32 (N, 3, H, W) to (N, 3, H, W), but {sides[0]} to {sides[1]}")
    # the range of values
    last = next(node for node in reversed(graph.node) if graph.output[0].name in node.output)
    if last.op_type != "Tanh":
        raise UserError(
            f"{lacks}, and its range of values is missing: it ends in {last.op_type}, not in Tanh; add the metadata"
            " (docs/export.md, ONNX)"
        )
    # the size
    height, width = sides[0][2:]
    if isinstance(height, int) != isinstance(width, int) or (isinstance(height, int) and height != width):
        raise UserError(f"{lacks}, and takes pictures of {width} x {height} px alone, which are no squares")
    fixed = height if isinstance(height, int) else 0
    shape = ("batch", sides[0][1], *((fixed, fixed) if fixed else ("height", "width")))
    recipe = OnnxRecipe(
        kind="translate", task="foreign", domains=("source", "target"), direction="ab",
        channels=(int(sides[0][1]), int(sides[1][1])), size=fixed or SIZE, multiple=fixed or MULTIPLE, fixed=fixed,
        inputs=(OnnxInput(name=inputs[0].name, shape=shape, about="the picture"),), output=graph.output[0].name,
    )  # fmt: skip
    size = f", {fixed} x {fixed} px" if fixed else ""
    return recipe, f"{path}: not written by this toolkit; it is taken for a generator of RGB in [-1, 1]{size}"


def _sides(value: "ValueInfoProto") -> tuple[int | str, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in dims)


def _is_float(value: "ValueInfoProto") -> bool:
    return value.type.tensor_type.elem_type == FLOAT32
